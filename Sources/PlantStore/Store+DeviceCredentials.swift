package import PlantDomain
import Postgres
package import Sealing

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
    /// The enrollment token of which this took a use.
    let usedToken: EntityID?

    /// For the device to use at the broker, which lets whoever knows it end the device's session: so it tells nothing
    /// and follows from nothing that others know. The broker takes any other as well.
    package let clientID: String

    /// Whether the broker should let these in.
    package var mayConnect: Bool { approval == .given && isEnabled }

    package enum Approval: Sendable { case given, awaited, awaitedBehindOldCredentials }
}

extension Store {
    /// An offer not accepted by then was given up, in seconds. Longer than telling the broker may take.
    package static let offerSeconds = 30.0

    static func clientID() throws -> String { "device-" + (try Crypto.randomToken(bytes: 24)) }

    static let mqttPassword = (table: "devices", column: "mqtt_password")
    static let offeredPassword = (table: "devices", column: "offered_password")

    static func place(_ column: (table: String, column: String), _ id: EntityID) -> Sealer.Place {
        Sealer.Place(table: column.table, column: column.column, row: id.description)
    }

    package enum RotationOutcome: Sendable {
        case offered(CredentialsOffer)
        case noSuchDevice
        /// Others wait for a member's approval; they would be lost.
        case othersWait
    }

    /// Offers a device new credentials.
    package func offerCredentials(to id: EntityID, sealer: Sealer, at now: Timestamp) async throws -> RotationOutcome {
        let password = Secret(try Crypto.randomToken())
        return try await pool.transaction { connection in
            let rows = try connection.query(
                """
                SELECT approved, enabled, offer_needs_approval FROM devices
                WHERE id = $1 AND registered_at IS NOT NULL FOR UPDATE
                """, [.id(id)])
            guard let row = rows.first else { return .noSuchDevice }
            guard try !row.bool("offer_needs_approval") else { return .othersWait }
            let offer = CredentialsOffer(
                device: id, id: .make(at: now), password: password, isNew: false,
                approval: try row.bool("approved") ? .given : .awaited, isEnabled: try row.bool("enabled"),
                usedToken: nil, clientID: try Self.clientID())
            try Self.write(offer, with: nil, sealer: sealer, on: connection)
            return .offered(offer)
        }
    }

    /// The time is the database's: backends whose clocks differ judge the same offer alike.
    static func write(
        _ offer: CredentialsOffer, with token: EntityID?, sealer: Sealer, on connection: PostgresConnection
    ) throws {
        let sealed = try sealer.seal(offer.password, for: place(offeredPassword, offer.device))
        try connection.query(
            """
            UPDATE devices SET offered_password = $2, offered_credentials_id = $3, offered_at = now(),
                offered_with = $4, enrolled_at = CASE WHEN $6 THEN enrolled_at END, offer_needs_approval = $5
            WHERE id = $1
            """,
            [
                .id(offer.device), .bytes(sealed), .id(offer.id), .id(token),
                .bool(offer.approval == .awaitedBehindOldCredentials), .bool(token != nil && offer.usedToken == nil),
            ])
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
                UPDATE devices SET mqtt_password = $3, credentials_id = offered_credentials_id,
                    approved = approved OR $4, registered_at = COALESCE(registered_at, $5), needs_enrollment = false,
                    offered_password = NULL, offered_credentials_id = NULL, offered_at = NULL, enrolled_at = now(),
                    offer_needs_approval = false
                WHERE id = $1 AND offered_credentials_id = $2 AND offered_at > now() - make_interval(secs => $6)
                RETURNING name, approved AND enabled AS may_connect
                """,
                [
                    .id(offer.device), .id(offer.id), .bytes(sealed), .bool(offer.approval == .given), .time(now),
                    .double(Self.offerSeconds - 5),
                ])
            guard let row = rows.first else { return nil }
            let subject = AuditEntry.Subject("device", offer.device, try row.text("name"))
            var details: [String: String] = [:]
            if action == "device.register" { details["known_before"] = "\(!offer.isNew)" }
            if let token = offer.usedToken { details["enrollment_token_id"] = token.description }
            try Self.record(action, subject, by: origin, at: now, details: details, on: connection)
            return try row.bool("may_connect")
        }
    }

    /// Takes an offer back that the broker was not told of, and gives back the use of the token it cost.
    package func withdraw(_ offer: CredentialsOffer) async throws {
        try await pool.transaction { connection in
            let withdrawn = try connection.query(
                """
                UPDATE devices SET offered_password = NULL, offered_credentials_id = NULL, offered_at = NULL,
                    -- What was repeated may be repeated once more.
                    offered_with = CASE WHEN NOT $3 THEN offered_with END
                WHERE id = $1 AND offered_credentials_id = $2
                """, [.id(offer.device), .id(offer.id), .bool(offer.usedToken != nil)])
            guard withdrawn.affected > 0, let token = offer.usedToken else { return }
            try connection.query(
                "UPDATE enrollment_tokens SET uses = GREATEST(uses - 1, 0) WHERE id = $1", [.id(token)])
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
                        offered_at = NULL, offer_needs_approval = false
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

    package enum Rejection: Sendable { case done, noSuchDevice, nothingWaits }

    /// Turns away what waits for approval: new credentials of a known device, or a device that is not let in yet, which
    /// is then forgotten.
    package func reject(_ id: EntityID, by origin: Origin, at now: Timestamp) async throws -> Rejection {
        try await pool.transaction { connection in
            let rows = try connection.query(
                """
                SELECT name, approved, offer_needs_approval FROM devices
                WHERE id = $1 AND registered_at IS NOT NULL FOR UPDATE
                """, [.id(id)])
            guard let row = rows.first else { return .noSuchDevice }
            if try row.bool("offer_needs_approval") {
                try connection.query(
                    """
                    UPDATE devices SET offered_password = NULL, offered_credentials_id = NULL, offered_at = NULL,
                        offer_needs_approval = false
                    WHERE id = $1
                    """, [.id(id)])
            } else if try !row.bool("approved") {
                try connection.query("DELETE FROM devices WHERE id = $1", [.id(id)])
            } else {
                return .nothingWaits
            }
            let subject = AuditEntry.Subject("device", id, try row.text("name"))
            try Self.record("device.reject", subject, by: origin, at: now, on: connection)
            return .done
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
