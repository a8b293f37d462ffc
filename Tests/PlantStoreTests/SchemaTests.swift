import Logging
import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite struct SchemaTests {
    private let logger = Logger(label: "test")

    @Test func `a plain database gets monthly partitions, those of last month and the next among them`() throws {
        let database = try TestDatabase(nil)
        let applied = try Schema.migrate(database.options, allowingTimescale: false, logger: logger)
        #expect(applied == ["1 core", "2 telemetry_native", "3 access"])
        #expect(try Schema.migrate(database.options, logger: logger).isEmpty)
        let status = try Schema.status(database.options, logger: logger)
        #expect(status.kind == .native)
        #expect(status.pending.isEmpty)
        let partitions = try database.int("SELECT count(*) FROM pg_inherits WHERE inhparent = 'telemetry'::regclass")
        #expect((3...5).contains(partitions))
    }

    @Test(.enabled(if: TestDatabase.kinds.contains(.timescale), "the timescaledb extension is not installed"))
    func `a database with TimescaleDB gets a hypertable`() throws {
        let database = try TestDatabase(.timescale)
        #expect(try Schema.status(database.options, logger: logger).kind == .timescale)
        #expect(try Schema.migrate(database.options, logger: logger).isEmpty)
        #expect(try database.int("SELECT count(*) FROM timescaledb_information.hypertables") == 1)
    }

    @Test(.enabled(if: TestDatabase.kinds.contains(.timescale), "the timescaledb extension is not installed"))
    func `both kinds have the same columns`() throws {
        let columns = """
            SELECT string_agg(column_name || ' ' || data_type || ' ' || is_nullable, ',' ORDER BY ordinal_position)
            FROM information_schema.columns WHERE table_name = 'telemetry'
            """
        #expect(try TestDatabase(.native).text(columns) == TestDatabase(.timescale).text(columns))
    }

    @Test func `every metric has its columns`() throws {
        let database = try TestDatabase()
        for metric in Metric.allCases {
            let columns = try database.int(
                """
                SELECT count(*) FROM information_schema.columns
                WHERE (table_name, column_name) IN (('telemetry', '\(metric.name)'), ('device_state', '\(metric.name)'),
                    ('device_state', '\(metric.name)_at'))
                """)
            #expect(columns == 3, "\(metric.name)")
        }
    }

    @Test func `backends that start together migrate once`() async throws {
        let database = try TestDatabase(nil)
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 1...3 {
                group.addTask { try Schema.migrate(database.options, logger: Logger(label: "test")).count }
            }
            return try await group.reduce(0, +)
        }
        #expect(applied == Schema.migrator(.native).migrations.count)
    }

    @Test func `a device from before passwords were kept is still let in`() async throws {
        let database = try TestDatabase(nil)
        let connection = try PostgresConnection(database.options)
        let before = Migrator(Schema.migrator(.native).migrations.filter { $0.version <= 2 })
        _ = try before.run(on: PostgresConnection(database.options))
        let id = EntityID.make()
        try connection.execute(
            """
            INSERT INTO devices (id, mac_address, name, registered_at)
            VALUES ('\(id)', '02:00:00:00:00:01', 'Old', now());
            INSERT INTO device_state (device_id, last_seen_at) VALUES ('\(id)', now());
            """)
        #expect(try Schema.migrate(database.options, logger: Logger(label: "test")) == ["3 access"])
        let store = database.store()
        let device = try #require(try await store.device(id))
        #expect((device.isApproved, device.isEnabled, device.needsEnrollment) == (true, true, false))
        #expect(device.status(now: .now()) == .online)
        let entry = try #require(try await store.brokerEntry(of: id))
        #expect((entry.credentialsID, entry.mayConnect, entry.isRegistered) == (nil, true, true))
    }

    @Test func `partitions for any span are made once, across a year's end`() throws {
        let database = try TestDatabase()
        let make = "SELECT telemetry_ensure_partitions('2031-11-15', '2032-02-01')"
        #expect(try database.int(make) == 4)
        #expect(try database.int(make) == 0)
    }
}
