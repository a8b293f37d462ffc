import Testing

@testable import PlantDomain

@Suite struct StorageForecastTests {
    private let now = Timestamp(rfc3339: "2026-11-21T13:25:00Z")!

    /// One sample each hour, `bytes(hours ago)`.
    private func samples(hours: Int, _ bytes: (Double) -> Double) -> [StorageSample] {
        (0...hours).map { ago in
            StorageSample(takenAt: now.adding(seconds: -Double(ago) * 3600), bytes: Int64(bytes(Double(ago))))
        }
    }

    @Test(arguments: [
        (2400.0, 2400.0), (0, 0), (-2400, -2400), (24e9, 24e9),
    ])
    func `steady growth is found`(perDay: Double, expected: Double) throws {
        let growth = StorageForecast.growthPerDay(samples(hours: 100) { 1e12 - $0 * perDay / 24 }, at: now)
        #expect(abs(try #require(growth) - expected) < 30)
    }

    @Test(arguments: [(0, false), (1, false), (23, false), (24, true), (25, true)])
    func `less than a day says nothing`(hours: Int, isKnown: Bool) {
        #expect((StorageForecast.growthPerDay(samples(hours: hours) { 1e9 - $0 }, at: now) != nil) == isKnown)
    }

    @Test func `nothing says nothing`() {
        #expect(StorageForecast.growthPerDay([], at: now) == nil)
    }

    @Test func `the order of samples does not matter`() {
        let ordered = samples(hours: 50) { 1e9 - $0 * $0 }
        #expect(
            StorageForecast.growthPerDay(ordered, at: now)
                == StorageForecast.growthPerDay(ordered.reversed(), at: now))
    }

    @Test(arguments: [-5e9, 5e9])
    func `one step does not turn the line`(step: Double) throws {
        // 240 MB a day; three days ago a month was compressed, or imported.
        let growth = StorageForecast.growthPerDay(
            samples(hours: 168) { 1e11 - $0 * 1e7 + ($0 < 40 ? step : 0) }, at: now)
        #expect(abs(try #require(growth) - 240e6) < 24e6)
    }

    @Test func `only the last week counts, and nothing of the future`() throws {
        var all = samples(hours: 1000) { $0 <= 168 ? 1e9 - $0 * 100 : 1e12 }
        all.append(StorageSample(takenAt: now.adding(seconds: 86_400), bytes: 1_000_000_000_000_000))
        #expect(abs(try #require(StorageForecast.growthPerDay(all, at: now)) - 2400) < 30)
        // A day of samples that is older than a week is none.
        let old = all.filter { now.seconds(since: $0.takenAt) > 8 * 86_400 }
        #expect(StorageForecast.growthPerDay(old, at: now) == nil)
    }

    @Test func `a gap in the samples is bridged`() throws {
        let all = samples(hours: 160) { 1e9 - $0 * 100 }.filter { now.seconds(since: $0.takenAt) / 3600 > 100 }
        let recent = StorageSample(takenAt: now, bytes: 1_000_000_000)
        #expect(abs(try #require(StorageForecast.growthPerDay(all + [recent], at: now)) - 2400) < 30)
    }

    @Test(
        arguments: [
            (100.0, 10.0, 10.0), (0, 10, 0), (-5, 10, 0), (100, 0, nil), (100, -10, nil), (1e15, 1, nil),
            (36_525, 1, 36_525),
        ] as [(Double, Double, Double?)])
    func `days until full`(free: Double, growth: Double, days: Double?) {
        #expect(StorageForecast.daysUntilFull(freeBytes: free, growthPerDay: growth) == days)
    }
}
