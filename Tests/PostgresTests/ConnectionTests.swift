import Logging
import Postgres
import TestSupport
import Testing

@Suite struct ConnectionTests {
    @Test func `every kind of value comes back as it went`() throws {
        let database = try TestDatabase(nil)
        let connection = try PostgresConnection(database.options)
        let row = try connection.query(
            """
            SELECT $1 AS b, $2 AS i, $3 AS d, $4 AS t, $5 AS u, $6 AS ts, $7 AS y, $8 AS j, $9 AS ta, $10::text AS n,
                $11 AS empty
            """,
            [
                .bool(true), .int(-42), .double(45.2), .text("Fíkus 'x' \\ \u{1F331}"), .uuid(1, 2),
                .timestamp(1_763_700_000_123_456), .bytes([0, 255, 10]), .json(#"{"a":[1]}"#),
                .texts(["a", "", "ü"]), .null(.text), .text(""),
            ])[0]
        #expect(try row.bool("b"))
        #expect(try row.int("i") == -42)
        #expect(try row.double("d") == 45.2)
        #expect(try row.text("t") == "Fíkus 'x' \\ \u{1F331}")
        #expect(try row.uuid("u") == (1, 2))
        #expect(try row.timestamp("ts") == 1_763_700_000_123_456)
        #expect(try row.bytes("y") == [0, 255, 10])
        #expect(try row.text("j") == #"{"a": [1]}"#)
        #expect(try row.texts("ta") == ["a", "", "ü"])
        #expect(try row.optionalText("n") == nil)
        #expect(try row.text("empty").isEmpty)
    }

    @Test func `a statement first used with NULL takes a value later, and the other way round`() throws {
        let database = try TestDatabase(nil)
        let connection = try PostgresConnection(database.options)
        try connection.execute("CREATE TABLE t (n integer)")
        for value in [PostgresValue.null(.int), .int(7), .null(.int)] {
            try connection.query("INSERT INTO t VALUES ($1)", [value])
        }
        #expect(try database.int("SELECT sum(n) FROM t") == 7)
    }

    @Test func `a value is never read as SQL`() throws {
        let connection = try PostgresConnection(TestDatabase(nil).options)
        let row = try connection.query("SELECT $1 AS t", [.text("'; DROP TABLE plants; --")])[0]
        #expect(try row.text("t") == "'; DROP TABLE plants; --")
    }

    @Test func `what waits for a commit is done after it, once, and not at all without one`() throws {
        struct Stop: Error {}
        let database = try TestDatabase(nil)
        let connection = try PostgresConnection(database.options)
        try connection.execute("CREATE TABLE t (n integer)")
        var seen: [Int] = []
        func note() { seen.append((try? database.int("SELECT count(*) FROM t")) ?? -1) }
        for fails in [true, false, true, false] {
            try? connection.transaction { connection in
                try connection.execute("INSERT INTO t VALUES (1)")
                connection.whenCommitted(note)
                if fails { throw Stop() }
            }
        }
        #expect(seen == [1, 2])
        // A transaction that has failed is rolled back by COMMIT.
        try connection.execute("BEGIN")
        connection.whenCommitted(note)
        #expect(throws: PostgresError.self) { try connection.execute("SELECT nonsense") }
        #expect(throws: PostgresError.self) { try connection.commit() }
        connection.rollback()
        try connection.transaction { try $0.execute("INSERT INTO t VALUES (1)") }
        #expect(seen == [1, 2])
    }

    @Test func `a failed transaction leaves nothing behind`() throws {
        let database = try TestDatabase(nil)
        let connection = try PostgresConnection(database.options)
        try connection.execute("CREATE TABLE t (n integer PRIMARY KEY)")
        #expect(throws: PostgresError.self) {
            try connection.transaction { connection in
                try connection.execute("INSERT INTO t VALUES (1)")
                try connection.execute("INSERT INTO t VALUES (1)")
            }
        }
        #expect(try database.int("SELECT count(*) FROM t") == 0)
        #expect(!connection.isInTransaction)
    }

    @Test func `a commit that the server turned into a rollback is an error`() throws {
        let connection = try PostgresConnection(TestDatabase(nil).options)
        try connection.execute("BEGIN")
        #expect(throws: PostgresError.self) { try connection.execute("SELECT nonsense") }
        #expect(throws: PostgresError.self) { try connection.commit() }
        try connection.execute("BEGIN")
        try connection.commit()
    }

    @Test(arguments: [
        ("SELECT 1/0", PostgresError.Code.data), ("SELECT nonsense", .statement),
        ("CREATE TABLE c (n integer CHECK (n > 0)); INSERT INTO c VALUES (0)", .constraint),
        ("SET statement_timeout = 10; SELECT pg_sleep(5)", .timeout),
    ])
    func `an error says what can be done about it`(sql: String, code: PostgresError.Code) throws {
        let connection = try PostgresConnection(TestDatabase(nil).options)
        let error = #expect(throws: PostgresError.self) { try connection.execute(sql) }
        #expect(error?.code == code)
    }

    @Test func `an error never shows a bound value`() throws {
        let connection = try PostgresConnection(TestDatabase(nil).options)
        try connection.execute("CREATE TABLE t (n text UNIQUE)")
        try connection.query("INSERT INTO t VALUES ($1)", [.text("hush-hush")])
        let error = #expect(throws: PostgresError.self) {
            try connection.query("INSERT INTO t VALUES ($1)", [.text("hush-hush")])
        }
        #expect(error.map { !"\($0)".contains("hush-hush") } == true)
        #expect(error?.constraint == "t_n_key")
    }

    @Test func `a server that hangs is given up on`() throws {
        let connection = try PostgresConnection(TestDatabase(nil).options)
        connection.patienceSeconds = 0.2
        let error = #expect(throws: PostgresError.self) { try connection.query("SELECT pg_sleep(10)") }
        #expect(error?.code == .unavailable)
        #expect(connection.isBroken)
    }

    @Test func `a connection the server ended is noticed without asking`() throws {
        let database = try TestDatabase(nil)
        let victim = try PostgresConnection(database.options)
        #expect(victim.seemsAlive())
        let pid = try victim.query("SELECT pg_backend_pid()")[0].int(0)
        try PostgresConnection(database.options).query("SELECT pg_terminate_backend($1::integer)", [.int(pid ?? 0)])
        _ = victim.waitForInput(milliseconds: 5000)
        #expect(!victim.seemsAlive())
    }
}
