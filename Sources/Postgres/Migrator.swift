/// One step of the schema, never changed once it has been released.
package struct Migration: Sendable {
    package let version: Int
    package let name: String
    package let sql: String
    /// SHA-256 of `sql`, hexadecimal.
    package let checksum: String

    package init(version: Int, name: String, sql: String, checksum: String) {
        self.version = version
        self.name = name
        self.sql = sql
        self.checksum = checksum
    }
}

package struct AppliedMigration: Sendable, Equatable {
    package let version: Int
    package let name: String
    package let checksum: String
    package let appliedAt: Int64
}

/// Brings a database from any earlier schema to the newest, once, however many programs try at the same time.
package struct Migrator: Sendable {
    package let migrations: [Migration]

    /// Any constant will do, as long as every version of the program uses the same one ("plantops" in ASCII).
    private static let lock: Int64 = 0x706C_616E_746F_7073

    package init(_ migrations: [Migration]) {
        self.migrations = migrations.sorted { $0.version < $1.version }
    }

    /// Runs `work` while no other program changes the schema of this database. The connection is used for nothing
    /// else afterwards: the lock goes with it.
    package static func exclusively<T>(
        on connection: PostgresConnection, _ work: () throws -> T
    ) throws -> T {
        // Waits as long as it takes: the other program may be rewriting a large table.
        try connection.execute("SET lock_timeout = 0; SET statement_timeout = 0")
        connection.patienceSeconds = nil
        try connection.query("SELECT pg_advisory_lock($1)", [.int(lock)])
        let value = try work()
        try connection.query("SELECT pg_advisory_unlock($1)", [.int(lock)])
        return value
    }

    /// Applies what is missing, each step in a transaction of its own, one program at a time.
    /// - Returns: the steps applied now.
    /// - Throws: `schema` when the database is newer than this program or a step was changed after its release.
    package func run(on connection: PostgresConnection) throws -> [Migration] {
        try Self.exclusively(on: connection) { try apply(on: connection) }
    }

    /// As `run`, for a caller that has the schema for itself already.
    package func apply(on connection: PostgresConnection) throws(PostgresError) -> [Migration] {
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version    integer PRIMARY KEY,
                name       text NOT NULL,
                checksum   text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """)
        let applied = try self.applied(on: connection)
        let pending = try verify(applied)
        for migration in pending {
            do {
                try connection.execute("BEGIN")
                try connection.execute(migration.sql)
                try connection.query(
                    "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
                    [.int(Int64(migration.version)), .text(migration.name), .text(migration.checksum)])
                try connection.commit()
            } catch {
                connection.rollback()
                let message = "migration \(migration.version) (\(migration.name)) failed: \(error.message)"
                throw PostgresError(error.isTransient ? error.code : .schema, message, sqlState: error.sqlState)
            }
        }
        return pending
    }

    /// What the database has, without changing anything; empty when it has no table of migrations yet.
    package func applied(on connection: PostgresConnection) throws(PostgresError) -> [AppliedMigration] {
        let exists = try connection.query("SELECT to_regclass('schema_migrations') IS NOT NULL AS exists")
        guard try exists.first?.bool("exists") == true else { return [] }
        return try connection.query(
            "SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version"
        )
        .map { row throws(PostgresError) in
            AppliedMigration(
                version: Int(try row.int("version")), name: try row.text("name"),
                checksum: try row.text("checksum"), appliedAt: try row.timestamp("applied_at"))
        }
    }

    /// Compares what the database has with what this program knows.
    /// - Returns: the steps still to be applied.
    package func verify(_ applied: [AppliedMigration]) throws(PostgresError) -> [Migration] {
        let newest = migrations.last?.version ?? 0
        if let unknown = applied.last(where: { $0.version > newest }) {
            throw PostgresError(
                .schema,
                "the database has schema version \(unknown.version) (\(unknown.name)), this program knows up to "
                    + "\(newest): run the newer program, or restore the backup made before the upgrade")
        }
        for step in applied {
            guard let known = migrations.first(where: { $0.version == step.version }) else {
                throw PostgresError(.schema, "the database has a migration \(step.version) this program never had")
            }
            guard known.checksum == step.checksum else {
                throw PostgresError(
                    .schema,
                    "migration \(step.version) (\(step.name)) was changed after it was applied: restore its file, and "
                        + "put the change into a new migration")
            }
        }
        let done = Set(applied.map(\.version))
        return migrations.filter { !done.contains($0.version) }
    }
}
