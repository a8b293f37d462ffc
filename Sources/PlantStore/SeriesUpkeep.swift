package import Logging
package import PlantDomain
package import Postgres

/// Keeps the rollups current, compresses what is old, and drops single readings that are past their time: in that order,
/// so that nothing is dropped before it is summarized.
///
/// It has a connection of its own, on which a statement may take long. Whatever it does can be broken off at any time
/// and is taken up again.
package struct SeriesUpkeep: Sendable {
    /// Single readings are kept for so many days at least: buffered ones may come 30 days late, and must find the others
    /// of their five minutes.
    package static let leastDaysKept = 35

    package struct Report: Sendable, Equatable {
        /// Chunks or partitions.
        package var compressed = 0
        package var dropped = 0
        package init() {}
    }

    private let pool: PostgresPool
    /// Only one backend at a time does it. Any constant will do, as long as every version uses the same one.
    private static let lock: Int64 = 0x706C_616E_7473_7570
    /// Five minutes of devices, summarized again in one transaction.
    private static let lateAtOnce = 20_000

    package init(_ options: PostgresOptions, logger: Logger) {
        var options = options
        options.statementTimeoutSeconds = 3600
        options.applicationName = "plantops-upkeep"
        pool = PostgresPool(options, size: 1, logger: logger)
    }

    /// Summarizes what was written since the last time.
    /// - Parameter zone: whose days are summarized.
    /// - Returns: false when another backend is at it.
    @discardableResult
    package func summarize(zone: KnownTimeZone, at now: Timestamp) async throws -> Bool {
        try await alone { kind in
            try await pool.run { connection in
                let current = try connection.query("SELECT zone FROM rollup_state").first?.text("zone")
                guard current != zone.name else { return }
                // A zone that the database has never heard of leaves the days as they are.
                try connection.query(
                    "SELECT telemetry_set_zone(name) FROM pg_timezone_names WHERE name = $1", [.text(zone.name)])
            }
            switch kind {
            case .native: try await summarizeTables(at: now)
            case .timescale: try await refresh(at: now)
            }
        }
    }

    /// Compresses chunks that nothing is written into any more, and drops those of single readings older than that.
    /// - Parameter days: nil keeps everything.
    /// - Returns: nil when another backend is at it.
    package func trim(keeping days: Int?, at now: Timestamp) async throws -> Report? {
        var report = Report()
        let isMine = try await alone { kind in
            if kind == .timescale { report.compressed = try await compress(at: now) }
            guard let days else { return }
            let isComplete = try await pool.run { connection in
                try connection.query("SELECT is_complete FROM rollup_state").first?.bool("is_complete")
            }
            guard isComplete == true else { return }
            // Plain partitions are left alone while some of their readings are not summarized; chunks go unseen.
            if kind == .timescale { try await refresh(at: now) }
            let until = now.adding(seconds: -Double(max(days, Self.leastDaysKept)) * 86_400)
            report.dropped = try await pool.run { connection in
                let rows = try connection.query("SELECT telemetry_drop_before($1) AS count", [.time(until)])
                return Int(try rows[0].int("count"))
            }
        }
        return isMine ? report : nil
    }

    private func alone(_ work: (TimeSeriesKind) async throws -> Void) async throws -> Bool {
        let kind: TimeSeriesKind? = try await pool.run { connection in
            // Whoever writes readings waits behind a lock of ours no longer than this, and what we asked for ends soon
            // after we do.
            try connection.execute("SET lock_timeout = '1s'; SET client_connection_check_interval = '5s'")
            let rows = try connection.query(
                """
                SELECT to_regclass('rollup_5m') IS NOT NULL AS native
                WHERE pg_try_advisory_lock($1)
                """, [.int(Self.lock)])
            return try rows.first.map { try $0.bool("native") ? .native : .timescale }
        }
        guard let kind else { return false }
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await work(kind))
        } catch {
            outcome = .failure(error)
        }
        // If this fails, too, the connection is broken and the lock gone with it.
        try? await pool.run { _ = try $0.query("SELECT pg_advisory_unlock($1)", [.int(Self.lock)]).count }
        try outcome.get()
        return true
    }

    // MARK: plain PostgreSQL

    private func summarizeTables(at now: Timestamp) async throws {
        var isMore = true
        while isMore {
            try Task.checkCancellation()
            isMore = try await pool.run { connection in
                let most = PostgresValue.int(Int64(Self.lateAtOnce))
                let noted = try connection.query(
                    "SELECT rollup_close($1, $2::integer) AS more", [.time(now), most])
                let summarized = try connection.query("SELECT rollup_work($1::integer) AS more", [most])
                return try noted[0].bool("more") || summarized[0].bool("more")
            }
        }
    }

    // MARK: TimescaleDB

    private func refresh(at now: Timestamp) async throws {
        let state = try await pool.run { connection in
            let row = try connection.query("SELECT is_complete, raw_from FROM rollup_state")[0]
            return (isComplete: try row.bool("is_complete"), rawFrom: try row.optionalTime("raw_from"))
        }
        let ended = now.rounded(downTo: HistoryResolution.fiveMinutes)
        if !state.isComplete {
            // What was there before, bit by bit.
            for chunk in try await chunks() where chunk.start.adding(seconds: 300) <= ended {
                try await refresh("telemetry_5m", from: chunk.start, to: min(chunk.end, ended))
            }
        }
        // Never from before what has been dropped: it would be emptied.
        try await refresh("telemetry_5m", from: state.rawFrom, to: ended)
        for view in ["telemetry_1h", "telemetry_1d"] { try await refresh(view, from: nil, to: ended) }
        if !state.isComplete {
            try await pool.run { try $0.execute("UPDATE rollup_state SET is_complete = true") }
        }
    }

    private func refresh(_ view: String, from: Timestamp?, to: Timestamp) async throws {
        try Task.checkCancellation()
        let start = from.map { "TIMESTAMPTZ '\($0.rfc3339)'" } ?? "NULL"
        // TimescaleDB (2.28.3) may leave the last bucket of what came late to the next time; the second finds nothing else.
        for _ in 1...2 {
            try await pool.run { connection in
                try connection.execute(
                    "CALL refresh_continuous_aggregate('\(view)', \(start), TIMESTAMPTZ '\(to.rfc3339)')")
            }
        }
    }

    private func chunks() async throws -> [(start: Timestamp, end: Timestamp)] {
        try await pool.run { connection in
            let rows = try connection.query(
                """
                SELECT range_start, range_end FROM timescaledb_information.chunks
                WHERE hypertable_name = 'telemetry' ORDER BY range_start
                """)
            return try (0..<rows.count).map { (try rows[$0].time("range_start"), try rows[$0].time("range_end")) }
        }
    }

    private func compress(at now: Timestamp) async throws -> Int {
        let until = now.adding(seconds: -Double(Self.leastDaysKept) * 86_400)
        let chunks: [String] = try await pool.run { connection in
            let rows = try connection.query(
                "SELECT chunk::text AS chunk FROM telemetry_uncompressed_before($1) AS chunk", [.time(until)])
            return try (0..<rows.count).map { try rows[$0].text("chunk") }
        }
        for chunk in chunks {
            try Task.checkCancellation()
            try await pool.run { connection in
                _ = try connection.query("SELECT compress_chunk($1::text::regclass)", [.text(chunk)]).count
            }
        }
        return chunks.count
    }
}
