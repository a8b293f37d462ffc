package import PlantDomain
import Postgres
package import Sealing

/// What lets a device in, as far as it is decided before anything is written.
package enum EnrollmentRule: Sendable {
    case open
    case approval
    /// SHA-256 of the token that was shown; nil when there was none.
    case token([UInt8]?)
}

/// New credentials that are written down but not valid yet: they count once the broker knows them.
package struct CredentialsOffer: Sendable {
    package let device: EntityID
    package let id: EntityID
    package let password: Secret
    /// The device was not known before.
    package let isNew: Bool
    /// A member has to say so before the broker lets these in. A device that is let in already keeps its old ones
    /// until then, and the broker is told nothing yet.
    package let approval: Approval
    /// False for a device that is shut out: its new credentials are, too.
    package let isEnabled: Bool

    /// Whether the broker should let these in.
    package var mayConnect: Bool { approval == .given && isEnabled }

    package enum Approval: Sendable { case given, awaited, awaitedBehindOldCredentials }
}

extension Store {
    /// An offer not accepted by then was given up, in seconds. Longer than telling the broker may take.
    package static let offerSeconds = 30.0
    /// Devices that may wait for approval at a time: anybody can ask for it.
    private static let mostWaiting = 200

    static let mqttPassword = (table: "devices", column: "mqtt_password")
    private static let offeredPassword = (table: "devices", column: "offered_password")

    static func place(_ column: (table: String, column: String), _ id: EntityID) -> Sealer.Place {
        Sealer.Place(table: column.table, column: column.column, row: id.description)
    }

    /// Makes a device, or finds the one with this MAC address and updates what it says of itself, and offers it new
    /// credentials. A new one shows only after `accept`.
    package func offerCredentials(
        registering device: Device, rule: EnrollmentRule, sealer: Sealer, at now: Timestamp
    ) async throws -> Result<CredentialsOffer, EnrollmentRefusal> {
        let password = Secret(try Crypto.randomToken())
        return try await pool.transaction { connection in
            let known = try connection.query(
                """
                SELECT id, registered_at IS NOT NULL AS is_registered, approved, enabled, offered_with FROM devices
                WHERE mac_address = $1 FOR UPDATE
                """, [.text(device.macAddress.description)]
            ).first
            let isRegistered = try known?.bool("is_registered") ?? false
            if let known, try !known.bool("enabled") { return .failure(.deviceDisabled) }
            var token: EntityID?
            if case .token(let hash) = rule {
                switch try Self.useToken(hash, unlessUsedAs: known?.optionalID("offered_with"), at: now, connection) {
                case .success(let id): token = id
                case .failure(let refusal): return .failure(refusal)
                }
            }
            if case .approval = rule, known == nil {
                let waiting = try connection.query("SELECT count(*) AS n FROM devices WHERE NOT approved")
                guard try waiting[0].int("n") < Self.mostWaiting else { return .failure(.tooManyWaiting) }
            }
            let id = try Self.upsert(device, on: connection)
            var approval = CredentialsOffer.Approval.given
            if case .approval = rule {
                let isLetIn = try isRegistered && known?.bool("approved") ?? false
                approval = isLetIn ? .awaitedBehindOldCredentials : .awaited
            }
            let offer = CredentialsOffer(
                device: id, id: .make(at: now), password: password, isNew: !isRegistered, approval: approval,
                isEnabled: true)
            try Self.write(offer, with: token, sealer: sealer, at: now, on: connection)
            if approval == .awaitedBehindOldCredentials {
                let subject = AuditEntry.Subject("device", id, device.macAddress.description)
                try Self.record(
                    "device.register", subject, by: .device(id, device.macAddress), at: now,
                    details: ["awaits": "approval"], on: connection)
            }
            return .success(offer)
        }
    }

    /// Offers a device new credentials.
    /// - Returns: nil when there is no such device.
    package func offerCredentials(
        to id: EntityID, sealer: Sealer, at now: Timestamp
    ) async throws -> CredentialsOffer? {
        let password = Secret(try Crypto.randomToken())
        return try await pool.transaction { connection in
            let rows = try connection.query(
                "SELECT approved, enabled FROM devices WHERE id = $1 AND registered_at IS NOT NULL FOR UPDATE",
                [.id(id)])
            guard let row = rows.first else { return nil }
            let offer = CredentialsOffer(
                device: id, id: .make(at: now), password: password, isNew: false,
                approval: try row.bool("approved") ? .given : .awaited, isEnabled: try row.bool("enabled"))
            try Self.write(offer, with: nil, sealer: sealer, at: now, on: connection)
            return offer
        }
    }

    private static func upsert(_ device: Device, on connection: PostgresConnection) throws -> EntityID {
        try connection.query(
            """
            INSERT INTO devices (id, mac_address, name, firmware_version, sensor_types,
                reporting_interval_seconds, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
            ON CONFLICT (mac_address) DO UPDATE SET
                firmware_version = COALESCE(EXCLUDED.firmware_version, devices.firmware_version),
                sensor_types = CASE WHEN EXCLUDED.sensor_types = '{}' THEN devices.sensor_types
                    ELSE EXCLUDED.sensor_types END,
                reporting_interval_seconds =
                    COALESCE(EXCLUDED.reporting_interval_seconds, devices.reporting_interval_seconds),
                updated_at = EXCLUDED.updated_at
            RETURNING id
            """,
            [
                .id(device.id), .text(device.macAddress.description), .text(device.name),
                .text(device.firmwareVersion), .texts(device.sensorTypes),
                .int(device.reportingIntervalSeconds), .time(device.createdAt),
            ])[0].id("id")
    }

    private static func write(
        _ offer: CredentialsOffer, with token: EntityID?, sealer: Sealer, at now: Timestamp,
        on connection: PostgresConnection
    ) throws {
        let sealed = try sealer.seal(offer.password, for: place(offeredPassword, offer.device))
        try connection.query(
            """
            UPDATE devices SET offered_password = $2, offered_credentials_id = $3, offered_at = $4, offered_with = $5,
                offer_needs_approval = $6
            WHERE id = $1
            """,
            [
                .id(offer.device), .bytes(sealed), .id(offer.id), .time(now), .id(token),
                .bool(offer.approval == .awaitedBehindOldCredentials),
            ])
    }

    /// Counts a use of an enrollment token, but for one that was used for the same device's last offer in vain.
    private static func useToken(
        _ hash: [UInt8]?, unlessUsedAs used: EntityID?, at now: Timestamp, _ connection: PostgresConnection
    ) throws -> Result<EntityID, EnrollmentRefusal> {
        guard let hash else { return .failure(.tokenMissing) }
        let rows = try connection.query(
            "SELECT id, max_uses, uses, expires_at FROM enrollment_tokens WHERE token_hash = $1 FOR UPDATE",
            [.bytes(hash)])
        guard let row = rows.first else { return .failure(.tokenUnknown) }
        guard try row.time("expires_at") > now else { return .failure(.tokenExpired) }
        let id = try row.id("id")
        if id == used { return .success(id) }
        guard try row.int("uses") < row.int("max_uses") else { return .failure(.tokenUsedUp) }
        try connection.query("UPDATE enrollment_tokens SET uses = uses + 1 WHERE id = $1", [.id(id)])
        return .success(id)
    }

    /// The broker knows the new credentials: from now on they are the device's.
    /// - Returns: whether the device may connect now, which may have been decided anew meanwhile; nil when they are not
    ///   on offer any more: newer ones were made, the device was deleted, or it took too long.
    package func accept(
        _ offer: CredentialsOffer, action: String, sealer: Sealer, by origin: Origin, at now: Timestamp
    ) async throws -> Bool? {
        let sealed = try sealer.seal(offer.password, for: Self.place(Self.mqttPassword, offer.device))
        return try await pool.transaction { connection in
            let rows = try connection.query(
                """
                UPDATE devices SET mqtt_password = $3, credentials_id = offered_credentials_id, approved = $4,
                    registered_at = COALESCE(registered_at, $5), needs_enrollment = false, offered_password = NULL,
                    offered_credentials_id = NULL, offered_with = NULL, offered_at = NULL, offer_needs_approval = false
                WHERE id = $1 AND offered_credentials_id = $2 AND offered_at > $6
                RETURNING name, approved AND enabled AS may_connect
                """,
                [
                    .id(offer.device), .id(offer.id), .bytes(sealed), .bool(offer.approval == .given), .time(now),
                    .time(now.adding(microseconds: Int64(-(Self.offerSeconds - 5) * 1e6))),
                ])
            guard let row = rows.first else { return nil }
            let subject = AuditEntry.Subject("device", offer.device, try row.text("name"))
            let details = action == "device.register" ? ["known_before": "\(!offer.isNew)"] : [:]
            try Self.record(action, subject, by: origin, at: now, details: details, on: connection)
            return try row.bool("may_connect")
        }
    }

    /// Takes an offer back that the broker was not told of. The token it was made with may be used for the next one.
    package func withdraw(_ offer: CredentialsOffer) async throws {
        try await pool.run { connection in
            try connection.query(
                """
                UPDATE devices SET offered_password = NULL, offered_credentials_id = NULL, offered_at = NULL
                WHERE id = $1 AND offered_credentials_id = $2
                """, [.id(offer.device), .id(offer.id)])
            return
        }
    }

    /// Lets a device in that waits for it, or its new credentials.
    /// - Returns: false when there is no such device.
    /// - Throws: `SealedValueError` when the waiting credentials cannot be opened any more.
    package func approve(_ id: EntityID, sealer: Sealer, by origin: Origin, at now: Timestamp) async throws -> Bool {
        try await pool.transaction { connection in
            let rows = try connection.query(
                """
                SELECT name, approved, offer_needs_approval, offered_password FROM devices
                WHERE id = $1 AND registered_at IS NOT NULL FOR UPDATE
                """, [.id(id)])
            guard let row = rows.first else { return false }
            let subject = AuditEntry.Subject("device", id, try row.text("name"))
            if try row.bool("offer_needs_approval") {
                let password = try sealer.open(row.bytes("offered_password"), for: Self.place(Self.offeredPassword, id))
                let sealed = try sealer.seal(password, for: Self.place(Self.mqttPassword, id))
                try connection.query(
                    """
                    UPDATE devices SET mqtt_password = $2, credentials_id = offered_credentials_id,
                        needs_enrollment = false, offered_password = NULL, offered_credentials_id = NULL,
                        offered_with = NULL, offered_at = NULL, offer_needs_approval = false
                    WHERE id = $1
                    """, [.id(id), .bytes(sealed)])
            } else if try row.bool("approved") {
                return true
            }
            try connection.query(
                "UPDATE devices SET approved = true, updated_at = $2 WHERE id = $1", [.id(id), .time(now)])
            try Self.record("device.approve", subject, by: origin, at: now, on: connection)
            return true
        }
    }
}

extension Origin {
    package static func device(
        _ id: EntityID, _ mac: MACAddress, address: String? = nil, correlationID: String? = nil
    ) -> Origin {
        Origin(.device, id: id, name: mac.description, address: address, correlationID: correlationID)
    }
}
