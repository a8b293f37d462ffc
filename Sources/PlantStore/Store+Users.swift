package import PlantDomain
import Postgres

extension Store {
    package enum UserChange: Sendable, Equatable {
        case done(User)
        case noSuchUser
        case emailTaken
        /// Without an admin nobody could make one.
        case lastAdmin
    }

    private static let userColumns = "id, email, role, last_sign_in_at, created_at, updated_at"

    /// - Parameter passwordHash: from `PasswordHash.make`.
    package func createUser(_ user: User, passwordHash: String, by origin: Origin) async throws -> UserChange {
        try await pool.transaction { connection in
            let made = try connection.query(
                """
                INSERT INTO users (id, email, role, password_hash, created_at, updated_at)
                VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (email) DO NOTHING
                """,
                [
                    .id(user.id), .text(user.email), .text(user.role.rawValue), .text(passwordHash),
                    .time(user.createdAt),
                ]
            )
            guard made.affected > 0 else { return .emailTaken }
            try Self.record(
                "user.create", .user(user), by: origin, at: user.createdAt, details: ["role": user.role.rawValue],
                on: connection)
            return .done(user)
        }
    }

    /// Makes the first user, unless there is one.
    /// - Returns: whether it was made.
    package func createFirstUser(_ user: User, passwordHash: String, by origin: Origin) async throws -> Bool {
        try await pool.transaction { connection in
            // Two backends that start together must not make two of them.
            try connection.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
            guard try connection.query("SELECT 1 AS one FROM users LIMIT 1").count == 0 else { return false }
            try connection.query(
                """
                INSERT INTO users (id, email, role, password_hash, created_at, updated_at)
                VALUES ($1, $2, $3, $4, $5, $5)
                """,
                [
                    .id(user.id), .text(user.email), .text(user.role.rawValue), .text(passwordHash),
                    .time(user.createdAt),
                ]
            )
            try Self.record(
                "user.create", .user(user), by: origin, at: user.createdAt, details: ["role": user.role.rawValue],
                on: connection)
            return true
        }
    }

    package func hasUsers() async throws -> Bool {
        try await pool.run { try $0.query("SELECT 1 AS one FROM users LIMIT 1").count > 0 }
    }

    /// Oldest first.
    package func users(limit: Int, offset: Int) async throws -> Page<User> {
        try await pool.run { connection in
            let total = try connection.query("SELECT count(*) AS total FROM users")
            let rows = try connection.query(
                "SELECT \(Self.userColumns) FROM users ORDER BY id LIMIT $1 OFFSET $2",
                [.int(Int64(limit)), .int(Int64(offset))])
            return Page(
                items: try (0..<rows.count).map { try Self.user(rows[$0]) }, total: Int(try total[0].int("total")))
        }
    }

    /// - Returns: the user and the hash of the password.
    package func user(email: String) async throws -> (user: User, passwordHash: String)? {
        try await pool.run { connection in
            let rows = try connection.query(
                "SELECT \(Self.userColumns), password_hash FROM users WHERE email = $1", [.text(email)])
            guard let row = rows.first else { return nil }
            return (try Self.user(row), try row.text("password_hash"))
        }
    }

    /// - Parameter passwordHash: a new one ends all the user's sessions and API tokens: whoever resets a password
    ///   does it because something leaked, or to take an account back.
    package func updateUser(
        _ id: EntityID, email: String?, role: UserRole?, passwordHash: String?, by origin: Origin, at now: Timestamp
    ) async throws -> UserChange {
        try await pool.transaction { connection in
            let admins = try Self.lockAdmins(connection)
            let rows = try connection.query(
                "SELECT \(Self.userColumns) FROM users WHERE id = $1 FOR UPDATE", [.id(id)])
            guard let row = rows.first else { return .noSuchUser }
            var user = try Self.user(row)
            if let role, role != .admin, admins == [id] { return .lastAdmin }
            var details: [String: String] = [:]
            if let email, email != user.email {
                let taken = try connection.query("SELECT 1 AS one FROM users WHERE email = $1", [.text(email)])
                guard taken.count == 0 else { return .emailTaken }
                details["email"] = email
                user.email = email
            }
            if let role, role != user.role {
                details["role"] = role.rawValue
                user.role = role
            }
            user.updatedAt = now
            try connection.query(
                "UPDATE users SET email = $2, role = $3, updated_at = $4 WHERE id = $1",
                [.id(id), .text(user.email), .text(user.role.rawValue), .time(now)])
            if !details.isEmpty {
                try Self.record("user.update", .user(user), by: origin, at: now, details: details, on: connection)
            }
            if let passwordHash {
                try Self.setPassword(of: user, passwordHash, keeping: nil, by: origin, at: now, on: connection)
                try Self.endAPITokens(of: user, on: connection)
            }
            return .done(user)
        }
    }

    /// Changes a password and ends the account's sessions.
    /// - Parameters:
    ///   - verified: the hash the old password was found to fit; nil when nobody asked for it, and then the account's
    ///     API tokens end, too.
    ///   - session: hash of the session that stays; nil for none.
    /// - Returns: false when there is no such user, or the password was changed meanwhile.
    package func setPassword(
        of user: EntityID, hash: String, verified: String?, keeping session: [UInt8]?, by origin: Origin,
        at now: Timestamp
    ) async throws -> Bool {
        try await pool.transaction { connection in
            let rows = try connection.query(
                """
                SELECT \(Self.userColumns) FROM users WHERE id = $1 AND password_hash = COALESCE($2, password_hash)
                FOR UPDATE
                """, [.id(user), .text(verified)])
            guard let row = rows.first else { return false }
            let user = try Self.user(row)
            try Self.setPassword(of: user, hash, keeping: session, by: origin, at: now, on: connection)
            if verified == nil { try Self.endAPITokens(of: user, on: connection) }
            return true
        }
    }

    private static func setPassword(
        of user: User, _ hash: String, keeping session: [UInt8]?, by origin: Origin, at now: Timestamp,
        on connection: PostgresConnection
    ) throws {
        try connection.query(
            "UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1",
            [.id(user.id), .text(hash), .time(now)])
        try connection.query(
            "DELETE FROM sessions WHERE user_id = $1 AND token_hash IS DISTINCT FROM $2",
            [.id(user.id), session.map { .bytes($0) } ?? .null(.bytes)])
        try record("user.set_password", .user(user), by: origin, at: now, on: connection)
    }

    /// Replaces the hash of an unchanged password, made with today's parameters.
    package func renewPasswordHash(of user: EntityID, from old: String, to new: String) async throws {
        try await pool.run { connection in
            try connection.query(
                "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
                [.id(user), .text(old), .text(new)])
            return
        }
    }

    /// Sessions and tokens go with the user.
    package func deleteUser(_ id: EntityID, by origin: Origin, at now: Timestamp) async throws -> UserChange {
        try await pool.transaction { connection in
            let admins = try Self.lockAdmins(connection)
            guard admins != [id] else { return .lastAdmin }
            let rows = try connection.query("DELETE FROM users WHERE id = $1 RETURNING \(Self.userColumns)", [.id(id)])
            guard let row = rows.first else { return .noSuchUser }
            let user = try Self.user(row)
            try Self.record("user.delete", .user(user), by: origin, at: now, on: connection)
            return .done(user)
        }
    }

    /// Who is an admin; stays so until the transaction ends, or two admins could remove each other.
    private static func lockAdmins(_ connection: PostgresConnection) throws -> [EntityID] {
        let rows = try connection.query("SELECT id FROM users WHERE role = 'admin' ORDER BY id FOR UPDATE")
        return try (0..<rows.count).map { try rows[$0].id("id") }
    }

    static func user(_ row: PostgresRow) throws -> User {
        guard let role = UserRole(rawValue: try row.text("role")) else {
            throw PostgresError(.decoding, "users.role holds no role")
        }
        return User(
            id: try row.id("id"), email: try row.text("email"), role: role, createdAt: try row.time("created_at"),
            updatedAt: try row.time("updated_at"), lastSignInAt: try row.optionalTime("last_sign_in_at"))
    }
}

extension AuditEntry.Subject {
    package static func user(_ user: User) -> Self { Self("user", user.id, user.email) }
}
