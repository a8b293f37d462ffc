import PlantDomain
import Testing

@Suite struct WateringTests {
    private static let soil = ["soil_moisture": Threshold(min: 25, max: 75)]

    @Test func `too wet is not told for a day after a watering`() {
        var device = JudgedDevice(Self.soil)
        device.says(.soilMoisture, 40, from: 0, to: 3600)
        device.says(.soilMoisture, 90, from: 3660, to: 3660 + 86_400 - 60)
        #expect(device.story.isEmpty)
        device.says(.soilMoisture, 90, from: 3660 + 86_400 + 60, to: 3660 + 86_400 + 600)
        #expect(device.told.count == 1)
        #expect(device.told.first?.contains("soil_moisture max fired") == true)
    }

    @Test func `without a watering too wet is told`() {
        var device = JudgedDevice(Self.soil)
        device.says(.soilMoisture, 80, from: 0, to: 600)
        #expect(device.told == ["120 soil_moisture max fired warning since 0"])
    }

    @Test(arguments: [(5.0, true), (6, true), (4.9, false), (2, false)])
    func `a watering is a rise of 5 points`(rise: Double, isWatering: Bool) {
        var device = JudgedDevice(Self.soil)
        device.says(.soilMoisture, 74, from: 0, to: 3600)
        device.says(.soilMoisture, 74 + rise, from: 3660, to: 7200)
        #expect(device.told.isEmpty == isWatering, "\(device.told)")
    }

    @Test(arguments: Array(stride(from: 10.0, through: 60, by: 10)), Array(stride(from: 0.0, to: 60, by: 10)))
    func `a rise within 60 minutes counts at any time of the hour, however rare the readings`(
        minutes: Double, phase: Double
    ) {
        var device = JudgedDevice(Self.soil)
        var second = phase * 60
        for _ in 0..<10 {
            device.says(second, [.soilMoisture: 50])
            second += minutes * 60
        }
        for _ in 0..<5 {
            device.says(second, [.soilMoisture: 80])
            second += minutes * 60
        }
        #expect(device.told.isEmpty, "\(device.told)")
    }

    @Test(arguments: Array(stride(from: 0.0, to: 60, by: 5)))
    func `a rise counts that takes most of an hour`(phase: Double) {
        // A drip: 6 points in an hour. The limit is passed after the fifth.
        var device = JudgedDevice(Self.soil)
        let start = 3600 + phase * 60
        device.says(.soilMoisture, 69.8, from: phase * 60, to: start)
        for minute in 1...60 {
            device.says(start + Double(minute) * 60, [.soilMoisture: 69.8 + Double(minute) / 10])
        }
        device.says(.soilMoisture, 75.8, from: start + 61 * 60, to: start + 5 * 3600)
        #expect(device.told.isEmpty, "\(device.told)")
    }

    @Test func `a slow rise is no watering`() {
        var device = JudgedDevice(Self.soil)
        for minute in stride(from: 0.0, through: 600, by: 5) {
            device.says(minute * 60, [.soilMoisture: min(80, 65 + minute / 20)])
        }
        #expect(device.told.first?.contains("soil_moisture max fired") == true)
    }

    @Test func `a rise in noise is no watering`() {
        // The median deviation is 2 points, so a watering has to be 8; the noise is 7.
        var device = JudgedDevice(["soil_moisture": Threshold(max: 100)])
        let noise = [80.0, 79, 81, 78, 82, 78, 83] + (0..<60).map { [84.0, 78, 82, 79, 83, 77, 81][$0 % 7] }
        for (index, value) in noise.enumerated() { device.says(Double(index) * 60, [.soilMoisture: value]) }
        device.rules = PlantRules(["soil_moisture": Threshold(max: 70)], hysteresisPercent: 5)
        for index in 67..<72 { device.says(Double(index) * 60, [.soilMoisture: noise[index - 14]]) }
        #expect(device.told.first?.contains("soil_moisture max fired") == true)
    }

    @Test func `a probe that was moved is no watering`() {
        var device = JudgedDevice(Self.soil)
        device.says(.soilMoisture, 60, from: 0, to: 3600)
        device.says(.soilMoisture, 72, from: 3660, to: 4200)
        device.says(.soilMoisture, 60, from: 4260, to: 9000)
        for minute in stride(from: 0.0, through: 400, by: 5) {
            device.says(9060 + minute * 60, [.soilMoisture: min(80, 60 + minute / 20)])
        }
        #expect(device.told.first?.contains("soil_moisture max fired") == true)
    }

    @Test func `too dry is told, watered or not`() {
        var device = JudgedDevice(Self.soil)
        device.says(.soilMoisture, 10, from: 0, to: 60)
        device.says(.soilMoisture, 18, from: 120, to: 600)
        #expect(device.told == ["120 soil_moisture min fired warning since 0"])
    }

    @Test func `what fires as too wet goes on when it is watered, and ends`() {
        var device = JudgedDevice(Self.soil)
        device.says(.soilMoisture, 80, from: 0, to: 3600)
        device.says(.soilMoisture, 90, from: 3660, to: 7200)
        device.says(.soilMoisture, 60, from: 7260, to: 9000)
        #expect(
            device.told.map { $0.split(separator: " ").dropFirst().joined(separator: " ") } == [
                "soil_moisture max fired warning since 0", "soil_moisture max escalated since 0",
                "soil_moisture max resolved since 0",
            ])
    }
}
