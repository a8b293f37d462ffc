package import PlantDomain
import Postgres

extension Store {
    /// - Parameter hash: SHA-256 of the token.
    package func createEnrollmentToken(_ token: EnrollmentToken, hash: [UInt8], by origin: Origin) async throws {
        try await pool.transaction { connection in
            try connection.query(
                """
                INSERT INTO enrollment_tokens (id, label, token_hash, max_uses, expires_at, created_at)
                VALUES ($1, $2, $3, $4, $5, $6)
                """, Self.values(token, hash))
            try Self.recordCreation(token, by: origin, on: connection)
        }
    }

    /// Makes sure that a token known beforehand is valid: makes it, or gives it these bounds again.
    package func ensureEnrollmentToken(_ token: EnrollmentToken, hash: [UInt8], by origin: Origin) async throws {
        try await pool.transaction { connection in
            let rows = try connection.query(
                """
                INSERT INTO enrollment_tokens (id, label, token_hash, max_uses, expires_at, created_at)
                VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (token_hash) DO UPDATE SET
                    label = EXCLUDED.label, max_uses = EXCLUDED.max_uses, expires_at = EXCLUDED.expires_at
                RETURNING id
                """, Self.values(token, hash))
            if try rows[0].id("id") == token.id { try Self.recordCreation(token, by: origin, on: connection) }
        }
    }

    private static func values(_ token: EnrollmentToken, _ hash: [UInt8]) -> [PostgresValue] {
        [
            .id(token.id), .text(token.label), .bytes(hash), .int(Int64(token.maxUses)), .time(token.expiresAt),
            .time(token.createdAt),
        ]
    }

    private static func recordCreation(
        _ token: EnrollmentToken, by origin: Origin, on connection: PostgresConnection
    ) throws {
        try record(
            "enrollment_token.create", AuditEntry.Subject("enrollment_token", token.id, token.label), by: origin,
            at: token.createdAt, details: ["max_uses": "\(token.maxUses)", "expires_at": token.expiresAt.rfc3339],
            on: connection)
    }

    /// Oldest first.
    package func enrollmentTokens(limit: Int, offset: Int) async throws -> Page<EnrollmentToken> {
        try await pool.run { connection in
            let total = try connection.query("SELECT count(*) AS total FROM enrollment_tokens")
            let tokens = try connection.query(
                """
                SELECT id, label, max_uses, uses, expires_at, created_at FROM enrollment_tokens
                ORDER BY id LIMIT $1 OFFSET $2
                """, [.int(Int64(limit)), .int(Int64(offset))]
            ).map { row throws(PostgresError) in
                EnrollmentToken(
                    id: try row.id("id"), label: try row.text("label"), maxUses: Int(try row.int("max_uses")),
                    uses: Int(try row.int("uses")), expiresAt: try row.time("expires_at"),
                    createdAt: try row.time("created_at"))
            }
            return Page(items: tokens, total: Int(try total[0].int("total")))
        }
    }

    /// - Returns: false when there is no such token.
    package func deleteEnrollmentToken(_ id: EntityID, by origin: Origin, at now: Timestamp) async throws -> Bool {
        try await pool.transaction { connection in
            let rows = try connection.query(
                "DELETE FROM enrollment_tokens WHERE id = $1 RETURNING label", [.id(id)])
            guard let row = rows.first else { return false }
            let subject = AuditEntry.Subject("enrollment_token", id, try row.text("label"))
            try Self.record("enrollment_token.delete", subject, by: origin, at: now, on: connection)
            return true
        }
    }
}
