import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite struct LiveChangesTests {
    private func some(_ count: Int) -> Set<EntityID> { Set((0..<count).map { _ in EntityID.make() }) }

    @Test func `what is announced is what is heard, in payloads that PostgreSQL takes`() throws {
        var changes = LiveChanges()
        #expect(changes.isEmpty && changes.payloads.isEmpty)
        changes.measured = some(450)
        changes.heard = some(1)
        changes.devices = some(70)
        changes.plants = some(300)
        changes.doubtfulPlants = some(3)
        #expect(changes.count == 824)
        #expect(changes.payloads.count == 5)
        #expect(changes.payloads.allSatisfy { $0.utf8.count < 8000 })
        var heard = LiveChanges()
        for payload in changes.payloads { heard.formUnion(try #require(LiveChanges(payload: payload))) }
        #expect(heard == changes)
    }

    @Test func `so much that it cannot be named is one word`() {
        var changes = LiveChanges()
        changes.measured = some(LiveChanges.most)
        #expect(changes.payloads.count == 10)
        changes.measured.insert(.make())
        #expect(changes.payloads == [LiveChanges.tooMuch])
    }

    @Test(
        arguments: [
            "", "*", "!", "x", "p", "p,", "pnonsense", "z0198c8f0-0000-7000-8000-000000000001",
            "p0198c8f0-0000-7000-8000-000000000001,", "p0198c8f0-0000-7000-8000-000000000001 ",
        ])
    func `what cannot be read is nothing`(payload: String) { #expect(LiveChanges(payload: payload) == nil) }

    @Test func `what is ripe is taken and the rest stays`() {
        let (ripe, green) = (EntityID.make(), EntityID.make())
        var changes = LiveChanges()
        changes.measured = [ripe, green]
        changes.plants = [green]
        let taken = changes.take { $0 == ripe }
        #expect(taken.measured == [ripe] && taken.count == 1)
        #expect(changes.measured == [green] && changes.plants == [green])
        #expect(changes.ids == [green])
    }
}

/// What whoever listens hears of changes, whoever makes them.
@Suite struct LiveNoticeTests {
    private let now = Timestamp.now()

    private func heard(_ database: TestDatabase, _ body: () async throws -> Void) async throws -> LiveChanges {
        let listener = try PostgresListener(database.options, channels: [LiveChanges.channel])
        try await body()
        try PostgresConnection(database.options).execute("SELECT pg_notify('\(LiveChanges.channel)', 'end')")
        var changes = LiveChanges()
        let deadline = ContinuousClock.now + .seconds(10)
        while .now < deadline {
            for notification in try listener.wait(milliseconds: 100) {
                if notification.payload == "end" { return changes }
                changes.formUnion(try #require(LiveChanges(payload: notification.payload)))
            }
        }
        throw TestSetupError(description: "the end was not heard")
    }

    @Test func `changes of plants and devices are announced when they are committed`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        var plant = EntityID.make()
        var device = EntityID.make()
        var changes = try await heard(database) { plant = try await makePlant(store) }
        #expect(changes.plants == [plant] && changes.count == 1)
        changes = try await heard(database) { device = try await makeDevice(store) }
        #expect(changes.devices == [device] && changes.count == 1)
        changes = try await heard(database) { _ = try await store.assign(device, to: plant, by: testOrigin, at: now) }
        #expect(changes.devices == [device] && changes.plants == [plant])
        changes = try await heard(database) { _ = try await store.unassign(device, by: testOrigin, at: now) }
        #expect(changes.devices == [device] && changes.plants == [plant])
        changes = try await heard(database) {
            _ = try await store.snoozePlant(plant, until: now.adding(seconds: 60), by: testOrigin, at: now)
        }
        #expect(changes.plants == [plant] && changes.count == 1)
        _ = try await store.assign(device, to: plant, by: testOrigin, at: now.adding(seconds: 1))
        changes = try await heard(database) { _ = try await store.deletePlant(plant) }
        #expect(changes.devices == [device] && changes.plants == [plant])
        changes = try await heard(database) { _ = try await store.deleteDevice(device, by: testOrigin, at: now) }
        #expect(changes.devices == [device] && changes.count == 1)
    }

    @Test func `a registration that did not come to its end is not announced`() async throws {
        let database = try TestDatabase()
        let changes = try await heard(database) {
            _ = try await database.store().offerCredentials(
                registering: .sample(interval: nil, at: now), rule: .open, sealer: try testSealer(), from: testOrigin,
                at: now)
        }
        #expect(changes.isEmpty)
    }

    @Test func `the intake announces after the commit, at once, and what follows a moment later together`() async throws
    {
        let database = try TestDatabase()
        let (measured, heardOf) = (try await makeDevice(database.store()), try await makeDevice(database.store()))
        let writer = try IngestWriter(database.options, clientID: "t")
        var maker = BatchMaker()
        maker.telemetry(measured, [reading(now, [.soilMoisture: 40])])
        maker.heartbeat(heardOf, Heartbeat())
        maker.telemetry(.make(), [reading(now, [.soilMoisture: 40])])
        var changes = try await heard(database) { _ = try writer.commit(maker.batch) }
        #expect(changes.isEmpty, "it is told apart")
        changes = try await heard(database) { _ = try writer.announce() }
        #expect(changes.measured == [measured] && changes.heard == [heardOf] && changes.count == 2)
        changes = try await heard(database) {
            for _ in 0..<3 {
                _ = try writer.commit(maker.batch)
                if let wait = try writer.announce() { #expect(wait > .zero && wait <= .milliseconds(100)) }
            }
            for _ in 0..<2 {
                let wait = try writer.announce(isLast: true)
                #expect(wait == nil)
            }
        }
        #expect(changes.measured == [measured] && changes.heard == [heardOf] && changes.count == 2)
    }

    @Test func `a batch that is not committed is not announced`() async throws {
        let database = try TestDatabase()
        let device = try await makeDevice(database.store())
        let writer = try IngestWriter(database.options, clientID: "t")
        var maker = BatchMaker()
        maker.telemetry(device, [reading(Timestamp(seconds: 100), [.temperature: 20])])
        #expect(try writer.commit(maker.batch).deadLetters == [.storageRefused: 1])
        let changes = try await heard(database) { _ = try writer.announce(isLast: true) }
        #expect(changes.isEmpty)
    }

    @Test func `devices whose silence is noticed are announced with their plants`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let (plant, device) = (try await makePlant(store), try await makeDevice(store))
        _ = try await store.assign(device, to: plant, by: testOrigin, at: now)
        var maker = BatchMaker()
        maker.heartbeat(device, Heartbeat(), receivedAt: now.adding(seconds: -200))
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        let changes = try await heard(database) { _ = try await store.noticeSilentDevices(at: now) }
        #expect(changes.heard == [device] && changes.doubtfulPlants == [plant] && changes.count == 2)
    }
}

/// What looks different because time has passed.
@Suite struct ChangesByTimeTests {
    private let start = Timestamp.now().rounded(downTo: .fiveMinutes)

    @Test func `silence and old values are noticed in the very second, once`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let plant = try await makePlant(store, thresholds: ["soil_moisture": Threshold(min: 20, max: 60)])
        let (quick, slow) = (try await makeDevice(store, interval: 60), try await makeDevice(store, interval: 600))
        for device in [quick, slow] { _ = try await store.assign(device, to: plant, by: testOrigin, at: start) }
        var maker = BatchMaker()
        maker.telemetry(quick, [reading(start, [.soilMoisture: 40])], receivedAt: start)
        maker.telemetry(slow, [reading(start, [.humidity: 50])], receivedAt: start)
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        var seen: [(second: Int, changes: LiveChanges)] = []
        for second in stride(from: 0, to: 2000, by: 20) {
            let (after, until) = (start.adding(seconds: Double(second)), start.adding(seconds: Double(second) + 20))
            let changes = try await store.changesByTime(after: after, until: until)
            if !changes.isEmpty { seen.append((second, changes)) }
            let (before, later) = (try await status(store, quick, at: after), try await status(store, quick, at: until))
            #expect(before == later || changes.heard.contains(quick))
            let (was, becomes) = (
                try await store.plant(plant)?.status(now: after), try await store.plant(plant)?.status(now: until)
            )
            #expect(was == becomes || changes.doubtfulPlants == [plant])
        }
        #expect(seen.map(\.second) == [180, 1800])
        #expect(seen.map(\.changes.heard) == [[quick], [slow]])
        #expect(seen.map(\.changes.doubtfulPlants) == [[], [plant]])
    }

    private func status(_ store: Store, _ device: EntityID, at now: Timestamp) async throws -> DeviceStatus? {
        try await store.device(device)?.status(now: now)
    }

    @Test func `the end of a snooze is noticed`() async throws {
        let store = try TestDatabase().store()
        let plant = try await makePlant(store)
        _ = try await store.snoozePlant(plant, until: start.adding(seconds: 60), by: testOrigin, at: start)
        #expect(try await store.changesByTime(after: start, until: start.adding(seconds: 59)).isEmpty)
        let changes = try await store.changesByTime(after: start.adding(seconds: 59), until: start.adding(seconds: 61))
        #expect(changes.doubtfulPlants == [plant] && changes.count == 1)
    }
}
