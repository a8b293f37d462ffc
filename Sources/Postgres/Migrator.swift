/// One step of the schema, never changed once it has been released.
package struct Migration: Sendable {
    package let version: Int
    package let name: String
    package let sql: String
    /// SHA-256 of `sql`, hexadecimal.
    package let checksum: String
    /// The step a program has to know at least to work with the schema after this one. 0, as it should be: any does,
    /// because the step only adds.
    package let usableFrom: Int

    package init(version: Int, name: String, sql: String, checksum: String, usableFrom: Int = 0) {
        self.version = version
        self.name = name
        self.sql = sql
        self.checksum = checksum
        self.usableFrom = usableFrom
    }
}

package struct AppliedMigration: Sendable, Equatable {
    package let version: Int
    package let name: String
    package let checksum: String
    package let appliedAt: Int64
    /// As of `Migration`.
    package var usableFrom = 0
}

/// What a database's schema is, seen from a program.
package struct SchemaComparison: Sendable {
    /// Steps the program knows and the database lacks.
    package let pending: [Migration]
    /// Steps of a newer program, which this one can work with.
    package let newer: [AppliedMigration]
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
    /// - Throws: `schema` when a step was changed after its release, or a newer program's makes this one unusable.
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
        // Not with IF NOT EXISTS, which would wait for whoever reads the table, such as a backup, at every start.
        let hasColumn = try connection.query(
            """
            SELECT 1 AS one FROM pg_attribute
            WHERE attrelid = 'schema_migrations'::regclass AND attname = 'usable_from' AND NOT attisdropped
            """)
        if hasColumn.count == 0 {
            try connection.execute("ALTER TABLE schema_migrations ADD COLUMN usable_from integer NOT NULL DEFAULT 0")
        }
        let pending = try compare(self.applied(on: connection)).pending
        for migration in pending {
            do {
                try connection.execute("BEGIN")
                try connection.execute(migration.sql)
                try connection.query(
                    "INSERT INTO schema_migrations (version, name, checksum, usable_from) VALUES ($1, $2, $3, $4)",
                    [
                        .int(Int64(migration.version)), .text(migration.name), .text(migration.checksum),
                        .int(Int64(migration.usableFrom)),
                    ])
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
        // A database that has not been written to by this program may lack the column.
        return try connection.query(
            """
            SELECT version, name, checksum, applied_at,
                   coalesce((to_jsonb(step) ->> 'usable_from')::bigint, 0) AS usable_from
            FROM schema_migrations step ORDER BY version
            """
        )
        .map { row throws(PostgresError) in
            AppliedMigration(
                version: Int(try row.int("version")), name: try row.text("name"),
                checksum: try row.text("checksum"), appliedAt: try row.timestamp("applied_at"),
                usableFrom: Int(try row.int("usable_from")))
        }
    }

    /// Compares what the database has with what this program knows.
    ///
    /// Steps of a newer program are fine as long as they only add: so a program can go on beside its successor, and be
    /// put back in its place.
    /// - Throws: `schema` as `run`.
    package func compare(_ applied: [AppliedMigration]) throws(PostgresError) -> SchemaComparison {
        let newest = migrations.last?.version ?? 0
        let newer = applied.filter { $0.version > newest }
        if let barrier = newer.last(where: { $0.usableFrom > newest }) {
            throw PostgresError(
                .schema,
                "the database has schema version \(barrier.version) (\(barrier.name)), which is newer than this program "
                    + "(\(newest)) and needs one that knows \(barrier.usableFrom): run the newer program, or restore the "
                    + "backup made before the upgrade")
        }
        for step in applied where step.version <= newest {
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
        let pending = migrations.filter { !done.contains($0.version) }
        if let missing = pending.first, let next = newer.first {
            throw PostgresError(
                .schema,
                "the database lacks migration \(missing.version) (\(missing.name)) but has \(next.version) (\(next.name)), "
                    + "which is newer than this program: two programs of different origin have changed it")
        }
        return SchemaComparison(pending: pending, newer: newer)
    }
}
