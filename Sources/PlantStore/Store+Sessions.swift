package import PlantDomain
import Postgres

extension Store {
    /// A session ends after this long without use, and in any case after `sessionLongestSeconds`.
    package static let sessionIdleSeconds = 14.0 * 86_400
    package static let sessionLongestSeconds = 90.0 * 86_400
    /// How exactly "last used" is kept, in seconds: a write per request would cost more than the request.
    private static let lastUsedStep = 300.0

    /// - Parameter tokenHash: SHA-256 of the token the client keeps.
    package func createSession(
        of user: User, tokenHash: [UInt8], userAgent: String?, replacing old: [UInt8]?, by origin: Origin,
        at now: Timestamp
    ) async throws {
        try await pool.transaction { connection in
            if let old { try connection.query("DELETE FROM sessions WHERE token_hash = $1", [.bytes(old)]) }
            let expires = now.adding(microseconds: Int64(Self.sessionIdleSeconds * 1_000_000))
            try connection.query(
                """
                INSERT INTO sessions (token_hash, user_id, created_at, last_used_at, expires_at, address, user_agent)
                VALUES ($1, $2, $3, $3, $4, $5, $6)
                """,
                [
                    .bytes(tokenHash), .id(user.id), .time(now), .time(expires), .text(origin.address ?? ""),
                    .text(userAgent),
                ])
            try connection.query("UPDATE users SET last_sign_in_at = $2 WHERE id = $1", [.id(user.id), .time(now)])
            if let address = origin.address {
                try connection.query(
                    """
                    INSERT INTO sign_in_addresses (user_id, address, last_at) VALUES ($1, $2, $3)
                    ON CONFLICT (user_id, address) DO UPDATE SET last_at = EXCLUDED.last_at
                    """, [.id(user.id), .text(address), .time(now)])
            }
            try Self.record("auth.sign_in", .user(user), by: origin, at: now, on: connection)
        }
    }

    /// The user of a session that is still good.
    package func user(sessionHash: [UInt8], at now: Timestamp) async throws -> User? {
        try await pool.run { connection in
            let rows = try connection.query(
                """
                SELECT u.id, u.email, u.role, u.last_sign_in_at, u.created_at, u.updated_at,
                    s.created_at AS began_at, s.last_used_at
                FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = $1 AND s.expires_at > $2
                """, [.bytes(sessionHash), .time(now)])
            guard let row = rows.first else { return nil }
            if now.seconds(since: try row.time("last_used_at")) > Self.lastUsedStep {
                let latest = try row.time("began_at").adding(microseconds: Int64(Self.sessionLongestSeconds * 1e6))
                let idle = now.adding(microseconds: Int64(Self.sessionIdleSeconds * 1e6))
                try connection.query(
                    "UPDATE sessions SET last_used_at = $2, expires_at = $3 WHERE token_hash = $1",
                    [.bytes(sessionHash), .time(now), .time(min(latest, idle))])
            }
            return try Self.user(row)
        }
    }

    /// - Returns: whose it was; nil when there was none.
    @discardableResult
    package func endSession(_ tokenHash: [UInt8], by origin: Origin, at now: Timestamp) async throws -> Bool {
        try await pool.transaction { connection in
            let ended = try connection.query(
                """
                DELETE FROM sessions s USING users u WHERE s.token_hash = $1 AND u.id = s.user_id
                RETURNING u.id, u.email
                """, [.bytes(tokenHash)])
            guard let row = ended.first else { return false }
            let user = AuditEntry.Subject("user", try row.id("id"), try row.text("email"))
            try Self.record("auth.sign_out", user, by: origin, at: now, on: connection)
            return true
        }
    }
}
