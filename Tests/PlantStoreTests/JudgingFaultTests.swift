import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// Judging may fail; readings are stored all the same.
@Suite(.serialized) struct JudgingFaultTests {
    private func refuse(_ table: String, state: String, in database: TestDatabase) throws {
        try database.execute(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE 'no' USING ERRCODE = '\(state)'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON \(table) FOR EACH ROW EXECUTE FUNCTION refuse();
            """)
    }

    @Test(arguments: ["22003", "23514"], ["alerts", "notifications"])
    func `readings whose judging fails are stored, and counted`(state: String, table: String) async throws {
        let house = try await Greenhouse()
        let (plant, other) = (try await house.plant(), try await house.plant())
        let (ill, well) = (try await house.device(in: plant), try await house.device(in: other))
        try await house.channel()
        try refuse(table, state: state, in: house.database)
        var maker = BatchMaker()
        for number in 0..<8 {
            let time = house.time(Double(number))
            maker.telemetry(
                well, [reading(time, [.soilMoisture: 50])], packetID: UInt16(2 * number + 1), receivedAt: time)
            let moisture = number < 4 ? 50.0 : 20
            maker.telemetry(
                ill, [reading(time, [.soilMoisture: moisture])], packetID: UInt16(2 * number + 2), receivedAt: time)
        }
        let outcome = try house.writer.commit(maker.batch)
        #expect((outcome.messages, outcome.stored, outcome.duplicates, outcome.unjudged) == (16, 16, 0, 4))
        #expect(outcome.deadLetters.isEmpty)
        #expect(try house.database.int("SELECT count(*) FROM telemetry") == 16)
        #expect(try house.database.int("SELECT count(*) FROM dead_letters") == 0)
        #expect(try await house.store.latestTelemetry(of: ill)??.values["soil_moisture"]?.value == 20)
        // Mended: from the next reading on it is judged again.
        try house.database.execute("DROP TRIGGER refuse ON \(table)")
        #expect(try house.send(ill, at: 60, [.soilMoisture: 20]).unjudged == 0)
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min critical"])
        #expect(try house.database.outbox() == ["waiting fired critical"])
    }

    @Test func `a device that was offline when judging failed is not offline for ever`() async throws {
        let house = try await Greenhouse(ago: 3600)
        let device = try await house.device(in: house.plant())
        try house.heartbeat(device, at: 0)
        _ = try await house.store.noticeSilentDevices(at: house.time(200))
        try refuse("alerts", state: "22003", in: house.database)
        #expect(try house.send(device, at: 300, [.temperature: 20]).unjudged == 1)
        try house.database.execute("DROP TRIGGER refuse ON alerts")
        #expect(try house.send(device, at: 360, [.temperature: 20]).unjudged == 0)
        _ = try await house.store.noticeSilentDevices(at: house.time(365))
        #expect(try house.database.alerts() == ["resolved device_offline warning recovered"])
    }

    @Test func `a table that is missing where alerts are told keeps no reading out`() async throws {
        let house = try await Greenhouse()
        let device = try await house.device(in: house.plant())
        try await house.channel()
        try house.database.execute("ALTER TABLE notifications RENAME TO elsewhere")
        #expect(try house.send(device, at: 0, [.soilMoisture: 20]).unjudged == 1)
        #expect(try house.database.int("SELECT count(*) FROM telemetry") == 1)
        try house.database.execute("ALTER TABLE elsewhere RENAME TO notifications")
        #expect(try house.send(device, at: 60, [.soilMoisture: 20]).unjudged == 0)
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min critical"])
    }

    @Test func `a table that is missing where readings go is our fault: nothing is taken until it is there`()
        async throws
    {
        let house = try await Greenhouse()
        let device = try await house.device(in: house.plant())
        try house.database.execute("ALTER TABLE telemetry RENAME TO elsewhere")
        #expect(throws: PostgresError.self) { try house.send(device, at: 0, moisture: 20) }
        #expect(try house.database.int("SELECT count(*) FROM dead_letters") == 0)
        try house.database.execute("ALTER TABLE elsewhere RENAME TO telemetry")
        try house.send(device, at: 0, moisture: 20)
        #expect(try house.database.int("SELECT count(*) FROM telemetry") == 1)
    }

    @Test(arguments: [#"{"soil_moisture": "dry"}"#, #"[]"#, #"{"soil_moisture": {"min": "a", "max": {}}}"#, "7"])
    func `limits that cannot be read do not hold up the intake`(thresholds: String) async throws {
        let house = try await Greenhouse()
        let (bad, good) = (try await house.plant(), try await house.plant())
        let devices = (try await house.device(in: bad), try await house.device(in: good))
        try house.database.execute("UPDATE plants SET thresholds = '\(thresholds)' WHERE id = '\(bad)'")
        var maker = BatchMaker()
        for device in [devices.0, devices.1] {
            maker.telemetry(device, [reading(house.start, [.soilMoisture: 20])], receivedAt: house.start)
        }
        let outcome = try house.writer.commit(maker.batch)
        #expect((outcome.stored, outcome.unjudged) == (2, 0))
        #expect(try house.database.lines("SELECT plant_id::text FROM alerts") == [good.description])
    }

    @Test(arguments: [#"{"for_seconds": "soon"}"#, #""gone""#])
    func `settings that cannot be read are as they are at first`(settings: String) async throws {
        let house = try await Greenhouse()
        let device = try await house.device(in: house.plant())
        try house.database.execute("UPDATE settings SET value = '\(settings)' WHERE name = 'alerts'")
        try house.send(device, at: 0, moisture: 20)
        #expect(try house.database.alerts() == ["pending threshold soil_moisture min warning"])
    }

    @Test func `an alert of a kind that this version does not know holds up nobody`() async throws {
        let house = try await Greenhouse()
        let device = try await house.device(in: house.plant())
        try house.send(device, at: 0, moisture: 20)
        // As a newer version may have left it, before somebody went back to this one.
        try house.database.execute(
            """
            INSERT INTO alerts (id, subject_key, kind, device_id, severity, state, started_at, devices)
            VALUES (gen_random_uuid(), 'newer', 'newer', '\(device)', 'warning', 'firing', now(),
                ARRAY['\(device)'::uuid]);
            UPDATE device_state SET alert_memory = NULL;
            """)
        #expect(try house.send(device, at: 60, [.soilMoisture: 50]).stored == 1)
        #expect(try await house.store.alerts(AlertFilter(), limit: 9, offset: 0).items.map(\.state) == [.resolved])
    }
}
