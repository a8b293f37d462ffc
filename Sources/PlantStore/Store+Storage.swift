package import PlantDomain
import Postgres

/// What the database holds, and how much of it.
package struct StorageReport: Sendable {
    package struct Table: Sendable, Equatable {
        package let name: String
        /// With indexes, TOAST, and all partitions or chunks.
        package let bytes: Int64
        /// As PostgreSQL's statistics have it; nil when it has not looked at the table yet.
        package let rows: Int64?
    }

    package let kind: TimeSeriesKind
    package let databaseBytes: Int64
    /// The largest first.
    package let tables: [Table]
    package let oldestReading: Timestamp?
    package let newestReading: Timestamp?
    /// Single readings from before have been dropped; nil: none have.
    package let rawFrom: Timestamp?
    /// Bytes that compressed readings had, and have; nil when none are compressed.
    package let compression: (before: Int64, after: Int64)?
    /// Of the last week.
    package let samples: [StorageSample]
}

extension Store {
    /// How long samples are kept.
    private static let samplesKeptDays = 400

    /// Notes how large the database is, once for each hour however often it is called, and forgets old samples.
    package func sampleStorage(at now: Timestamp) async throws {
        try await pool.run { connection in
            // The size is asked for last, and only where it is wanted: the server looks at every file for it.
            try connection.query(
                """
                INSERT INTO storage_samples (taken_at, bytes)
                SELECT hour, pg_database_size(current_database())
                FROM (SELECT date_bin('1 hour', $1, 'epoch') AS hour) this
                WHERE NOT EXISTS (SELECT FROM storage_samples WHERE taken_at = hour)
                ON CONFLICT DO NOTHING
                """, [.time(now)])
            try connection.query(
                "DELETE FROM storage_samples WHERE taken_at < $1",
                [.time(now.adding(seconds: -Double(Self.samplesKeptDays) * 86_400))])
        }
    }

    /// When the size was noted last; nil: never.
    package func lastStorageSample() async throws -> Timestamp? {
        try await pool.run { connection in
            try connection.query("SELECT max(taken_at) AS at FROM storage_samples").first?.optionalTime("at")
        }
    }

    package func storageReport(at now: Timestamp) async throws -> StorageReport {
        try await pool.run { connection in
            let sizes = try Self.sizes(connection)
            let kind = sizes.kind
            let state = try connection.query("SELECT (SELECT raw_from FROM rollup_state) AS raw_from")[0]
            let oldest =
                kind == .native
                ? try connection.query(StorageSQL.oldest)[0].optionalTime("oldest")
                : try Self.oldestInChunks(connection)
            let newest = try connection.query("SELECT max(reading_at) AS newest FROM device_state")[0]
            let samples = try connection.query(
                "SELECT taken_at, bytes FROM storage_samples WHERE taken_at >= $1 ORDER BY taken_at",
                [.time(now.adding(seconds: -StorageForecast.windowDays * 86_400))]
            ).map { row throws(PostgresError) in
                StorageSample(takenAt: try row.time("taken_at"), bytes: try row.int("bytes"))
            }
            return StorageReport(
                kind: kind, databaseBytes: sizes.bytes, tables: sizes.tables,
                oldestReading: oldest, newestReading: try newest.optionalTime("newest"),
                rawFrom: try state.optionalTime("raw_from"),
                compression: kind == .native ? nil : try Self.compression(connection), samples: samples)
        }
    }

    static func sizes(
        _ connection: PostgresConnection
    ) throws(PostgresError) -> (kind: TimeSeriesKind, bytes: Int64, tables: [StorageReport.Table]) {
        let size = try connection.query(
            """
            SELECT pg_database_size(current_database()) AS bytes,
                (SELECT relkind = 'p' FROM pg_class WHERE oid = 'telemetry'::regclass) AS partitioned
            """)[0]
        let kind = try size.bool("partitioned") ? TimeSeriesKind.native : .timescale
        let tables = try connection.query(kind == .native ? StorageSQL.tables : StorageSQL.tablesOfTimescale).map {
            row throws(PostgresError) in
            StorageReport.Table(
                name: try row.text("name"), bytes: try row.int("bytes"), rows: try row.optionalInt("rows"))
        }
        return (kind, try size.int("bytes"), tables)
    }

    /// Readings of the last day, of the devices there are.
    package func readingsOfLastDay(at now: Timestamp) async throws -> Int64 {
        try await pool.run { connection in
            // Device by device: there is no index of time alone.
            try connection.query(
                """
                SELECT coalesce(sum(counted.readings), 0)::bigint AS readings FROM devices d, LATERAL (
                    SELECT count(*) AS readings FROM telemetry WHERE device_id = d.id AND time >= $1 AND time < $2
                ) counted
                """, [.time(now.adding(seconds: -86_400)), .time(now)])[0].int("readings")
        }
    }

    /// Looks into the oldest chunk that has a reading (empty ones are looked into, too, which takes next to nothing).
    /// TimescaleDB would look into all of them: without an index of time
    /// alone it sorts every time there is (one million took 0.6 s).
    private static func oldestInChunks(_ connection: PostgresConnection) throws(PostgresError) -> Timestamp? {
        let chunks = try connection.query(
            """
            SELECT range_start, range_end FROM timescaledb_information.chunks
            WHERE hypertable_schema = 'public' AND hypertable_name = 'telemetry' ORDER BY range_start
            """)
        for index in 0..<chunks.count {
            // Not prepared: a plan that knows the span opens no other chunk.
            let first = try connection.query(
                "SELECT min(time) AS oldest FROM telemetry WHERE time >= $1 AND time < $2",
                [.time(try chunks[index].time("range_start")), .time(try chunks[index].time("range_end"))], once: true)
            if let oldest = try first[0].optionalTime("oldest") { return oldest }
        }
        return nil
    }

    private static func compression(
        _ connection: PostgresConnection
    ) throws(PostgresError) -> (before: Int64, after: Int64)? {
        let rows = try connection.query(
            """
            SELECT sum(before_compression_total_bytes)::bigint AS before, sum(after_compression_total_bytes)::bigint AS after
            FROM hypertable_compression_stats('telemetry')
            """)
        guard let row = rows.first, let before = try row.optionalInt("before"),
            let after = try row.optionalInt("after")
        else { return nil }
        return (before, after)
    }
}

private enum StorageSQL {
    /// Partitions count as their table. What is dropped meanwhile has no size.
    static let tables = """
        SELECT name, bytes, rows FROM (
            SELECT root.relname AS name, sum(pg_total_relation_size(part.oid))::bigint AS bytes,
                (sum(part.reltuples) FILTER (WHERE part.reltuples >= 0 AND part.relkind <> 'p'))::bigint AS rows
            FROM pg_class part
            JOIN pg_class root ON root.oid = coalesce(pg_partition_root(part.oid), part.oid)
            WHERE part.relnamespace = 'public'::regnamespace AND part.relkind IN ('r', 'p', 'm')
            GROUP BY root.relname
        ) tables WHERE bytes IS NOT NULL ORDER BY bytes DESC, name
        """

    /// Chunks count as their hypertable, compressed or not; what a continuous aggregate keeps counts as its view.
    static let tablesOfTimescale = """
        SELECT name, bytes, rows FROM (
            SELECT c.relname::text AS name,
                CASE WHEN h.hypertable_name IS NULL THEN pg_total_relation_size(c.oid)
                    ELSE hypertable_size(c.oid) END AS bytes,
                CASE WHEN h.hypertable_name IS NOT NULL THEN nullif(approximate_row_count(c.oid), 0)
                    WHEN c.reltuples >= 0 THEN c.reltuples::bigint END AS rows
            FROM pg_class c
            LEFT JOIN timescaledb_information.hypertables h
                ON h.hypertable_schema = 'public' AND h.hypertable_name = c.relname
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm')
            UNION ALL
            SELECT a.view_name::text, hypertable_size(kept.oid), nullif(approximate_row_count(kept.oid), 0)
            FROM timescaledb_information.continuous_aggregates a,
                LATERAL (SELECT format('%I.%I', a.materialization_hypertable_schema,
                                       a.materialization_hypertable_name)::regclass AS oid) kept
            WHERE a.view_schema = 'public'
        ) tables WHERE bytes IS NOT NULL ORDER BY bytes DESC, name
        """

    /// There is no index of time alone: the first reading of each device, and of each plant, whose devices may be gone.
    static let oldest = """
        SELECT min(first.time) AS oldest FROM (
            SELECT (SELECT time FROM telemetry WHERE device_id = d.id ORDER BY time LIMIT 1) AS time FROM devices d
            UNION ALL
            SELECT (SELECT time FROM telemetry WHERE plant_id = p.id ORDER BY time LIMIT 1) FROM plants p
        ) first
        """
}
