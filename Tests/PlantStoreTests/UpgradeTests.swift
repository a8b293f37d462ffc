import Logging
import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// From every earlier schema, with data in it, to the newest.
@Suite(.serialized) struct UpgradeTests {
    private static let earlier = Array(Schema.migrator(.native).migrations.map(\.version).dropLast())
    private let kathmandu = KnownTimeZone("Asia/Kathmandu")!

    private func tables(_ database: TestDatabase) throws -> [String] {
        try database.lines(
            """
            SELECT relname::text FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1
            """)
    }

    /// Every row of the tables, in the columns they have now.
    private func rows(_ database: TestDatabase, _ columns: [String: String]) throws -> [String: [String]] {
        try Dictionary(
            uniqueKeysWithValues: columns.map { table, names in
                (
                    table,
                    try database.lines("SELECT to_jsonb(x)::text FROM (SELECT \(names) FROM \(table)) x ORDER BY 1")
                )
            })
    }

    private func columns(_ database: TestDatabase, _ tables: [String]) throws -> [String: String] {
        try Dictionary(
            uniqueKeysWithValues: tables.map { table in
                let names = try database.text(
                    """
                    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                    WHERE attrelid = '\(table)'::regclass AND attnum > 0 AND NOT attisdropped
                    """)
                return (table, names ?? "")
            })
    }

    @Test(arguments: TestDatabase.kinds, earlier)
    func `every earlier schema becomes the newest with all that is in it`(
        kind: TimeSeriesKind, version: Int
    ) async throws {
        let database = try TestDatabase(kind, upTo: version)
        let log = try ReadingLog(database)
        let data = UpgradeData()
        try data.fill(log, version: version)
        let found = try tables(database)
        for table in found where !UpgradeData.mayBeEmpty.contains(table) {
            let count = try database.int("SELECT count(*) FROM \(table)")
            #expect(count > 0, "UpgradeData has no row of \(table), which version \(version) has")
        }
        let compared = try columns(database, found.filter { !UpgradeData.notCompared.contains($0) })
        let before = try rows(database, compared)

        let applied = try Schema.migrate(database.options, logger: Logger(label: "test")).applied
        #expect(applied.count == Self.earlier.count + 1 - version)
        let after = try rows(database, compared)
        for table in compared.keys { #expect(after[table] == before[table], "\(table)") }

        // Rollups are there at once, and stay what they are when they are summarized.
        // From version 6 on the database knows its zone, and the data came after it.
        let zone = (3...5).contains(version) ? kathmandu : .utc
        #expect(try database.text("SELECT zone FROM rollup_state") == zone.name)
        let store = database.store()
        let now = Timestamp.now()
        // From version 7 on there were rollups already, and the data came late to them.
        if version >= 7 { try await log.summarize(zone: zone, at: now) }
        #expect(try log.differences(zone: zone) == [])
        var maker = BatchMaker()
        maker.telemetry(data.device, [reading(now, [.soilMoisture: 99.5])], receivedAt: now)
        #expect(try IngestWriter(database.options, clientID: "t").commit(maker.batch).stored == 1)
        log.note([
            LoggedReading(time: now, device: data.device, plant: data.plant, values: ["soil_moisture": 99.5])
        ])
        #expect(try log.differences(zone: zone) == [])
        try await log.summarize(zone: zone, at: now.adding(seconds: 700))
        #expect(try log.differences(zone: zone) == [])
        #expect(try await log.upkeep.trim(keeping: 35, at: now) != nil)
        #expect(try log.differences(zone: zone) == [])

        let plant = try #require(try await store.plant(data.plant))
        #expect(plant.latest?.values["soil_moisture"]?.value == 99.5)
        let query = HistoryQuery(
            plant: data.plant, from: now.days(-46), to: now.adding(seconds: 1), metrics: nil, resolution: .oneDay)
        guard case .history(let history) = try await store.history(query) else {
            Issue.record("no history")
            return
        }
        #expect(history.time.count >= (version >= 2 ? 45 : 1))
    }

    @Test func `readings that come in while old ones are being summarized are not lost`() async throws {
        let database = try TestDatabase(.native, upTo: 5)
        let log = try ReadingLog(database)
        let data = UpgradeData()
        try data.fill(log, version: 5)
        _ = try Schema.migrate(database.options, logger: Logger(label: "test"))
        let now = Timestamp.now()
        var (maker, steps) = (ReadingMaker(seed: 5), 0)
        var isMore = true
        while isMore {
            // Into what is done, into what is not, and now.
            if steps < 5 {
                try log.write(maker.readings(10, between: now.days(-40), and: now.adding(seconds: 200)))
            }
            let rows = try PostgresConnection(database.options)
            try rows.query("SELECT rollup_close('\(now.rfc3339)', 5)")
            isMore = try rows.query("SELECT rollup_work(5) AS more")[0].bool("more")
            steps += 1
            // What was there is exact all the time; what came late is when the work is done.
            #expect(try database.int("SELECT sum(readings)::integer FROM telemetry_5m") >= 540)
        }
        #expect(steps > 5)
        try await log.summarize(zone: kathmandu, at: now)
        #expect(try log.differences(zone: kathmandu) == [])
        try await log.summarize(zone: kathmandu, at: now.adding(seconds: 900))
        #expect(try log.differences(zone: kathmandu) == [])
        #expect(try database.text("SELECT is_complete::text FROM rollup_state") == "true")
    }
}
