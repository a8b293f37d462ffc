import Logging
import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite struct StorageTests {
    private let now = Timestamp(rfc3339: "2026-11-21T13:25:00Z")!

    @Test func `a sample is taken once an hour, however often it is asked for`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        for minute in [0.0, 1, 34, 35, 36, 94] { try await store.sampleStorage(at: now.adding(seconds: minute * 60)) }
        let hours = try database.text("SELECT string_agg(taken_at::text, ' ' ORDER BY taken_at) FROM storage_samples")
        #expect(hours == "2026-11-21 13:00:00+00 2026-11-21 14:00:00+00")
        #expect(try database.int("SELECT count(*) FROM storage_samples WHERE bytes > 1000000") == 2)
    }

    @Test func `two at the same time take one sample`() async throws {
        let database = try TestDatabase()
        let store = database.store(connections: 4)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { [now] in try await store.sampleStorage(at: now) } }
            try await group.waitForAll()
        }
        #expect(try database.int("SELECT count(*) FROM storage_samples") == 1)
    }

    @Test func `samples are forgotten after 400 days`() async throws {
        let database = try TestDatabase()
        let connection = try PostgresConnection(database.options)
        try connection.execute(
            """
            INSERT INTO storage_samples SELECT timestamptz '2026-11-21T13:00Z' - n * INTERVAL '1 day', n
            FROM generate_series(395, 405) n
            """)
        try await database.store().sampleStorage(at: now)
        #expect(try database.int("SELECT max(bytes) FROM storage_samples WHERE bytes < 1000") == 399)
        #expect(try database.int("SELECT count(*) FROM storage_samples") == 6)
    }

    private func filled(_ kind: TimeSeriesKind, days: Int) async throws -> TestDatabase {
        let database = try TestDatabase(kind)
        let store = database.store()
        let (device, plant) = (try await makeDevice(store), try await makePlant(store))
        _ = try await store.assign(device, to: plant, at: now)
        let connection = try PostgresConnection(database.options)
        try connection.query(
            "SELECT telemetry_ensure_partitions(timestamptz '2026-11-21T13:00Z' - make_interval(days => $1::integer), now())",
            [.int(Int64(days))])
        try connection.query(
            """
            INSERT INTO telemetry (time, device_id, plant_id, temperature, time_source, received_at)
            SELECT timestamptz '2026-11-21T13:00Z' - n * INTERVAL '1 hour', $1, $2, 20, 'device', now()
            FROM generate_series(0, 24 * $3 - 1) n
            """, [.uuid(device.high, device.low), .uuid(plant.high, plant.low), .int(Int64(days))])
        var maker = BatchMaker()
        maker.telemetry(device, [reading(now, [.temperature: 20])], receivedAt: now)
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        // Not of everything: the temporary tables of another connection may go away meanwhile.
        try connection.execute("ANALYZE telemetry")
        return database
    }

    @Test(arguments: TestDatabase.kinds)
    func `tables are told with all that belongs to them`(kind: TimeSeriesKind) async throws {
        let database = try await filled(kind, days: 100)
        let report = try await database.store().storageReport(at: now)
        #expect(report.kind == kind)
        #expect(report.databaseBytes == Int64(try database.int("SELECT pg_database_size(current_database())")))
        let names = report.tables.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(Set(names).isSuperset(of: ["telemetry", "devices", "plants", "storage_samples", "audit_log"]))
        #expect(!names.contains { $0.hasPrefix("telemetry_2") || $0.hasPrefix("_hyper") || $0.hasPrefix("_comp") })
        #expect(report.tables.map(\.bytes) == report.tables.map(\.bytes).sorted(by: >))
        let telemetry = try #require(report.tables.first { $0.name == "telemetry" })
        #expect(telemetry.rows == 2401)
        // Every part of it is there: heap and two indexes of at least two pages each, four months or fifteen weeks.
        #expect(telemetry.bytes >= (kind == .native ? 4 : 15) * 5 * 8192)
        #expect(report.tables.reduce(0) { $0 + $1.bytes } < report.databaseBytes)
        #expect(report.oldestReading == Timestamp(rfc3339: "2026-08-13T14:00:00Z"))
        #expect(report.newestReading == now)
        #expect(report.compression == nil)
        #expect(report.samples.isEmpty)
    }

    @Test(arguments: TestDatabase.kinds)
    func `an empty database has no readings`(kind: TimeSeriesKind) async throws {
        let store = try TestDatabase(kind).store()
        let report = try await store.storageReport(at: now)
        #expect((report.oldestReading, report.newestReading) == (nil, nil))
        #expect(report.tables.contains { $0.name == "telemetry" })
        #expect(try await store.readingsOfLastDay(at: now) == 0)
    }

    @Test(arguments: TestDatabase.kinds)
    func `readings of the last day are counted`(kind: TimeSeriesKind) async throws {
        let database = try await filled(kind, days: 3)
        // From 13:00 down to the 14:00 before.
        #expect(try await database.store().readingsOfLastDay(at: now) == 24)
    }

    @Test func `a plant whose device is gone still has the oldest reading`() async throws {
        let database = try await filled(.native, days: 50)
        try PostgresConnection(database.options).execute("DELETE FROM devices")
        let report = try await database.store().storageReport(at: now)
        #expect(report.oldestReading == Timestamp(rfc3339: "2026-10-02T14:00:00Z"))
    }

    @Test(.enabled(if: TestDatabase.kinds.contains(.timescale)))
    func `what compression saves is told`() async throws {
        let database = try await filled(.timescale, days: 60)
        let connection = try PostgresConnection(database.options)
        try connection.execute(
            "ALTER TABLE telemetry SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id')")
        try connection.execute(
            "SELECT compress_chunk(c) FROM show_chunks('telemetry', older_than => '2026-11-01'::timestamptz) c")
        let report = try await database.store().storageReport(at: now)
        let compression = try #require(report.compression)
        #expect(compression.before > 0)
        #expect(compression.after > 0)
        #expect(report.oldestReading == Timestamp(rfc3339: "2026-09-22T14:00:00Z"))
    }

    @Test func `only the samples of the last week are looked at`() async throws {
        let database = try TestDatabase()
        try PostgresConnection(database.options).execute(
            """
            INSERT INTO storage_samples SELECT timestamptz '2026-11-21T13:00Z' - n * INTERVAL '1 day', n
            FROM generate_series(0, 20) n
            """)
        let report = try await database.store().storageReport(at: now)
        #expect(report.samples.map(\.bytes) == [6, 5, 4, 3, 2, 1, 0])
    }

    @Test(arguments: TestDatabase.kinds)
    func `months without a reading are passed over`(kind: TimeSeriesKind) async throws {
        let database = try await filled(kind, days: 100)
        try PostgresConnection(database.options).execute("DELETE FROM telemetry WHERE time < '2026-10-10T05:30Z'")
        let report = try await database.store().storageReport(at: now)
        #expect(report.oldestReading == Timestamp(rfc3339: "2026-10-10T06:00:00Z"))
    }

    @Test(arguments: TestDatabase.kinds)
    func `from when on single readings are there is told once some have been dropped`(kind: TimeSeriesKind) async throws
    {
        let database = try await filled(kind, days: 100)
        let store = database.store()
        #expect(try await store.storageReport(at: now).rawFrom == nil)
        let upkeep = SeriesUpkeep(database.options, logger: Logger(label: "test"))
        // It goes on month by month.
        try await eventually("everything is summarized") { [now] in
            try await upkeep.summarize(zone: .utc, at: now)
            return try database.text("SELECT is_complete::text FROM rollup_state") == "true"
        }
        let trimmed = try #require(try await upkeep.trim(keeping: 40, at: now))
        #expect(trimmed.dropped > 0)
        let report = try await store.storageReport(at: now)
        let rawFrom = try #require(report.rawFrom)
        #expect(rawFrom <= now.adding(seconds: -40 * 86_400))
        // A reading each hour: the oldest that is left is the first of what was not dropped.
        #expect(report.oldestReading == rawFrom)
        let names = report.tables.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.contains(kind == .native ? "rollup_5m" : "telemetry_5m"))
        #expect(!names.contains { $0.hasPrefix("_") })
    }

    @Test(arguments: TestDatabase.kinds)
    func `a table that goes away meanwhile is left out`(kind: TimeSeriesKind) async throws {
        let database = try TestDatabase(kind)
        let connection = try PostgresConnection(database.options)
        try connection.execute("CREATE TABLE passing (n integer)")
        try connection.execute("BEGIN")
        try connection.execute("DROP TABLE passing")
        async let report = database.store().storageReport(at: now)
        try await eventually("the report waits for the table") {
            try database.int("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0
        }
        try connection.execute("COMMIT")
        let names = try await report.tables.map(\.name)
        #expect(names.contains("plants") && !names.contains("passing"))
    }
}
