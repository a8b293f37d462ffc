import Postgres
import TestSupport
import Testing

@Suite struct CopyOutTests {
    private struct Enough: Error {}

    private func copied(_ connection: PostgresConnection, _ sql: String) throws -> [String] {
        var rows: [String] = []
        try connection.copyOut(sql) { row in
            rows.append(String(decoding: row, as: UTF8.self))
            return true
        }
        return rows
    }

    @Test func `rows come one at a time as the server writes them`() throws {
        let connection = try PostgresConnection(TestDatabase(nil).options)
        let rows = try copied(
            connection,
            """
            COPY (SELECT * FROM (VALUES (1, 'plain', 0.1::float8), (2, E'two\\nlines', NULL), (3, 'a,"b"', 1e100))
                  AS given (n, t, d) ORDER BY n) TO STDOUT (FORMAT csv)
            """)
        #expect(rows == ["1,plain,0.1\n", "2,\"two\nlines\",\n", "3,\"a,\"\"b\"\"\",1e+100\n"])
        #expect(try copied(connection, "COPY (SELECT 1 WHERE false) TO STDOUT") == [])
    }

    @Test func `what is larger than any buffer comes whole`() throws {
        let connection = try PostgresConnection(TestDatabase(nil).options)
        var (rows, bytes) = (0, 0)
        try connection.copyOut("COPY (SELECT n, repeat('x', 50000) FROM generate_series(1, 1000) n) TO STDOUT") { row in
            (rows, bytes) = (rows + 1, bytes + row.count)
            return true
        }
        #expect(rows == 1000)
        #expect(bytes == 1000 * 50_002 + (9 + 90 * 2 + 900 * 3 + 4))
        #expect(try connection.query("SELECT 7 AS n")[0].int("n") == 7)
    }

    @Test func `times and numbers are written without loss, whatever the role's settings are`() throws {
        let database = try TestDatabase(nil)
        try PostgresConnection(database.options).execute(
            """
            ALTER DATABASE \(database.name) SET datestyle = 'German';
            ALTER DATABASE \(database.name) SET timezone = 'Asia/Kathmandu';
            ALTER DATABASE \(database.name) SET extra_float_digits = -15;
            """)
        let connection = try PostgresConnection(database.options)
        #expect(
            try copied(
                connection, "COPY (SELECT timestamptz '2026-11-21T13:00:00.123456Z', 0.1::float8 + 0.2) TO STDOUT")
                == ["2026-11-21 13:00:00.123456+00\t0.30000000000000004\n"])
    }

    @Test(arguments: [
        ("COPY (SELECT nonsense) TO STDOUT", PostgresError.Code.statement), ("SELECT 1", .statement),
        ("COPY (SELECT 1/(100 - n) FROM generate_series(1, 200) n) TO STDOUT", .data),
        ("SET statement_timeout = 100; COPY (SELECT pg_sleep(0.01) FROM generate_series(1, 3000)) TO STDOUT", .timeout),
    ])
    func `an error, at the start or in the middle, leaves the connection usable`(
        sql: String, code: PostgresError.Code
    ) throws {
        let connection = try PostgresConnection(TestDatabase(nil).options)
        let error = #expect(throws: PostgresError.self) { try copied(connection, sql) }
        #expect(error?.code == code)
        #expect(!connection.isBroken)
        #expect(!connection.isInTransaction)
        #expect(try connection.query("SELECT 7 AS n")[0].int("n") == 7)
    }

    @Test(arguments: [false, true])
    func `who has enough ends the statement on the server, and goes on with the connection`(throwing: Bool) throws {
        let database = try TestDatabase(nil)
        let connection = try PostgresConnection(database.options)
        try connection.execute("CREATE SEQUENCE written CACHE 1")
        var rows = 0
        // Ten million would take longer than a statement may, and the last of them would be seen in the sequence.
        let sql = "COPY (SELECT nextval('written') FROM generate_series(1, 10000000)) TO STDOUT"
        let copy = {
            try connection.copyOut(sql) { _ in
                rows += 1
                if throwing, rows == 3 { throw Enough() }
                return rows < 3
            }
        }
        if throwing {
            #expect(throws: Enough.self) { try copy() }
        } else {
            try copy()
        }
        #expect(rows == 3)
        #expect(try database.int("SELECT last_value FROM written") < 10_000_000)
        #expect(try connection.query("SELECT 7 AS n")[0].int("n") == 7)
    }

    @Test func `a server that goes away in the middle is unavailable`() throws {
        let database = try TestDatabase(nil)
        let connection = try PostgresConnection(database.options)
        let pid = try connection.query("SELECT pg_backend_pid()")[0].int(0) ?? 0
        let other = try PostgresConnection(database.options)
        var rows = 0
        let error = #expect(throws: PostgresError.self) {
            try connection.copyOut("COPY (SELECT n FROM generate_series(1, 10000000) n) TO STDOUT") { _ in
                rows += 1
                if rows == 1 { try other.query("SELECT pg_terminate_backend($1::integer)", [.int(pid)]) }
                return true
            }
        }
        #expect(error?.code == .unavailable)
        #expect(error?.isTransient == true)
        #expect(rows < 10_000_000)
        #expect(connection.isBroken)
    }

    @Test func `a server that hangs is given up on`() throws {
        let connection = try PostgresConnection(TestDatabase(nil).options)
        connection.patienceSeconds = 0.2
        let error = #expect(throws: PostgresError.self) {
            try copied(
                connection,
                "COPY (SELECT n, pg_sleep(CASE n WHEN 1 THEN 0 ELSE 10 END) FROM generate_series(1, 2) n) TO STDOUT")
        }
        #expect(error?.code == .unavailable)
        #expect(connection.isBroken)
    }
}
