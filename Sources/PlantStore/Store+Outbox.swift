import Foundation
package import PlantDomain
import Postgres
package import Sealing

/// A message somebody has taken upon himself to send.
package struct ClaimedMessage: Sendable {
    package let message: AlertMessage
    package let channelID: EntityID
    /// nil when the address cannot be opened with the keys at hand.
    package let target: ChannelTarget?
    /// Counts this one.
    package let attempt: Int
}

/// What became of an attempt to send a message.
package enum DeliveryResult: Sendable {
    /// - Parameter pauseSeconds: nothing may be sent to the channel before that.
    case sent(status: Int, pauseSeconds: Double?)
    /// - Parameters:
    ///   - afterSeconds: until the next attempt.
    ///   - pausing: what the other side asked us not to use before.
    case again(afterSeconds: Double, pausing: Pause, status: Int?, reason: String)
    case given(up: String, status: Int?)

    package enum Pause: Sendable {
        case nothing, channel
        /// Every channel of its kind: Discord counts by address, too.
        case kind
    }
}

extension Store {
    /// Longest a sender may take; then another one sends the message again.
    private static let claimSeconds = 30.0
    /// A message that could not be sent for so long is given up, in seconds.
    package static let deliverySeconds = 86_400.0
    private static let composeMost: Int64 = 2000

    /// Makes messages of what waits.
    /// - Returns: how many.
    @discardableResult
    package func composeMessages(at now: Timestamp) async throws -> Int {
        try await pool.transaction { connection in
            // While a message of a channel does not get through, what comes is gathered: it becomes one message then.
            let channels = try connection.query(
                """
                SELECT c.*, 0::bigint AS waiting, 0::bigint AS failed FROM channels c
                WHERE c.enabled
                    AND EXISTS (SELECT 1 FROM notifications n JOIN alerts a ON a.id = n.alert_id
                        LEFT JOIN plants p ON p.id = a.plant_id
                        WHERE n.channel_id = c.id AND n.state = 'waiting' AND n.due_at <= $1
                            AND (p.snoozed_until IS NULL OR p.snoozed_until <= $1))
                    AND NOT EXISTS (SELECT 1 FROM messages m
                        WHERE m.channel_id = c.id AND m.state = 'waiting' AND m.attempts > 0)
                ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED
                """, [.time(now)])
            guard channels.count > 0 else { return 0 }
            let settings = try Self.alertSettings(on: connection)
            var made = 0
            for index in 0..<channels.count {
                made += try Self.compose(try Self.channel(channels[index]), settings, at: now, on: connection)
            }
            return made
        }
    }

    private static func compose(
        _ channel: Channel, _ settings: AlertSettings, at now: Timestamp, on connection: PostgresConnection
    ) throws -> Int {
        let rows = try connection.query(
            """
            SELECT n.id, n.alert_id, n.event, n.severity, n.group_key, n.notice, n.deferred,
                COALESCE(a.plant_id, a.device_id) AS about, GREATEST(n.created_at, n.due_at, p.snoozed_until) AS since
            FROM notifications n JOIN alerts a ON a.id = n.alert_id LEFT JOIN plants p ON p.id = a.plant_id
            WHERE n.channel_id = $1 AND n.state = 'waiting' AND n.due_at <= $2
                AND (p.snoozed_until IS NULL OR p.snoozed_until <= $2)
            ORDER BY n.seq LIMIT $3
            FOR UPDATE OF n SKIP LOCKED
            """, [.id(channel.id), .time(now), .int(composeMost)])
        var notices: [EntityID: AlertNotice] = [:]
        var waiting: [WaitingNotification] = []
        for index in 0..<rows.count {
            let row = rows[index]
            let id = try row.id("id")
            notices[id] = try JSONDecoder().decode(AlertNotice.self, from: Data(row.text("notice").utf8))
            waiting.append(
                WaitingNotification(
                    id: id, alert: try row.id("alert_id"),
                    event: AlertEvent(rawValue: try row.text("event")) ?? .fired,
                    severity: AlertSeverity(rawValue: try row.text("severity")) ?? .warning,
                    group: try row.text("group_key"), about: try row.optionalID("about"),
                    since: try row.time("since"), isDeferred: try row.bool("deferred")))
        }
        let hours = channel.quietHours ?? (channel.inheritsQuietHours ? settings.quietHours : nil)
        let quietUntil = hours?.end(after: now)
        let plan = MessagePlan(
            waiting, recent: try recentMessages(channel.id, at: now, on: connection), isQuiet: quietUntil != nil,
            digest: channel.digest ?? settings.digest, now: now)
        if let quietUntil, !plan.deferred.isEmpty {
            try connection.query(
                "UPDATE notifications SET due_at = $2, deferred = true WHERE id = ANY ($1)",
                [.uuids(plan.deferred.map { ($0.high, $0.low) }), .time(quietUntil)])
        }
        if !plan.skipped.isEmpty {
            let skipped = PostgresValue.uuids(plan.skipped.map { ($0.high, $0.low) })
            try connection.query("UPDATE notifications SET state = 'skipped' WHERE id = ANY ($1)", [skipped])
            // What nobody was told begins no cooldown.
            try connection.query(
                """
                UPDATE alerts SET notified_at = NULL FROM notifications s
                WHERE s.id = ANY ($1) AND alerts.id = s.alert_id AND NOT EXISTS (
                    SELECT 1 FROM notifications n WHERE n.alert_id = alerts.id AND n.state IN ('waiting', 'composed'))
                """, [skipped])
        }
        for planned in plan.messages {
            let message = AlertMessage(
                id: .make(at: now), kind: planned.kind, createdAt: now,
                notices: planned.notifications.compactMap { notices[$0] })
            try insert(message, group: planned.group, channel: channel.id, at: now, on: connection)
            try connection.query(
                "UPDATE notifications SET state = 'composed', message_id = $2 WHERE id = ANY ($1)",
                [.uuids(planned.notifications.map { ($0.high, $0.low) }), .id(message.id)])
            let told = Set(message.notices.filter { $0.event != .resolved }.map(\.alertID))
            try connection.query(
                "UPDATE alerts SET notified_at = $2 WHERE id = ANY ($1) AND notified_at IS NOT NULL",
                [.uuids(told.map { ($0.high, $0.low) }), .time(now)])
        }
        return plan.messages.count
    }

    private static func insert(
        _ message: AlertMessage, group: String, channel: EntityID, at now: Timestamp, on connection: PostgresConnection
    ) throws {
        let content = String(decoding: try JSONEncoder().encode(message), as: UTF8.self)
        try connection.query(
            """
            INSERT INTO messages (id, channel_id, group_key, content, created_at, next_attempt_at)
            VALUES ($1, $2, $3, $4, $5, $5)
            """, [.id(message.id), .id(channel), .text(group), .json(content), .time(now)])
    }

    private static func recentMessages(
        _ channel: EntityID, at now: Timestamp, on connection: PostgresConnection
    ) throws -> [RecentMessage] {
        let rows = try connection.query(
            """
            SELECT m.group_key, m.created_at, (
                SELECT array_agg(COALESCE(a.plant_id, a.device_id)) FROM notifications n
                JOIN alerts a ON a.id = n.alert_id WHERE n.message_id = m.id AND n.event = 'fired') AS began
            FROM messages m WHERE m.channel_id = $1 AND m.created_at > $2
            """, [.id(channel), .time(now.adding(seconds: -MessagePlan.followUpSeconds))])
        return try (0..<rows.count).map { index in
            let began = (try rows[index].optionalUUIDs("began") ?? []).map { EntityID(high: $0.0, low: $0.1) }
            return RecentMessage(
                group: try rows[index].text("group_key"), at: try rows[index].time("created_at"), began: Set(began))
        }
    }

    /// Takes messages to be sent now, each channel's oldest only: what is told is told in order.
    package func claimMessages(_ most: Int, sealer: Sealer, at now: Timestamp) async throws -> [ClaimedMessage] {
        try await pool.transaction { connection in
            let rows = try connection.query(
                """
                UPDATE messages SET claimed_until = $1::timestamptz + make_interval(secs => $3), attempts = attempts + 1
                FROM (
                    SELECT m.id, c.kind, c.url, c.secret FROM messages m JOIN channels c ON c.id = m.channel_id
                    WHERE m.state = 'waiting' AND m.next_attempt_at <= $1 AND c.enabled
                        AND (c.not_before IS NULL OR c.not_before <= $1)
                        AND (m.claimed_until IS NULL OR m.claimed_until < $1)
                        AND NOT EXISTS (SELECT 1 FROM messages e
                            WHERE e.channel_id = m.channel_id AND e.state = 'waiting' AND e.seq < m.seq)
                    ORDER BY m.next_attempt_at LIMIT $2 FOR UPDATE OF m SKIP LOCKED
                ) due WHERE messages.id = due.id
                RETURNING messages.channel_id, messages.content, messages.attempts, due.kind, due.url, due.secret
                """, [.time(now), .int(Int64(most)), .double(Self.claimSeconds)])
            return try (0..<rows.count).map { index in
                let row = rows[index]
                return ClaimedMessage(
                    message: try JSONDecoder().decode(AlertMessage.self, from: Data(row.text("content").utf8)),
                    channelID: try row.id("channel_id"), target: try? Self.target(row, sealer: sealer),
                    attempt: Int(try row.int("attempts")))
            }
        }
    }

    /// Writes down what became of an attempt. After a day of attempts the message is given up.
    package func settle(_ claimed: ClaimedMessage, _ result: DeliveryResult, at now: Timestamp) async throws {
        try await pool.transaction { connection in
            let id = claimed.message.id
            // First, as everybody does who takes both; and in one order, for whoever takes several.
            var takesKind = false
            if case .again(_, .kind, _, _) = result { takesKind = true }
            try connection.query(
                """
                SELECT 1 AS one FROM channels WHERE id = $1 OR $2 AND kind = (SELECT kind FROM channels WHERE id = $1)
                ORDER BY id FOR NO KEY UPDATE
                """, [.id(claimed.channelID), .bool(takesKind)])
            switch result {
            case .sent(let status, let pause):
                try connection.query(
                    """
                    UPDATE messages SET state = 'sent', finished_at = $2, last_status = $3, last_error = NULL
                    WHERE id = $1 AND state = 'waiting'
                    """, [.id(id), .time(now), .int(status)])
                try connection.query(
                    """
                    UPDATE channels SET last_delivered_at = $2, last_error = NULL, last_error_at = NULL,
                        not_before = CASE WHEN not_before > $2 THEN GREATEST(not_before, $3) ELSE $3 END
                    WHERE id = $1
                    """,
                    [
                        .id(claimed.channelID), .time(now),
                        pause.map { .time(now.adding(seconds: $0)) } ?? .null(.timestamp),
                    ])
            case .again(let seconds, let pause, let status, let reason):
                let next = now.adding(seconds: seconds)
                let isOver = next.seconds(since: claimed.message.createdAt) > Self.deliverySeconds
                guard !isOver else {
                    try Self.giveUp(claimed, "given up after a day: \(reason)", status, at: now, on: connection)
                    return
                }
                try connection.query(
                    """
                    UPDATE messages SET next_attempt_at = $2, claimed_until = NULL, last_status = $3, last_error = $4
                    WHERE id = $1 AND state = 'waiting' AND attempts = $5
                    """, [.id(id), .time(next), .int(status), .text(reason), .int(claimed.attempt)])
                try connection.query(
                    """
                    UPDATE channels SET last_error = $2, last_error_at = $3 WHERE id = $1
                    """, [.id(claimed.channelID), .text(reason), .time(now)])
                guard pause != .nothing else { return }
                try connection.query(
                    """
                    UPDATE channels SET not_before = GREATEST(not_before, $2)
                    WHERE id = $1 OR $3 AND kind = (SELECT kind FROM channels WHERE id = $1)
                    """, [.id(claimed.channelID), .time(next), .bool(pause == .kind)])
            case .given(let reason, let status):
                try Self.giveUp(claimed, reason, status, at: now, on: connection)
            }
        }
    }

    private static func giveUp(
        _ claimed: ClaimedMessage, _ reason: String, _ status: Int?, at now: Timestamp,
        on connection: PostgresConnection
    ) throws {
        try connection.query(
            """
            UPDATE messages SET state = 'failed', finished_at = $2, last_status = $3, last_error = $4
            WHERE id = $1 AND state = 'waiting' AND attempts = $5
            """, [.id(claimed.message.id), .time(now), .int(status), .text(reason), .int(claimed.attempt)])
        try connection.query(
            "UPDATE channels SET last_error = $2, last_error_at = $3 WHERE id = $1",
            [.id(claimed.channelID), .text(reason), .time(now)])
    }

    /// How long what was told, and what alerts there were, is remembered.
    package static let deliveriesKeptDays = 90
    package static let alertsKeptDays = 730

    /// Whoever was told that something began is still to be told that it is over.
    private static let isOver = """
        NOT EXISTS (SELECT 1 FROM notifications n JOIN alerts a ON a.id = n.alert_id
            WHERE n.message_id = messages.id AND a.state <> 'resolved')
        """

    package func trimAlerts(at now: Timestamp) async throws {
        try await pool.run { connection in
            let old = PostgresValue.time(now.adding(seconds: -Double(Self.deliveriesKeptDays) * 86_400))
            let ancient = PostgresValue.time(now.adding(seconds: -Double(Self.alertsKeptDays) * 86_400))
            // So many at a time that each is done well within what a statement may take; the rest an hour later. With
            // messages and alerts go their notifications.
            for (table, condition, time) in [
                ("messages", "state <> 'waiting' AND finished_at < $1 AND \(Self.isOver)", old),
                ("notifications", "state IN ('cancelled', 'skipped') AND created_at < $1", old),
                ("alerts", "state = 'resolved' AND resolved_at < $1", ancient),
            ] {
                try connection.query(
                    "DELETE FROM \(table) WHERE id IN (SELECT id FROM \(table) WHERE \(condition) LIMIT 20000)", [time])
            }
        }
    }
}
