import PlantDomain
import PlantStore
import Postgres
import Sealing
import TestSupport
import Testing

@Suite(.serialized) struct ChannelStoreTests {
    private let now = Timestamp.now()
    private let url = Secret("https://hooks.example/a-secret-path")

    private func channel(_ name: String = "Hook", _ change: (inout Channel) -> Void = { _ in }) -> Channel {
        var channel = Channel(
            id: .make(), kind: .webhook, name: name, urlHint: "https://hooks.example/…path", secretHint: "…tail",
            createdAt: now, updatedAt: now)
        change(&channel)
        return channel
    }

    private func create(_ store: Store, _ channel: Channel, mark: String? = nil) async throws -> CreateChannelOutcome {
        try await store.createChannel(
            channel, url: url, secret: Secret("a long secret tail"), sealer: testSealer(), by: testOrigin,
            unlessKnownAs: mark)
    }

    @Test func `a channel is kept as it was given`() async throws {
        let store = try TestDatabase().store()
        let plant = try await makePlant(store)
        let hours = try QuietHours(from: "22:00", to: "07:00", timeZone: "Europe/Berlin")
        let plain = channel("Plain") { ($0.secretHint) = nil }
        let full = channel("Full") {
            $0.minSeverity = .critical
            ($0.plantIDs, $0.rooms) = ([plant], ["Kitchen", "Hall"])
            ($0.isEnabled, $0.inheritsQuietHours) = (false, false)
            ($0.quietHours, $0.digest) = (hours, true)
        }
        for channel in [plain, full] { _ = try await create(store, channel) }
        #expect(try await store.channel(plain.id) == plain)
        #expect(try await store.channel(full.id) == full)
        #expect(try await store.channel(.make()) == nil)
        let page = try await store.channels(limit: 1, offset: 1)
        #expect((page.total, page.items) == (2, [full]))
    }

    @Test func `empty lists of plants and rooms are not the same as none`() async throws {
        let store = try TestDatabase().store()
        let empty = channel { ($0.plantIDs, $0.rooms) = ([], []) }
        _ = try await create(store, empty)
        #expect(try await store.channel(empty.id)?.plantIDs == [])
        #expect(try await store.channel(empty.id)?.rooms == [])
    }

    @Test func `there are at most fifty, however many are made at once`() async throws {
        let database = try TestDatabase()
        let store = database.store(connections: 8)
        for number in 0..<45 { _ = try await create(store, channel("\(number)")) }
        let made = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<12 {
                group.addTask {
                    if case .created = try await create(store, channel("more \(number)")) { true } else { false }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 5)
        #expect(try database.int("SELECT count(*) FROM channels") == Store.channelsLimit)
        #expect(try database.int("SELECT count(*) FROM audit_log WHERE action = 'channel.create'") == 50)
        let first = try #require(try await store.channels(limit: 1, offset: 0).items.first).id
        #expect(try await store.deleteChannel(first, by: testOrigin, at: now))
        guard case .created = try await create(store, channel("one more")) else {
            Issue.record("there was room again")
            return
        }
    }

    @Test func `two who make the fiftieth do not both`() async throws {
        let database = try TestDatabase()
        let store = database.store(connections: 4)
        for number in 1..<Store.channelsLimit { _ = try await create(store, channel("\(number)")) }
        // Whoever has counted is held up before he commits.
        let blocker = try PostgresConnection(database.options)
        try blocker.execute("BEGIN; LOCK TABLE audit_log IN SHARE MODE")
        async let one = create(store, channel("one"))
        async let other = create(store, channel("other"))
        try await database.waiting(2)
        try blocker.execute("COMMIT")
        _ = try await (one, other)
        #expect(try database.int("SELECT count(*) FROM channels") == Store.channelsLimit)
    }

    @Test func `plants that are not there are named`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let (plant, strangers) = (try await makePlant(store), [EntityID.make(), .make()])
        let wanted = channel { $0.plantIDs = [strangers[0], plant, strangers[1]] }
        guard case .unknownPlants(let unknown) = try await create(store, wanted) else {
            Issue.record("it was made")
            return
        }
        #expect(unknown == strangers)
        #expect(try database.int("SELECT count(*) FROM channels") == 0)
        let known = channel { $0.plantIDs = [plant] }
        _ = try await create(store, known)
        let outcome = try await store.updateChannel(
            known.id, url: nil, secret: .unchanged, sealer: testSealer(), by: testOrigin, at: now
        ) { $0.plantIDs?.append(strangers[0]) }
        guard case .unknownPlants([strangers[0]]) = outcome else {
            Issue.record("it was changed: \(outcome)")
            return
        }
        #expect(try await store.channel(known.id)?.plantIDs == [plant])
    }

    @Test func `a channel of a plant that was deleted can still be changed`() async throws {
        let store = try TestDatabase().store()
        let plant = try await makePlant(store)
        let made = channel { $0.plantIDs = [plant] }
        _ = try await create(store, made)
        #expect(try await store.deletePlant(plant))
        let outcome = try await store.updateChannel(
            made.id, url: nil, secret: .unchanged, sealer: testSealer(), by: testOrigin, at: now.adding(seconds: 9)
        ) { $0.name = "New" }
        guard case .updated(let updated) = outcome else {
            Issue.record("it was not changed: \(outcome)")
            return
        }
        #expect((updated.name, updated.plantIDs, updated.updatedAt) == ("New", [plant], now.adding(seconds: 9)))
        #expect(try await store.channel(made.id) == updated)
    }

    @Test func `changes of different fields at the same time all count`() async throws {
        let store = try TestDatabase().store(connections: 4)
        let made = channel()
        _ = try await create(store, made)
        let changes: [@Sendable (inout Channel) -> Void] = [
            { $0.name = "New" }, { $0.rooms = ["Hall"] }, { $0.minSeverity = .critical }, { $0.digest = true },
        ]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for change in changes {
                group.addTask {
                    _ = try await store.updateChannel(
                        made.id, url: nil, secret: .unchanged, sealer: testSealer(), by: testOrigin, at: now, change)
                }
            }
            try await group.waitForAll()
        }
        var expected = made
        for change in changes { change(&expected) }
        #expect(try await store.channel(made.id) == expected)
        guard
            case .noSuchChannel = try await store.updateChannel(
                .make(), url: nil, secret: .unchanged, sealer: testSealer(), by: testOrigin, at: now, { _ in })
        else {
            Issue.record("changed what is not there")
            return
        }
    }

    // MARK: the first one

    @Test func `the first channel is made once, however many backends start, and not again when it was deleted`()
        async throws
    {
        let database = try TestDatabase()
        let store = database.store(connections: 6)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<6 { group.addTask { _ = try await create(store, channel("Discord"), mark: "first_channel") } }
            try await group.waitForAll()
        }
        let channels = try await store.channels(limit: 9, offset: 0).items
        #expect(channels.map(\.name) == ["Discord"])
        #expect(try await store.deleteChannel(channels[0].id, by: testOrigin, at: now))
        _ = try await create(store, channel("Discord"), mark: "first_channel")
        #expect(try database.int("SELECT count(*) FROM channels") == 0)
        _ = try await create(store, channel("Other"), mark: "second_channel")
        #expect(try database.int("SELECT count(*) FROM channels") == 1)
    }

    @Test func `a first channel that could not be made is made at the next start`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        for number in 0..<Store.channelsLimit { _ = try await create(store, channel("\(number)")) }
        guard case .tooMany = try await create(store, channel("Discord"), mark: "first_channel") else {
            Issue.record("there was no room")
            return
        }
        try database.execute("DELETE FROM channels")
        _ = try await create(store, channel("Discord"), mark: "first_channel")
        #expect(try await store.channels(limit: 9, offset: 0).items.map(\.name) == ["Discord"])
    }

    // MARK: what stays secret

    @Test func `nowhere in the database is an address or a secret to be read`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let made = channel()
        _ = try await create(store, made)
        _ = try await store.updateChannel(
            made.id, url: Secret("https://other.example/second-path"), secret: .set(Secret("another secret")),
            sealer: testSealer(), by: testOrigin, at: now.adding(seconds: 1)
        ) { ($0.urlHint, $0.secretHint) = ("https://other.example/…path", "…cret") }
        _ = try await store.updateChannel(
            made.id, url: nil, secret: .cleared, sealer: testSealer(), by: testOrigin, at: now.adding(seconds: 2)
        ) { $0.secretHint = nil }
        _ = try await store.deleteChannel(made.id, by: testOrigin, at: now.adding(seconds: 3))
        let entries = try await store.auditLog(action: nil, subject: made.id, limit: 9, offset: 0).items
        #expect(entries.map(\.action) == ["channel.delete", "channel.update", "channel.update", "channel.create"])
        #expect(entries[2].details == ["url": "https://other.example/…path", "secret": "…cret"])
        #expect(entries[1].details == ["secret": ""])
        #expect(entries.allSatisfy { $0.subject?.name == "Hook" })
        let lines = try database.lines("SELECT audit_log::text FROM audit_log")
        for word in ["secret-path", "second-path", "long secret", "another secret"] {
            #expect(!lines.joined().contains(word))
        }
    }

    @Test func `the sealed columns hold neither address nor secret`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        _ = try await create(store, channel())
        let row = try #require(try database.lines("SELECT channels::text FROM channels").first)
        let bytes = try #require(try database.lines("SELECT encode(url || secret, 'escape') FROM channels").first)
        for word in ["secret-path", "long secret"] { #expect(!row.contains(word) && !bytes.contains(word)) }
    }

    @Test func `quiet hours in a zone that this machine does not know any more are none`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let made = channel()
        _ = try await create(store, made)
        try database.execute(
            #"UPDATE channels SET quiet_hours = '{"from": "22:00", "to": "07:00", "time_zone": "Mars/Base"}'"#)
        #expect(try await store.channel(made.id)?.quietHours == nil)
        let fern = try await makePlant(store)
        let subject = AlertSubject(.threshold, plant: fern, metric: "humidity", direction: .min)
        try await store.note(
            [AlertFinding(subject, .fired(since: now, .warning), value: 1, limit: 2, at: now)], at: now)
        #expect(try await store.composeMessages(at: now.adding(seconds: 5)) == 1)
    }
}
