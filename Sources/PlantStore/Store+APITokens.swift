package import PlantDomain
import Postgres

/// Lets a script act as its owner, at most with this role.
package struct APIToken: Sendable, Equatable {
    package let id: EntityID
    package let name: String
    package let role: UserRole
    package let createdAt: Timestamp
    /// nil: never.
    package let expiresAt: Timestamp?
    package let lastUsedAt: Timestamp?

    package init(
        id: EntityID, name: String, role: UserRole, createdAt: Timestamp, expiresAt: Timestamp?,
        lastUsedAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.lastUsedAt = lastUsedAt
    }
}

extension Store {
    private static let lastUsedStep = 60.0

    /// Of one user.
    package static let apiTokensKept = 50

    /// - Parameter hash: SHA-256 of the token.
    /// - Returns: false when the user has as many as one may have.
    package func createAPIToken(
        _ token: APIToken, hash: [UInt8], of user: EntityID, by origin: Origin
    ) async throws -> Bool {
        try await pool.transaction { connection in
            try connection.query("SELECT 1 AS one FROM users WHERE id = $1 FOR NO KEY UPDATE", [.id(user)])
            let count = try connection.query("SELECT count(*) AS n FROM api_tokens WHERE user_id = $1", [.id(user)])
            guard try count[0].int("n") < Self.apiTokensKept else { return false }
            try connection.query(
                """
                INSERT INTO api_tokens (id, user_id, name, role, token_hash, created_at, expires_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """,
                [
                    .id(token.id), .id(user), .text(token.name), .text(token.role.rawValue), .bytes(hash),
                    .time(token.createdAt), token.expiresAt.map { .time($0) } ?? .null(.timestamp),
                ])
            try Self.record(
                "token.create", AuditEntry.Subject("token", token.id, token.name), by: origin, at: token.createdAt,
                details: ["role": token.role.rawValue], on: connection)
            return true
        }
    }

    static func endAPITokens(of user: User, on connection: PostgresConnection) throws {
        try connection.query("DELETE FROM api_tokens WHERE user_id = $1", [.id(user.id)])
    }

    /// Oldest first.
    package func apiTokens(of user: EntityID, limit: Int, offset: Int) async throws -> Page<APIToken> {
        try await pool.run { connection in
            let total = try connection.query(
                "SELECT count(*) AS total FROM api_tokens WHERE user_id = $1", [.id(user)])
            let rows = try connection.query(
                """
                SELECT id, name, role, created_at, expires_at, last_used_at FROM api_tokens WHERE user_id = $1
                ORDER BY id LIMIT $2 OFFSET $3
                """, [.id(user), .int(Int64(limit)), .int(Int64(offset))])
            let tokens = try (0..<rows.count).map { index in
                let row = rows[index]
                return APIToken(
                    id: try row.id("id"), name: try row.text("name"), role: try Self.role(row, "role"),
                    createdAt: try row.time("created_at"), expiresAt: try row.optionalTime("expires_at"),
                    lastUsedAt: try row.optionalTime("last_used_at"))
            }
            return Page(items: tokens, total: Int(try total[0].int("total")))
        }
    }

    /// - Returns: false when the user has no such token.
    package func deleteAPIToken(
        _ id: EntityID, of user: EntityID, by origin: Origin, at now: Timestamp
    ) async throws -> Bool {
        try await pool.transaction { connection in
            let rows = try connection.query(
                "DELETE FROM api_tokens WHERE id = $1 AND user_id = $2 RETURNING name", [.id(id), .id(user)])
            guard let row = rows.first else { return false }
            let subject = AuditEntry.Subject("token", id, try row.text("name"))
            try Self.record("token.delete", subject, by: origin, at: now, on: connection)
            return true
        }
    }

    /// The owner of a token that is still good, with the lower of both roles, and the token's id and name.
    package func user(apiTokenHash: [UInt8], at now: Timestamp) async throws -> (
        user: User, token: EntityID, name: String
    )? {
        try await pool.run { connection in
            let rows = try connection.query(
                """
                SELECT u.id, u.email, u.role, u.last_sign_in_at, u.created_at, u.updated_at, t.id AS token_id,
                    t.name AS token_name, t.role AS token_role, t.last_used_at
                FROM api_tokens t JOIN users u ON u.id = t.user_id
                WHERE t.token_hash = $1 AND (t.expires_at IS NULL OR t.expires_at > $2)
                """, [.bytes(apiTokenHash), .time(now)])
            guard let row = rows.first else { return nil }
            let token = try row.id("token_id")
            let lastUsed = try row.optionalTime("last_used_at")
            if lastUsed.map({ now.seconds(since: $0) > Self.lastUsedStep }) ?? true {
                try connection.query("UPDATE api_tokens SET last_used_at = $2 WHERE id = $1", [.id(token), .time(now)])
            }
            var user = try Self.user(row)
            user.role = min(user.role, try Self.role(row, "token_role"))
            return (user, token, try row.text("token_name"))
        }
    }

    private static func role(_ row: PostgresRow, _ column: String) throws -> UserRole {
        guard let role = UserRole(rawValue: try row.text(column)) else {
            throw PostgresError(.decoding, "\(column) holds no role")
        }
        return role
    }
}
