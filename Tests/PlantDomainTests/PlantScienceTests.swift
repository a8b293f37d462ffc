import PlantDomain
import Testing

@Suite("Plant science")
struct PlantScienceTests {
    @Test("knows the vapour pressure deficit of the air", arguments: [(25.0, 50.0, 1.5839), (20, 60, 0.9353)])
    func vpd(temperature: Double, humidity: Double, expected: Double) {
        #expect(abs(PlantScience.airVPD(temperature: temperature, humidity: humidity) - expected) < 0.00005)
    }

    @Test("knows that saturated air has no deficit", arguments: [-10.0, 0, 25, 40])
    func saturated(temperature: Double) throws {
        #expect(PlantScience.airVPD(temperature: temperature, humidity: 100) == 0)
        let dewPoint = try #require(PlantScience.dewPoint(temperature: temperature, humidity: 100))
        #expect(abs(dewPoint - temperature) < 1e-9)
    }

    @Test("knows the dew point", arguments: [(20.0, 60.0, 12.00), (25, 50, 13.86)])
    func dewPoint(temperature: Double, humidity: Double, expected: Double) throws {
        let dewPoint = try #require(PlantScience.dewPoint(temperature: temperature, humidity: humidity))
        #expect(abs(dewPoint - expected) < 0.005)
    }

    @Test("knows that perfectly dry air has no dew point")
    func dryAir() {
        #expect(PlantScience.dewPoint(temperature: 20, humidity: 0) == nil)
        #expect(PlantScience.absoluteHumidity(temperature: 20, humidity: 0) == 0)
    }

    @Test("knows how much water the air holds")
    func absoluteHumidity() {
        #expect(abs(PlantScience.absoluteHumidity(temperature: 25, humidity: 50) - 11.51) < 0.005)
    }
}
