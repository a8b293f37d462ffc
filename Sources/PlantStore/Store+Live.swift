package import PlantDomain
import Postgres

extension Store {
    /// These plants as a page of the list shows them, in no order; those that are gone are left out.
    package func plants(_ ids: Set<EntityID>, at now: Timestamp) async throws -> [Plant] {
        guard !ids.isEmpty else { return [] }
        let found = try await pool.run { connection in
            try Self.plants(connection, "SELECT * FROM plants WHERE id = ANY ($1)", [.ids(ids)]).items
        }
        return try await withLightOfYesterday(found, at: now)
    }

    /// These devices as the list shows them, with the time of their newest reading.
    package func devices(_ ids: Set<EntityID>) async throws -> [(device: Device, readingAt: Timestamp?)] {
        guard !ids.isEmpty else { return [] }
        return try await pool.run { connection in
            let devices = try Self.devices(connection, "SELECT * FROM devices WHERE id = ANY ($1)", [.ids(ids)]).items
            let rows = try connection.query(
                "SELECT device_id, reading_at FROM device_state WHERE device_id = ANY ($1)", [.ids(ids)])
            var readings: [EntityID: Timestamp] = [:]
            for index in 0..<rows.count {
                readings[try rows[index].id("device_id")] = try rows[index].optionalTime("reading_at")
            }
            return devices.map { ($0, readings[$0.id]) }
        }
    }

    /// What looks different because time has passed and not because anybody did anything: devices that fell silent, plants
    /// whose values became too old, or whose snooze is over.
    package func changesByTime(after: Timestamp, until: Timestamp) async throws -> LiveChanges {
        try await pool.run { connection in
            let rows = try connection.query(
                LiveSQL.changesByTime, [.time(after), .time(until), .double(Device.defaultReportingInterval)])
            var changes = LiveChanges()
            for index in 0..<rows.count {
                if let device = try rows[index].optionalID("device_id") { changes.heard.insert(device) }
                if let plant = try rows[index].optionalID("plant_id") { changes.doubtfulPlants.insert(plant) }
            }
            return changes
        }
    }

    /// Tells those who watch when this transaction is committed.
    static func announce(_ changes: LiveChanges, on connection: PostgresConnection) throws(PostgresError) {
        try announce(changes.payloads, on: connection)
    }

    static func announce(_ payloads: [String], on connection: PostgresConnection) throws(PostgresError) {
        guard !payloads.isEmpty else { return }
        try connection.query(
            "SELECT pg_notify('\(LiveChanges.channel)', payload) IS NULL AS done FROM unnest($1::text[]) AS payload",
            [.texts(payloads)])
    }
}

extension PostgresValue {
    fileprivate static func ids(_ ids: Set<EntityID>) -> PostgresValue { .uuids(ids.map { ($0.high, $0.low) }) }
}

private enum LiveSQL {
    /// As `Device.silenceAllowed` and `Plant.silenceAllowedSeconds` have it.
    static let changesByTime = """
        WITH allowed AS (
            SELECT s.*, a.plant_id, GREATEST(180, 3 * COALESCE(
                d.reporting_interval_seconds, s.learned_interval_seconds, $3)) * INTERVAL '1 second' AS silence
            FROM device_state s JOIN devices d ON d.id = s.device_id
            LEFT JOIN device_assignments a ON a.device_id = d.id AND a.unassigned_at IS NULL
        )
        SELECT device_id, NULL::uuid AS plant_id FROM allowed
        WHERE last_seen_at >= $1::timestamptz - silence AND last_seen_at < $2::timestamptz - silence
        UNION ALL
        SELECT NULL, plant_id FROM (
            SELECT plant_id, max(silence) OVER (PARTITION BY plant_id) AS silence,
                ARRAY[reading_at, \(Metric.allCases.map { $0.name + "_at" }.joined(separator: ", "))] AS times
            FROM allowed WHERE plant_id IS NOT NULL
        ) measured
        WHERE EXISTS (
            SELECT FROM unnest(times) AS time
            WHERE time >= $1::timestamptz - silence AND time < $2::timestamptz - silence)
        UNION ALL
        SELECT NULL, id FROM plants WHERE snoozed_until > $1 AND snoozed_until <= $2
        """
}
