import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite(.serialized) struct LocalDayHistoryTests {
    /// A zone, and a day around which its clocks or its calendar do something.
    private static let cases = [
        ("Europe/Berlin", "2025-03-30"), ("Europe/Berlin", "2025-10-26"), ("America/Sao_Paulo", "2018-11-04"),
        ("Asia/Kathmandu", "2025-06-01"), ("Australia/Lord_Howe", "2025-04-06"), ("Australia/Lord_Howe", "2025-10-05"),
        ("Pacific/Apia", "2011-12-31"),
    ]
    /// Clocks go back over midnight. TimescaleDB gives the hour that comes twice a day of its own.
    private static let onlyNative = [("America/Havana", "2025-11-02"), ("Atlantic/Azores", "2025-10-26")]

    @Test(arguments: TestDatabase.kinds)
    func `days begin at the zone's midnight, made of readings and of rollups`(kind: TimeSeriesKind) async throws {
        let log = try ReadingLog(kind)
        let store = log.database.store()
        for (name, date) in Self.cases + (kind == .native ? Self.onlyNative : []) {
            let zone = try #require(KnownTimeZone(name))
            let middle = try #require(LocalDay(date, in: zone))
            let days = [middle.previous.previous, middle.previous, middle, middle.next]
            let (device, plant) = (EntityID.make(), try await makePlant(store))
            let (from, to) = (days[0].start, days[3].end)
            let count = Int(to.seconds(since: from) / 1200)
            let readings = (0..<count).map { index in
                LoggedReading(
                    time: from.adding(seconds: Double(index) * 1200), device: device, plant: plant,
                    values: ["temperature": Double(index * index % 83)])
            }
            try log.write(readings)
            try await log.summarize(zone: zone, at: .now())
            let differences = try log.differences(zone: zone)
            #expect(differences == [], "\(name)")
            let expected = days.map { day in
                let values = readings.filter { day.contains($0.time) }.compactMap { $0.values["temperature"] }
                return values.reduce(0, +) / Double(values.count)
            }
            // As if they were dropped: then rollups answer.
            for setting in ["NULL", "'2100-01-01'"] {
                try log.database.execute("UPDATE rollup_state SET raw_from = \(setting)")
                let query = HistoryQuery(
                    plant: plant, from: from.adding(seconds: 3000), to: to.adding(seconds: -3000),
                    metrics: ["temperature"], resolution: .oneDay)
                guard case .history(let history) = try await store.history(query) else {
                    Issue.record("no history")
                    return
                }
                #expect(history.time == days.map(\.start), "\(name) \(date) \(setting)")
                let worst = zip(history.series[0].avg, expected).map { abs(($0 ?? .nan) - $1) }.max()
                #expect(worst ?? .nan < 1e-9, "\(name) \(date) \(setting)")
            }
            try log.database.execute("UPDATE rollup_state SET raw_from = NULL")
        }
    }

    @Test func `years are drawn in at most a thousand points, each of several days`() async throws {
        let log = try ReadingLog(.native)
        let store = log.database.store()
        let (device, plant) = (EntityID.make(), try await makePlant(store))
        let start = try Timestamp("2020-01-01T00:00:00Z")
        try log.write(
            (0..<1100).map { index in
                LoggedReading(
                    time: start.days(Double(index) + 0.5), device: device, plant: plant,
                    values: ["co2": Double(index)])
            })
        try await log.summarize(at: .now())
        for setting in ["NULL", "'2100-01-01'"] {
            try log.database.execute("UPDATE rollup_state SET raw_from = \(setting)")
            let query = HistoryQuery(
                plant: plant, from: start, to: start.days(1100), metrics: nil, resolution: nil)
            guard case .history(let history) = try await store.history(query) else {
                Issue.record("no history")
                return
            }
            #expect((history.resolutionName, history.time.count) == ("2d", 550))
            #expect(history.series[0].avg[1] == 2.5)
            #expect(history.series[0].max[549] == 1099)
        }
    }
}
