import Logging
import PlantDomain
import Postgres
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import PlantPipeline

@Suite struct AlertFeedTests {
    private final class Heard: Sendable {
        private let state = Mutex((alerts: [EntityID](), calls: 0, missed: 0))
        var alerts: [EntityID] { state.withLock { $0.alerts } }
        var calls: Int { state.withLock { $0.calls } }
        var missed: Int { state.withLock { $0.missed } }
        func add(_ alerts: [EntityID]) {
            state.withLock {
                $0.alerts += alerts
                $0.calls += 1
            }
        }
        func miss() { state.withLock { $0.missed += 1 } }
    }

    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// - Parameter delay: how long each call takes.
    /// - Returns: how long it took to stop.
    @discardableResult
    private func running(
        _ options: PostgresOptions, delay: Duration = .zero, _ body: (Heard) async throws -> Void
    ) async throws -> Duration {
        let heard = Heard()
        let feed = AlertFeed(
            options, logger: logger,
            changed: { alerts in
                try? await Task.sleep(for: delay)
                heard.add(alerts)
            }, missed: { heard.miss() })
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [feed], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body(heard)
            let start = ContinuousClock.now
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return .now - start
        }
    }

    private func notify(_ database: TestDatabase, _ payload: String) throws {
        try PostgresConnection(database.options).query(
            "SELECT pg_notify($1, $2)", [.text(AlertFeed.channel), .text(payload)])
    }

    private func endListening(_ database: TestDatabase) throws {
        try PostgresConnection(database.options).execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                + "AND query LIKE 'LISTEN%'")
    }

    @Test func `changes are told, and whoever begins to listen has missed something`() async throws {
        let database = try TestDatabase(nil)
        let ids = (0..<200).map { _ in EntityID.make() }
        let took = try await running(database.options) { heard in
            try await eventually("it listens") { heard.missed == 1 }
            try notify(database, ids[0].description)
            try await eventually("one is told") { heard.alerts == [ids[0]] }
            try notify(database, ids.map(\.description).joined(separator: ","))
            try await eventually("all are told") { heard.alerts == [ids[0]] + ids }
            #expect(heard.missed == 1)
        }
        #expect(took < .seconds(8))
    }

    @Test(arguments: ["*", "", "nonsense", "*,*", "0198c8f0-0000-7000-8000-000000000001,x"])
    func `too many changes, or one that cannot be read, count as missed`(payload: String) async throws {
        let database = try TestDatabase(nil)
        try await running(database.options) { heard in
            try await eventually("it listens") { heard.missed == 1 }
            try notify(database, payload)
            try await eventually("it is told") { heard.missed == 2 }
            #expect(heard.alerts.isEmpty)
        }
    }

    @Test func `a broken connection is replaced, and what happened meanwhile counts as missed`() async throws {
        let database = try TestDatabase(nil)
        let id = EntityID.make()
        try await running(database.options) { heard in
            for round in 1...3 {
                try await eventually("it listens") { heard.missed == round }
                try notify(database, id.description)
                try await eventually("it is told") { heard.alerts.count == round }
                if round < 3 { try endListening(database) }
            }
        }
    }

    @Test func `what changes while one is being told is told at once and only once`() async throws {
        let database = try TestDatabase(nil)
        let ids = (0..<10).map { _ in EntityID.make() }
        try await running(database.options, delay: .milliseconds(300)) { heard in
            try await eventually("it listens") { heard.missed == 1 }
            try notify(database, EntityID.make().description)
            try await Task.sleep(for: .milliseconds(100))
            let connection = try PostgresConnection(database.options)
            for _ in 0..<5 { for id in ids { try connection.execute("NOTIFY \(AlertFeed.channel), '\(id)'") } }
            try await eventually("they are told") { heard.alerts.count >= 11 }
            try await Task.sleep(for: .milliseconds(400))
            #expect(heard.alerts.count < 31)
            #expect(heard.calls <= 4)
            #expect(Set(heard.alerts).count == 11)
        }
    }

    @Test func `without a database it stops at once`() async throws {
        // An address that never answers: connecting takes 5 s.
        for host in ["127.0.0.1", "192.0.2.1"] {
            let options = PostgresOptions(host: host, port: 1, user: "x", password: nil, database: "x")
            let took = try await running(options) { _ in try await Task.sleep(for: .milliseconds(300)) }
            #expect(took < .seconds(8))
        }
    }

    @Test func `what waits is bounded`() {
        let news = News()
        func add() { news.add((0..<200).map { _ in EntityID.make().description }.joined(separator: ",")) }
        for _ in 0..<(News.mostWaiting / 200) { add() }
        guard case .changed(let first) = news.take() else {
            Issue.record("nothing there")
            return
        }
        #expect(first.count == News.most)
        for _ in 0..<2 { add() }
        let late = EntityID.make()
        news.add(late.description)
        #expect(news.take() == .missed)
        #expect(news.take() == .changed([late]))
        #expect(news.take() == nil)
    }
}
