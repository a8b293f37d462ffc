import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite(.serialized) struct RollupConcurrencyTests {
    private let now = Timestamp.now()

    private func isRefused(_ work: () async throws -> Void) async -> Bool {
        do {
            try await work()
            return false
        } catch {
            return true
        }
    }

    @Test(arguments: TestDatabase.kinds)
    func `two backends that write and summarize at once lose and double nothing`(kind: TimeSeriesKind) async throws {
        let log = try ReadingLog(kind)
        let (options, now) = (log.database.options, now)
        var maker = ReadingMaker(seed: 7)
        try log.database.execute(
            "SELECT telemetry_ensure_partitions(now() - INTERVAL '9 days', now() + INTERVAL '1 day')")
        // Half of each one's readings are the other's, too. In order: whoever writes the same readings the other way
        // round meets the other in a deadlock, with or without rollups.
        let shared = maker.readings(150, between: now.days(-9), and: now.hours(5))
        let lists = [0, 1].map { _ in
            (shared + maker.readings(150, between: now.days(-9), and: now.hours(5))).sorted { $0.time < $1.time }
        }
        async let written: Void = {
            _ = try await inThreads(2) { index in
                let connection = try PostgresConnection(options)
                for batch in stride(from: 0, to: 300, by: 20) {
                    try connection.transaction { connection in
                        try ReadingLog.write(Array(lists[index][batch..<batch + 10]), on: connection)
                        try ReadingLog.write(Array(lists[index][batch + 10..<batch + 20]), on: connection)
                    }
                }
            }
        }()
        let upkeeps = [log.upkeep, try ReadingLog(log.database).upkeep]
        let turns = try await withThrowingTaskGroup(of: Int.self) { group in
            for upkeep in upkeeps {
                group.addTask {
                    var turns = 0
                    for step in 0..<10 {
                        if try await upkeep.summarize(zone: .utc, at: now.hours(Double(step) / 2)) { turns += 1 }
                    }
                    return turns
                }
            }
            return try await group.reduce(0, +)
        }
        // Whoever finds the other at it goes on without it.
        #expect(turns >= 1)
        try await written
        // Both have the same values at the same instant, so that it does not matter who was first.
        for list in lists { log.note(list) }
        try await log.summarize(at: now.hours(6))
        #expect(try log.differences() == [])
    }

    @Test(arguments: TestDatabase.kinds)
    func `readings of a transaction that is open while its minutes are closed are not lost`(
        kind: TimeSeriesKind
    ) async throws {
        let log = try ReadingLog(kind)
        var maker = ReadingMaker(seed: 8)
        try log.write(maker.readings(50, between: now, and: now.hours(1)))
        try await log.summarize(at: now.adding(seconds: -600))
        let new = maker.readings(50, between: now, and: now.hours(1))
        let connection = try PostgresConnection(log.database.options)
        try connection.execute("BEGIN")
        try ReadingLog.write(new, on: connection)
        // Waits for it and gives up, or does without it.
        let isRefused = await isRefused { try await log.summarize(at: now.hours(1.5)) }
        #expect(isRefused == (kind == .native))
        if !isRefused { #expect(try log.differences() == []) }
        try connection.commit()
        log.note(new)
        try await log.summarize(at: now.hours(1.5))
        #expect(try log.differences() == [])
    }

    @Test(arguments: TestDatabase.kinds)
    func `work that was broken off in the middle is taken up by the next`(kind: TimeSeriesKind) async throws {
        let log = try ReadingLog(kind)
        var maker = ReadingMaker(seed: 9)
        try log.write(maker.readings(100, between: now.days(-3), and: now.hours(3)))
        try await log.summarize(at: now)
        try log.write(maker.readings(100, between: now.days(-3), and: now.hours(3)))
        let table =
            kind == .native
            ? "rollup_1h"
            : try log.database.text(
                """
                SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
                FROM timescaledb_information.continuous_aggregates WHERE view_name = 'telemetry_1h'
                """) ?? ""
        // When the five minutes are done and the hours are not.
        let holder = try PostgresConnection(log.database.options)
        try holder.execute("BEGIN; LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE")
        let (upkeep, now) = (log.upkeep, now)
        async let broken = isRefused { _ = try await upkeep.summarize(zone: .utc, at: now.hours(4)) }
        try await log.database.waiting(1)
        // Nobody else meanwhile.
        let other = try ReadingLog(log.database)
        #expect(try await other.summarize(at: now.hours(4)) == false)
        #expect(try await other.upkeep.trim(keeping: 400, at: now) == nil)
        // On a slow machine it may have given up waiting before: that is broken off, too.
        let ended = try log.database.int(
            """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE application_name = 'plantops-upkeep' AND datname = current_database() AND wait_event_type = 'Lock'
            """)
        #expect(ended <= 1)
        #expect(await broken)
        holder.rollback()
        #expect(try await other.summarize(at: now.hours(4)))
        #expect(try log.differences() == [])
        #expect(try await log.summarize(at: now.hours(4)))
        #expect(try log.differences() == [])
    }
}
