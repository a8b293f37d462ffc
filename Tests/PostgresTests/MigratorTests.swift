import Postgres
import TestSupport
import Testing

@Suite struct MigratorTests {
    private static let first = Migration(version: 1, name: "first", sql: "CREATE TABLE a (n integer)", checksum: "1")
    private static let second = Migration(version: 2, name: "second", sql: "CREATE TABLE b (n integer)", checksum: "2")

    @Test func `a new database gets every step, and a second run changes nothing`() throws {
        let database = try TestDatabase(nil)
        let migrator = Migrator([Self.second, Self.first])
        #expect(try migrator.run(on: PostgresConnection(database.options)).map(\.version) == [1, 2])
        #expect(try migrator.run(on: PostgresConnection(database.options)).isEmpty)
        #expect(try database.int("SELECT count(*) FROM schema_migrations") == 2)
    }

    @Test func `a step that fails leaves the database as the step before left it`() throws {
        let database = try TestDatabase(nil)
        let broken = Migration(
            version: 2, name: "broken", sql: "CREATE TABLE half (n integer); SELECT nonsense", checksum: "x")
        let error = #expect(throws: PostgresError.self) {
            try Migrator([Self.first, broken]).run(on: PostgresConnection(database.options))
        }
        #expect(error?.message.contains("migration 2 (broken)") == true)
        #expect(try database.text("SELECT to_regclass('half')::text") == nil)
        #expect(try database.int("SELECT count(*) FROM schema_migrations") == 1)
    }

    @Test func `a step changed after its release is refused`() throws {
        let database = try TestDatabase(nil)
        _ = try Migrator([Self.first]).run(on: PostgresConnection(database.options))
        let changed = Migration(version: 1, name: "first", sql: Self.first.sql, checksum: "other")
        let error = #expect(throws: PostgresError.self) {
            try Migrator([changed]).run(on: PostgresConnection(database.options))
        }
        #expect(error?.code == .schema)
        #expect(error?.isTransient == false)
    }

    @Test func `a schema newer than the program is left as it is, and the program may go on`() throws {
        let database = try TestDatabase(nil)
        _ = try Migrator([Self.first, Self.second]).run(on: PostgresConnection(database.options))
        let old = Migrator([Self.first])
        #expect(try old.run(on: PostgresConnection(database.options)).isEmpty)
        let connection = try PostgresConnection(database.options)
        #expect(try old.compare(old.applied(on: connection)).newer.map(\.version) == [2])
        #expect(try database.int("SELECT count(*) FROM schema_migrations") == 2)
    }

    @Test func `a newer schema that takes something away is refused by those who do not know of it`() throws {
        let database = try TestDatabase(nil)
        let third = Migration(version: 3, name: "third", sql: "DROP TABLE a", checksum: "3", usableFrom: 2)
        _ = try Migrator([Self.first, Self.second, third]).run(on: PostgresConnection(database.options))
        #expect(try Migrator([Self.first, Self.second]).run(on: PostgresConnection(database.options)).isEmpty)
        let error = #expect(throws: PostgresError.self) {
            try Migrator([Self.first]).run(on: PostgresConnection(database.options))
        }
        #expect(error?.code == .schema)
        #expect(error?.message.contains("schema version 3 (third)") == true)
    }

    @Test func `a step is not put under those of a newer program`() throws {
        let database = try TestDatabase(nil)
        let third = Migration(version: 3, name: "third", sql: "CREATE TABLE c (n integer)", checksum: "3")
        _ = try Migrator([Self.first, third]).run(on: PostgresConnection(database.options))
        let error = #expect(throws: PostgresError.self) {
            try Migrator([Self.first, Self.second]).run(on: PostgresConnection(database.options))
        }
        #expect(error?.message.contains("lacks migration 2 (second)") == true)
        #expect(try database.text("SELECT to_regclass('b')::text") == nil)
    }

    @Test func `a table of migrations from before it said who can use a schema is completed`() throws {
        let database = try TestDatabase(nil)
        let migrator = Migrator([Self.first])
        _ = try migrator.run(on: PostgresConnection(database.options))
        try PostgresConnection(database.options).execute("ALTER TABLE schema_migrations DROP COLUMN usable_from")
        #expect(try migrator.applied(on: PostgresConnection(database.options)).map(\.usableFrom) == [0])
        #expect(
            try Migrator([Self.first, Self.second]).run(on: PostgresConnection(database.options)).map(\.version) == [2])
        #expect(try database.int("SELECT sum(usable_from) FROM schema_migrations") == 0)
    }

    @Test func `programs that start together apply each step once`() async throws {
        let database = try TestDatabase(nil)
        let slow = Migration(
            version: 1, name: "slow", sql: "CREATE TABLE slow (n integer); SELECT pg_sleep(0.2)", checksum: "1")
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 1...4 {
                group.addTask { try Migrator([slow, Self.second]).run(on: PostgresConnection(database.options)).count }
            }
            return try await group.reduce(0, +)
        }
        #expect(applied == 2)
    }
}
