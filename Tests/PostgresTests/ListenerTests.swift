import Glibc
import Postgres
import TestSupport
import Testing

@Suite struct ListenerTests {
    private func notify(_ database: TestDatabase, _ channel: String, _ payload: String) throws {
        try PostgresConnection(database.options).query("SELECT pg_notify($1, $2)", [.text(channel), .text(payload)])
    }

    private func wait(_ listener: PostgresListener, for count: Int) throws -> [PostgresNotification] {
        var heard: [PostgresNotification] = []
        let deadline = ContinuousClock.now + .seconds(10)
        while heard.count < count, .now < deadline { heard += try listener.wait(milliseconds: 100) }
        return heard
    }

    @Test func `notifications of all channels arrive, in the order of their commits`() throws {
        let database = try TestDatabase(nil)
        let listener = try PostgresListener(database.options, channels: ["one", "Two \"2\""])
        try notify(database, "one", "a")
        try notify(database, "Two \"2\"", "Fíkus \u{1F331}, 'x'")
        try notify(database, "three", "not listened to")
        try notify(database, "one", "")
        let long = String(repeating: "x", count: 7999)
        try notify(database, "one", long)
        #expect(
            try wait(listener, for: 4) == [
                PostgresNotification(channel: "one", payload: "a"),
                PostgresNotification(channel: "Two \"2\"", payload: "Fíkus \u{1F331}, 'x'"),
                PostgresNotification(channel: "one", payload: ""), PostgresNotification(channel: "one", payload: long),
            ])
        #expect(try listener.wait(milliseconds: 50).isEmpty)
    }

    @Test func `nothing is told before the commit, and nothing after a rollback`() throws {
        let database = try TestDatabase(nil)
        let listener = try PostgresListener(database.options, channels: ["c"])
        let other = try PostgresConnection(database.options)
        try other.execute("BEGIN; SELECT pg_notify('c', 'undone'); ROLLBACK; BEGIN; SELECT pg_notify('c', 'done')")
        #expect(try listener.wait(milliseconds: 100).isEmpty)
        try other.commit()
        #expect(try wait(listener, for: 1).map(\.payload) == ["done"])
    }

    @Test func `a notification that comes along with an answer is not lost`() throws {
        let database = try TestDatabase(nil)
        // Asks the server something whenever there is nothing to hear.
        let listener = try PostgresListener(database.options, channels: ["c"], checkSeconds: 0)
        let other = try PostgresConnection(database.options)
        var heard: [String] = []
        for number in 0..<300 {
            try other.execute("NOTIFY c, '\(number)'")
            heard += try listener.wait(milliseconds: 0).map(\.payload)
        }
        heard += try wait(listener, for: 300 - heard.count).map(\.payload)
        #expect(heard == (0..<300).map(String.init))
    }

    @Test func `a connection the server ended is noticed at once`() throws {
        let database = try TestDatabase(nil)
        let listener = try PostgresListener(database.options, channels: ["c"])
        #expect(!listener.isBroken)
        try PostgresConnection(database.options).execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND query LIKE 'LISTEN%'
            """)
        let error = #expect(throws: PostgresError.self) { while true { _ = try listener.wait(milliseconds: 10_000) } }
        #expect(error?.code == .unavailable)
        #expect(listener.isBroken)
        #expect(throws: PostgresError.self) { try listener.wait(milliseconds: 0) }
    }

    @Test func `a server that has gone without a word is noticed, too`() throws {
        let database = try TestDatabase(nil)
        let listener = try PostgresListener(
            database.options, channels: ["silent"], checkSeconds: 0.2, patienceSeconds: 0.3)
        #expect(try listener.wait(milliseconds: 300).isEmpty)
        let pid = pid_t(
            try database.int(
                """
                SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                    AND backend_type = 'client backend'
                """))
        try #require(pid > 1 && kill(pid, SIGSTOP) == 0)
        defer { kill(pid, SIGCONT) }
        let error = #expect(throws: PostgresError.self) {
            for _ in 0..<100 { _ = try listener.wait(milliseconds: 100) }
        }
        #expect(error?.code == .unavailable)
        #expect(listener.isBroken)
    }

    @Test func `where there is no server one is told so`() {
        let options = PostgresOptions(host: "127.0.0.1", port: 1, user: "x", password: nil, database: "x")
        let error = #expect(throws: PostgresError.self) { try PostgresListener(options, channels: ["c"]) }
        #expect(error?.code == .unavailable)
    }
}
