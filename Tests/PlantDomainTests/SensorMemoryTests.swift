import PlantDomain
import Testing

@Suite struct SensorMemoryTests {
    private static let soil = ["soil_moisture": Threshold(min: 25, max: 75)]
    private static let climate = ["temperature": Threshold(min: 15, max: 30)]

    // MARK: Limits

    @Test func `a plant that dries out is told of, and that it was watered`() throws {
        var device = JudgedDevice(Self.soil)
        device.says(.soilMoisture, 26, from: 0, to: 600)
        device.says(.soilMoisture, 24.5, from: 660, to: 1200)
        device.says(.soilMoisture, 60, from: 1260, to: 1800)
        #expect(
            device.story == [
                "660 soil_moisture min began since 660", "780 soil_moisture min fired warning since 660",
                "1380 soil_moisture min resolved since 660",
            ])
        let fired = try #require(device.findings.dropFirst().first)
        #expect(
            fired.subject
                == AlertSubject(
                    .threshold, plant: JudgedDevice.plant, device: JudgedDevice.id, metric: "soil_moisture",
                    direction: .min))
        #expect(fired.value == 24.5)
        #expect(fired.limit == 25)
        #expect(device.findings.last?.value == 60)
        #expect(device.findings.last?.resolution == .recovered)
    }

    @Test func `metrics and directions are judged apart`() {
        var device = JudgedDevice(Self.soil.merging(Self.climate) { $1 })
        for second in stride(from: 0.0, through: 600, by: 60) {
            device.says(second, [.soilMoisture: 20, .temperature: second < 300 ? 20 : 31, .humidity: 1])
        }
        #expect(
            device.story == [
                "0 soil_moisture min began since 0", "120 soil_moisture min fired warning since 0",
                "300 temperature max began since 300", "420 temperature max fired warning since 300",
            ])
    }

    @Test func `a reading without the metric says nothing of it`() {
        var device = JudgedDevice(Self.soil)
        device.says(0, [.soilMoisture: 20])
        device.says(60, [.temperature: 20])
        device.says(180, [.temperature: 20])
        #expect(device.story == ["0 soil_moisture min began since 0"])
        device.says(240, [.soilMoisture: 20])
        #expect(device.told == ["240 soil_moisture min fired warning since 0"])
    }

    @Test func `extra metrics have limits, too`() {
        var device = JudgedDevice(["par": Threshold(min: 10)])
        for second in stride(from: 0.0, through: 120, by: 60) {
            device.says(second, [:], extras: [ExtraValue(name: "far", value: 0), ExtraValue(name: "par", value: 9)])
        }
        #expect(device.told == ["120 par min fired warning since 0"])
    }

    @Test func `light is not judged at night`() {
        var device = JudgedDevice(["light_level": Threshold(min: 1000, max: 5000)])
        device.says(.lightLevel, 0, from: 0, to: 3600)
        device.says(.lightLevel, 100_000, from: 3660, to: 7200)
        device.forSeconds = 0
        device.says(.lightLevel, 0, from: 7260, to: 8000)
        #expect(device.story.isEmpty)
    }

    @Test func `with no time to wait the first reading fires and the first that is well resolves`() {
        var device = JudgedDevice(Self.climate, forSeconds: 0)
        device.says(.temperature, 20, from: 0, to: 600)
        device.says(660, [.temperature: 5])
        device.says(670, [.temperature: 20])
        #expect(
            device.story == [
                "660 temperature min fired critical since 660", "670 temperature min resolved since 660",
            ])
    }

    @Test func `noise at the limit for an hour is one alert and one end`() {
        var generator = SeededGenerator(seed: 5)
        var device = JudgedDevice(Self.soil)
        for second in stride(from: 0.0, to: 3600, by: 10) {
            device.says(second, [.soilMoisture: 25 + Double.random(in: -1...1, using: &generator)])
        }
        device.says(.soilMoisture, 30, from: 3600, to: 7200, every: 10)
        #expect(device.told.count == 2, "\(device.told)")
    }

    // MARK: Spikes and steps

    @Test(arguments: [0.0, 100, 76, 24])
    func `a single spike is ignored`(spike: Double) {
        var device = JudgedDevice(Self.soil, forSeconds: 1)
        device.says(.soilMoisture, 50, from: 0, to: 600)
        device.says(660, [.soilMoisture: spike])
        device.says(.soilMoisture, 50, from: 720, to: 1200)
        #expect(device.story.isEmpty)
    }

    @Test func `spikes to either side, and one after the other, are ignored`() {
        var device = JudgedDevice(Self.soil, forSeconds: 1)
        device.says(.soilMoisture, 50, from: 0, to: 600)
        device.says(660, [.soilMoisture: 0])
        device.says(720, [.soilMoisture: 100])
        device.says(780, [.soilMoisture: 50])
        device.says(840, [.soilMoisture: 0])
        device.says(900, [.soilMoisture: 50])
        #expect(device.story.isEmpty)
    }

    @Test func `a step is accepted at its second reading, from its first`() {
        var device = JudgedDevice(Self.climate)
        device.says(.temperature, 20, from: 0, to: 600)
        device.says(660, [.temperature: 10])
        #expect(device.story.isEmpty)
        device.says(720, [.temperature: 10.1])
        #expect(device.story == ["660 temperature min began since 660"])
        device.says(780, [.temperature: 10])
        #expect(device.told == ["780 temperature min fired critical since 660"])
    }

    @Test func `one good reading among bad ones ends nothing`() {
        var device = JudgedDevice(Self.climate, forSeconds: 1)
        device.says(.temperature, 10, from: 0, to: 1200)
        let before = device.story
        device.says(1260, [.temperature: 20])
        device.says(.temperature, 10, from: 1320, to: 2000)
        #expect(device.story == before)
    }

    @Test func `noise of the sensor is no spike`() {
        var device = JudgedDevice(Self.climate, forSeconds: 60)
        // 0.3 °C of noise floor: what is within three times that is judged at once.
        device.says(.temperature, 15.2, from: 0, to: 600)
        device.says(660, [.temperature: 14.5])
        #expect(device.story == ["660 temperature min began since 660"])
    }

    @Test func `with no time to wait spikes count`() {
        var device = JudgedDevice(Self.soil, forSeconds: 0)
        device.says(.soilMoisture, 50, from: 0, to: 600)
        device.says(660, [.soilMoisture: 0])
        device.says(720, [.soilMoisture: 50])
        #expect(
            device.story == [
                "660 soil_moisture min fired critical since 660", "720 soil_moisture min resolved since 660",
            ])
    }

    // MARK: Late, repeated and out of order

    @Test(arguments: [(300.0, true), (300.000001, false), (3600, false)])
    func `a reading is live for five minutes`(age: Double, isLive: Bool) {
        var device = JudgedDevice(Self.climate, forSeconds: 0)
        device.receive([device.reading(1000, [.temperature: 5])], at: 1000 + age)
        #expect(device.story.isEmpty == !isLive)
        #expect((device.memory.judgedUntil != nil) == isLive)
    }

    @Test func `backfilled readings neither begin, fire nor resolve`() {
        var device = JudgedDevice(Self.climate)
        let bad = (0..<60).map { device.reading(Double($0) * 60, [.temperature: 5]) }
        device.receive(bad, at: 7200)
        #expect(device.story.isEmpty)
        device.says(.temperature, 5, from: 7260, to: 7500)
        #expect(device.told == ["7380 temperature min fired critical since 7260"])
        let good = (200..<260).map { device.reading(Double($0) * 60, [.temperature: 20]) }
        device.receive(good, at: 20_000)
        device.says(20_060, [.temperature: 5])
        #expect(device.told.count == 1)
    }

    @Test func `of a batch with old and new readings the new ones count`() {
        var device = JudgedDevice(Self.climate)
        let batch = (0...100).map { device.reading(Double($0) * 60, [.temperature: 5]) }
        device.receive(batch, at: 6000)
        #expect(
            device.story == [
                "5700 temperature min began since 5700", "5820 temperature min fired critical since 5700",
            ])
    }

    @Test func `a late reading changes nothing of what newer ones said`() {
        var device = JudgedDevice(Self.climate, forSeconds: 0)
        device.says(100, [.temperature: 20])
        device.receive([device.reading(50, [.temperature: 5])], at: 110)
        device.receive([device.reading(100, [.temperature: 5])], at: 120)
        #expect(device.story.isEmpty)
        #expect(device.memory.judgedUntil == JudgedDevice.at(100))
    }

    @Test func `the order within a message does not matter`() {
        var device = JudgedDevice(Self.climate)
        let readings = [0.0, 60, 120, 180].map { device.reading($0, [.temperature: $0 < 180 ? 5 : 6]) }
        device.receive([readings[3], readings[0], readings[2], readings[1], readings[0]], at: 180)
        #expect(
            device.story == ["0 temperature min began since 0", "120 temperature min fired critical since 0"])
    }

    @Test func `nothing counts twice`() {
        var device = JudgedDevice(Self.climate)
        device.says(0, [.temperature: 5])
        for second in stride(from: 10.0, through: 290, by: 10) {
            device.receive([device.reading(0, [.temperature: 5])], at: second)
        }
        #expect(device.story == ["0 temperature min began since 0"])
    }

    @Test func `an empty message is nothing`() {
        var device = JudgedDevice(Self.climate)
        device.receive([], at: 0)
        #expect(device.memory == SensorMemory())
    }

    // MARK: Clocks

    @Test func `a device whose clock is steadily behind is judged after a quarter of an hour`() {
        var device = JudgedDevice(Self.climate)
        device.clockIsBehind = 7200
        device.says(.temperature, 5, from: 0, to: 840)
        #expect(device.story.isEmpty)
        device.says(.temperature, 5, from: 900, to: 1200)
        #expect(
            device.story == [
                "900 temperature min began since 900", "1020 temperature min fired critical since 900",
            ])
    }

    @Test func `what arrives late after an outage is not taken for a clock that is behind`() {
        var device = JudgedDevice(Self.climate)
        device.says(.temperature, 20, from: 0, to: 3600)
        // Two hours of readings arrive within a minute, oldest first. Of the last ten minutes they are good.
        for minute in 0..<120 {
            device.receive(
                [device.reading(3660 + Double(minute) * 60, [.temperature: minute < 110 ? 5 : 20])],
                at: 10_860 + Double(minute) / 2)
        }
        device.says(.temperature, 20, from: 10_980, to: 12_000)
        #expect(device.story.isEmpty, "\(device.story)")
    }

    @Test func `a clock that is put right is judged at once`() {
        var device = JudgedDevice(Self.climate)
        device.clockIsBehind = 7200
        device.says(.temperature, 20, from: 0, to: 1800)
        device.clockIsBehind = 0
        device.says(.temperature, 5, from: 1860, to: 2100)
        #expect(device.told.count == 1, "\(device.story)")
    }

    @Test func `a clock that is ahead changes nothing`() {
        var device = JudgedDevice(Self.climate)
        device.clockIsBehind = -290
        device.says(.temperature, 20, from: 0, to: 1800)
        device.says(.temperature, 5, from: 1860, to: 2100)
        // The first of them is set aside as a possible spike.
        #expect(
            device.story == [
                "1860 temperature min began since 1860", "1980 temperature min fired critical since 1860",
            ])
    }

    @Test(arguments: [100.0, 200, 290])
    func `forgiving a clock does not make time pass`(behind: Double) {
        var device = JudgedDevice(Self.climate)
        device.clockIsBehind = behind
        device.says(.temperature, 20, from: 0, to: 840, every: 10)
        // 60 seconds before it is forgiven, and 50 after.
        device.says(.temperature, 14.5, from: 850, to: 960, every: 10)
        #expect(device.told.isEmpty, "\(device.story)")
        device.says(.temperature, 14.5, from: 970, to: 1200, every: 10)
        #expect(device.told.count == 1, "\(device.story)")
    }

    @Test func `a redelivery does not take back what a clock was forgiven`() {
        var device = JudgedDevice(Self.climate)
        device.clockIsBehind = 7200
        device.says(.temperature, 20, from: 0, to: 1800)
        device.receive((10...20).map { device.reading(Double($0) * 60, [.temperature: 20]) }, at: 1810)
        device.says(.temperature, 14.5, from: 1860, to: 2100)
        #expect(device.told == ["1980 temperature min fired warning since 1860"])
    }

    @Test func `a device without a clock is timed by us`() {
        var device = JudgedDevice(Self.climate)
        for second in stride(from: 0.0, through: 120, by: 60) {
            device.receive(
                [
                    Reading(
                        time: JudgedDevice.at(second), timeSource: .server,
                        values: PlantDomainTests.values([.temperature: 5]))
                ], at: second + 0.5)
        }
        #expect(device.told == ["120 temperature min fired critical since 0"])
    }

    // MARK: Plants and limits that change

    @Test func `a device that moves to another plant begins anew`() {
        var device = JudgedDevice(Self.climate)
        device.says(.temperature, 5, from: 0, to: 300)
        device.plant = EntityID(high: 3, low: 3)
        device.says(.temperature, 5, from: 360, to: 480)
        #expect(
            device.story == [
                "0 temperature min began since 0", "120 temperature min fired critical since 0",
                "360 temperature min began since 360", "480 temperature min fired critical since 360",
            ])
        #expect(device.findings.last?.subject.plant == device.plant)
    }

    @Test func `readings from another plant's time are not judged by this one's limits`() {
        var device = JudgedDevice(Self.climate, forSeconds: 0)
        let moved = JudgedDevice.at(1000)
        device.receive([device.reading(990, [.temperature: 5])], at: 1010) {
            $0 < moved ? EntityID(high: 3, low: 3) : JudgedDevice.plant
        }
        #expect(device.story.isEmpty)
        device.receive([device.reading(1010, [.temperature: 5])], at: 1020) { _ in JudgedDevice.plant }
        #expect(device.told.count == 1)
    }

    @Test func `a device without a plant is judged for itself only`() {
        var device = JudgedDevice(Self.climate, forSeconds: 0)
        device.plant = nil
        device.says(0, [.temperature: 5, .battery: 5])
        #expect(device.story == ["0 battery_low fired critical since 0"])
    }

    @Test func `when a limit is removed, its alert is over`() throws {
        var device = JudgedDevice(Self.climate)
        device.says(.temperature, 5, from: 0, to: 300)
        device.rules = PlantRules(["temperature": Threshold(max: 30)], hysteresisPercent: 5)
        device.says(360, [.temperature: 5])
        let last = try #require(device.findings.last)
        #expect(JudgedDevice.words(last) == "360 temperature min resolved since 0")
        #expect(last.resolution == .limitRemoved)
        device.rules = PlantRules(Self.climate, hysteresisPercent: 5)
        device.says(.temperature, 5, from: 420, to: 540)
        #expect(device.told.last == "540 temperature min fired critical since 420")
    }

    @Test func `when a limit is removed that was about to fire, nothing is left`() {
        var device = JudgedDevice(Self.climate)
        device.says(0, [.temperature: 5])
        device.rules = .none
        device.says(60, [.temperature: 5])
        device.says(600, [.temperature: 5])
        #expect(device.story == ["0 temperature min began since 0", "60 temperature min lapsed"])
    }

    @Test func `a limit that was changed is judged by as it is now`() {
        var device = JudgedDevice(Self.climate)
        device.says(.temperature, 14, from: 0, to: 300)
        #expect(device.told.count == 1)
        device.rules = PlantRules(["temperature": Threshold(min: 10, max: 30)], hysteresisPercent: 5)
        device.says(.temperature, 14, from: 360, to: 480)
        #expect(device.told.last == "480 temperature min resolved since 0")
    }

    // MARK: Keeping

    /// Decoded as the store does it.
    private func isKept(_ memory: SensorMemory) -> Bool {
        var copy = SensorMemory(encoded: memory.encoded)
        copy?.judgedUntil = memory.judgedUntil
        return copy == memory
    }

    @Test func `what is kept comes back`() {
        #expect(isKept(SensorMemory()))
        var device = JudgedDevice(Self.soil.merging(["par": Threshold(min: 1)]) { $1 })
        device.clockIsBehind = 30
        device.says(
            0, [.soilMoisture: 20, .temperature: 3, .battery: 5], extras: [ExtraValue(name: "par", value: 0.1)])
        #expect(isKept(device.memory))
        device.says(.soilMoisture, 20, from: 60, to: 1200)
        device.says(1260, [.soilMoisture: 99])
        #expect(isKept(device.memory))
        device.says(1320, [.soilMoisture: 99])
        #expect(isKept(device.memory))
    }

    @Test(arguments: [1e38, 1e39, 1e100, -1e100, 1e-300])
    func `what is kept comes back with the largest of values`(value: Double) {
        for forSeconds in [0.0, 120] {
            var device = JudgedDevice(["par": Threshold(max: 100)], forSeconds: forSeconds)
            var wasKept = true
            for second in stride(from: 0.0, through: 1200, by: 60) {
                device.says(second, [:], extras: [ExtraValue(name: "par", value: value)])
                if !isKept(device.memory) { wasKept = false }
            }
            #expect(wasKept)
            #expect(device.told.count == (value > 100 ? 1 : 0))
        }
    }

    @Test func `what is open goes on where nothing is remembered`() {
        func alert(_ subject: AlertSubject, _ severity: AlertSeverity) -> Alert {
            Alert(
                id: EntityID(high: 9, low: 9), subject: subject, severity: severity, state: .firing,
                startedAt: JudgedDevice.at(-600))
        }
        let (id, plant) = (JudgedDevice.id, JudgedDevice.plant)
        var device = JudgedDevice(Self.climate)
        device.memory = SensorMemory(
            resuming: [
                alert(
                    AlertSubject(.threshold, plant: plant, device: id, metric: "temperature", direction: .min), .warning
                ),
                // Of the plant it stood in before.
                alert(
                    AlertSubject(
                        .threshold, plant: EntityID(high: 3, low: 3), device: id, metric: "temperature", direction: .max
                    ),
                    .warning),
                alert(AlertSubject(.batteryLow, device: id), .critical),
                alert(AlertSubject(.sensorStuck, device: id, metric: "humidity"), .warning),
            ], in: plant)
        #expect(isKept(device.memory))
        for second in stride(from: 0.0, through: 300, by: 60) {
            device.says(second, [.temperature: 14, .battery: 5, .humidity: 50])
        }
        #expect(device.story.isEmpty, "\(device.story)")
        for second in stride(from: 360.0, through: 480, by: 60) {
            device.says(second, [.temperature: 10, .battery: 80, .humidity: 51])
        }
        #expect(
            device.told.map { $0.replacing("humidity resolved since 0", with: "humidity resolved") } == [
                "360 sensor_stuck humidity resolved", "480 battery_low resolved since -600",
                "480 temperature min escalated since -600",
            ])
    }

    @Test func `what another version wrote is not read`() {
        var bytes = SensorMemory().encoded
        #expect(SensorMemory(encoded: []) == nil)
        bytes[0] &+= 1
        #expect(SensorMemory(encoded: bytes) == nil)
        #expect(SensorMemory(encoded: SensorMemory().encoded + [0]) == nil)
    }

    @Test func `it is small`() {
        var device = JudgedDevice(Self.soil)
        device.says(.soilMoisture, 20, from: 0, to: 6000)
        #expect(device.memory.encoded.count < 250, "\(device.memory.encoded.count)")
    }
}
