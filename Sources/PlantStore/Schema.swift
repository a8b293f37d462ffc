package import Logging
package import Postgres
import Sealing

/// How readings are kept. Chosen once, when the database is made, and remembered in it.
package enum TimeSeriesKind: String, Sendable {
    /// A TimescaleDB hypertable.
    case timescale
    /// Monthly partitions of plain PostgreSQL.
    case native
}

/// The schema and its history. A released migration is never changed: the database remembers its checksum.
package enum Schema {
    package static func migrator(_ kind: TimeSeriesKind) -> Migrator {
        Migrator([
            migration(1, "core", PackageResources.m0001_core_sql),
            migration(
                2, "telemetry_\(kind.rawValue)",
                kind == .timescale
                    ? PackageResources.m0002_telemetry_timescale_sql : PackageResources.m0002_telemetry_native_sql),
            migration(3, "access", PackageResources.m0003_access_sql),
            migration(4, "alerts", PackageResources.m0004_alerts_sql),
            migration(5, "library", PackageResources.m0005_library_sql),
            migration(6, "summaries", PackageResources.m0006_summaries_sql),
            migration(
                7, "rollups_\(kind.rawValue)",
                kind == .timescale
                    ? PackageResources.m0007_rollups_timescale_sql : PackageResources.m0007_rollups_native_sql),
            migration(8, "care", PackageResources.m0008_care_sql),
            migration(9, "plant_events", PackageResources.m0009_plant_events_sql),
            migration(10, "live", PackageResources.m0010_live_sql),
        ])
    }

    private static func migration(_ version: Int, _ name: String, _ sql: [UInt8]) -> Migration {
        Migration(
            version: version, name: name, sql: String(decoding: sql, as: UTF8.self),
            checksum: Crypto.hex(Crypto.sha256(sql)))
    }

    /// What became of the schema.
    package struct Outcome: Sendable {
        /// The names of the steps applied now.
        package let applied: [String]
        /// The names of those a newer program has applied, which stay.
        package let newer: [String]
    }

    /// Brings the database to the newest schema. Safe to call from several programs at once. What a newer program has
    /// added stays: nothing here goes back.
    /// - Parameter allowingTimescale: false keeps a new database plain, even where the extension is available.
    package static func migrate(
        _ options: PostgresOptions, allowingTimescale: Bool = true, logger: Logger
    ) throws -> Outcome {
        let connection = try PostgresConnection(options)
        return try Migrator.exclusively(on: connection) {
            let kind =
                try recordedKind(connection)
                ?? (allowingTimescale && switchTimescaleOn(options, logger: logger) ? .timescale : .native)
            let migrator = migrator(kind)
            let applied = try migrator.apply(on: connection)
            try connection.query(IngestSQL.ensurePartitions)
            let newer = try migrator.compare(migrator.applied(on: connection)).newer
            return Outcome(
                applied: applied.map { "\($0.version) \($0.name)" }, newer: newer.map { "\($0.version) \($0.name)" })
        }
    }

    /// What the database has and what it lacks, without changing it.
    /// - Throws: `schema` when this program cannot work with it.
    package static func status(
        _ options: PostgresOptions, logger: Logger
    ) throws -> (kind: TimeSeriesKind, applied: [AppliedMigration], comparison: SchemaComparison) {
        let connection = try PostgresConnection(options)
        let kind = try recordedKind(connection) ?? (timescaleIsInstalled(connection) ? .timescale : .native)
        let migrator = migrator(kind)
        let applied = try migrator.applied(on: connection)
        return (kind, applied, try migrator.compare(applied))
    }

    /// - Returns: whether a new database can have hypertables.
    private static func switchTimescaleOn(_ options: PostgresOptions, logger: Logger) throws -> Bool {
        // A library that is not preloaded ends the connection, hence the one of its own.
        let connection = try PostgresConnection(options)
        if try timescaleIsInstalled(connection) { return true }
        let available = try connection.query(
            "SELECT 1 AS one FROM pg_available_extensions WHERE name = 'timescaledb'")
        guard available.count > 0 else { return false }
        do {
            try connection.execute("CREATE EXTENSION timescaledb")
            return true
        } catch {
            // A database that goes away now must not become a plain one for ever. (Said with `throw` rather than
            // `catch … where`, which the optimizer of Swift 6.3.1 crashes on with typed errors.)
            guard !error.isTransient || error.message.contains("must be preloaded") else { throw error }
            logger.warning(
                "timescaledb is available but cannot be switched on; using plain partitions",
                metadata: ["reason": "\(error.message)"])
            return false
        }
    }

    /// A kind is known by the name its second migration was recorded under.
    private static func recordedKind(_ connection: PostgresConnection) throws(PostgresError) -> TimeSeriesKind? {
        let applied = try migrator(.native).applied(on: connection)
        return applied.first { $0.version == 2 }
            .flatMap { TimeSeriesKind(rawValue: String($0.name.dropFirst("telemetry_".count))) }
    }

    private static func timescaleIsInstalled(_ connection: PostgresConnection) throws(PostgresError) -> Bool {
        try connection.query("SELECT 1 AS one FROM pg_extension WHERE extname = 'timescaledb'").count > 0
    }
}
