import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// What ends alerts though no reading says so: somebody changed what they speak of, or what was remembered is lost.
@Suite(.serialized) struct AlertEndTests {
    /// A house in which one device has raised an alert.
    private func firing(forSeconds: Int = 0, _ thresholds: Thresholds = dry) async throws -> (
        house: Greenhouse, plant: EntityID, device: EntityID
    ) {
        let house = try await Greenhouse(forSeconds: forSeconds)
        let plant = try await house.plant(thresholds)
        let device = try await house.device(in: plant)
        try await house.channel()
        try house.send(device, at: 0, moisture: 29)
        if forSeconds > 0 { try house.send(device, at: Double(forSeconds), moisture: 29) }
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min warning"])
        return (house, plant, device)
    }

    private func resolved(_ reason: AlertResolution) -> [String] {
        ["resolved threshold soil_moisture min warning \(reason.rawValue)"]
    }

    // MARK: devices

    @Test func `a device that is taken out of its plant takes its alerts along`() async throws {
        let (house, plant, device) = try await firing()
        #expect(try await house.store.unassign(device, at: .now()))
        #expect(try house.database.alerts() == resolved(.deviceRemoved))
        #expect(try house.database.outbox() == ["waiting fired warning", "waiting resolved warning"])
        try house.send(device, at: 1020, moisture: 20)
        #expect(try house.database.alerts() == resolved(.deviceRemoved))
        // Back again, it is found anew.
        _ = try await house.store.assign(device, to: plant, at: .now())
        try house.send(device, at: 1040, moisture: 29)
        #expect(
            try house.database.alerts() == resolved(.deviceRemoved) + ["firing threshold soil_moisture min warning"])
    }

    @Test func `a device that moves begins anew in the other plant`() async throws {
        let (house, _, device) = try await firing()
        let other = try await house.plant(["soil_moisture": Threshold(min: 50)], name: "Palm")
        _ = try await house.store.assign(device, to: other, at: .now())
        #expect(try house.database.alerts() == resolved(.deviceRemoved))
        // Measured before it moved.
        try house.send(device, at: 0.001, [.soilMoisture: 29], late: 10)
        #expect(try house.database.alerts() == resolved(.deviceRemoved))
        try house.send(device, at: 1020, moisture: 45)
        #expect(try house.database.alerts().last == "firing threshold soil_moisture min warning")
        #expect(try house.database.lines("SELECT plant_name FROM alerts ORDER BY started_at") == ["Fern", "Palm"])
    }

    @Test(arguments: ["delete", "disable"])
    func `a device that is deleted or disabled says nothing any more`(how: String) async throws {
        let (house, _, device) = try await firing()
        try house.heartbeat(device, at: 5, battery: 15)
        #expect(try house.database.alerts().last == "firing battery_low battery min warning")
        if how == "delete" {
            #expect(try await house.store.deleteDevice(device))
        } else {
            _ = try await house.store.updateDevice(
                device, name: .unchanged, reportingIntervalSeconds: .unchanged, isEnabled: .set(false), by: testOrigin,
                at: .now())
        }
        #expect(
            try house.database.alerts() == resolved(.deviceRemoved)
                + ["resolved battery_low battery min warning device_removed"])
        let alerts = try await house.store.alerts(AlertFilter(), limit: 9, offset: 0).items
        #expect(alerts.allSatisfy { $0.deviceName == "Sensor" })
        // What was on its way counts no more than what it said before: nothing would ever end it.
        try house.send(device, at: 1020, [.soilMoisture: 10, .battery: 5])
        try house.heartbeat(device, at: 1030, battery: 5)
        #expect(try house.database.int("SELECT count(*) FROM alerts WHERE state <> 'resolved'") == 0)
    }

    @Test func `a device that leaves its plant keeps what it says of itself`() async throws {
        let house = try await Greenhouse()
        let device = try await house.device(in: house.plant())
        try house.heartbeat(device, at: 0, battery: 15)
        _ = try await house.store.unassign(device, at: .now())
        #expect(try house.database.alerts() == ["firing battery_low battery min warning"])
        try house.heartbeat(device, at: 1020, battery: 80)
        #expect(try house.database.alerts() == ["resolved battery_low battery min warning recovered"])
    }

    @Test func `of two devices one may leave`() async throws {
        let (house, plant, first) = try await firing()
        let second = try await house.device(in: plant)
        try house.send(second, at: 5, moisture: 28)
        _ = try await house.store.unassign(first, at: .now())
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min warning"])
        try house.send(second, at: 1020, moisture: 50)
        #expect(try house.database.alerts() == resolved(.recovered))
    }

    @Test(arguments: ["unassign", "disable"])
    func `a device's pending alert goes with it`(how: String) async throws {
        let house = try await Greenhouse(forSeconds: 120)
        let device = try await house.device(in: house.plant())
        try house.send(device, at: 0, moisture: 29)
        #expect(try house.database.alerts().count == 1)
        if how == "unassign" {
            _ = try await house.store.unassign(device, at: .now())
        } else {
            _ = try await house.store.updateDevice(
                device, name: .unchanged, reportingIntervalSeconds: .unchanged, isEnabled: .set(false), by: testOrigin,
                at: .now())
        }
        #expect(try house.database.alerts().isEmpty)
    }

    // MARK: limits and plants

    @Test func `a limit that is removed ends its alert, and one set again is judged anew`() async throws {
        let (house, plant, device) = try await firing()
        try await house.store.setThresholds(["soil_moisture": Threshold(max: 90)], of: plant)
        #expect(try house.database.alerts() == resolved(.limitRemoved))
        try await house.store.setThresholds(dry, of: plant)
        #expect(try house.database.alerts() == resolved(.limitRemoved))
        try house.send(device, at: 60, moisture: 29)
        #expect(try house.database.alerts() == resolved(.limitRemoved) + ["firing threshold soil_moisture min warning"])
        let events = try house.database.lines("SELECT event FROM notifications ORDER BY seq")
        #expect(events == ["fired", "resolved", "fired"])
    }

    @Test func `a limit that is removed and set again between two readings does not fire at once`() async throws {
        let (house, plant, device) = try await firing(forSeconds: 120)
        try await house.store.setThresholds([:], of: plant)
        try await house.store.setThresholds(dry, of: plant)
        try house.send(device, at: 180, moisture: 29)
        #expect(
            try house.database.alerts() == resolved(.limitRemoved) + ["pending threshold soil_moisture min warning"])
        try house.send(device, at: 300, moisture: 29)
        #expect(try house.database.alerts().last == "firing threshold soil_moisture min warning")
    }

    @Test func `a limit that is changed counts from the next reading on`() async throws {
        let (house, plant, device) = try await firing()
        try await house.store.setThresholds(["soil_moisture": Threshold(min: 20)], of: plant)
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min warning"])
        try house.send(device, at: 60, moisture: 29)
        #expect(try house.database.alerts() == resolved(.recovered))
        try await house.store.setThresholds(["soil_moisture": Threshold(min: 60)], of: plant)
        try house.send(device, at: 120, moisture: 50)
        #expect(try house.database.alerts().last == "firing threshold soil_moisture min warning")
        #expect(try house.database.lines("SELECT limit_value::text FROM alerts ORDER BY started_at") == ["30", "60"])
    }

    @Test func `limits changed behind the program's back end what they had found`() async throws {
        let (house, _, device) = try await firing()
        try house.database.execute("UPDATE plants SET thresholds = '{}'")
        try house.send(device, at: 60, moisture: 29)
        #expect(try house.database.alerts() == resolved(.limitRemoved))
    }

    @Test func `a limit that is removed leaves the plant's other conditions as they are`() async throws {
        let both: Thresholds = ["soil_moisture": Threshold(min: 30), "temperature": Threshold(max: 30)]
        let house = try await Greenhouse(forSeconds: 120)
        let plant = try await house.plant(both)
        let device = try await house.device(in: plant)
        try house.send(device, at: 0, [.soilMoisture: 29, .temperature: 20])
        try house.send(device, at: 120, [.soilMoisture: 29, .temperature: 31])
        try await house.store.setThresholds(["temperature": Threshold(max: 30)], of: plant)
        #expect(
            try house.database.alerts() == resolved(.limitRemoved) + ["pending threshold temperature max warning"])
        // It goes on being pending, and is well again.
        try house.send(device, at: 180, [.soilMoisture: 29, .temperature: 20])
        #expect(try house.database.alerts() == resolved(.limitRemoved))
    }

    @Test func `a limit that is removed does not make a pot too wet that was watered`() async throws {
        let limits: Thresholds = ["soil_moisture": Threshold(max: 60), "temperature": Threshold(max: 30)]
        let house = try await Greenhouse()
        let plant = try await house.plant(limits)
        let device = try await house.device(in: plant)
        for number in 0..<5 { try house.send(device, at: Double(number) * 60, moisture: 40) }
        try house.send(device, at: 300, moisture: 75)
        #expect(try house.database.alerts().isEmpty)
        try await house.store.setThresholds(["soil_moisture": Threshold(max: 60)], of: plant)
        try house.send(device, at: 360, moisture: 75)
        #expect(try house.database.alerts().isEmpty)
    }

    @Test func `a plant that is deleted ends its alerts, which keep its name`() async throws {
        let (house, plant, device) = try await firing()
        #expect(try await house.store.deletePlant(plant))
        #expect(try house.database.alerts() == resolved(.plantDeleted))
        #expect(try house.database.lines("SELECT plant_name FROM alerts") == ["Fern"])
        #expect(try house.database.outbox().last == "waiting resolved warning")
        try house.send(device, at: 60, moisture: 10)
        #expect(try house.database.alerts() == resolved(.plantDeleted))
    }

    /// Somebody takes the device out, or deletes the plant, while a batch is under way that has looked up where it
    /// stands and has not judged it yet.
    @Test(arguments: ["unassign", "move", "delete plant", "remove limit"])
    func `what is changed while readings are being stored leaves no alert behind`(how: String) async throws {
        let house = try await Greenhouse()
        let (plant, other) = (try await house.plant(), try await house.plant([:]))
        let device = try await house.device(in: plant)
        try house.send(device, at: 0, moisture: 50)
        // Measured after the change, though the batch knows nothing of it yet.
        let options = house.database.options
        let (during, later) = (house.time(1000), house.time(1060))
        let blocker = try PostgresConnection(options)
        try blocker.execute("BEGIN; LOCK TABLE telemetry IN SHARE MODE")
        async let stored = inThread {
            var maker = BatchMaker()
            maker.telemetry(device, [reading(during, [.soilMoisture: 29])], receivedAt: during)
            return try IngestWriter(options, clientID: "second").commit(maker.batch).stored
        }
        try await house.database.waiting(1)
        switch how {
        case "unassign": _ = try await house.store.unassign(device, at: .now())
        case "move": _ = try await house.store.assign(device, to: other, at: .now())
        case "delete plant": _ = try await house.store.deletePlant(plant)
        default: try await house.store.setThresholds([:], of: plant)
        }
        try blocker.execute("COMMIT")
        #expect(try await stored == 1)
        var maker = BatchMaker()
        maker.telemetry(device, [reading(later, [.soilMoisture: 29])], receivedAt: later)
        _ = try house.writer.commit(maker.batch)
        #expect(try house.database.int("SELECT count(*) FROM alerts WHERE state <> 'resolved'") == 0)
    }

    // MARK: what is remembered

    @Test(arguments: ["NULL", #"'\xdeadbeef'"#, #"''"#, #"'\x63'"#])
    func `where the memory is lost or garbled, it goes on from the open alerts`(memory: String) async throws {
        let (house, _, device) = try await firing(forSeconds: 120)
        try house.heartbeat(device, at: 125, battery: 15)
        try house.heartbeat(device, at: 245, battery: 15)
        #expect(try house.database.alerts().count == 2)
        func lose() throws { try house.database.execute("UPDATE device_state SET alert_memory = \(memory)") }
        // Still beyond: nothing new.
        try lose()
        try house.send(device, at: 300, moisture: 29)
        #expect(try house.database.outbox() == ["waiting fired warning", "waiting fired warning"])
        // And well again, after the time that takes.
        try lose()
        try house.send(device, at: 360, [.soilMoisture: 40, .battery: 90])
        try house.send(device, at: 480, [.soilMoisture: 40, .battery: 90])
        #expect(
            try house.database.alerts() == resolved(.recovered) + ["resolved battery_low battery min warning recovered"]
        )
    }

    @Test(arguments: ["NULL", #"'\xdeadbeef'"#])
    func `where the memory is lost, what was pending does not stay so for ever`(memory: String) async throws {
        let house = try await Greenhouse(forSeconds: 120)
        let device = try await house.device(in: house.plant())
        try house.send(device, at: 0, [.soilMoisture: 29, .battery: 15])
        #expect(try house.database.alerts().count == 2)
        try house.database.execute("UPDATE device_state SET alert_memory = \(memory)")
        try house.send(device, at: 60, [.soilMoisture: 50, .battery: 90])
        #expect(try house.database.alerts().isEmpty)
    }

    @Test func `a device that leaves its plant while its battery is pending does not leave that behind`() async throws {
        let house = try await Greenhouse(forSeconds: 120)
        let device = try await house.device(in: house.plant())
        try house.send(device, at: 0, [.battery: 15])
        _ = try await house.store.unassign(device, at: .now())
        try house.send(device, at: 60, [.battery: 90])
        #expect(try house.database.alerts().isEmpty)
    }

    @Test func `a sensor that is stuck is found to move though the memory was lost`() async throws {
        let house = try await Greenhouse()
        let device = try await house.device(in: house.plant())
        try house.send(device, at: 0, moisture: 50)
        let stuck = AlertSubject(.sensorStuck, device: device, metric: "soil_moisture")
        try await house.store.note(
            [AlertFinding(stuck, .fired(since: house.start, .warning), value: 50, limit: nil, at: house.start)],
            at: house.start)
        try house.database.execute("UPDATE device_state SET alert_memory = NULL")
        try house.send(device, at: 60, moisture: 50)
        #expect(try house.database.alerts() == ["firing sensor_stuck soil_moisture warning"])
        try house.send(device, at: 120, moisture: 50.5)
        #expect(try house.database.alerts() == ["resolved sensor_stuck soil_moisture warning recovered"])
    }
}
