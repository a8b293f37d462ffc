import Logging
import PlantDomain
import PlantStore
import Postgres
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import PlantPipeline

@Suite struct LiveInboxTests {
    private let start = ContinuousClock.now

    private func changes(_ plants: Set<EntityID>) -> LiveChanges {
        var changes = LiveChanges()
        changes.plants = plants
        return changes
    }

    private func some(_ count: Int) -> LiveChanges { changes(Set((0..<count).map { _ in EntityID.make() })) }

    @Test func `a plant that changes again and again is told of twice a second, and nobody waits for it`() {
        let inbox = LiveInbox()
        let (busy, quiet) = (EntityID.make(), EntityID.make())
        inbox.add(changes([busy]))
        #expect(inbox.take(at: start) == .changed(changes([busy])))
        #expect(inbox.take(at: start) == nil)
        inbox.add(changes([busy]))
        #expect(inbox.take(at: start + .milliseconds(1)) == .later)
        inbox.add(changes([quiet]))
        #expect(inbox.take(at: start + .milliseconds(499)) == .changed(changes([quiet])))
        #expect(inbox.take(at: start + .milliseconds(499)) == .later)
        #expect(inbox.take(at: start + .milliseconds(500)) == .changed(changes([busy])))
        #expect(inbox.take(at: start + .seconds(9)) == nil)
    }

    @Test func `of many changes some are told at a time, and all in the end`() {
        let inbox = LiveInbox()
        let all = some(LiveInbox.most * 2 + 10)
        inbox.add(all)
        var told = LiveChanges()
        for count in [LiveInbox.most, LiveInbox.most, 10] {
            guard case .changed(let some) = inbox.take(at: start) else {
                Issue.record("nothing there")
                return
            }
            #expect(some.count == count)
            told.formUnion(some)
        }
        #expect(told == all && inbox.take(at: start) == nil)
    }

    @Test func `whatever cannot be read counts as missed, and what follows is told`() {
        for payload in ["*", "", "nonsense"] {
            let inbox = LiveInbox()
            inbox.add(some(3))
            inbox.add(payload: payload)
            let later = some(2)
            inbox.add(later)
            #expect(inbox.take(at: start + .seconds(1)) == .missed)
            #expect(inbox.take(at: start + .seconds(1)) == .changed(later))
            // Everybody loads everything: that is not asked for again at once.
            inbox.add(payload: payload)
            #expect(inbox.take(at: start + .seconds(1)) == .later)
            #expect(inbox.take(at: start + .seconds(3)) == .missed)
        }
    }

    @Test func `too much is told to have been missed, and not gathered until then`() {
        for fill in [
            { (inbox: LiveInbox) in inbox.add(payload: LiveChanges.tooMuch) },
            { inbox in for _ in 0..<11 { inbox.add(some(200)) } },
        ] {
            let inbox = LiveInbox()
            fill(inbox)
            #expect(inbox.take(at: start + .seconds(1)) == .missed)
            fill(inbox)
            inbox.add(some(1))
            #expect(inbox.take(at: start + .seconds(9)) == .later)
            #expect(inbox.take(at: start + .seconds(12)) == .missed)
            #expect(inbox.take(at: start + .seconds(12)) == nil)
        }
    }
}

@Suite struct LiveFeedTests {
    private struct Heard {
        var changes = LiveChanges()
        var calls = 0
        var missed = 0
    }

    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func running(
        _ database: TestDatabase, _ body: (LiveInbox, @Sendable () -> Heard) async throws -> Void
    ) async throws {
        let heard = Mutex(Heard())
        let inbox = LiveInbox()
        try await withoutActuallyEscaping(body) { body in
            let telling = LiveFeed.Telling(
                changed: { changes in
                    heard.withLock {
                        $0.changes.formUnion(changes)
                        $0.calls += 1
                    }
                }, missed: { heard.withLock { $0.missed += 1 } }, passed: { _, _ in nil })
            let feed = LiveFeed(database.options, inbox: inbox, telling: telling, logger: logger)
            let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [feed], logger: logger))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await body(inbox) { heard.withLock { $0 } }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    private func notify(_ database: TestDatabase, _ changes: LiveChanges) throws {
        for payload in changes.payloads {
            try PostgresConnection(database.options).query(
                "SELECT pg_notify($1, $2)", [.text(LiveChanges.channel), .text(payload)])
        }
    }

    @Test func `what other programs and this one say is told, few times`() async throws {
        let database = try TestDatabase(nil)
        var all = LiveChanges()
        all.measured = [.make(), .make()]
        all.heard = [.make()]
        let (told, mine) = (all, EntityID.make())
        try await running(database) { inbox, heard in
            try await eventually("it listens") { heard().missed == 1 }
            for _ in 0..<20 { try notify(database, told) }
            var own = LiveChanges()
            own.doubtfulPlants = [mine]
            inbox.add(own)
            try await eventually("all is told") { heard().changes.ids == told.ids.union([mine]) }
            #expect(heard().changes.measured == told.measured && heard().changes.doubtfulPlants == [mine])
            #expect(heard().missed == 1 && heard().calls < 10)
        }
    }

    @Test func `a broken connection is replaced, and what happened meanwhile counts as missed`() async throws {
        let database = try TestDatabase(nil)
        try await running(database) { _, heard in
            for round in 1...3 {
                try await eventually("it listens") { heard().missed == round }
                var changes = LiveChanges()
                changes.plants = [.make()]
                try notify(database, changes)
                try await eventually("it is told") { heard().changes.plants.count == round }
                guard round < 3 else { break }
                try PostgresConnection(database.options).execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                        + "AND query LIKE 'LISTEN%'")
            }
        }
    }
}
