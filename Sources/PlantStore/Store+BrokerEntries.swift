package import PlantDomain
import Postgres
package import Sealing

/// What the broker should know of a device.
package struct BrokerEntry: Sendable, Equatable {
    package let device: EntityID
    /// nil for a device from before passwords were kept: whatever the broker knows of it is right.
    package let credentialsID: EntityID?
    package let sealedPassword: [UInt8]?
    /// Credentials somebody is telling the broker of right now.
    package let underWay: EntityID?
    package let mayConnect: Bool
    /// It was given credentials at some time; without, the broker should not know it.
    package let isRegistered: Bool
    /// Its password was found to be lost.
    package let needsEnrollment: Bool
}

extension Store {
    private static let brokerEntries = """
        SELECT id, credentials_id, mqtt_password, approved AND enabled AS may_connect, needs_enrollment,
            registered_at IS NOT NULL AS is_registered,
            CASE WHEN offered_at > now() - make_interval(secs => $1) AND NOT offer_needs_approval
                THEN offered_credentials_id END AS under_way
        FROM devices
        """

    /// What the broker should know of every device.
    package func brokerEntries() async throws -> [BrokerEntry] {
        try await pool.run { connection in
            let rows = try connection.query(Self.brokerEntries, [.double(Self.offerSeconds)])
            return try (0..<rows.count).map { try Self.brokerEntry(rows[$0]) }
        }
    }

    /// - Returns: nil when there is no such device.
    package func brokerEntry(of device: EntityID) async throws -> BrokerEntry? {
        try await pool.run { connection in
            let rows = try connection.query(
                Self.brokerEntries + " WHERE id = $2", [.double(Self.offerSeconds), .id(device)])
            return try rows.first.map { try Self.brokerEntry($0) }
        }
    }

    private static func brokerEntry(_ row: PostgresRow) throws -> BrokerEntry {
        BrokerEntry(
            device: try row.id("id"), credentialsID: try row.optionalID("credentials_id"),
            sealedPassword: try row.optionalBytes("mqtt_password"), underWay: try row.optionalID("under_way"),
            mayConnect: try row.bool("may_connect"), isRegistered: try row.bool("is_registered"),
            needsEnrollment: try row.bool("needs_enrollment"))
    }

    /// - Throws: `SealedValueError`.
    package static func password(of entry: BrokerEntry, sealer: Sealer) throws -> Secret? {
        try entry.sealedPassword.map { try sealer.open($0, for: place(mqttPassword, entry.device)) }
    }

    package func markNeedsEnrollment(_ device: EntityID, _ value: Bool) async throws {
        try await pool.run { connection in
            try connection.query(
                "UPDATE devices SET needs_enrollment = $2 WHERE id = $1 AND needs_enrollment <> $2",
                [.id(device), .bool(value)])
            return
        }
    }
}
