import PlantDomain
import Testing

@Suite struct HistoryTests {
    private let midnight = Timestamp(rfc3339: "2025-10-20T00:00:00Z")!

    // MARK: resolutions

    private static let spans: [(Double, Int, HistoryResolution)] = [
        (3600, 12, .fiveMinutes), (3600, 11, .oneHour), (86_400, 288, .fiveMinutes), (86_401, 288, .oneHour),
        (300_000, 1000, .fiveMinutes), (300_001, 1000, .oneHour), (3_600_000, 1000, .oneHour),
        (3_600_001, 1000, .oneDay), (1e9, 1000, .oneDay), (1, 1, .fiveMinutes),
    ]

    @Test(arguments: spans)
    func `the finest bucket that fits is chosen`(seconds: Double, points: Int, resolution: HistoryResolution) {
        let fitting = HistoryResolution.fitting(from: midnight, to: midnight.adding(seconds: seconds), points: points)
        #expect(fitting == resolution)
    }

    @Test func `a span that is not aligned touches one more bucket`() {
        let from = midnight.adding(seconds: 1)
        let width = 300.0 * 1000
        #expect(HistoryResolution.fitting(from: from, to: from.adding(seconds: width), points: 1000) == .oneHour)
        #expect(
            HistoryResolution.fitting(from: from, to: from.adding(seconds: width - 300), points: 1000) == .fiveMinutes)
    }

    private static let instants: [(String, HistoryResolution, String, String)] = [
        ("2025-10-20T10:02:30Z", .fiveMinutes, "2025-10-20T10:00:00Z", "2025-10-20T10:05:00Z"),
        ("2025-10-20T10:05:00Z", .fiveMinutes, "2025-10-20T10:05:00Z", "2025-10-20T10:05:00Z"),
        ("2025-10-20T10:05:00.000001Z", .oneHour, "2025-10-20T10:00:00Z", "2025-10-20T11:00:00Z"),
        ("1969-12-31T23:59:59Z", .oneHour, "1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z"),
        ("2025-10-20T10:05:01Z", .raw, "2025-10-20T10:05:01Z", "2025-10-20T10:05:01Z"),
    ]

    @Test(arguments: instants)
    func `instants are rounded to buckets`(
        text: String, resolution: HistoryResolution, down: String, up: String
    ) throws {
        let time = try #require(Timestamp(rfc3339: text))
        #expect(time.rounded(downTo: resolution) == Timestamp(rfc3339: down))
        #expect(time.rounded(upTo: resolution) == Timestamp(rfc3339: up))
    }

    // MARK: gaps

    /// - Parameter seconds: of each point, from midnight.
    private func history(_ resolution: HistoryResolution, _ seconds: [Double]) -> History {
        var series = History.Series(name: "co2", unit: "ppm")
        series.avg = seconds
        series.min = seconds
        series.max = seconds
        var history = History(resolution: resolution, series: [series])
        history.time = seconds.map { midnight.adding(seconds: $0) }
        return history
    }

    private static let gaps: [(HistoryResolution, [Double], [Double?])] = [
        (.raw, [0, 60, 120, 180], [0, 60, 120, 180]),
        // Three times the usual is no gap yet, nor are three minutes.
        (.raw, [0, 60, 120, 300], [0, 60, 120, 300]),
        (.raw, [0, 60, 120, 301], [0, 60, 120, nil, 301]),
        (.raw, [0, 10, 20, 30, 200], [0, 10, 20, 30, 200]),
        (.raw, [0, 600, 1200, 3100], [0, 600, 1200, nil, 3100]),
        (.raw, [0, 1e6], [0, 1e6]),
        (.fiveMinutes, [0, 300, 600], [0, 300, 600]),
        (.fiveMinutes, [0, 600, 900, 9000], [0, nil, 600, 900, nil, 9000]),
        (.oneHour, [0, 3600, 10_800], [0, 3600, nil, 10_800]),
        (.oneDay, [0, 90_000, 172_800], [0, 90_000, 172_800]),
        (.oneDay, [0, 82_800, 262_800], [0, 82_800, nil, 262_800]),
        (.raw, [], []), (.oneHour, [0], [0]),
    ]

    @Test(arguments: gaps)
    func `a line is broken once where something is missing`(
        resolution: HistoryResolution, seconds: [Double], broken: [Double?]
    ) {
        var history = history(resolution, seconds)
        history.breakLines()
        #expect(history.series[0].avg == broken)
        #expect(history.series[0].min == broken)
        #expect(history.series[0].max == broken)
        #expect(history.time.count == broken.count)
        #expect(history.time == history.time.sorted())
        #expect(Set(history.time).count == history.time.count)
    }

    // MARK: joined days

    private func days(_ zone: KnownTimeZone, from start: Timestamp, _ numbers: [Int]) -> History {
        var days = [LocalDay.containing(start, in: zone)]
        while days.count <= numbers.max() ?? 0 { days.append(days[days.count - 1].next) }
        var series = History.Series(name: "co2", unit: "ppm")
        series.avg = numbers.map(Double.init)
        series.min = numbers.map { Double($0) - 100 }
        series.max = numbers.map { Double($0) + 100 }
        var history = History(resolution: .oneDay, series: [series])
        history.time = numbers.map { days[$0].start }
        return history
    }

    @Test func `days that fit stay as they are`() {
        let history = days(.utc, from: midnight, Array(0..<10))
        #expect(history.joiningDays(from: midnight, zone: .utc, points: 10) == history)
    }

    @Test func `days are joined evenly, however clocks are changed among them`() throws {
        for name in ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"] {
            let zone = try #require(KnownTimeZone(name))
            let start = LocalDay.containing(midnight, in: zone).start
            let history = days(zone, from: start, Array(0..<800))
            let joined = history.joiningDays(from: start, zone: zone, points: 300)
            #expect((joined.daysPerPoint, joined.resolutionName, joined.time.count) == (3, "3d", 267), "\(name)")
            #expect(joined.time == (0..<267).map { history.time[$0 * 3] }, "\(name)")
            let means: [Double?] = (0..<266).map { Double($0 * 3 + 1) } + [798.5]
            #expect(joined.series[0].avg == means, "\(name)")
            #expect(joined.series[0].min[1] == -97)
            #expect(joined.series[0].max[1] == 105)
        }
    }

    @Test func `what is missing among joined days is a gap once`() {
        let history = days(.utc, from: midnight, Array(0..<4) + Array(20..<24))
        let joined = history.joiningDays(from: midnight, zone: .utc, points: 12)
        #expect(joined.resolutionName == "2d")
        #expect(joined.series[0].avg == [0.5, 2.5, nil, 20.5, 22.5])
    }

    @Test func `points are counted from the start of the span, not from the first day that has values`() {
        let history = days(.utc, from: midnight, [3, 4, 5])
        let joined = history.joiningDays(from: midnight, zone: .utc, points: 3)
        #expect(joined.time == [midnight.adding(seconds: 2 * 86_400), midnight.adding(seconds: 4 * 86_400)])
        #expect(joined.series[0].avg == [3, 4.5])
    }

    @Test func `other resolutions are not joined`() {
        let history = history(.oneHour, (0..<50).map { Double($0) * 3600 })
        #expect(history.joiningDays(from: midnight, zone: .utc, points: 5) == history)
    }
}
