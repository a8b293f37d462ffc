import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite struct IngestWriterTests {
    private let now = Timestamp.now()

    @Test(arguments: TestDatabase.kinds)
    func `readings are stored with all their columns`(kind: TimeSeriesKind) async throws {
        let database = try TestDatabase(kind)
        let device = try await makeDevice(database.store())
        let values = Dictionary(uniqueKeysWithValues: Metric.allCases.map { ($0, 10 + Double($0.rawValue) / 8) })
        var maker = BatchMaker()
        maker.telemetry(
            device, [reading(now, values, extras: [ExtraValue(name: "leaf_wetness", value: 3.5)])], receivedAt: now)
        let outcome = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        #expect(outcome.stored == 1)
        let row = try PostgresConnection(database.options).query("SELECT * FROM telemetry")[0]
        for (metric, value) in values { #expect(try row.double(metric.name) == value) }
        #expect(try row.timestamp("time") == now.microseconds)
        #expect(try row.timestamp("received_at") == now.microseconds)
        #expect(try row.text("time_source") == "device")
        #expect(try row.text("extra") == #"{"leaf_wetness": 3.5}"#)
        #expect(try row.optionalUUID("plant_id") == nil)
    }

    @Test(arguments: TestDatabase.kinds)
    func `the same reading again changes nothing`(kind: TimeSeriesKind) async throws {
        let database = try TestDatabase(kind)
        let device = try await makeDevice(database.store())
        let writer = try IngestWriter(database.options, clientID: "t")
        var maker = BatchMaker()
        maker.telemetry(device, [reading(now, [.soilMoisture: 40])])
        maker.telemetry(device, [reading(now, [.soilMoisture: 99])])
        let first = try writer.commit(maker.batch)
        let second = try writer.commit(maker.batch)
        #expect((first.stored, first.duplicates) == (1, 1))
        #expect((second.stored, second.duplicates) == (0, 2))
        #expect(try database.int("SELECT soil_moisture::integer FROM telemetry") == 40)
        let latest = try await database.store().latestTelemetry(of: device)
        #expect(latest??.values["soil_moisture"]?.value == 40)
    }

    @Test func `a message from an unknown device becomes a dead letter and the others are stored`() async throws {
        let database = try TestDatabase()
        let known = try await makeDevice(database.store())
        let stranger = EntityID.make()
        var maker = BatchMaker()
        maker.telemetry(known, [reading(now, [.temperature: 20])])
        maker.telemetry(stranger, [reading(now, [.temperature: 21])])
        maker.telemetry(known, [reading(now.adding(seconds: 1), [.temperature: 22])])
        let outcome = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        #expect(outcome.stored == 2)
        #expect(outcome.deadLetters == [.unknownDevice: 1])
        let letter = try await database.store().deadLetters(limit: 10, offset: 0).items
        #expect(letter.map(\.deviceID) == [stranger])
        #expect(letter.map(\.topic) == ["devices/\(stranger)/telemetry"])
    }

    @Test func `a message the database refuses is found among many and put aside alone`() async throws {
        let database = try TestDatabase()
        let device = try await makeDevice(database.store())
        var maker = BatchMaker()
        for index in 0..<50 {
            // A year for which no partition is ever made: the decoder lets nothing like it through.
            let time = index == 17 ? Timestamp(seconds: 100) : now.adding(seconds: Double(index))
            maker.telemetry(device, [reading(time, [.temperature: 20])], packetID: UInt16(index + 1))
        }
        let outcome = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        #expect(outcome.stored == 49)
        #expect(outcome.messages == 50)
        #expect(outcome.deadLetters == [.storageRefused: 1])
        #expect(try database.int("SELECT count(*) FROM telemetry") == 49)
    }

    @Test func `a missing partition is made when a reading needs it`() async throws {
        let database = try TestDatabase()
        let device = try await makeDevice(database.store())
        let writer = try IngestWriter(database.options, clientID: "t")
        let dropped = try database.text(
            "SELECT 'telemetry_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')")
        try PostgresConnection(database.options).execute("DROP TABLE \(dropped ?? "")")
        var maker = BatchMaker()
        maker.telemetry(device, [reading(now, [.temperature: 20])])
        #expect(try writer.commit(maker.batch).stored == 1)
    }

    @Test func `a dead letter keeps reason, topic, size and the beginning of the payload`() async throws {
        let database = try TestDatabase()
        let device = try await makeDevice(database.store())
        var maker = BatchMaker()
        maker.refused(device, Rejection(reason: .notJSON, detail: "not JSON at byte 3"), payload: "{no")
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        let page = try await database.store().deadLetters(limit: 10, offset: 0)
        let letter = try #require(page.items.first)
        #expect(page.total == 1)
        #expect((letter.reason, letter.detail) == ("not_json", "not JSON at byte 3"))
        #expect(letter.payload == Array("{no".utf8))
        #expect(letter.payloadBytes == 3)
    }

    @Test func `nothing of a batch is stored when the database goes away during it`() async throws {
        let database = try TestDatabase()
        let device = try await makeDevice(database.store())
        let writer = try IngestWriter(database.options, clientID: "t")
        try PostgresConnection(database.options).execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """)
        var maker = BatchMaker()
        maker.telemetry(device, [reading(now, [.temperature: 20])])
        let error = #expect(throws: PostgresError.self) { try writer.commit(maker.batch) }
        #expect(error?.isTransient == true)
        #expect(try database.int("SELECT count(*) FROM telemetry") == 0)
        #expect(try IngestWriter(database.options, clientID: "t").commit(maker.batch).stored == 1)
    }

    @Test func `a fault of ours is not taken for the message's`() async throws {
        let database = try TestDatabase()
        let device = try await makeDevice(database.store())
        let writer = try IngestWriter(database.options, clientID: "t")
        let admin = try PostgresConnection(database.options)
        try admin.execute("ALTER TABLE telemetry RENAME COLUMN co2 TO carbon_dioxide")
        var maker = BatchMaker()
        maker.telemetry(device, [reading(now, [.temperature: 20])])
        #expect(throws: PostgresError.self) { try writer.commit(maker.batch) }
        #expect(try database.int("SELECT count(*) FROM dead_letters") == 0)
        try admin.execute("ALTER TABLE telemetry RENAME COLUMN carbon_dioxide TO co2")
        #expect(try writer.commit(maker.batch).stored == 1)
    }

    @Test func `two backends never work on one session`() throws {
        let database = try TestDatabase()
        var options = database.options
        options.statementTimeoutSeconds = 1
        var first: IngestWriter? = try IngestWriter(options, clientID: "same")
        let error = #expect(throws: PostgresError.self) { try IngestWriter(options, clientID: "same") }
        #expect(error?.message.contains("MQTT_CLIENT_ID") == true)
        _ = try IngestWriter(options, clientID: "other")
        withExtendedLifetime(first) {}
        first = nil
        _ = try IngestWriter(options, clientID: "same")
    }

    @Test func `packet ids that went round are no redeliveries`() async throws {
        let database = try TestDatabase()
        let device = try await makeDevice(database.store())
        let writer = try IngestWriter(database.options, clientID: "t")
        for (index, packet) in [UInt16(100), 65_000, 50].enumerated() {
            var maker = BatchMaker()
            let time = now.adding(microseconds: Int64(index))
            maker.telemetry(device, [reading(time, [.temperature: 20], source: .server)], packetID: packet)
            _ = try writer.commit(maker.batch)
        }
        // 65 000 lies 585 before 50, round the corner; 100 is a whole round away.
        #expect(try writer.recentDeliveries(inFlight: 10_000) == [50: 50, 65_000: 65_000])
    }

    @Test func `only readings without a time of their own are remembered for redelivery`() async throws {
        let database = try TestDatabase()
        let device = try await makeDevice(database.store())
        let writer = try IngestWriter(database.options, clientID: "t")
        var maker = BatchMaker()
        maker.telemetry(device, [reading(now, [.temperature: 20])], packetID: 7)
        maker.telemetry(
            device, [reading(now.adding(microseconds: 1), [.temperature: 20], source: .server)], packetID: 8)
        _ = try writer.commit(maker.batch)
        #expect(try writer.recentDeliveries(inFlight: 100) == [8: 8])
        #expect(try IngestWriter(database.options, clientID: "other").recentDeliveries(inFlight: 100).isEmpty)
    }
}
