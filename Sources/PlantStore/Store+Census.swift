package import PlantDomain
import Postgres

/// How many there are of what the database holds, for whoever watches over the installation.
package struct Census: Sendable {
    /// Every status is there.
    package let devices: [DeviceStatus: Int]
    package let plants: Int
    package let deadLetters: Int
    /// Open ones, by state and severity; every combination is there.
    package let alerts: [(state: AlertState, severity: AlertSeverity, count: Int)]
    /// Notifications that no channel has been told of yet, and how long the oldest of those that are due has been.
    package let outbox: (depth: Int, oldestSeconds: Double)
    /// Connections to this database, by what they do.
    package let connections: [(state: String, count: Int)]
}

/// How large the database is, in bytes.
package struct StorageSizes: Sendable {
    package let database: Int64
    /// With indexes, TOAST, and all partitions or chunks.
    package let tables: [(name: String, bytes: Int64)]
}

extension Store {
    package func census(at now: Timestamp) async throws -> Census {
        try await pool.run { connection in
            var devices = Dictionary(uniqueKeysWithValues: DeviceStatus.allCases.map { ($0, 0) })
            let told = try connection.query(
                CensusSQL.devices, [.time(now), .double(Device.defaultReportingInterval)])
            for index in 0..<told.count {
                guard let status = DeviceStatus(rawValue: try told[index].text("status")) else { continue }
                devices[status] = Int(try told[index].int("count"))
            }
            let totals = try connection.query(
                """
                SELECT (SELECT count(*) FROM plants) AS plants, (SELECT count(*) FROM dead_letters) AS dead_letters
                """)[0]
            var open: [AlertState: [AlertSeverity: Int]] = [:]
            let alerts = try connection.query(
                "SELECT state, severity, count(*) AS count FROM alerts WHERE state <> 'resolved' GROUP BY 1, 2")
            for index in 0..<alerts.count {
                guard let state = AlertState(rawValue: try alerts[index].text("state")),
                    let severity = AlertSeverity(rawValue: try alerts[index].text("severity"))
                else { continue }
                open[state, default: [:]][severity] = Int(try alerts[index].int("count"))
            }
            let outbox = try connection.query(CensusSQL.outbox, [.time(now)])[0]
            let connections = try connection.query(
                """
                SELECT state, count(*) AS count FROM pg_stat_activity
                WHERE datname = current_database() AND state IS NOT NULL GROUP BY 1
                """
            ).map { row throws(PostgresError) in (try row.text("state"), Int(try row.int("count"))) }
            return Census(
                devices: devices, plants: Int(try totals.int("plants")),
                deadLetters: Int(try totals.int("dead_letters")),
                alerts: [AlertState.pending, .firing].flatMap { state in
                    AlertSeverity.allCases.map { (state, $0, open[state]?[$0] ?? 0) }
                },
                outbox: (
                    Int(try outbox.int("depth")),
                    try outbox.optionalTime("oldest").map { max(0, now.seconds(since: $0)) } ?? 0
                ), connections: connections)
        }
    }

    package func storageSizes() async throws -> StorageSizes {
        let report = try await pool.run { try Self.sizes($0) }
        return StorageSizes(database: report.bytes, tables: report.tables.map { ($0.name, $0.bytes) })
    }
}

private enum CensusSQL {
    /// As ``Device/status(now:)`` has it.
    static let devices = """
        SELECT CASE WHEN NOT d.enabled THEN 'disabled'
                WHEN s.last_seen_at IS NULL THEN 'provisioning'
                WHEN s.status = 'offline' OR s.last_seen_at < $1::timestamptz - make_interval(
                    secs => GREATEST(180, 3 * COALESCE(
                        d.reporting_interval_seconds, s.learned_interval_seconds, $2))) THEN 'offline'
                ELSE 'online' END AS status, count(*) AS count
        FROM devices d LEFT JOIN device_state s ON s.device_id = d.id
        WHERE d.registered_at IS NOT NULL GROUP BY 1
        """

    /// What is held back on purpose (quiet hours, a snooze, a channel that is switched off) is not late.
    static let outbox = """
        SELECT count(*) AS depth,
            min(GREATEST(n.created_at, n.due_at, p.snoozed_until)) FILTER (
                WHERE c.enabled AND GREATEST(n.due_at, p.snoozed_until) <= $1) AS oldest
        FROM notifications n
        JOIN channels c ON c.id = n.channel_id
        JOIN alerts a ON a.id = n.alert_id
        LEFT JOIN plants p ON p.id = a.plant_id
        LEFT JOIN messages m ON m.id = n.message_id
        WHERE n.state = 'waiting' OR n.state = 'composed' AND m.state = 'waiting'
        """
}
