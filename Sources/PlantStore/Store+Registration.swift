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

extension Store {
    /// Devices that may wait for approval at a time, in all and from one address: anybody can ask for it.
    private static let mostWaiting = 200
    private static let mostWaitingFromAddress = 20

    /// What is known of a MAC address before it is registered (again).
    private struct Known {
        let id: EntityID
        let isRegistered: Bool
        let isApproved: Bool
        let isEnabled: Bool
        /// From where approval was asked for that is still awaited; nil when none is.
        let waitsFor: String?
        /// The token of the last registration, if the device may not have got its answer.
        let unansweredToken: EntityID?
    }

    /// Makes a device, or finds the one with this MAC address and updates what it says of itself, and offers it new
    /// credentials. A new one shows only after `accept`.
    /// - Parameter origin: of the request; the device is named in the record by itself.
    package func offerCredentials(
        registering device: Device, rule: EnrollmentRule, sealer: Sealer, from origin: Origin, at now: Timestamp
    ) async throws -> Result<CredentialsOffer, EnrollmentRefusal> {
        let password = Secret(try Crypto.randomToken())
        return try await pool.transaction { connection in
            let known = try Self.known(device.macAddress, on: connection)
            var token: EntityID?
            switch rule {
            case .open: break
            case .approval:
                if let refusal = try Self.refusal(of: known, from: origin, on: connection) { return .failure(refusal) }
            case .token(let hash):
                switch try Self.token(hash, at: now, repeating: known?.unansweredToken, on: connection) {
                case .success(let found): token = found
                case .failure(let refusal): return .failure(refusal)
                }
            }
            // Said only to whoever would have been let in.
            guard known?.isEnabled ?? true else { return .failure(.deviceDisabled) }
            let approval = Self.approval(rule, known)
            let isRepeated = token != nil && token == known?.unansweredToken
            if let token, !isRepeated {
                try connection.query("UPDATE enrollment_tokens SET uses = uses + 1 WHERE id = $1", [.id(token)])
            }
            // A stranger changes nothing of a device that is let in.
            let id =
                approval == .awaitedBehindOldCredentials
                ? known?.id ?? device.id : try Self.upsert(device, isApproved: approval == .given, on: connection)
            let offer = CredentialsOffer(
                device: id, id: .make(at: now), password: password, isNew: known?.isRegistered != true,
                approval: approval, isEnabled: true, usedToken: isRepeated ? nil : token,
                clientID: try Self.clientID())
            try Self.write(offer, with: token, sealer: sealer, on: connection)
            if approval != .given {
                try connection.query(
                    "UPDATE devices SET requested_from = $2, requested_at = $3 WHERE id = $1",
                    [.id(id), .text(origin.address), .time(now)])
            }
            if approval == .awaitedBehindOldCredentials {
                let subject = AuditEntry.Subject("device", id, device.macAddress.description)
                try Self.record(
                    "device.register", subject, by: origin, at: now, details: ["awaits": "approval"], on: connection)
            }
            return .success(offer)
        }
    }

    private static func approval(_ rule: EnrollmentRule, _ known: Known?) -> CredentialsOffer.Approval {
        guard case .approval = rule else { return .given }
        guard let known, known.isRegistered, known.isApproved else { return .awaited }
        return .awaitedBehindOldCredentials
    }

    private static func known(_ address: MACAddress, on connection: PostgresConnection) throws -> Known? {
        let rows = try connection.query(
            """
            SELECT d.id, d.registered_at IS NOT NULL AS is_registered, d.approved, d.enabled,
                CASE WHEN (d.offer_needs_approval OR NOT d.approved) AND d.registered_at IS NOT NULL
                    AND d.requested_at > now() - make_interval(days => $2::integer) THEN d.requested_from END AS waits_for,
                CASE WHEN d.enrolled_at IS NULL OR d.enrolled_at > now() - INTERVAL '10 minutes' AND NOT EXISTS
                        (SELECT FROM device_state s WHERE s.device_id = d.id AND s.last_seen_at > d.enrolled_at)
                    THEN d.offered_with END AS unanswered_token
            FROM devices d WHERE d.mac_address = $1 FOR UPDATE
            """, [.text(address.description), .int(Int64(approvalDays))])
        guard let row = rows.first else { return nil }
        return Known(
            id: try row.id("id"), isRegistered: try row.bool("is_registered"), isApproved: try row.bool("approved"),
            isEnabled: try row.bool("enabled"), waitsFor: try row.optionalText("waits_for"),
            unansweredToken: try row.optionalID("unanswered_token"))
    }

    /// Whether somebody may ask for approval now.
    private static func refusal(
        of known: Known?, from origin: Origin, on connection: PostgresConnection
    ) throws -> EnrollmentRefusal? {
        // Or somebody who knows the address puts his own request in place of the device's just before it is approved.
        if let waiting = known?.waitsFor, waiting != origin.address { return .othersWait }
        guard known?.isRegistered != true else { return nil }
        let waiting = try connection.query(
            """
            SELECT count(*) AS n, count(*) FILTER (WHERE requested_from = $1) AS here FROM devices WHERE NOT approved
            """, [.text(origin.address)])[0]
        let isFull = try waiting.int("n") >= mostWaiting || waiting.int("here") >= mostWaitingFromAddress
        return isFull ? .tooManyWaiting : nil
    }

    /// The token that was shown, if it is good for one more device; or once more for the one it was used for.
    private static func token(
        _ hash: [UInt8]?, at now: Timestamp, repeating unanswered: EntityID?, on connection: PostgresConnection
    ) throws -> Result<EntityID, EnrollmentRefusal> {
        guard let hash else { return .failure(.tokenMissing) }
        let rows = try connection.query(
            "SELECT id, max_uses, uses, expires_at FROM enrollment_tokens WHERE token_hash = $1 FOR UPDATE",
            [.bytes(hash)])
        guard let row = rows.first else { return .failure(.tokenUnknown) }
        guard try row.time("expires_at") > now else { return .failure(.tokenExpired) }
        let id = try row.id("id")
        guard try id == unanswered || row.int("uses") < row.int("max_uses") else { return .failure(.tokenUsedUp) }
        return .success(id)
    }

    private static func upsert(
        _ device: Device, isApproved: Bool, on connection: PostgresConnection
    ) throws -> EntityID {
        try connection.query(
            """
            INSERT INTO devices (id, mac_address, name, firmware_version, sensor_types,
                reporting_interval_seconds, created_at, updated_at, approved)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)
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
                .int(device.reportingIntervalSeconds), .time(device.createdAt), .bool(isApproved),
            ])[0].id("id")
    }
}
