import Foundation
package import PlantDomain
import Postgres
package import Sealing

/// A channel with what is needed to send to it.
package struct ChannelTarget: Sendable {
    package let id: EntityID
    package let kind: ChannelKind
    package let url: Secret
    package let secret: Secret?
}

package enum CreateChannelOutcome: Sendable {
    case created
    case tooMany
    /// These plants do not exist.
    case unknownPlants([EntityID])
}

extension Store {
    package static let channelsLimit = 50

    private static let urlColumn = (table: "channels", column: "url")
    private static let secretColumn = (table: "channels", column: "secret")

    /// Oldest first.
    package func channels(limit: Int, offset: Int) async throws -> Page<Channel> {
        try await pool.run { connection in
            let total = try connection.query("SELECT count(*) AS total FROM channels")
            let rows = try connection.query(
                Self.channelColumns + " ORDER BY c.id LIMIT $1 OFFSET $2", [.int(Int64(limit)), .int(Int64(offset))])
            return Page(
                items: try (0..<rows.count).map { try Self.channel(rows[$0]) }, total: Int(try total[0].int("total")))
        }
    }

    package func channel(_ id: EntityID) async throws -> Channel? {
        try await pool.run { try Self.channel($0, id) }
    }

    /// - Parameter unlessKnownAs: a name under which it is remembered that this channel was made once; nil: always.
    package func createChannel(
        _ channel: Channel, url: Secret, secret: Secret?, sealer: Sealer, by origin: Origin,
        unlessKnownAs mark: String? = nil
    ) async throws -> CreateChannelOutcome {
        try await pool.transaction { connection in
            // One at a time, or two could pass the limit together.
            try connection.execute("LOCK TABLE channels IN SHARE ROW EXCLUSIVE MODE")
            if let mark {
                let marked = try connection.query("SELECT 1 AS one FROM settings WHERE name = $1", [.text(mark)])
                guard marked.count == 0 else { return .created }
            }
            guard try connection.query("SELECT 1 AS one FROM channels").count < Self.channelsLimit else {
                return .tooMany
            }
            let unknown = try Self.unknownPlants(channel.plantIDs, on: connection)
            guard unknown.isEmpty else { return .unknownPlants(unknown) }
            let sealedURL = try sealer.seal(url, for: Self.place(Self.urlColumn, channel.id))
            let sealedSecret = try secret.map { try sealer.seal($0, for: Self.place(Self.secretColumn, channel.id)) }
            try connection.query(
                """
                INSERT INTO channels (id, kind, name, url, url_hint, secret, secret_hint, min_severity, plant_ids, rooms,
                    enabled, quiet_hours, inherits_quiet_hours, digest, created_at, updated_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)
                """,
                [
                    .id(channel.id), .text(channel.kind.rawValue), .text(channel.name), .bytes(sealedURL),
                    .text(channel.urlHint), sealedSecret.map { .bytes($0) } ?? .null(.bytes),
                    .text(channel.secretHint), .text(channel.minSeverity.rawValue),
                ] + Self.rest(of: channel) + [.time(channel.createdAt)])
            if let mark {
                try connection.query("INSERT INTO settings (name, value) VALUES ($1, 'true')", [.text(mark)])
            }
            try Self.record("channel.create", .channel(channel), by: origin, at: channel.createdAt, on: connection)
            return .created
        }
    }

    package enum UpdateChannelOutcome: Sendable {
        case updated(Channel)
        case noSuchChannel
        case unknownPlants([EntityID])
    }

    /// - Parameters:
    ///   - url: a new address; nil leaves it.
    ///   - secret: `.cleared` ends signing.
    package func updateChannel(
        _ id: EntityID, url: Secret?, secret: Change<Secret>, sealer: Sealer, by origin: Origin, at now: Timestamp,
        _ change: @Sendable (inout Channel) throws -> Void
    ) async throws -> UpdateChannelOutcome {
        try await pool.transaction { connection in
            try connection.query("SELECT 1 AS one FROM channels WHERE id = $1 FOR NO KEY UPDATE", [.id(id)])
            guard var channel = try Self.channel(connection, id) else { return .noSuchChannel }
            let before = channel
            try change(&channel)
            channel.updatedAt = now
            let unknown = try Self.unknownPlants(channel.plantIDs, on: connection)
                .filter { !(before.plantIDs ?? []).contains($0) }
            guard unknown.isEmpty else { return .unknownPlants(unknown) }
            try connection.query(
                """
                UPDATE channels SET name = $2, url_hint = $3, secret_hint = $4, min_severity = $5, plant_ids = $6,
                    rooms = $7, enabled = $8, quiet_hours = $9, inherits_quiet_hours = $10, digest = $11,
                    updated_at = $12
                WHERE id = $1
                """,
                [
                    .id(id), .text(channel.name), .text(channel.urlHint), .text(channel.secretHint),
                    .text(channel.minSeverity.rawValue),
                ] + Self.rest(of: channel) + [.time(now)])
            if let url {
                // A new address owes nothing to the failures of the old one.
                try connection.query(
                    "UPDATE channels SET url = $2, not_before = NULL, last_error = NULL, last_error_at = NULL WHERE id = $1",
                    [.id(id), .bytes(try sealer.seal(url, for: Self.place(Self.urlColumn, id)))])
                try connection.query(
                    "UPDATE messages SET next_attempt_at = $2 WHERE channel_id = $1 AND state = 'waiting'",
                    [.id(id), .time(now)])
            }
            switch secret {
            case .unchanged: break
            case .cleared: try connection.query("UPDATE channels SET secret = NULL WHERE id = $1", [.id(id)])
            case .set(let secret):
                try connection.query(
                    "UPDATE channels SET secret = $2 WHERE id = $1",
                    [.id(id), .bytes(try sealer.seal(secret, for: Self.place(Self.secretColumn, id)))])
            }
            if before.quietHours != channel.quietHours || before.inheritsQuietHours != channel.inheritsQuietHours {
                try Self.reconsiderQuietHours(of: id, at: now, on: connection)
            }
            if before.isEnabled, !channel.isEnabled { try Self.silence(id, at: now, on: connection) }
            try Self.record(
                "channel.update", .channel(channel), by: origin, at: now,
                details: changes(from: before, to: channel, urlChanged: url != nil, secret), on: connection)
            return .updated(channel)
        }
    }

    /// What waits is dropped with it.
    /// - Returns: false when there is no such channel.
    package func deleteChannel(_ id: EntityID, by origin: Origin, at now: Timestamp) async throws -> Bool {
        try await pool.transaction { connection in
            let deleted = try connection.query("DELETE FROM channels WHERE id = $1 RETURNING name", [.id(id)])
            guard let row = deleted.first else { return false }
            let subject = AuditEntry.Subject("channel", id, try row.text("name"))
            try Self.record("channel.delete", subject, by: origin, at: now, on: connection)
            return true
        }
    }

    /// - Returns: nil when there is no such channel.
    /// - Throws: `SealedValueError` when its address cannot be opened with the keys at hand.
    package func channelTarget(_ id: EntityID, sealer: Sealer) async throws -> ChannelTarget? {
        try await pool.run { connection in
            let rows = try connection.query(
                "SELECT id AS channel_id, kind, url, secret FROM channels WHERE id = $1", [.id(id)])
            return try rows.first.map { try Self.target($0, sealer: sealer) }
        }
    }

    static func target(_ row: PostgresRow, sealer: Sealer) throws -> ChannelTarget {
        let id = try row.id("channel_id")
        return ChannelTarget(
            id: id, kind: ChannelKind(rawValue: try row.text("kind")) ?? .webhook,
            url: try sealer.open(row.bytes("url"), for: place(urlColumn, id)),
            secret: try row.optionalBytes("secret").map { try sealer.open($0, for: place(secretColumn, id)) })
    }

    /// Nobody wants to be told later what was not told while it was off.
    private static func silence(_ id: EntityID, at now: Timestamp, on connection: PostgresConnection) throws {
        try connection.query(
            "UPDATE notifications SET state = 'cancelled' WHERE channel_id = $1 AND state = 'waiting'", [.id(id)])
        try connection.query(
            """
            UPDATE messages SET state = 'failed', finished_at = $2, last_error = 'the channel was switched off'
            WHERE channel_id = $1 AND state = 'waiting'
            """, [.id(id), .time(now)])
    }

    private static func unknownPlants(_ ids: [EntityID]?, on connection: PostgresConnection) throws -> [EntityID] {
        guard let ids, !ids.isEmpty else { return [] }
        let known = try connection.query(
            "SELECT id FROM plants WHERE id = ANY ($1)", [.uuids(ids.map { ($0.high, $0.low) })])
        let found = Set(try (0..<known.count).map { try known[$0].id("id") })
        return ids.filter { !found.contains($0) }
    }

    /// plant_ids … digest, in the order of both statements.
    private static func rest(of channel: Channel) throws -> [PostgresValue] {
        let hours = try channel.quietHours.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        return [
            channel.plantIDs.map { .uuids($0.map { ($0.high, $0.low) }) } ?? .nullUUIDs,
            channel.rooms.map { .texts($0) } ?? .nullTexts, .bool(channel.isEnabled),
            hours.map { .json($0) } ?? .null(.json), .bool(channel.inheritsQuietHours),
            channel.digest.map { .bool($0) } ?? .null(.bool),
        ]
    }

    /// With how it goes with sending.
    private static let channelColumns = """
        SELECT c.*, (
                SELECT count(*) FROM notifications n WHERE n.channel_id = c.id AND n.state = 'waiting'
            ) + (SELECT count(*) FROM messages m WHERE m.channel_id = c.id AND m.state = 'waiting') AS waiting,
            (SELECT count(*) FROM messages m WHERE m.channel_id = c.id AND m.state = 'failed'
                AND m.finished_at > now() - INTERVAL '7 days') AS failed
        FROM channels c
        """

    private static func channel(_ connection: PostgresConnection, _ id: EntityID) throws -> Channel? {
        let rows = try connection.query(channelColumns + " WHERE c.id = $1", [.id(id)])
        return try rows.first.map { try channel($0) }
    }

    static func channel(_ row: PostgresRow) throws -> Channel {
        var channel = Channel(
            id: try row.id("id"), kind: ChannelKind(rawValue: try row.text("kind")) ?? .webhook,
            name: try row.text("name"), urlHint: try row.text("url_hint"),
            secretHint: try row.optionalText("secret_hint"),
            minSeverity: AlertSeverity(rawValue: try row.text("min_severity")) ?? .warning,
            plantIDs: try row.optionalUUIDs("plant_ids")?.map { EntityID(high: $0.0, low: $0.1) },
            rooms: try row.optionalTexts("rooms"), isEnabled: try row.bool("enabled"),
            // A zone that this machine does not know any more is no reason to show nothing.
            quietHours: try row.optionalText("quiet_hours").flatMap {
                try? JSONDecoder().decode(QuietHours.self, from: Data($0.utf8))
            },
            inheritsQuietHours: try row.bool("inherits_quiet_hours"), digest: try row.optionalBool("digest"),
            createdAt: try row.time("created_at"), updatedAt: try row.time("updated_at"))
        channel.delivery.waiting = Int(try row.int("waiting"))
        channel.delivery.failed = Int(try row.int("failed"))
        channel.delivery.lastDeliveredAt = try row.optionalTime("last_delivered_at")
        channel.delivery.lastError = try row.optionalText("last_error")
        channel.delivery.lastErrorAt = try row.optionalTime("last_error_at")
        return channel
    }
}

extension AuditEntry.Subject {
    fileprivate static func channel(_ channel: Channel) -> Self { Self("channel", channel.id, channel.name) }
}

/// Never an address or a secret.
private func changes(
    from before: Channel, to after: Channel, urlChanged: Bool, _ secret: Change<Secret>
) -> [String: String] {
    var changes: [String: String] = [:]
    if before.name != after.name { changes["name"] = after.name }
    if urlChanged { changes["url"] = after.urlHint }
    switch secret {
    case .unchanged: break
    case .cleared: changes["secret"] = ""
    case .set: changes["secret"] = after.secretHint ?? ""
    }
    if before.minSeverity != after.minSeverity { changes["min_severity"] = after.minSeverity.rawValue }
    if before.plantIDs != after.plantIDs {
        changes["plant_ids"] = (after.plantIDs ?? []).map(\.description).joined(separator: " ")
    }
    if before.rooms != after.rooms { changes["rooms"] = (after.rooms ?? []).joined(separator: ", ") }
    if before.isEnabled != after.isEnabled { changes["enabled"] = "\(after.isEnabled)" }
    if before.quietHours != after.quietHours {
        changes["quiet_hours"] = after.quietHours.map { "\($0.from) to \($0.to) \($0.timeZone)" } ?? ""
    }
    if before.inheritsQuietHours != after.inheritsQuietHours {
        changes["inherits_quiet_hours"] = "\(after.inheritsQuietHours)"
    }
    if before.digest != after.digest { changes["digest"] = after.digest.map { "\($0)" } ?? "" }
    return changes
}
