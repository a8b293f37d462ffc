package import PlantDomain
import Postgres
import Sealing

extension Store {
    /// Counts an attempt to sign in before its password is looked at, unless it has to wait.
    /// - Returns: seconds to wait; 0 when it was counted and may go on.
    package func beginSignIn(email: String, address: String, at now: Timestamp) async throws -> Double {
        try await pool.transaction { connection in
            let isKnown =
                try connection.query(
                    """
                    SELECT 1 AS one FROM sign_in_addresses a JOIN users u ON u.id = a.user_id
                    WHERE u.email = $1 AND a.address = $2
                    """, [.text(email), .text(address)]
                ).count > 0
            let kinds = SignInThrottle.allCases.filter { $0 != .account || !isKnown }
            let keys = Self.keys(kinds, email: email, address: address)
            // In the order of the keys, so that two attempts do not wait for each other crosswise.
            for (key, _) in keys.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                try connection.query(
                    """
                    INSERT INTO sign_in_attempts (key, attempts, first_at, last_at) VALUES ($1, 0, $2, $2)
                    ON CONFLICT (key) DO UPDATE SET attempts = sign_in_attempts.attempts
                    """, [.bytes(key), .time(now)])
            }
            var wait = 0.0
            var counts: [(key: [UInt8], count: SignInThrottle.Count)] = []
            for (key, kind) in keys {
                let row = try connection.query(
                    "SELECT attempts, first_at, last_at FROM sign_in_attempts WHERE key = $1", [.bytes(key)])[0]
                var count = SignInThrottle.Count(
                    attempts: Int(try row.int("attempts")), firstAt: try row.time("first_at"),
                    lastAt: try row.time("last_at"))
                wait = max(wait, kind.wait(count, now: now))
                if kind.isOver(count, now: now) || count.attempts == 0 {
                    count = SignInThrottle.Count(attempts: 0, firstAt: now, lastAt: now)
                }
                count.attempts += 1
                counts.append((key, count))
            }
            guard wait == 0 else { return wait }
            for (key, count) in counts {
                try connection.query(
                    "UPDATE sign_in_attempts SET attempts = $2, first_at = $3, last_at = $4 WHERE key = $1",
                    [.bytes(key), .int(Int64(count.attempts)), .time(count.firstAt), .time(now)])
            }
            return 0
        }
    }

    /// The attempt succeeded: it does not count against anybody.
    package func endSignIn(email: String, address: String) async throws {
        let keys = Self.keys(SignInThrottle.allCases, email: email, address: address)
        try await pool.run { connection in
            for (key, kind) in keys.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                let change =
                    kind == .accountAndAddress
                    ? "DELETE FROM sign_in_attempts WHERE key = $1"
                    : "UPDATE sign_in_attempts SET attempts = GREATEST(attempts - 1, 0) WHERE key = $1"
                try connection.query(change, [.bytes(key)])
            }
        }
    }

    /// Hashed, because anybody may put anything where an email address belongs.
    private static func keys(
        _ kinds: [SignInThrottle], email: String, address: String
    ) -> [(key: [UInt8], kind: SignInThrottle)] {
        kinds.map { kind in
            let counted =
                switch kind {
                case .accountAndAddress: "\(email)\0\(address)"
                case .address: address
                case .account: email
                }
            return (Crypto.sha256("\(kind.rawValue)\0\(counted)".utf8), kind)
        }
    }
}
