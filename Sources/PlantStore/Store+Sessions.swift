package import PlantDomain
import Postgres

extension Store {
    /// A session ends after this long without use, and in any case after `sessionLongestSeconds`.
    package static let sessionIdleSeconds = 14.0 * 86_400
    package static let sessionLongestSeconds = 90.0 * 86_400
    /// How exactly "last used" is kept, in seconds: a write per request would cost more than the request.
    private static let lastUsedStep = 300.0

    /// Of one user; the oldest end when there are more.
    private static let sessionsKept = 100

    /// - Parameters:
    ///   - tokenHash: SHA-256 of the token the client keeps.
    ///   - verified: the hash the password was found to fit.
    /// - Returns: false when the password was changed, or the user deleted, meanwhile.
    package func createSession(
        _ tokenHash: [UInt8], of user: User, verified: String, _ attempt: SignInAttempt, from place: SignInPlace,
        userAgent: String?, by origin: Origin, at now: Timestamp
    ) async throws -> Bool {
        try await pool.transaction { connection in
            let known = try connection.query(
                """
                UPDATE users SET last_sign_in_at = $3 WHERE id = $1 AND password_hash = $2 RETURNING 1 AS one
                """, [.id(user.id), .text(verified), .time(now)])
            guard known.count > 0 else { return false }
            if let old = place.session {
                try connection.query("DELETE FROM sessions WHERE token_hash = $1", [.bytes(old)])
            }
            try connection.query(
                """
                INSERT INTO sessions (token_hash, user_id, created_at, last_used_at, expires_at, address, user_agent)
                VALUES ($1, $2, $3, $3, $4, $5, $6)
                """,
                [
                    .bytes(tokenHash), .id(user.id), .time(now),
                    .time(now.adding(seconds: Self.sessionIdleSeconds)), .text(place.address), .text(userAgent),
                ])
            try connection.query(
                """
                DELETE FROM sessions WHERE token_hash IN (
                    SELECT token_hash FROM sessions WHERE user_id = $1 ORDER BY last_used_at DESC OFFSET $2)
                """, [.id(user.id), .int(Int64(Self.sessionsKept))])
            try Self.forget(attempt, on: connection)
            try Self.remember(place, session: tokenHash, of: user.id, at: now, on: connection)
            try Self.record("auth.sign_in", .user(user), by: origin, at: now, on: connection)
            return true
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
                let latest = try row.time("began_at").adding(seconds: Self.sessionLongestSeconds)
                let idle = now.adding(seconds: Self.sessionIdleSeconds)
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
