package import PlantDomain
import Postgres

/// Which alerts are asked for; nil: all.
package struct AlertFilter: Sendable {
    package enum State: String, Sendable, CaseIterable {
        case pending, firing, resolved
        /// Pending or firing.
        case open
    }

    package var state: State?
    package var kind: AlertKind?
    package var plant: EntityID?
    package var device: EntityID?
    /// Still open, or over at this time or later.
    package var from: Timestamp?

    package init() {}
}

/// Whom an alert was told to, and what became of it.
package struct AlertDelivery: Sendable {
    package enum State: String, Sendable, CaseIterable { case waiting, sent, failed, cancelled, skipped }

    package let channelID: EntityID
    package let channelName: String
    package let event: AlertEvent
    package let state: State
    package let at: Timestamp
    package let sentAt: Timestamp?
    package let attempts: Int
    package let error: String?
}

package enum AcknowledgeOutcome: Sendable {
    case acknowledged(Alert)
    case noSuchAlert
    case notFiring(AlertState)
}

extension Store {
    /// Newest first.
    package func alerts(_ filter: AlertFilter, limit: Int, offset: Int) async throws -> Page<Alert> {
        try await pool.run { connection in
            let condition = """
                ($1::text IS NULL OR state = $1 OR $1 = 'open' AND state <> 'resolved')
                AND ($2::text IS NULL OR kind = $2) AND ($3::uuid IS NULL OR plant_id = $3)
                AND ($4::uuid IS NULL OR device_id = $4)
                AND ($5::timestamptz IS NULL OR resolved_at IS NULL OR resolved_at >= $5) AND kind = ANY ($6)
                """
            let values: [PostgresValue] = [
                .text(filter.state?.rawValue), .text(filter.kind?.rawValue), .id(filter.plant), .id(filter.device),
                filter.from.map { .time($0) } ?? .null(.timestamp),
                // A newer version may have known more.
                .texts(AlertKind.allCases.map(\.rawValue)),
            ]
            // Planned for these values each time: a plan for any values would read the whole table.
            let total = try connection.query(
                "SELECT count(*) AS total FROM alerts WHERE \(condition)", values, once: true)
            let rows = try connection.query(
                "SELECT * FROM alerts WHERE \(condition) ORDER BY started_at DESC, id DESC LIMIT $7 OFFSET $8",
                values + [.int(Int64(limit)), .int(Int64(offset))], once: true)
            return Page(
                items: try rows.map { row throws(PostgresError) in try Alert(row) },
                total: Int(try total[0].int("total")))
        }
    }

    /// Those that exist of these, in any order.
    package func alerts(_ ids: [EntityID]) async throws -> [Alert] {
        try await pool.run { connection in
            try connection.query(
                "SELECT * FROM alerts WHERE id = ANY ($1) AND kind = ANY ($2)",
                [.uuids(ids.map { ($0.high, $0.low) }), .texts(AlertKind.allCases.map(\.rawValue))]
            ).map { row throws(PostgresError) in try Alert(row) }
        }
    }

    /// An alert and whom it was told to, oldest first.
    package func alert(_ id: EntityID) async throws -> (alert: Alert, deliveries: [AlertDelivery])? {
        try await pool.run { connection in
            guard let row = try connection.query("SELECT * FROM alerts WHERE id = $1", [.id(id)]).first else {
                return nil
            }
            let deliveries = try connection.query(
                """
                SELECT n.channel_id, c.name, n.event, n.created_at, m.finished_at, COALESCE(m.attempts, 0) AS attempts,
                    m.last_error, CASE
                        WHEN n.state <> 'composed' THEN n.state WHEN m.state = 'sent' THEN 'sent'
                        WHEN m.state = 'failed' THEN 'failed' ELSE 'waiting' END AS state
                FROM notifications n JOIN channels c ON c.id = n.channel_id
                LEFT JOIN messages m ON m.id = n.message_id
                WHERE n.alert_id = $1 ORDER BY n.seq
                """, [.id(id)]
            ).map { row throws(PostgresError) in
                let state = AlertDelivery.State(rawValue: try row.text("state")) ?? .waiting
                return AlertDelivery(
                    channelID: try row.id("channel_id"), channelName: try row.text("name"),
                    event: AlertEvent(rawValue: try row.text("event")) ?? .fired, state: state,
                    at: try row.time("created_at"),
                    sentAt: state == .sent ? try row.optionalTime("finished_at") : nil,
                    attempts: Int(try row.int("attempts")), error: try row.optionalText("last_error"))
            }
            return (try Alert(row), deliveries)
        }
    }

    /// Somebody has seen it: no more reminders, and what was not told yet need not be.
    package func acknowledgeAlert(
        _ id: EntityID, by origin: Origin, name: String, at now: Timestamp
    ) async throws -> AcknowledgeOutcome {
        try await pool.transaction { connection in
            let rows = try connection.query("SELECT * FROM alerts WHERE id = $1 FOR UPDATE", [.id(id)])
            guard let row = rows.first else { return .noSuchAlert }
            var alert = try Alert(row)
            guard alert.state == .firing else { return .notFiring(alert.state) }
            guard alert.acknowledgedAt == nil else { return .acknowledged(alert) }
            alert.acknowledgedAt = now
            alert.acknowledgedBy = name
            try connection.query(
                "UPDATE alerts SET acknowledged_at = $2, acknowledged_by = $3, remind_at = NULL WHERE id = $1",
                [.id(id), .time(now), .text(name)])
            try connection.query(
                "UPDATE notifications SET state = 'cancelled' WHERE alert_id = $1 AND state = 'waiting'", [.id(id)])
            try Self.record(
                "alert.acknowledge", AuditEntry.Subject("alert", id, alert.plantName ?? alert.deviceName), by: origin,
                at: now, details: ["kind": alert.subject.kind.rawValue], on: connection)
            try Self.announce([id], on: connection)
            return .acknowledged(alert)
        }
    }

    /// Nothing is told of a plant until then; nil ends that.
    /// - Returns: nil when there is no such plant.
    package func snoozePlant(
        _ id: EntityID, until: Timestamp?, by origin: Origin, at now: Timestamp
    ) async throws -> Plant? {
        try await pool.transaction { connection in
            let rows = try connection.query(
                "SELECT name, snoozed_until FROM plants WHERE id = $1 FOR NO KEY UPDATE", [.id(id)])
            guard let row = rows.first else { return nil }
            let end = until.map { PostgresValue.time($0) } ?? .null(.timestamp)
            try connection.query("UPDATE plants SET snoozed_until = $2 WHERE id = $1", [.id(id), end])
            if let before = try row.optionalTime("snoozed_until") {
                // Reminders that were put off to the end of the snooze go with it.
                try connection.query(
                    "UPDATE alerts SET remind_at = $3 WHERE plant_id = $1 AND state = 'firing' AND remind_at = $2",
                    [.id(id), .time(before), .time(until ?? now)])
            }
            try Self.record(
                "plant.snooze", AuditEntry.Subject("plant", id, try row.text("name")), by: origin, at: now,
                details: ["until": until?.rfc3339 ?? ""], on: connection)
            return try Self.plant(connection, id)
        }
    }

    /// Writes down what was found out about the system itself, or about the light of a day.
    package func note(_ findings: [AlertFinding], detail: String? = nil, at now: Timestamp) async throws {
        try await pool.transaction { connection in
            var ledger = AlertLedger(try Self.alertSettings(on: connection), at: now, on: connection)
            for finding in findings { try ledger.apply(finding, detail: detail) }
            try ledger.announce()
        }
    }

    /// Tells again what has been told before, for it has come closer.
    package func tellAgain(_ subject: AlertSubject, value: Double, detail: String, at now: Timestamp) async throws {
        try await pool.transaction { connection in
            let rows = try connection.query(
                """
                UPDATE alerts SET value = $2, detail = $3, acknowledged_at = NULL, acknowledged_by = NULL
                WHERE subject_key = $1 AND state = 'firing' RETURNING id
                """, [.text(subject.key), .double(value), .text(detail)])
            guard let row = rows.first else { return }
            var ledger = AlertLedger(try Self.alertSettings(on: connection), at: now, on: connection)
            try ledger.tell(.reminder, row.id("id"))
            try ledger.announce()
        }
    }

    /// Which of a plant's limits of light fire, and since when.
    package func openLightAlerts(of plant: EntityID) async throws -> [(direction: LimitDirection, since: Timestamp)] {
        try await pool.run { connection in
            let rows = try connection.query(
                """
                SELECT direction, started_at FROM alerts WHERE plant_id = $1 AND state = 'firing'
                    AND kind = 'threshold' AND metric = 'light_level'
                """, [.id(plant)])
            return try (0..<rows.count).compactMap { index in
                guard let direction = LimitDirection(rawValue: try rows[index].text("direction")) else { return nil }
                return (direction, try rows[index].time("started_at"))
            }
        }
    }

    /// The value an open alert was told with; nil when there is none.
    package func openAlertValue(_ subject: AlertSubject) async throws -> (value: Double?, severity: AlertSeverity)? {
        try await pool.run { connection in
            let rows = try connection.query(
                "SELECT value, severity FROM alerts WHERE subject_key = $1 AND state = 'firing'", [.text(subject.key)])
            guard let row = rows.first else { return nil }
            return (try row.optionalDouble("value"), AlertSeverity(rawValue: try row.text("severity")) ?? .warning)
        }
    }

    /// Reminds of what still fires and nobody has acknowledged. Of a silent device its silence is told, not what it
    /// said before.
    /// - Returns: of how many alerts.
    @discardableResult
    package func remind(at now: Timestamp) async throws -> Int {
        try await pool.transaction { connection in
            let settings = try Self.alertSettings(on: connection)
            guard settings.cooldownMinutes > 0 else {
                try connection.query("UPDATE alerts SET remind_at = NULL WHERE remind_at <= $1", [.time(now)])
                return 0
            }
            let rows = try connection.query(
                """
                SELECT a.id, a.kind <> 'device_offline' AND s.offline_since IS NOT NULL AS silent, p.snoozed_until,
                    EXISTS (SELECT 1 FROM notifications n WHERE n.alert_id = a.id AND n.state = 'waiting') AS untold,
                    CASE WHEN a.metric = ANY ($2) THEN (to_jsonb(s) ->> a.metric)::double precision
                        ELSE (s.extra -> a.metric ->> 0)::double precision END AS value, a.direction, a.limit_value
                FROM alerts a
                -- Of the devices that say so, one that still speaks.
                LEFT JOIN LATERAL (SELECT * FROM device_state WHERE device_id = ANY (a.devices)
                    ORDER BY offline_since NULLS FIRST, last_seen_at DESC LIMIT 1) s ON true
                LEFT JOIN plants p ON p.id = a.plant_id AND p.snoozed_until > $1
                WHERE a.state = 'firing' AND a.remind_at <= $1 AND a.acknowledged_at IS NULL
                ORDER BY a.id LIMIT 200 FOR UPDATE OF a SKIP LOCKED
                """, [.time(now), .texts(Metric.allCases.map(\.name))])
            var ledger = AlertLedger(settings, at: now, on: connection)
            for index in 0..<rows.count {
                let row = rows[index]
                let id = try row.id("id")
                var later = try row.optionalTime("snoozed_until")
                if let end = later, try row.bool("untold") {
                    // Nobody is reminded of what he is still to be told.
                    later = end.adding(seconds: Double(settings.cooldownMinutes) * 60)
                }
                if later == nil, try row.optionalBool("silent") == true { later = now.adding(seconds: 600) }
                if let later {
                    try connection.query(
                        "UPDATE alerts SET remind_at = $2 WHERE id = $1", [.id(id), .time(later)])
                    continue
                }
                try connection.query(
                    "UPDATE alerts SET reminders = reminders + 1, value = COALESCE($2, value) WHERE id = $1",
                    [.id(id), .double(try Self.valueBeyond(row))])
                try ledger.tell(.reminder, id)
            }
            try ledger.announce()
            return rows.count
        }
    }

    /// The newest value, if it is beyond the limit: between there and recovery nothing is said of it.
    private static func valueBeyond(_ row: PostgresRow) throws(PostgresError) -> Double? {
        guard let value = try row.optionalDouble("value"), let limit = try row.optionalDouble("limit_value") else {
            return nil
        }
        return try row.optionalText("direction") == LimitDirection.min.rawValue
            ? (value < limit ? value : nil) : (value > limit ? value : nil)
    }

    /// How many messages went to the dead letters since then.
    package func deadLetters(since: Timestamp) async throws -> Int {
        try await pool.run { connection in
            Int(
                try connection.query(
                    "SELECT count(*) AS n FROM dead_letters WHERE received_at >= $1", [.time(since)])[0].int("n"))
        }
    }

    static func announce(_ ids: [EntityID], on connection: PostgresConnection) throws(PostgresError) {
        for start in stride(from: 0, to: ids.count, by: AlertSQL.idsPerAnnouncement) {
            let part = ids[start..<min(ids.count, start + AlertSQL.idsPerAnnouncement)]
            try connection.query(
                "SELECT pg_notify('plantops_alerts', $1) IS NULL AS done",
                [.text(part.map(\.description).joined(separator: ","))])
        }
    }
}
