import PlantDomain
import Testing

@Suite struct SensorHealthTests {
    // MARK: Battery

    @Test func `a low battery is told until it is charged`() {
        var device = JudgedDevice([:])
        device.plant = nil
        for (second, percent) in [(0.0, 21.0), (60, 20), (120, 19.9), (180, 19), (240, 18)] {
            device.says(second, [.battery: percent])
        }
        #expect(device.story == ["120 battery_low began since 120", "240 battery_low fired warning since 120"])
        device.says(.battery, 10, from: 300, to: 900)
        #expect(device.story.count == 2)
        device.says(.battery, 9.9, from: 960, to: 1200)
        #expect(device.told.last == "1080 battery_low escalated since 120")
        device.says(.battery, 29.9, from: 1260, to: 3000)
        #expect(device.story.count == 3)
        device.says(.battery, 30, from: 3060, to: 3600)
        #expect(device.told.last == "3180 battery_low resolved since 120")
        #expect(device.story.count == 4)
    }

    @Test func `heartbeats tell of the battery, too`() {
        var device = JudgedDevice([:])
        device.heartbeat(0, battery: 9)
        device.says(60, [.battery: 9])
        device.heartbeat(120, battery: 9)
        #expect(device.told == ["120 battery_low fired critical since 0"])
        #expect(device.findings.last?.value == 9)
        #expect(device.findings.last?.limit == 20)
        #expect(device.findings.last?.subject.device == JudgedDevice.id)
    }

    // MARK: Stuck sensors

    @Test func `a sensor that always moved and stands still for hours is stuck, until it moves`() throws {
        var device = JudgedDevice([:])
        for minute in 0..<600 { device.says(Double(minute) * 60, [.temperature: 20 + Double(minute % 7) / 10]) }
        let start = 36_000.0
        device.says(.temperature, 25, from: start, to: start + 6 * 3600 - 60)
        #expect(device.story.isEmpty)
        device.says(.temperature, 25, from: start + 6 * 3600, to: start + 12 * 3600)
        #expect(device.told == ["\(Int(start) + 6 * 3600) sensor_stuck temperature fired warning since \(Int(start))"])
        let moves = start + 13 * 3600
        device.says(moves, [.temperature: 25.1])
        #expect(device.story.count == 2)
        #expect(device.told.last?.hasPrefix("\(Int(moves)) sensor_stuck temperature resolved") == true)
    }

    @Test(arguments: [60.0, 600, 3600])
    func `a sensor of which nothing is known is stuck after three days`(interval: Double) {
        var device = JudgedDevice([:])
        device.says(.soilMoisture, 40, from: 0, to: 72 * 3600 - interval, every: interval)
        #expect(device.story.isEmpty)
        device.says(.soilMoisture, 40, from: 72 * 3600, to: 120 * 3600, every: interval)
        #expect(device.told == ["259200 sensor_stuck soil_moisture fired warning since 0"])
    }

    @Test func `a sensor that stood still last night may do so tonight`() {
        // A greenhouse: saturated for nine hours of the night, and never the same twice by day.
        var device = JudgedDevice([:])
        var second = 0.0
        for _ in 0..<4 {
            device.says(.humidity, 100, from: second, to: second + 9 * 3600 - 60)
            second += 9 * 3600
            for minute in 0..<900 {
                device.says(second, [.humidity: 70 + Double(minute % 9)])
                second += 60
            }
        }
        #expect(device.story.isEmpty, "\(device.story)")
    }

    @Test func `a coarse sensor is given as long as it ever took, and more`() {
        var device = JudgedDevice([:])
        var second = 0.0
        // Half a degree, for hours at a time.
        for run in 0..<40 {
            let length = run.isMultiple(of: 2) ? 60 : 500
            device.says(
                .temperature, 20 + Double(run % 3) / 2, from: second, to: second + Double(length - 1) * 60)
            second += Double(length) * 60
        }
        device.says(.temperature, 30, from: second, to: second + 12 * 3600)
        #expect(device.story.isEmpty, "\(device.story)")
    }

    @Test func `silence is not saying the same`() {
        var device = JudgedDevice([:])
        device.says(.temperature, 21, from: 0, to: 7200)
        device.says(.temperature, 21, from: 7200 + 80 * 3600, to: 7200 + 80 * 3600 + 600)
        #expect(device.story.isEmpty, "\(device.story)")
    }

    @Test func `batteries, radios and darkness may stand still`() {
        var device = JudgedDevice([:])
        for hour in 0..<400 {
            device.says(Double(hour) * 1800, [.battery: 80, .rssi: -60, .lightLevel: 0, .batteryVoltage: 4])
        }
        #expect(device.story.isEmpty)
    }
}
