import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite(.serialized) struct RetentionTests {
    private let now = Timestamp.now()
    private let kathmandu = KnownTimeZone("Asia/Kathmandu")!

    /// A reading every three hours of one device in one plant.
    private func steady(
        _ device: EntityID, _ plant: EntityID, from: Timestamp, to: Timestamp
    ) -> [LoggedReading] {
        (0..<Int(to.seconds(since: from) / 10_800)).map { index in
            LoggedReading(
                time: from.adding(seconds: Double(index) * 10_800), device: device, plant: plant,
                values: ["soil_moisture": Double(index % 97), "sap_flow": Double(index % 13)])
        }
    }

    private func count(_ log: ReadingLog, _ condition: String = "true") throws -> Int {
        try log.database.int("SELECT count(*) FROM telemetry WHERE \(condition)")
    }

    private func rawFrom(_ log: ReadingLog) throws -> Timestamp {
        let rows = try PostgresConnection(log.database.options).query("SELECT raw_from FROM rollup_state")
        return Timestamp(microseconds: try rows[0].timestamp("raw_from"))
    }

    private func ask(
        _ log: ReadingLog, _ plant: EntityID, from: Timestamp, to: Timestamp, _ resolution: HistoryResolution?
    ) async throws -> History {
        let query = HistoryQuery(plant: plant, from: from, to: to, metrics: nil, resolution: resolution)
        guard case .history(let history) = try await log.database.store().history(query) else {
            throw TestSetupError(description: "no history")
        }
        return history
    }

    @Test(arguments: TestDatabase.kinds)
    func `old readings are dropped by whole chunks and their rollups stay for ever`(
        kind: TimeSeriesKind
    ) async throws {
        let log = try ReadingLog(kind)
        let (device, plant) = (EntityID.make(), try await makePlant(log.database.store()))
        let (old, end) = (now.days(-500), now.days(-490))
        try log.write(steady(device, plant, from: old, to: end))
        try log.write(steady(device, plant, from: now.days(-45), to: now))
        try await log.summarize(at: now)
        #expect(try log.differences() == [])
        let all = try count(log)
        let parts = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'telemetry'::regclass"
        let before = try log.database.int(parts)

        let report = try #require(try await log.upkeep.trim(keeping: 400, at: now))
        #expect(report.dropped > 0)
        #expect(try log.database.int(parts) == before - report.dropped)
        #expect(try count(log) == all - 80)
        let first = try rawFrom(log)
        #expect(end <= first && first <= now.days(-400))
        #expect(try log.differences() == [])
        // Again and again: nothing is made anew of what is not there any more.
        for step in 1...3 {
            try log.write([
                LoggedReading(
                    time: now.days(-30).adding(seconds: Double(step)), device: device, plant: plant,
                    values: ["soil_moisture": 3])
            ])
            try await log.summarize(at: now.adding(seconds: Double(step) * 60))
            #expect(try log.differences() == [], "step \(step)")
            #expect(try await log.upkeep.trim(keeping: 400, at: now)?.dropped == 0)
        }
        try await log.summarize(zone: kathmandu, at: now.days(1))
        #expect(try log.differences(zone: kathmandu) == [])
        #expect(try await ask(log, plant, from: old, to: end, .oneHour).time.count >= 80)
        // Ten or eleven: it depends on the time of day at which this is run.
        let days = Set(steady(device, plant, from: old, to: end).map { LocalDay.containing($0.time, in: kathmandu) })
        #expect(try await ask(log, plant, from: old, to: end, .oneDay).time.count == days.count)
        let automatic = try await ask(log, plant, from: old, to: end, nil)
        #expect(automatic.resolution != .raw && !automatic.time.isEmpty)
        #expect(try await ask(log, plant, from: now.days(-2), to: now, nil).resolution == .raw)

        // Somebody brings in one that belongs to what was dropped: the others of its hour still count.
        try ReadingLog.write(
            [LoggedReading(time: old.adding(seconds: 1), device: device, plant: plant, values: ["soil_moisture": 99])],
            on: PostgresConnection(log.database.options))
        try await log.summarize(zone: kathmandu, at: now.days(1.1))
        _ = try await log.upkeep.trim(keeping: 400, at: now)
        try await log.summarize(zone: kathmandu, at: now.days(1.2))
        #expect(try log.differences(zone: kathmandu) == [])
    }

    @Test(arguments: TestDatabase.kinds)
    func `the day in which the dropped readings end takes late ones and is answered whole`(
        kind: TimeSeriesKind
    ) async throws {
        let log = try ReadingLog(kind)
        let (device, plant) = (EntityID.make(), try await makePlant(log.database.store()))
        try log.write(steady(device, plant, from: now.days(-450), to: now.days(-395)))
        try await log.summarize(zone: kathmandu, at: now)
        #expect(try #require(try await log.upkeep.trim(keeping: 400, at: now)).dropped > 0)
        let edge = try rawFrom(log)
        let day = LocalDay.containing(edge, in: kathmandu)
        try #require(day.start < edge)
        try log.write([
            LoggedReading(
                time: edge.adding(seconds: 30), device: device, plant: plant, values: ["soil_moisture": 50])
        ])
        try await log.summarize(zone: kathmandu, at: now.adding(seconds: 60))
        #expect(try log.differences(zone: kathmandu) == [])
        let history = try await ask(log, plant, from: edge.adding(seconds: 60), to: edge.hours(30), .oneDay)
        let whole = log.expected("telemetry_1d", zone: kathmandu)[
            ReadingLog.Bucket(start: day.start, device: device, plant: plant)]
        #expect(history.time.first == day.start)
        let moisture = try #require(history.series.first { $0.name == "soil_moisture" })
        #expect(moisture.avg.first == whole?.metrics["soil_moisture"]?.avg)
    }

    @Test(arguments: TestDatabase.kinds)
    func `nothing is dropped before it is summarized`(kind: TimeSeriesKind) async throws {
        let log = try ReadingLog(kind)
        let (device, plant) = (EntityID.make(), EntityID.make())
        try log.write(steady(device, plant, from: now.days(-500), to: now.days(-499)))
        #expect(try await log.upkeep.trim(keeping: 400, at: now)?.dropped == 0)
        #expect(try count(log) == 8)
        try await log.summarize(at: now)
        #expect(try log.differences() == [])
        // Came late, and nobody has summarized since.
        try log.write(steady(device, plant, from: now.days(-499), to: now.days(-498)))
        _ = try await log.upkeep.trim(keeping: 400, at: now)
        try await log.summarize(at: now)
        #expect(try log.differences() == [])
    }

    @Test(arguments: TestDatabase.kinds)
    func `readings are kept for ever, or for five weeks at least`(kind: TimeSeriesKind) async throws {
        let log = try ReadingLog(kind)
        try log.write(steady(.make(), .make(), from: now.days(-80), to: now))
        try await log.summarize(at: now)
        let all = try count(log)
        #expect(try await log.upkeep.trim(keeping: nil, at: now)?.dropped == 0)
        #expect(try count(log) == all)
        #expect(try #require(try await log.upkeep.trim(keeping: 1, at: now)).dropped > 0)
        #expect(try count(log, "time >= '\(now.days(-35).rfc3339)'") == 35 * 8)
        #expect(try log.differences() == [])
    }

    @Test(.enabled(if: TestDatabase.kinds.contains(.timescale), "the timescaledb extension is not installed"))
    func `compressed readings are answered as before and take duplicates and late ones`() async throws {
        let log = try ReadingLog(.timescale)
        let (device, plant) = (EntityID.make(), try await makePlant(log.database.store()))
        let readings = steady(device, plant, from: now.days(-70), to: now)
        try log.write(readings)
        try await log.summarize(at: now)
        func everything() async throws -> [History] {
            var answers: [History] = []
            for resolution in HistoryResolution.allCases {
                answers.append(try await ask(log, plant, from: now.days(-70), to: now, resolution))
            }
            return answers
        }
        let rows = "SELECT string_agg(t::text, ';' ORDER BY time) FROM telemetry t"
        let (before, raw) = (try await everything(), try log.database.text(rows))
        #expect(before.allSatisfy { $0.time.count >= 70 })
        #expect(try #require(try await log.upkeep.trim(keeping: nil, at: now)).compressed > 3)
        #expect(try log.database.int("SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed") > 3)
        #expect(try await everything() == before)
        #expect(try log.database.text(rows) == raw)
        #expect(try await log.upkeep.trim(keeping: nil, at: now)?.compressed == 0)
        // The same ones again, and late ones beside and in what is compressed.
        try log.write(readings.map { LoggedReading(time: $0.time, device: device, values: ["co2": 9]) })
        #expect(try log.database.text(rows) == raw)
        for age: Double in [30, 34.5, 60] {
            let time = now.days(-age).adding(seconds: 1)
            try log.write([LoggedReading(time: time, device: device, plant: plant, values: ["co2": age])])
        }
        try await log.summarize(at: now)
        #expect(try log.differences() == [])
        #expect(try #require(try await log.upkeep.trim(keeping: 50, at: now)).dropped > 0)
        try await log.summarize(at: now)
        #expect(try log.differences() == [])
    }
}
