import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// Devices themselves, readings that are no news, and faults in the judging.
@Suite(.serialized) struct DeviceAlertTests {
    // MARK: late readings

    @Test func `backfilled readings neither begin, fire nor end anything`() async throws {
        let house = try await Greenhouse()
        let device = try await house.device(in: house.plant())
        try await house.channel()
        // An hour late, and then one more minute than is live.
        try house.send(device, at: -7200, [.soilMoisture: 10], late: 3600)
        try house.send(device, at: -600, [.soilMoisture: 10], late: 301)
        #expect(try house.database.alerts().isEmpty)
        try house.send(device, at: 0, [.soilMoisture: 29], late: 200)
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min warning"])
        try house.send(device, at: -100, [.soilMoisture: 90], late: 150)
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min warning"])
        #expect(try house.database.outbox() == ["waiting fired warning"])
        #expect(try house.database.int("SELECT count(*) FROM telemetry") == 4)
    }

    @Test func `of a message that empties a buffer only what is new is judged`() async throws {
        let house = try await Greenhouse(forSeconds: 120)
        let device = try await house.device(in: house.plant())
        let series = stride(from: -3600.0, through: 0, by: 60).map {
            reading(house.time($0), [.soilMoisture: $0 < -240 ? 10 : 29])
        }
        var maker = BatchMaker()
        maker.telemetry(device, series.reversed(), receivedAt: house.time(1))
        _ = try house.writer.commit(maker.batch)
        let alert = try #require(try await house.store.alerts(AlertFilter(), limit: 9, offset: 0).items.first)
        #expect((alert.state, alert.severity) == (.firing, .warning))
        // 299 s before it came.
        #expect(alert.startedAt == house.time(-240))
    }

    // MARK: battery and silence

    @Test func `a heartbeat tells of the battery, and of its end`() async throws {
        let house = try await Greenhouse(forSeconds: 60)
        let device = try await house.device(in: house.plant())
        try await house.channel()
        for (seconds, percent) in [(0.0, 50.0), (60, 19), (120, 18), (180, 25), (240, 30), (300, 31)] {
            try house.heartbeat(device, at: seconds, battery: percent)
            let expected: [Double: String] = [
                60: "pending", 120: "firing", 180: "firing", 240: "firing", 300: "resolved",
            ]
            let state = try house.database.lines("SELECT state FROM alerts")
            #expect(state == expected[seconds].map { [$0] } ?? [])
        }
        #expect(try house.database.alerts() == ["resolved battery_low battery min warning recovered"])
        try house.heartbeat(device, at: 400, battery: 9)
        try house.heartbeat(device, at: 460, battery: 9)
        #expect(try house.database.alerts().last == "firing battery_low battery min critical")
    }

    @Test func `a silent device is noticed once`() async throws {
        let house = try await Greenhouse(ago: 3600)
        let plant = try await house.plant()
        let device = try await house.device(in: plant)
        try await house.channel()
        try house.heartbeat(device, at: 0)
        #expect(try await house.store.noticeSilentDevices(at: house.time(180)).isEmpty)
        #expect(try await house.store.noticeSilentDevices(at: house.time(181)).map(\.id) == [device])
        #expect(try await house.store.noticeSilentDevices(at: house.time(600)).isEmpty)
        #expect(try house.database.alerts() == ["firing device_offline warning"])
        let alert = try await house.store.alerts(AlertFilter(), limit: 9, offset: 0).items.first
        #expect((alert?.startedAt, alert?.firedAt) == (house.time(0), house.time(181)))
        #expect((alert?.subject.plant, alert?.subject.device) == (plant, device))
        #expect(try house.database.outbox() == ["waiting fired warning"])
    }

    @Test(arguments: [60, 3600])
    func `a device may be silent for three of its intervals`(interval: Int) async throws {
        let house = try await Greenhouse(ago: 3600)
        let device = try await makeDevice(house.store, interval: interval, at: house.start)
        try house.heartbeat(device, at: 0)
        let allowed = Double(interval * 3)
        #expect(try await house.store.noticeSilentDevices(at: house.time(allowed)).isEmpty)
        #expect(try await house.store.noticeSilentDevices(at: house.time(allowed + 1)).count == 1)
    }

    @Test(arguments: ["heartbeat", "telemetry", "late telemetry", "status", "refused", "command"])
    func `any message brings a device back`(message: String) async throws {
        let house = try await Greenhouse(ago: 3600)
        let device = try await house.device(in: house.plant())
        try await house.channel()
        try house.heartbeat(device, at: 0)
        _ = try await house.store.noticeSilentDevices(at: house.time(200))
        var maker = BatchMaker()
        let time = house.time(300)
        switch message {
        case "heartbeat": maker.heartbeat(device, Heartbeat(), receivedAt: time)
        case "telemetry": maker.telemetry(device, [reading(time, [.temperature: 20])], receivedAt: time)
        case "late telemetry":
            maker.telemetry(device, [reading(house.time(-9000), [.temperature: 20])], receivedAt: time)
        case "status": maker.status(device, online: true, receivedAt: time)
        case "refused":
            maker.refused(device, Rejection(reason: .notJSON, detail: ""), payload: "{no", receivedAt: time)
        default: maker.commandResult(device, CommandResult(id: .make(), ok: true, detail: nil), receivedAt: time)
        }
        _ = try house.writer.commit(maker.batch)
        #expect(try house.database.alerts() == ["resolved device_offline warning recovered"])
        #expect(try house.database.outbox() == ["waiting fired warning", "waiting resolved warning"])
        #expect(try await house.store.noticeSilentDevices(at: house.time(300)).isEmpty)
        #expect(try await house.store.noticeSilentDevices(at: house.time(500)).count == 1)
    }

    @Test func `a last will neither makes a device silent nor brings it back`() async throws {
        let house = try await Greenhouse(ago: 3600)
        let device = try await house.device(in: house.plant())
        func will(at seconds: Double) throws {
            var maker = BatchMaker()
            maker.status(device, online: false, receivedAt: house.time(seconds))
            _ = try house.writer.commit(maker.batch)
        }
        try house.heartbeat(device, at: 0)
        try will(at: 10)
        #expect(try await house.store.noticeSilentDevices(at: house.time(20)).isEmpty)
        #expect(try await house.store.noticeSilentDevices(at: house.time(200)).count == 1)
        try will(at: 300)
        #expect(try house.database.alerts() == ["firing device_offline warning"])
        #expect(try await house.store.noticeSilentDevices(at: house.time(600)).isEmpty)
    }

    @Test func `a disabled device is not missed, and is once it counts again`() async throws {
        let house = try await Greenhouse(ago: 3600)
        let device = try await house.device(in: house.plant())
        func enable(_ isEnabled: Bool, at seconds: Double) async throws {
            _ = try await house.store.updateDevice(
                device, name: .unchanged, reportingIntervalSeconds: .unchanged, isEnabled: .set(isEnabled),
                by: testOrigin, at: house.time(seconds))
        }
        try house.heartbeat(device, at: 0)
        _ = try await house.store.noticeSilentDevices(at: house.time(200))
        try await enable(false, at: 210)
        #expect(try house.database.alerts() == ["resolved device_offline warning device_removed"])
        #expect(try await house.store.noticeSilentDevices(at: house.time(900)).isEmpty)
        try await enable(true, at: 910)
        #expect(try await house.store.noticeSilentDevices(at: house.time(920)).count == 1)
        #expect(try house.database.alerts().last == "firing device_offline warning")
    }

    @Test func `what comes to light after an outage of ours is one group, for a minute`() async throws {
        let house = try await Greenhouse()
        let (one, other) = (try await house.plant(), try await house.plant())
        let devices = (try await house.device(in: one), try await house.device(in: other))
        try await house.channel()
        func groups() throws -> [String] {
            try house.database.lines("SELECT group_key FROM notifications ORDER BY seq")
        }
        house.writer.resumed(afterOutage: IngestWriter.outageSeconds - 0.1, at: .now())
        try house.send(devices.0, at: 0, moisture: 20)
        #expect(try groups() == ["plant:\(one)"])
        house.writer.resumed(afterOutage: IngestWriter.outageSeconds, at: .now())
        try house.send(devices.1, at: 1, [.soilMoisture: 20, .battery: 5])
        let group = try #require(try groups().last)
        #expect(group.hasPrefix(MessagePlan.outageGroup))
        #expect(try groups().suffix(2) == [group, group])
        house.writer.resumed(afterOutage: 60, at: Timestamp.now().adding(seconds: -61))
        try house.send(devices.1, at: 2, moisture: 50)
        #expect(try groups().last == "plant:\(other)")
    }
}
