import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// What readings do to alerts.
@Suite(.serialized) struct AlertLedgerTests {
    @Test(arguments: TestDatabase.kinds)
    func `a condition becomes pending, fires, and is over, each at a reading`(kind: TimeSeriesKind) async throws {
        let house = try await Greenhouse(kind, forSeconds: 120)
        let plant = try await house.plant()
        let device = try await house.device(in: plant)
        try await house.channel()
        func state() throws -> [String] { try house.database.alerts() }

        try house.send(device, at: 0, moisture: 35)
        #expect(try state().isEmpty)
        try house.send(device, at: 60, moisture: 29)
        #expect(try state() == ["pending threshold soil_moisture min warning"])
        #expect(try house.database.outbox().isEmpty)
        try house.send(device, at: 120, moisture: 28)
        #expect(try state() == ["pending threshold soil_moisture min warning"])
        try house.send(device, at: 180, moisture: 27)
        #expect(try state() == ["firing threshold soil_moisture min warning"])
        let firing = try #require(try await house.store.alerts(AlertFilter(), limit: 9, offset: 0).items.first)
        #expect((firing.value, firing.limit, firing.startedAt) == (27, 30, house.time(60)))
        #expect((firing.plantName, firing.deviceName, firing.subject.plant) == ("Fern", "Sensor", plant))
        #expect(firing.firedAt != nil && firing.resolvedAt == nil)
        try house.send(device, at: 240, moisture: 32)
        try house.send(device, at: 300, moisture: 33)
        #expect(try state() == ["firing threshold soil_moisture min warning"])
        try house.send(device, at: 360, moisture: 34)
        #expect(try state() == ["resolved threshold soil_moisture min warning recovered"])
        let over = try #require(try await house.store.alert(firing.id)?.alert)
        #expect((over.value, over.startedAt, over.firedAt) == (34, firing.startedAt, firing.firedAt))
        #expect(over.resolvedAt.map { $0 >= house.start } == true)
        #expect(try house.database.outbox() == ["waiting fired warning", "waiting resolved warning"])
        #expect(
            try house.database.int("SELECT count(*) FROM alerts WHERE devices <> '{}' OR remind_at IS NOT NULL") == 0)
    }

    @Test func `what is well again before it fired leaves no trace`() async throws {
        let house = try await Greenhouse(forSeconds: 120)
        let device = try await house.device(in: house.plant())
        try await house.channel()
        try house.send(device, at: 0, moisture: 29)
        try house.send(device, at: 60, moisture: 40)
        #expect(try house.database.alerts().isEmpty)
        #expect(try house.database.outbox().isEmpty)
    }

    @Test(arguments: TestDatabase.kinds)
    func `reading, alert and outbox are written in one transaction`(kind: TimeSeriesKind) async throws {
        let house = try await Greenhouse(kind)
        let device = try await house.device(in: house.plant())
        try await house.channel()
        func writers() throws -> [String] {
            try house.database.lines(
                """
                SELECT (SELECT xmin::text FROM telemetry ORDER BY time DESC LIMIT 1)
                UNION ALL SELECT (SELECT xmin::text FROM alerts)
                UNION ALL SELECT (SELECT xmin::text FROM notifications ORDER BY seq DESC LIMIT 1)
                UNION ALL SELECT (SELECT xmin::text FROM device_state)
                """)
        }
        try house.send(device, at: 0, moisture: 20)
        let fired = try writers()
        #expect(fired.count == 4 && Set(fired).count == 1, "\(fired)")
        try house.send(device, at: 60, moisture: 50)
        let over = try writers()
        #expect(over.count == 4 && Set(over).count == 1, "\(over)")
        #expect(Set(over) != Set(fired))
    }

    @Test func `a batch that fails leaves neither reading nor alert, and comes through later`() async throws {
        let house = try await Greenhouse()
        let device = try await house.device(in: house.plant())
        try await house.channel()
        // Fails at the very end, when everything has been written.
        try house.database.execute(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON notifications DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION refuse();
            """)
        #expect(throws: PostgresError.self) { try house.send(device, at: 0, moisture: 20) }
        for table in ["telemetry", "alerts", "notifications", "device_state", "dead_letters"] {
            #expect(try house.database.int("SELECT count(*) FROM \(table)") == 0, "\(table)")
        }
        try house.database.execute("DROP TRIGGER refuse ON notifications")
        try house.send(device, at: 0, moisture: 20)
        #expect(
            try house.database.outbox() == ["waiting fired critical"])
    }

    @Test(arguments: TestDatabase.kinds)
    func `what is delivered again, whole or the beginning of it, changes nothing`(kind: TimeSeriesKind) async throws {
        let house = try await Greenhouse(kind, forSeconds: 60)
        let device = try await house.device(in: house.plant())
        try await house.channel()
        let series = [(0.0, 29.0), (60, 28), (120, 40), (180, 41), (240, 20), (300, 19)]
        func batch(_ part: ArraySlice<(Double, Double)>) -> IngestBatch {
            var maker = BatchMaker()
            for (seconds, moisture) in part {
                let time = house.time(seconds)
                maker.telemetry(device, [reading(time, [.soilMoisture: moisture])], receivedAt: time)
            }
            return maker.batch
        }
        let everything = """
            SELECT (SELECT json_agg(a ORDER BY id) FROM alerts a)::text
                || (SELECT json_agg(n ORDER BY seq) FROM notifications n)
                || (SELECT json_agg(s.alert_memory) FROM device_state s)
            """
        _ = try house.writer.commit(batch(series[...]))
        let expected = [
            "resolved threshold soil_moisture min warning recovered", "firing threshold soil_moisture min critical",
        ]
        #expect(try house.database.alerts() == expected)
        let before = try house.database.lines(everything)
        for length in 1...series.count {
            let outcome = try house.writer.commit(batch(series.prefix(length)))
            #expect(outcome.duplicates == length)
            #expect(try house.database.lines(everything) == before)
        }
    }

    @Test func `two backends that take turns with a device alert once`() async throws {
        let house = try await Greenhouse(forSeconds: 120)
        let device = try await house.device(in: house.plant())
        try await house.channel()
        let second = try IngestWriter(house.database.options, clientID: "other")
        for number in 0..<12 {
            let writer = number.isMultiple(of: 2) ? house.writer : second
            try house.send(device, at: Double(number) * 60, [.soilMoisture: number < 6 ? 29 : 40], over: writer)
        }
        #expect(try house.database.alerts() == ["resolved threshold soil_moisture min warning recovered"])
        #expect(try house.database.outbox() == ["waiting fired warning", "waiting resolved warning"])
    }

    @Test(arguments: [false, true])
    func `two backends that work at the same time alert once`(isNew: Bool) async throws {
        let house = try await Greenhouse()
        let plant = try await house.plant()
        var devices: [EntityID] = []
        for _ in 0..<3 { devices.append(try await house.device(in: plant)) }
        try await house.channel()
        if !isNew { for device in devices { try house.send(device, at: 0, moisture: 50) } }
        let (options, start) = (house.database.options, house.start)
        let all = devices
        let stored = try await inThreads(2) { number in
            let writer = try IngestWriter(options, clientID: "backend \(number)")
            var stored = 0
            for round in 1...25 {
                var maker = BatchMaker()
                for device in number == 0 ? all : all.reversed() {
                    let time = start.adding(seconds: Double(round * 2 + number))
                    maker.telemetry(device, [reading(time, [.soilMoisture: 20])], receivedAt: time)
                }
                stored += try writer.commit(maker.batch).stored
            }
            return stored
        }
        #expect(stored == [75, 75])
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min critical"])
        #expect(try house.database.outbox() == ["waiting fired critical"])
        for device in devices { try house.send(device, at: 100, moisture: 50) }
        #expect(try house.database.alerts() == ["resolved threshold soil_moisture min critical recovered"])
    }

    @Test func `backends that see a value come and go tell each time once, in order`() async throws {
        let house = try await Greenhouse()
        let device = try await house.device(in: house.plant())
        try await house.channel()
        let (options, start) = (house.database.options, house.start)
        _ = try await inThreads(3) { number in
            let writer = try IngestWriter(options, clientID: "backend \(number)")
            for round in 0..<20 {
                var maker = BatchMaker()
                let time = start.adding(seconds: Double(round * 3 + number))
                maker.telemetry(
                    device, [reading(time, [.soilMoisture: round.isMultiple(of: 2) ? 20 : 50])], receivedAt: time)
                _ = try writer.commit(maker.batch)
            }
        }
        try house.send(device, at: 500, moisture: 50)
        let alerts = try house.database.alerts()
        #expect(!alerts.isEmpty && alerts.allSatisfy { $0.hasPrefix("resolved") })
        let events = try house.database.lines(
            "SELECT string_agg(event, ' ' ORDER BY seq) FROM notifications GROUP BY alert_id")
        #expect(events.allSatisfy { $0 == "fired resolved" || $0 == "fired" }, "\(events)")
    }

    // MARK: several devices

    @Test func `a second device joins, and the alert is over with the last`() async throws {
        let house = try await Greenhouse()
        let plant = try await house.plant()
        let (first, second) = (try await house.device(in: plant), try await house.device(in: plant))
        try await house.channel()
        func devices() throws -> Int { try house.database.int("SELECT cardinality(devices) FROM alerts") }
        try house.send(first, at: 0, moisture: 29)
        #expect(try devices() == 1)
        try house.send(second, at: 10, moisture: 28)
        #expect(try devices() == 2)
        // Worse than the other: that is told.
        #expect(try house.database.outbox() == ["waiting fired warning"])
        try house.send(first, at: 20, moisture: 40)
        #expect(try devices() == 1)
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min warning"])
        try house.send(first, at: 30, moisture: 20)
        #expect(try devices() == 2)
        #expect(try house.database.outbox().last == "waiting escalated critical")
        try house.send(second, at: 40, moisture: 40)
        try house.send(first, at: 50, moisture: 40)
        #expect(try house.database.alerts() == ["resolved threshold soil_moisture min critical recovered"])
        #expect(try house.database.outbox().count == 3)
    }

    @Test func `a second device that sees it later does not make it begin later`() async throws {
        let house = try await Greenhouse(forSeconds: 120)
        let plant = try await house.plant()
        let (first, second) = (try await house.device(in: plant), try await house.device(in: plant))
        try house.send(first, at: 0, moisture: 29)
        try house.send(second, at: 60, moisture: 29)
        #expect(
            try await house.store.alerts(AlertFilter(), limit: 9, offset: 0).items.map(\.startedAt) == [house.time(0)])
        try house.send(first, at: 120, moisture: 29)
        let firing = try await house.store.alerts(AlertFilter(), limit: 9, offset: 0).items
        #expect(firing.map(\.state) == [.firing])
        #expect(firing.map(\.startedAt) == [house.time(0)])
    }

    @Test func `a pending one stays while the other device still sees it`() async throws {
        let house = try await Greenhouse(forSeconds: 120)
        let plant = try await house.plant()
        let (first, second) = (try await house.device(in: plant), try await house.device(in: plant))
        try house.send(first, at: 0, moisture: 29)
        try house.send(second, at: 60, moisture: 29)
        try house.send(first, at: 90, moisture: 40)
        try house.send(second, at: 180, moisture: 29)
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min warning"])
        try house.send(second, at: 240, moisture: 40)
        try house.send(second, at: 360, moisture: 40)
        #expect(try house.database.alerts() == ["resolved threshold soil_moisture min warning recovered"])
    }

    // MARK: which metrics

    @Test func `extra metrics have limits, too, by their names`() async throws {
        let house = try await Greenhouse()
        let device = try await house.device(in: house.plant(["leaf_wetness": Threshold(max: 5)]))
        try house.send(device, at: 0, [:], extras: [ExtraValue(name: "leaf_wetness", value: 5)])
        try house.send(device, at: 60, [:], extras: [ExtraValue(name: "other", value: 99)])
        #expect(try house.database.alerts().isEmpty)
        try house.send(device, at: 120, [:], extras: [ExtraValue(name: "leaf_wetness", value: 5.5)])
        #expect(try house.database.alerts() == ["firing threshold leaf_wetness max warning"])
        try house.send(device, at: 180, [:], extras: [ExtraValue(name: "leaf_wetness", value: 4)])
        #expect(try house.database.alerts() == ["resolved threshold leaf_wetness max warning recovered"])
    }

    @Test func `both ends and several metrics are alerts of their own, and light is not judged at once`() async throws {
        let house = try await Greenhouse()
        let limits: Thresholds = [
            "temperature": Threshold(min: 10, max: 30), "soil_moisture": Threshold(min: 30),
            "light_level": Threshold(min: 1000),
        ]
        let device = try await house.device(in: house.plant(limits))
        try house.send(device, at: 0, [.temperature: 31, .soilMoisture: 29, .lightLevel: 0])
        try house.send(device, at: 60, [.temperature: 9, .soilMoisture: 29, .lightLevel: 0])
        #expect(
            try house.database.alerts().sorted() == [
                "firing threshold soil_moisture min warning", "firing threshold temperature min warning",
                "resolved threshold temperature max warning recovered",
            ])
    }
}
