import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// What is done at the same time comes through, and leaves nothing behind.
@Suite(.serialized) struct AlertConcurrencyTests {
    @Test(arguments: ["unassign", "move"])
    func `a plant is deleted while its device is taken out`(how: String) async throws {
        let house = try await Greenhouse()
        let (plant, other) = (try await house.plant(), try await house.plant())
        let device = try await house.device(in: plant)
        try house.send(device, at: 0, moisture: 20)
        let blocker = try PostgresConnection(house.database.options)
        try blocker.execute("BEGIN; SELECT 1 FROM device_state FOR UPDATE")
        let store = house.database.store(connections: 4)
        async let isDeleted = store.deletePlant(plant)
        try await house.database.waiting(1)
        async let isOut =
            how == "unassign"
            ? store.unassign(device, at: .now()) : store.assign(device, to: other, at: .now()) == .assigned
        try await house.database.waiting(2)
        try blocker.execute("COMMIT")
        #expect(try await isDeleted)
        #expect(try await isOut)
        #expect(try house.database.int("SELECT count(*) FROM alerts WHERE state <> 'resolved'") == 0)
    }

    @Test func `a backend that waited for another goes on from what that one found`() async throws {
        let house = try await Greenhouse()
        let device = try await house.device(in: house.plant())
        try house.send(device, at: 0, moisture: 50)
        let (options, start) = (house.database.options, house.start)
        @Sendable func send(_ moisture: Double, at seconds: Double, as clientID: String) throws -> Int {
            var maker = BatchMaker()
            let time = start.adding(seconds: seconds)
            maker.telemetry(device, [reading(time, [.soilMoisture: moisture])], receivedAt: time)
            return try IngestWriter(options, clientID: clientID).commit(maker.batch).stored
        }
        // The first has judged its reading and is held up as it writes the alert.
        let blocker = try PostgresConnection(options)
        try blocker.execute("BEGIN; LOCK TABLE alerts IN SHARE MODE")
        async let first = inThread { try send(20, at: 1, as: "first") }
        try await house.database.waiting(1)
        async let second = inThread { try send(50, at: 2, as: "second") }
        try await house.database.waiting(2)
        try blocker.execute("COMMIT")
        #expect(try await (first, second) == (1, 1))
        #expect(try house.database.alerts() == ["resolved threshold soil_moisture min critical recovered"])
    }

    @Test func `intake, people, reminders and messages get on together`() async throws {
        let house = try await Greenhouse()
        let store = house.database.store(connections: 8)
        let plants = [try await house.plant(name: "A"), try await house.plant(name: "B")]
        var devices: [EntityID] = []
        for number in 0..<4 { devices.append(try await house.device(in: plants[number % 2])) }
        for name in ["one", "two"] { _ = try await makeChannel(house.store, name, at: house.start) }
        let (options, start, all) = (house.database.options, house.start, devices)
        async let intake = inThreads(2) { number in
            let writer = try IngestWriter(options, clientID: "backend \(number)")
            var unjudged = 0
            for round in 0..<40 {
                var maker = BatchMaker()
                for device in number == 0 ? all : all.reversed() {
                    let time = start.adding(seconds: Double(round * 2 + number))
                    let moisture = (round + number).isMultiple(of: 3) ? 50.0 : 20
                    maker.telemetry(
                        device, [reading(time, [.soilMoisture: moisture, .battery: moisture])], receivedAt: time)
                }
                unjudged += try writer.commit(maker.batch).unjudged
            }
            return unjudged
        }
        let work: [@Sendable (Int) async throws -> Void] = [
            { _ = try await store.composeMessages(at: start.adding(seconds: 5 + Double($0))) },
            { round in
                for message in try await store.claimMessages(9, sealer: testSealer(), at: .now()) {
                    try await store.settle(message, .sent(status: 200, pauseSeconds: nil), at: .now())
                }
            },
            { try await store.setThresholds($0.isMultiple(of: 2) ? [:] : dry, of: plants[0]) },
            { _ = try await store.assign(all[$0 % 4], to: plants[($0 / 4) % 2], at: .now()) },
            { _ = try await store.unassign(all[($0 + 2) % 4], at: .now()) },
            { _ = try await store.remind(at: start.adding(seconds: 3600.0 * Double($0))) },
            { _ = try await store.noticeSilentDevices(at: start.adding(seconds: Double($0) * 60)) },
            { _ = try await store.snoozePlant(plants[$0 % 2], until: nil, by: testOrigin, at: .now()) },
            { _ in
                for alert in try await store.alerts(AlertFilter(), limit: 9, offset: 0).items {
                    _ = try await store.acknowledgeAlert(alert.id, by: testOrigin, name: "Ada", at: .now())
                }
            },
        ]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for job in work { group.addTask { for round in 0..<20 { try await job(round) } } }
            try await group.waitForAll()
        }
        #expect(try await intake == [0, 0])
        // When all devices are out and the plants have no limits, nothing is left of it.
        for device in devices { _ = try await store.unassign(device, at: .now()) }
        for plant in plants { try await store.setThresholds([:], of: plant) }
        #expect(
            try house.database.int("SELECT count(*) FROM alerts WHERE kind = 'threshold' AND state <> 'resolved'") == 0)
        let open = "SELECT count(*) FROM (SELECT 1 FROM alerts WHERE state <> 'resolved' GROUP BY subject_key) AS open"
        #expect(
            try house.database.int(open) == house.database.int("SELECT count(*) FROM alerts WHERE state <> 'resolved'"))
    }
}
