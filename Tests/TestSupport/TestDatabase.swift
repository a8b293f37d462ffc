import Foundation
import Logging
import PlantDomain
package import PlantStore
package import Postgres
import Synchronization

/// What the tests need and how to get it.
package struct TestSetupError: Error, CustomStringConvertible {
    package let description: String
    package init(description: String) { self.description = description }
}

/// A setting from `scripts/test-services.sh`. A test without its service fails: it is not skipped.
package func testSetting(_ name: String) throws -> String {
    guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
        throw TestSetupError(description: "\(name) is not set: run `make test`, which starts PostgreSQL and Mosquitto")
    }
    return value
}

/// A database of one test's own, dropped when the tests are over: a connection may outlive the last mention of the
/// database in a test.
package final class TestDatabase: Sendable {
    package let name: String
    package let options: PostgresOptions

    /// The kinds of time series this machine can test: TimescaleDB only where its library is installed.
    package static let kinds: [TimeSeriesKind] =
        ProcessInfo.processInfo.environment["PLANTOPS_TEST_TIMESCALE"] == "1" ? [.native, .timescale] : [.native]

    /// - Parameters:
    ///   - kind: nil leaves the database without a schema.
    ///   - version: the schema's; nil is the newest.
    package init(_ kind: TimeSeriesKind? = .native, upTo version: Int? = nil) throws {
        name = "test_" + EntityID.make().description.replacing("-", with: "")
        // Only a superuser may switch TimescaleDB on.
        let setting = kind == .timescale ? "PLANTOPS_TEST_SUPERUSER_URL" : "PLANTOPS_TEST_DATABASE_URL"
        let url = try testSetting(setting)
        guard let slash = url.lastIndex(of: "/") else {
            throw TestSetupError(description: "\(setting) has no database")
        }
        options = PostgresOptions(url: url[..<slash] + "/" + name)
        try PostgresConnection(PostgresOptions(url: url)).execute("CREATE DATABASE \(name)")
        Self.droppedAtExit
        Self.made.withLock { $0.append(self) }
        guard let kind else { return }
        if kind == .timescale { try PostgresConnection(options).execute("CREATE EXTENSION timescaledb") }
        let migrations = Schema.migrator(kind).migrations.filter { $0.version <= version ?? .max }
        _ = try Migrator(migrations).run(on: PostgresConnection(options))
    }

    private static let made = Mutex<[TestDatabase]>([])
    private static let droppedAtExit: Void = {
        atexit {
            // On a slow disk each takes seconds; what is left goes with the tests' own server.
            let end = ContinuousClock.now + .seconds(60)
            for database in made.withLock({ $0 }) where ContinuousClock.now < end { database.drop() }
        }
        return ()
    }()

    private func drop() {
        do {
            // TimescaleDB's workers belong to the superuser.
            var superuser = PostgresOptions(url: try testSetting("PLANTOPS_TEST_SUPERUSER_URL"))
            // Each drop waits for a checkpoint.
            superuser.statementTimeoutSeconds = 30
            try PostgresConnection(superuser).execute("DROP DATABASE \(name) WITH (FORCE)")
        } catch {
            FileHandle.standardError.write(Data("could not drop \(name): \(error)\n".utf8))
        }
    }

    package func store(connections: Int = 2) -> Store {
        Store(pool: PostgresPool(options, size: connections, logger: Logger(label: "test")))
    }

    /// The single value of a query.
    package func int(_ sql: String) throws -> Int {
        try PostgresConnection(options).query(sql)[0].int(0).map { Int($0) } ?? 0
    }

    package func text(_ sql: String) throws -> String? { try PostgresConnection(options).query(sql).first?.text(0) }
}

/// Waits for something to become true, looking often, and fails after `seconds`.
package func eventually(
    _ what: String, seconds: Double = 20, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TestSetupError(description: "never happened: \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
