import PlantDomain
import Testing

@Suite struct LimitReplayTests {
    private static let plant = EntityID(high: 9, low: 9)
    private let devices = (EntityID(high: 1, low: 1), EntityID(high: 1, low: 2))
    private let start = Timestamp(microseconds: 1_795_219_200_000_000)  // 2026-11-21T00:00:00Z

    private func replay(_ thresholds: Thresholds, forSeconds: Double = 120, zone: KnownTimeZone = .utc) -> LimitReplay {
        LimitReplay(
            plant: Self.plant, rules: PlantRules(thresholds, hysteresisPercent: 5), forSeconds: forSeconds, zone: zone,
            longestGap: 3 * 3600)
    }

    private func minute(_ number: Double) -> Timestamp { start.adding(seconds: number * 60) }

    private func reading(_ minute: Double, _ pairs: KeyValuePairs<Metric, Double>, _ extras: [ExtraValue] = [])
        -> Reading
    {
        Reading(time: self.minute(minute), timeSource: .device, values: values(pairs), extras: extras)
    }

    /// Each in a line, its times in minutes.
    private func lines(_ episodes: [LimitReplay.Episode]) -> [String] {
        episodes.map { episode in
            let minutes = [episode.from, episode.to].map { time in
                time.map { "\(Int($0.seconds(since: start) / 60))" } ?? "now"
            }
            return "\(episode.metric) \(episode.direction) \(episode.severity) \(minutes[0]) to \(minutes[1])"
        }
    }

    /// One reading of soil moisture a minute, from minute 0 on.
    private func moisture(_ series: [Double], _ thresholds: Thresholds, forSeconds: Double = 120)
        -> [LimitReplay.Episode]
    {
        var replay = replay(thresholds, forSeconds: forSeconds)
        for (index, value) in series.enumerated() {
            replay.add(reading(Double(index), [.soilMoisture: value]), of: devices.0)
        }
        replay.finish(at: minute(Double(series.count)))
        return replay.episodes
    }

    private let dry: Thresholds = ["soil_moisture": Threshold(min: 30)]

    @Test func `an episode lasts from the first reading beyond the limit to the one that ends it`() {
        // Fires at 3, having lasted 2 minutes; well again from 31.5 on, for 2 minutes.
        let episodes = moisture([35, 29, 29, 29, 31, 32, 32, 32, 33], dry)
        #expect(lines(episodes) == ["soil_moisture min warning 1 to 7"])
    }

    @Test(arguments: [[35, 29, 29, 32, 35], [30, 30, 30, 30], [35, 35]])
    func `what would not have fired is no episode`(series: [Double]) {
        #expect(moisture(series, dry).isEmpty)
    }

    @Test func `at 0 seconds the first reading fires and the first good one ends it`() {
        let episodes = moisture([29, 31, 31.5, 29], dry, forSeconds: 0)
        #expect(episodes.map(\.from) == [minute(0), minute(3)])
        #expect(episodes.map(\.to) == [minute(2), nil])
    }

    @Test func `the worst of an episode is its severity`() {
        // Critical below 24.
        #expect(moisture([35, 29, 29, 29, 29, 32, 32, 32], dry).map(\.severity) == [.warning])
        #expect(moisture([35, 23, 23, 23], dry).map(\.severity) == [.critical])
        #expect(moisture([35, 29, 29, 29, 23, 23, 23, 29, 32, 32, 32], dry).map(\.severity) == [.critical])
    }

    @Test func `a single spike is none, and a watering is not too wet`() {
        let calm = Array(repeating: 45.0, count: 10)
        #expect(moisture(calm + [5] + calm, dry).isEmpty)
        #expect(moisture(calm + [5, 5, 5, 5], dry).map(\.from) == [minute(10)])
        let wet: Thresholds = ["soil_moisture": Threshold(max: 60)]
        #expect(moisture(calm + Array(repeating: 75.0, count: 30), wet).isEmpty)
        // Without a watering before, it is.
        #expect(moisture(Array(repeating: 75.0, count: 30), wet).map(\.from) == [minute(0)])
    }

    @Test func `episodes come in the order they fired, of every metric and both ends`() {
        var replay = replay(
            [
                "temperature": Threshold(min: 10, max: 30), "leaf_wetness": Threshold(max: 5),
                "humidity": Threshold(min: 40),
            ], forSeconds: 60)
        let wet = [ExtraValue(name: "leaf_wetness", value: 9)]
        replay.add(reading(0, [.temperature: 35, .humidity: 50]), of: devices.0)
        replay.add(reading(1, [.temperature: 35, .humidity: 50], wet), of: devices.0)
        replay.add(reading(2, [.temperature: 9, .humidity: 50], wet), of: devices.0)
        replay.add(reading(3, [.temperature: 9, .humidity: 50], wet), of: devices.0)
        #expect(replay.episodes.map(\.metric) == ["temperature", "leaf_wetness", "temperature"])
        #expect(replay.episodes.map(\.direction) == [.max, .max, .min])
        #expect(replay.episodes.map(\.to) == [minute(3), nil, nil])
    }

    @Test func `two devices of a plant make one episode, which ends with the last of them`() {
        var replay = replay(dry, forSeconds: 0)
        replay.add(reading(0, [.soilMoisture: 29]), of: devices.0)
        replay.add(reading(1, [.soilMoisture: 20]), of: devices.1)
        replay.add(reading(2, [.soilMoisture: 40]), of: devices.0)
        #expect(replay.episodes.map(\.to) == [nil])
        replay.add(reading(3, [.soilMoisture: 40]), of: devices.1)
        #expect(lines(replay.episodes) == ["soil_moisture min critical 0 to 3"])
        replay.add(reading(4, [.soilMoisture: 29]), of: devices.1)
        #expect(replay.episodes.map(\.from) == [minute(0), minute(4)])
    }

    @Test func `what a device says of itself is no episode`() {
        var replay = replay(["humidity": Threshold(min: 10)], forSeconds: 0)
        for number in 0..<5000 {
            replay.add(reading(Double(number), [.battery: 3, .temperature: 20, .humidity: 50]), of: devices.0)
        }
        #expect(replay.episodes.isEmpty)
    }

    @Test func `it finds what a simple model finds`() {
        var random = SeededGenerator(seed: 99)
        for _ in 0..<200 {
            var value = Double.random(in: 20...50, using: &random)
            var expected: [(from: Double, to: Double?)] = []
            var series: [Double] = []
            for number in 0..<100 {
                value = min(100, max(0, value + .random(in: -4...4, using: &random)))
                series.append(value)
                if let last = expected.last, last.to == nil {
                    if value >= 31.5 { expected[expected.count - 1].to = Double(number) }
                } else if value < 30 {
                    expected.append((Double(number), nil))
                }
            }
            let episodes = moisture(series, dry, forSeconds: 0)
            #expect(episodes.map(\.from) == expected.map { minute($0.from) })
            #expect(episodes.map(\.to) == expected.map { $0.to.map { minute($0) } })
        }
    }

    // MARK: light

    private let dark: Thresholds = ["light_level": Threshold(min: 1000)]

    /// Readings of light on days from `start` on, each so many lx for 12 hours around noon and 0 else.
    private func add(_ days: [Double?], every minutes: Double = 30, offset: Double = 0, to replay: inout LimitReplay) {
        for (day, lux) in days.enumerated() {
            guard let lux else { continue }
            for time in stride(from: offset, to: 1440, by: minutes) {
                let isDay = time >= 360 && time < 1080
                replay.add(reading(Double(day) * 1440 + time, [.lightLevel: isDay ? lux : 0]), of: devices.0)
            }
        }
    }

    @Test func `two dark days are an episode of whole days, and darkness at night is none`() {
        var replay = replay(dark)
        add([2000, 500, 500, 2000, 2000, 2000], to: &replay)
        replay.finish(at: minute(6 * 1440))
        #expect(lines(replay.episodes) == ["light_level min critical 1440 to 7200"])
        #expect(replay.lastLightLevel.map { abs($0 - 2000) < 1 } == true)
    }

    @Test func `a day that is not over is not judged`() {
        for (end, count) in [(2880.0, 1), (2879, 0)] {
            var replay = replay(dark)
            add([500, 500], to: &replay)
            replay.finish(at: minute(end))
            #expect(replay.episodes.count == count)
        }
    }

    @Test func `days without readings are not known`() {
        var replay = replay(dark)
        add([500, nil, 500, nil, nil, 500], to: &replay)
        replay.finish(at: minute(6 * 1440))
        #expect(replay.episodes.isEmpty)
    }

    @Test func `days are those of the zone`() throws {
        let auckland = try #require(KnownTimeZone("Pacific/Auckland"))
        var replay = replay(dark, zone: auckland)
        add([500, 500, 500], to: &replay)
        replay.finish(at: minute(3 * 1440))
        // 13 hours ahead: of the first local day too little is known, and the fourth is not over.
        #expect(lines(replay.episodes) == ["light_level min critical 660 to now"])
    }

    @Test(arguments: [5.0, 60, 120])
    func `light between the last reading of a day and the first of the next counts`(minutes: Double) {
        var replay = replay(dark)
        for number in stride(from: -minutes / 2, through: 2 * 1440 + minutes, by: minutes) {
            replay.add(reading(number, [.lightLevel: 1000]), of: devices.0)
        }
        replay.finish(at: minute(2 * 1440 + minutes))
        // A lamp that never goes out: 24 h of 1000 lx, spread over 12 h.
        #expect(replay.lastLightLevel.map { abs($0 - 2000) < 0.1 } == true, "\(replay.lastLightLevel ?? 0)")
    }
}
