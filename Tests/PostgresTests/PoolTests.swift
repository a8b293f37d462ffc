import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct PoolTests {
    private func pool(_ database: TestDatabase, size: Int, patience: Double = 5) -> PostgresPool {
        PostgresPool(database.options, size: size, patienceSeconds: patience, logger: Logger(label: "test"))
    }

    @Test func `many callers share a few connections and all are served`() async throws {
        let database = try TestDatabase(nil)
        let pool = pool(database, size: 3, patience: 60)
        let sum = try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 1...200 {
                group.addTask {
                    try await pool.run { try $0.query("SELECT $1 AS n", [.int(Int64(number))])[0].int("n") }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 20_100)
        let connections = try database.int(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(database.name)' AND pid <> pg_backend_pid()")
        #expect(connections <= 3)
    }

    @Test func `a caller that waits too long is told so, and the next one is served`() async throws {
        let database = try TestDatabase(nil)
        let pool = pool(database, size: 1, patience: 0.2)
        let held = Mutex(false)
        let lock = try PostgresConnection(database.options)
        try lock.execute("SELECT pg_advisory_lock(1)")
        let holder = Task {
            try await pool.run { connection in
                held.withLock { $0 = true }
                try connection.execute("SELECT pg_advisory_lock(1)")
            }
        }
        try await eventually("the only connection is taken") { held.withLock { $0 } }
        let error = await #expect(throws: PostgresError.self) { try await pool.run { try $0.execute("SELECT 1") } }
        #expect(error?.code == .poolExhausted)
        try lock.execute("SELECT pg_advisory_unlock(1)")
        try await holder.value
        try await pool.run { try $0.execute("SELECT 1") }
    }

    @Test func `a connection that died while idle is replaced before anybody notices`() async throws {
        let database = try TestDatabase(nil)
        let pool = pool(database, size: 1)
        let pid = try await pool.run { try $0.query("SELECT pg_backend_pid()")[0].int(0) }
        try PostgresConnection(database.options).query("SELECT pg_terminate_backend($1::integer)", [.int(pid ?? 0)])
        try await eventually("the old backend is gone") {
            try database.int("SELECT count(*) FROM pg_stat_activity WHERE pid = \(pid ?? 0)") == 0
        }
        let next = try await pool.run { try $0.query("SELECT pg_backend_pid()")[0].int(0) }
        #expect(next != pid)
    }

    @Test func `a transaction left open by a failure does not leak into the next caller's work`() async throws {
        let pool = pool(try TestDatabase(nil), size: 1)
        await #expect(throws: PostgresError.self) {
            try await pool.run { connection in
                try connection.execute("BEGIN")
                try connection.execute("SELECT nonsense")
            }
        }
        #expect(try await pool.run { !$0.isInTransaction })
    }

    @Test func `without a server the answer is unavailable`() async throws {
        let pool = PostgresPool(
            PostgresOptions(url: "postgresql://nobody@127.0.0.1:1/nothing"), size: 1, logger: Logger(label: "test"))
        let error = await #expect(throws: PostgresError.self) { try await pool.run { try $0.execute("SELECT 1") } }
        #expect(error?.code == .unavailable)
        #expect(error?.isTransient == true)
    }

    @Test func `whoever measures is told of every wait, every piece of work and every failure`() async throws {
        struct Told {
            var waits: [Double] = []
            var works: [Double] = []
            var failures: [PostgresError.Code] = []
        }
        let database = try TestDatabase(nil)
        let told = Mutex(Told())
        let observer = PostgresPoolObserver(
            waited: { seconds in told.withLock { $0.waits.append(seconds) } },
            ran: { seconds in told.withLock { $0.works.append(seconds) } },
            failed: { code in told.withLock { $0.failures.append(code) } })
        let pool = PostgresPool(
            database.options, size: 1, patienceSeconds: 0.2, observer: observer, logger: Logger(label: "test"))
        #expect(pool.load == (size: 1, idle: 1, waiting: 0))
        try await pool.run { connection in
            #expect(pool.load == (size: 1, idle: 0, waiting: 0))
            try connection.execute("SELECT pg_sleep(0.05)")
        }
        await #expect(throws: PostgresError.self) { try await pool.run { try $0.execute("SELECT nonsense") } }
        #expect(told.withLock { $0.waits.count } == 2)
        #expect(told.withLock { $0.works.count } == 2)
        #expect(told.withLock { $0.works[0] } >= 0.05)
        #expect(told.withLock { $0.failures } == [.statement])

        // Who is never given a connection has neither waited for one nor worked with it.
        let lock = try PostgresConnection(database.options)
        try lock.execute("SELECT pg_advisory_lock(1)")
        let holder = Task { try await pool.run { try $0.execute("SELECT pg_advisory_lock(1)") } }
        try await eventually("the only connection is taken") { pool.load.idle == 0 }
        let waiting = Task { try await pool.run { try $0.execute("SELECT 1") } }
        await #expect(throws: PostgresError.self) { try await waiting.value }
        #expect(told.withLock { $0.waits.count } == 3)
        #expect(told.withLock { $0.failures } == [.statement, .poolExhausted])
        try lock.execute("SELECT pg_advisory_unlock(1)")
        try await holder.value
        #expect(pool.load == (size: 1, idle: 1, waiting: 0))
    }
}
