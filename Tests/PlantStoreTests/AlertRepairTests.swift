import PlantDomain
import PlantStore
import TestSupport
import Testing

/// What was left half done, by an older version, by a clock or by somebody's changes, is put right.
@Suite(.serialized) struct AlertRepairTests {
    private let hour = 3600.0

    @Test func `a snooze that is ended early silences nothing that comes later`() async throws {
        let post = try await Outpost(cooldownMinutes: 0)
        let fern = try await post.plant("Fern")
        _ = try await post.channel()
        let month = post.time(720 * hour)
        _ = try await post.store.snoozePlant(fern, until: month, by: testOrigin, at: post.time(0))
        try await post.fire(fern, at: 10)
        #expect(try await post.tell(at: 60).isEmpty)
        _ = try await post.store.snoozePlant(fern, until: nil, by: testOrigin, at: post.time(100))
        #expect(try await post.tell(at: 110) == ["fired Fern"])
        try await post.resolve(fern, at: 200)
        #expect(try await post.tell(at: 210) == ["resolved Fern"])
        try await post.fire(fern, at: 300)
        #expect(try await post.tell(at: 310) == ["fired Fern"])
    }

    @Test func `reminders go on when a snooze is ended early`() async throws {
        let post = try await Outpost(cooldownMinutes: 60)
        let fern = try await post.plant("Fern")
        _ = try await post.channel()
        try await post.fire(fern, at: 0)
        _ = try await post.tell(at: 5)
        _ = try await post.store.snoozePlant(fern, until: post.time(720 * hour), by: testOrigin, at: post.time(60))
        #expect(try await post.pass(from: 300, to: 5 * hour).isEmpty)
        _ = try await post.store.snoozePlant(fern, until: nil, by: testOrigin, at: post.time(5 * hour + 1))
        #expect(try await post.pass(from: 5 * hour + 2, to: 5 * hour + 20, every: 6).count == 1)
    }

    @Test func `a clock that was ahead silences nobody`() async throws {
        let post = try await Outpost(cooldownMinutes: 60)
        let fern = try await post.plant("Fern")
        _ = try await post.channel()
        try await post.fire(fern, at: 0)
        _ = try await post.tell(at: 5)
        try await post.resolve(fern, at: 10)
        _ = try await post.tell(at: 15)
        try post.database.execute("UPDATE alerts SET notified_at = notified_at + INTERVAL '1 year'")
        try await post.fire(fern, at: 60)
        #expect(try await post.tell(at: hour + 70) == ["fired Fern"])
    }

    @Test func `what was judged by a clock that was ahead is judged again`() async throws {
        let house = try await Greenhouse()
        let device = try await house.device(in: house.plant())
        try house.send(device, at: 0, moisture: 50)
        try house.database.execute("UPDATE device_state SET judged_until = judged_until + INTERVAL '1 day'")
        try house.send(device, at: 60, moisture: 29)
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min warning"])
    }

    @Test func `what was pending by a clock that was ahead begins anew`() async throws {
        let house = try await Greenhouse(forSeconds: 120)
        let device = try await house.device(in: house.plant())
        // Received and judged when our clock was a day ahead.
        try house.send(device, at: 86_400, [.soilMoisture: 29, .battery: 15])
        #expect(try house.database.alerts().count == 2)
        try house.send(device, at: 0, [.soilMoisture: 29, .battery: 15])
        try house.send(device, at: 120, [.soilMoisture: 29, .battery: 15])
        #expect(
            Set(try house.database.alerts()) == [
                "firing threshold soil_moisture min warning", "firing battery_low battery min warning",
            ])
    }

    @Test func `what an older version left of a device that is heard of again is ended`() async throws {
        let house = try await Greenhouse(ago: 3600)
        let device = try await house.device(in: house.plant())
        try house.heartbeat(device, at: 0)
        #expect(try await house.store.noticeSilentDevices(at: house.time(200)).count == 1)
        #expect(try house.database.alerts() == ["firing device_offline warning"])
        // An older version knows of no alerts: it only writes down that the device was heard of.
        try house.database.execute(
            "UPDATE device_state SET offline_since = NULL, last_seen_at = last_seen_at + INTERVAL '210 seconds'")
        #expect(try await house.store.noticeSilentDevices(at: house.time(220)).isEmpty)
        #expect(try house.database.alerts() == ["resolved device_offline warning recovered"])
    }

    @Test func `the light of a plant is nobody's concern once its last device is gone`() async throws {
        let house = try await Greenhouse()
        let plant = try await house.plant(["light_level": Threshold(min: 500)])
        let devices = [try await house.device(in: plant), try await house.device(in: plant)]
        let dark = AlertSubject(.threshold, plant: plant, metric: "light_level", direction: .min)
        let finding = AlertFinding(
            dark, .fired(since: house.start, .warning), value: 40, limit: 500, at: house.start)
        try await house.store.note([finding], at: house.start)
        _ = try await house.store.unassign(devices[0], at: .now())
        #expect(try house.database.alerts() == ["firing threshold light_level min warning"])
        #expect(try await house.store.deleteDevice(devices[1]))
        #expect(try house.database.alerts() == ["resolved threshold light_level min warning device_removed"])
    }

    @Test func `a fault in judging, whatever it is, keeps no reading of anybody out`() async throws {
        let house = try await Greenhouse()
        let (ill, well) = (
            try await house.device(in: house.plant()), try await house.device(in: house.plant(name: "Palm"))
        )
        try house.send(well, at: 0, moisture: 50)
        // Anything but data: as if a column were of another type.
        try house.database.execute(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '42804'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON alerts FOR EACH ROW WHEN (NEW.device_id = '\(ill)')
                EXECUTE FUNCTION refuse();
            """)
        var maker = BatchMaker()
        for (number, device) in [ill, well, ill, well].enumerated() {
            let time = house.time(60 + Double(number))
            maker.telemetry(
                device, [reading(time, [.soilMoisture: 29])], packetID: UInt16(number + 1), receivedAt: time)
        }
        let outcome = try house.writer.commit(maker.batch)
        #expect((outcome.stored, outcome.unjudged) == (4, 2))
        #expect(outcome.deadLetters.isEmpty)
        #expect(try house.database.lines("SELECT plant_name FROM alerts") == ["Palm"])
    }
}
