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

    @Test("knows the deficit between a leaf and the air")
    func leafVPD() {
        // A leaf as warm as the air has the air's; a degree or two make a difference; dew settles on a cold one.
        #expect(abs(PlantScience.leafVPD(leafTemperature: 25, temperature: 25, humidity: 50) - 1.5839) < 0.00005)
        #expect(abs(PlantScience.leafVPD(leafTemperature: 23, temperature: 25, humidity: 50) - 1.2256) < 0.0005)
        #expect(PlantScience.leafVPD(leafTemperature: 12, temperature: 20, humidity: 60) < 0.001)
        #expect(PlantScience.leafVPD(leafTemperature: 10, temperature: 20, humidity: 60) < 0)
    }

    @Test(
        "knows what plants can use of the light of each source",
        arguments: [
            (LightSource.sun, 185.0), (.metalHalide, 140), (.highPressureSodium, 130), (.fluorescent, 135),
            (.whiteLED, 170),
        ])
    func ppfd(source: LightSource, expected: Double) throws {
        let ppfd = try #require(
            DerivedMetric.ppfd.value(of: { $0 == .lightLevel ? 10_000 : nil }, lightSource: source))
        #expect(abs(ppfd - expected) < 1e-9)
    }

    @Test("knows how long a lamp must burn", arguments: [(2.0, 150.0, 3.7037), (0, 150, 0), (-3, 150, 0)])
    func lampHours(deficit: Double, ppfd: Double, expected: Double) throws {
        let hours = try #require(PlantScience.lampHours(deficit: deficit, ppfd: ppfd))
        #expect(abs(hours - expected) < 0.0001)
        #expect(PlantScience.lampHours(deficit: deficit, ppfd: 0) == nil)
    }

    @Test("knows conductivity at 25 °C", arguments: [(1000.0, 25.0, 1000.0), (1000, 20, 1104.97), (1000, 30, 913.24)])
    func conductivity(measured: Double, temperature: Double, expected: Double) throws {
        let at25 = try #require(PlantScience.electricalConductivityAt25(measured, temperature: temperature))
        #expect(abs(at25 - expected) < 0.005)
    }

    @Test("knows that frozen soil conducts nothing that could be compared")
    func frozen() {
        #expect(PlantScience.electricalConductivityAt25(1000, temperature: 0) != nil)
        #expect(PlantScience.electricalConductivityAt25(1000, temperature: -0.1) == nil)
        #expect(PlantScience.electricalConductivityAt25(1000, temperature: -30) == nil)
    }

    @Test("knows how long soil takes to dry")
    func drying() throws {
        func time(_ from: Double, _ to: Double, _ residual: Double, _ tau: Double = 5) -> Double? {
            PlantScience.dryingTime(from: from, to: to, residual: residual, timeConstant: tau)
        }
        let days = try #require(time(70, 25, 10))
        #expect(abs(days - 6.93) < 0.005)
        #expect(time(25, 25, 10) == 0)
        #expect(time(20, 25, 10) == 0)
        #expect(time(70, 10, 10) == nil)
        #expect(time(70, 5, 10) == nil)
        #expect(time(70, 25, 10, 0) == nil)
    }
}
