package import PlantDomain
import Postgres

extension Store {
    /// How long a device, or new credentials of a known one, may wait for approval.
    package static let approvalDays = 7

    /// Drops what nobody needs any more: the oldest of the audit log, expired sessions and tokens, counts of attempts,
    /// registrations that came to nothing. Once an hour is enough.
    package func trimAccess(at now: Timestamp) async throws {
        try await pool.run { connection in
            // UUIDs of version 7 begin with their time: the primary key finds the oldest.
            let oldest = EntityID.make(at: now.adding(seconds: -Double(Self.auditKeptDays) * 86_400))
            try connection.query("DELETE FROM audit_log WHERE id < $1", [.id(oldest)])
            try connection.query(
                """
                DELETE FROM audit_log WHERE is_frequent
                    AND id <= (SELECT id FROM audit_log WHERE is_frequent ORDER BY id DESC OFFSET $1 LIMIT 1)
                """, [.int(Int64(Self.frequentAuditKept))])
            for statement in Self.expired { try connection.query(statement, [.time(now)]) }
            try connection.query(
                """
                DELETE FROM devices WHERE NOT approved AND credentials_id IS NOT NULL
                    AND requested_at < $1::timestamptz - make_interval(days => $2::integer)
                """, [.time(now), .int(Int64(Self.approvalDays))])
            try connection.query(
                """
                UPDATE devices SET offered_password = NULL, offered_credentials_id = NULL, offered_at = NULL,
                    offer_needs_approval = false
                WHERE offer_needs_approval AND requested_at < $1::timestamptz - make_interval(days => $2::integer)
                """, [.time(now), .int(Int64(Self.approvalDays))])
        }
    }

    private static let expired = [
        "DELETE FROM sessions WHERE expires_at < $1",
        "DELETE FROM api_tokens WHERE expires_at < $1::timestamptz - INTERVAL '30 days'",
        "DELETE FROM enrollment_tokens WHERE expires_at < $1::timestamptz - INTERVAL '30 days'",
        "DELETE FROM sign_in_attempts WHERE last_at < $1::timestamptz - INTERVAL '1 day'",
        "DELETE FROM sign_in_places WHERE last_at < $1::timestamptz - INTERVAL '180 days'",
        "DELETE FROM device_commands WHERE created_at < $1::timestamptz - INTERVAL '90 days'",
        // Registrations the broker never heard of.
        """
        DELETE FROM devices WHERE registered_at IS NULL AND updated_at < $1::timestamptz - INTERVAL '1 hour'
        """,
    ]
}
