package import PlantDomain
import Postgres
import Sealing

/// Whose sign-in is tried, and from where.
package struct SignInPlace: Sendable {
    package let email: String
    package let address: String
    /// Hash of the session the browser has or had, which shows that it signed in before; nil without.
    package let session: [UInt8]?

    package init(email: String, address: String, session: [UInt8]?) {
        self.email = email
        self.address = address
        self.session = session
    }

    fileprivate var addressHash: [UInt8] { Crypto.sha256("address\0\(address)".utf8) }

    /// From the most to the least telling.
    fileprivate var places: [[UInt8]] { (session.map { [$0] } ?? []) + [addressHash] }
}

/// An attempt that was counted.
package struct SignInAttempt: Sendable {
    /// Whether it comes from a place the account was signed in to from before.
    package let isKnown: Bool
    let keys: [[UInt8]]
}

package enum SignInAdmission: Sendable {
    case counted(SignInAttempt)
    /// Seconds.
    case wait(Double)
}

extension Store {
    /// Counts an attempt to sign in before its password is looked at, unless it has to wait.
    package func beginSignIn(_ place: SignInPlace, at now: Timestamp) async throws -> SignInAdmission {
        try await pool.transaction { connection in
            let known = try Self.knownPlace(place, connection)
            let counted = Self.counted(place, known: known)
            // Locks rather than rows: an attempt that has to wait leaves nothing behind. In the order of the keys, so
            // that two attempts do not wait for each other crosswise.
            for (key, _) in counted.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                try connection.query(
                    "SELECT 1 AS one FROM pg_advisory_xact_lock(('x' || encode(substr($1, 1, 8), 'hex'))::bit(64)::bigint)",
                    [.bytes(key)])
            }
            var wait = 0.0
            var counts: [(key: [UInt8], count: SignInThrottle.Count)] = []
            for (key, kind) in counted {
                let row = try connection.query(
                    "SELECT attempts, first_at, last_at FROM sign_in_attempts WHERE key = $1", [.bytes(key)]
                ).first
                var count = SignInThrottle.Count(attempts: 0, firstAt: now, lastAt: now)
                if let row {
                    let kept = SignInThrottle.Count(
                        attempts: Int(try row.int("attempts")), firstAt: try row.time("first_at"),
                        lastAt: try row.time("last_at"))
                    wait = max(wait, kind.wait(kept, now: now))
                    if !kind.isOver(kept, now: now), kept.attempts > 0 { count = kept }
                }
                count.attempts += 1
                counts.append((key, count))
            }
            guard wait == 0 else { return .wait(wait) }
            for (key, count) in counts {
                try connection.query(
                    """
                    INSERT INTO sign_in_attempts (key, attempts, first_at, last_at) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (key) DO UPDATE
                        SET attempts = EXCLUDED.attempts, first_at = EXCLUDED.first_at, last_at = EXCLUDED.last_at
                    """, [.bytes(key), .int(Int64(count.attempts)), .time(count.firstAt), .time(now)])
            }
            return .counted(SignInAttempt(isKnown: known != nil, keys: counts.map(\.key)))
        }
    }

    /// The attempt was right, or was not looked at: it does not count against anybody.
    package func forgive(_ attempt: SignInAttempt) async throws {
        try await pool.run { connection in
            for key in attempt.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                try connection.query(
                    "UPDATE sign_in_attempts SET attempts = GREATEST(attempts - 1, 0) WHERE key = $1", [.bytes(key)])
            }
        }
    }

    /// The password was right: the counts of this place begin anew.
    static func forget(_ attempt: SignInAttempt, on connection: PostgresConnection) throws {
        // The first is the one of account and place together; the others are shared.
        for (index, key) in attempt.keys.enumerated() {
            try connection.query(
                index == 0
                    ? "DELETE FROM sign_in_attempts WHERE key = $1"
                    : "UPDATE sign_in_attempts SET attempts = GREATEST(attempts - 1, 0) WHERE key = $1",
                [.bytes(key)])
        }
    }

    /// - Parameter session: hash of the session that begins: the browser keeps its cookie longer than it lasts.
    static func remember(
        _ place: SignInPlace, session: [UInt8], of user: EntityID, at now: Timestamp,
        on connection: PostgresConnection
    ) throws {
        for hash in [session, place.addressHash] {
            try connection.query(
                """
                INSERT INTO sign_in_places (user_id, place, last_at) VALUES ($1, $2, $3)
                ON CONFLICT (user_id, place) DO UPDATE SET last_at = EXCLUDED.last_at
                """, [.id(user), .bytes(hash), .time(now)])
        }
    }

    private static func knownPlace(_ place: SignInPlace, _ connection: PostgresConnection) throws -> [UInt8]? {
        for hash in place.places {
            let known = try connection.query(
                """
                SELECT 1 AS one FROM sign_in_places p JOIN users u ON u.id = p.user_id
                WHERE u.email = $1 AND p.place = $2
                """, [.text(place.email), .bytes(hash)])
            if known.count > 0 { return hash }
        }
        return nil
    }

    /// What an attempt counts for, that of account and place together first. Hashed, because anybody may put anything
    /// where an email address belongs.
    private static func counted(
        _ place: SignInPlace, known: [UInt8]?
    ) -> [(key: [UInt8], kind: SignInThrottle)] {
        func key(_ kind: SignInThrottle, _ counted: String) -> (key: [UInt8], kind: SignInThrottle) {
            (Crypto.sha256("\(kind.rawValue)\0\(counted)".utf8), kind)
        }
        if let known { return [key(.knownPlace, "\(place.email)\0\(Crypto.hex(known))")] }
        return [
            key(.accountAndAddress, "\(place.email)\0\(place.address)"), key(.address, place.address),
            key(.account, place.email),
        ]
    }
}
