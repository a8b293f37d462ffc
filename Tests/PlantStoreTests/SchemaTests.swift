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
        let applied = try Schema.migrate(database.options, allowingTimescale: false, logger: logger).applied
        #expect(
            applied == [
                "1 core", "2 telemetry_native", "3 access", "4 alerts", "5 library", "6 summaries", "7 rollups_native",
                "8 care", "9 plant_events", "10 live",
            ])
        #expect(try Schema.migrate(database.options, logger: logger).applied.isEmpty)
        let status = try Schema.status(database.options, logger: logger)
        #expect(status.kind == .native)
        #expect(status.comparison.pending.isEmpty)
        let partitions = try database.int("SELECT count(*) FROM pg_inherits WHERE inhparent = 'telemetry'::regclass")
        #expect((3...5).contains(partitions))
    }

    @Test(.enabled(if: TestDatabase.kinds.contains(.timescale), "the timescaledb extension is not installed"))
    func `a database with TimescaleDB gets a hypertable`() throws {
        let database = try TestDatabase(.timescale)
        #expect(try Schema.status(database.options, logger: logger).kind == .timescale)
        #expect(try Schema.migrate(database.options, logger: logger).applied.isEmpty)
        #expect(
            try database.int(
                "SELECT count(*) FROM timescaledb_information.hypertables WHERE hypertable_schema = 'public'") == 1)
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
                group.addTask { try Schema.migrate(database.options, logger: Logger(label: "test")).applied.count }
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
        #expect(
            try Schema.migrate(database.options, logger: Logger(label: "test")).applied == [
                "3 access", "4 alerts", "5 library", "6 summaries", "7 rollups_native", "8 care", "9 plant_events",
                "10 live",
            ])
        let store = database.store()
        let device = try #require(try await store.device(id))
        #expect((device.isApproved, device.isEnabled, device.needsEnrollment) == (true, true, false))
        #expect(device.status(now: .now()) == .online)
        let entry = try #require(try await store.brokerEntry(of: id))
        #expect((entry.credentialsID, entry.mayConnect, entry.isRegistered) == (nil, true, true))
    }

    @Test func `a database from before there were alerts keeps everything, and its readings are judged`() async throws {
        let database = try TestDatabase(nil)
        let before = Migrator(Schema.migrator(.native).migrations.filter { $0.version <= 3 })
        _ = try before.run(on: PostgresConnection(database.options))
        let (device, plant, now) = (EntityID.make(), EntityID.make(), Timestamp.now())
        let time = now.adding(seconds: -300).rfc3339
        try database.execute(
            """
            SELECT telemetry_ensure_partitions(now() - INTERVAL '1 day', now() + INTERVAL '1 day');
            INSERT INTO plants (id, name, room, thresholds)
            VALUES ('\(plant)', 'Old', 'Hall', '{"soil_moisture": {"min": 30}}');
            INSERT INTO devices (id, mac_address, name, registered_at, first_assigned_at)
            VALUES ('\(device)', '02:00:00:00:00:01', 'Probe', '\(time)', '\(time)');
            INSERT INTO device_assignments (device_id, plant_id, readings_from)
            VALUES ('\(device)', '\(plant)', '-infinity');
            INSERT INTO device_state (device_id, last_seen_at, reading_at, reading_received_at, reading_time_source,
                soil_moisture, soil_moisture_at)
            VALUES ('\(device)', '\(time)', '\(time)', '\(time)', 'device', 20, '\(time)');
            INSERT INTO telemetry (time, device_id, plant_id, soil_moisture, time_source, received_at)
            VALUES ('\(time)', '\(device)', '\(plant)', 20, 'device', now());
            INSERT INTO settings (name, value) VALUES ('x', '"y"');
            """)
        let tables = ["plants", "devices", "device_assignments", "telemetry", "settings"]
        func everything() throws -> [String] {
            try tables.flatMap {
                try database.lines("SELECT (to_jsonb(t) - '{snoozed_until,light_source}'::text[])::text FROM \($0) t")
            }
        }
        let old = try everything()
        #expect(
            try Schema.migrate(database.options, logger: logger).applied == [
                "4 alerts", "5 library", "6 summaries", "7 rollups_native", "8 care", "9 plant_events", "10 live",
            ])
        #expect(old.count == tables.count)
        #expect(try everything() == old)
        let store = database.store()
        let found = try #require(try await store.plant(plant))
        #expect((found.latest?.values["soil_moisture"]?.value, found.snoozedUntil) == (20, nil))
        #expect(try await store.alerts(AlertFilter(), limit: 9, offset: 0).items.isEmpty)
        try await store.set { $0.forSeconds = 0 }
        var maker = BatchMaker()
        maker.telemetry(device, [reading(now, [.soilMoisture: 20])], receivedAt: now)
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        #expect(try database.alerts() == ["firing threshold soil_moisture min critical"])
    }

    @Test func `partitions for any span are made once, across a year's end`() throws {
        let database = try TestDatabase()
        let make = "SELECT telemetry_ensure_partitions('2031-11-15', '2032-02-01')"
        #expect(try database.int(make) == 4)
        #expect(try database.int(make) == 0)
    }
}
