import PlantDomain
import Postgres

/// Writes down what was found out about alerts, and in the same transaction whom it is to be told.
///
/// Locks are taken in the order devices, device_state, alerts, notifications: whoever calls this holds the lock of the
/// device the finding is about, or needs none. Of one subject there is at most one open alert, whoever comes first.
struct AlertLedger {
    let connection: PostgresConnection
    private let settings: AlertSettings
    /// By our clock.
    private let now: Timestamp
    /// Told in one message, whatever it is: so that an outage of ours ends in one.
    private let outage: String?
    private var touched: [EntityID] = []
    private var transitions: [AlertState: Int] = [:]

    init(_ settings: AlertSettings, at now: Timestamp, outage: String? = nil, on connection: PostgresConnection) {
        self.settings = settings
        self.now = now
        self.outage = outage
        self.connection = connection
    }

    // MARK: findings

    mutating func apply(_ finding: AlertFinding, detail: String? = nil) throws(PostgresError) {
        switch finding.change {
        case .began(let since): try begin(finding, since: since)
        case .lapsed: try lapse(finding.subject)
        case .fired(let since, let severity): try fire(finding, since: since, severity, detail)
        case .escalated: try escalate(finding, detail)
        case .resolved: try resolve(finding)
        }
    }

    private mutating func begin(_ finding: AlertFinding, since: Timestamp) throws(PostgresError) {
        let inserted = try insert(finding, state: .pending, since: since, severity: .warning, detail: nil)
        try touch(inserted)
        if inserted.count > 0 { transitions[.pending, default: 0] += 1 }
        guard inserted.count == 0, let device = finding.subject.device else { return }
        // Another device of the plant saw it first.
        try connection.query(
            """
            UPDATE alerts SET devices = array_append(devices, $2)
            WHERE subject_key = $1 AND state = 'pending' AND NOT devices @> ARRAY[$2::uuid]
            """, [.text(finding.subject.key), .id(device)])
    }

    private mutating func lapse(_ subject: AlertSubject) throws(PostgresError) {
        // Unless another device of the plant still sees it.
        let others = try connection.query(
            """
            UPDATE alerts SET devices = array_remove(devices, $2)
            WHERE subject_key = $1 AND state = 'pending' AND devices <> ARRAY[$2::uuid] AND devices <> '{}'
            """, [.text(subject.key), .id(subject.device)])
        guard others.affected == 0 else { return }
        try touch(
            connection.query(
                "DELETE FROM alerts WHERE subject_key = $1 AND state = 'pending' RETURNING id", [.text(subject.key)]))
    }

    private mutating func fire(
        _ finding: AlertFinding, since: Timestamp, _ severity: AlertSeverity, _ detail: String?
    ) throws(PostgresError) {
        let inserted = try insert(finding, state: .firing, since: since, severity: severity, detail: detail)
        if let row = inserted.first { return try tell(.fired, row.id("id")) }
        guard let open = try open(finding.subject) else { return }
        switch open.state {
        case .pending:
            try connection.query(
                """
                UPDATE alerts SET state = 'firing', fired_at = $2, severity = $3, value = $4, limit_value = $5,
                    device_id = $6, devices = CASE WHEN $6::uuid IS NULL THEN '{}' ELSE ARRAY[$6::uuid] END,
                    detail = $7, started_at = LEAST(started_at, $8)
                WHERE id = $1
                """,
                [
                    .id(open.id), .time(now), .text(severity.rawValue), .double(finding.value),
                    .double(finding.limit), .id(finding.subject.device), .text(detail), .time(since),
                ])
            try tell(.fired, open.id)
        default:
            if let device = finding.subject.device, !open.devices.contains(device) {
                // Another device of the same plant says so, too.
                try connection.query(
                    "UPDATE alerts SET devices = array_append(devices, $2) WHERE id = $1", [.id(open.id), .id(device)])
            }
            if severity > open.severity { try escalate(finding, detail) }
        }
    }

    private mutating func escalate(_ finding: AlertFinding, _ detail: String?) throws(PostgresError) {
        let rows = try connection.query(
            """
            UPDATE alerts SET severity = 'critical', value = $2, limit_value = COALESCE($3, limit_value),
                detail = COALESCE($4, detail), acknowledged_at = NULL, acknowledged_by = NULL
            WHERE subject_key = $1 AND state = 'firing' AND severity = 'warning' RETURNING id
            """,
            [.text(finding.subject.key), .double(finding.value), .double(finding.limit), .text(detail)])
        guard let id = try rows.first?.id("id") else { return }
        // Whoever still waits to be told that it began is told now how bad it is, also in quiet hours.
        try connection.query(
            """
            UPDATE notifications SET state = 'cancelled' WHERE alert_id = $1 AND state = 'waiting' AND due_at > $2
            """, [.id(id), .time(now)])
        try tell(.escalated, id)
    }

    private mutating func resolve(_ finding: AlertFinding) throws(PostgresError) {
        guard let open = try open(finding.subject), open.state == .firing else { return }
        let others = open.devices.filter { $0 != finding.subject.device }
        guard others.isEmpty || finding.subject.kind != .threshold else {
            try connection.query(
                "UPDATE alerts SET devices = $2 WHERE id = $1",
                [.id(open.id), .uuids(others.map { ($0.high, $0.low) })])
            return
        }
        try close(open.id, value: finding.value, resolution: finding.resolution)
    }

    mutating func close(
        _ id: EntityID, value: Double?, resolution: AlertResolution
    ) throws(PostgresError) {
        try connection.query(
            """
            UPDATE alerts SET state = 'resolved', resolved_at = $2, resolution = $3, value = COALESCE($4, value),
                devices = '{}', remind_at = NULL
            WHERE id = $1
            """, [.id(id), .time(now), .text(resolution.rawValue), .double(value)])
        try tell(.resolved, id)
    }

    // MARK: telling

    /// They last for weeks, or say all there is to say at once.
    static let withoutReminders: Set<AlertKind> = [.certificateExpiring, .deadLetters]

    /// Puts into the outbox what each channel is to be told.
    mutating func tell(_ event: AlertEvent, _ id: EntityID) throws(PostgresError) {
        touched.append(id)
        switch event {
        case .fired: transitions[.firing, default: 0] += 1
        case .resolved: transitions[.resolved, default: 0] += 1
        case .escalated, .reminder: break
        }
        let rows = try connection.query(
            """
            SELECT a.*, p.room, p.snoozed_until, (
                SELECT max(earlier.notified_at) FROM alerts earlier
                WHERE earlier.subject_key = a.subject_key AND earlier.id <> a.id
                    AND (earlier.severity = 'critical' OR a.severity = 'warning')) AS told_before
            FROM alerts a LEFT JOIN plants p ON p.id = a.plant_id WHERE a.id = $1
            """, [.id(id)])
        guard let row = rows.first else { return }
        let alert = try Alert(row)
        let room = try row.optionalText("room")
        // A snooze may be changed while this waits: it is looked at when messages are made.
        let isSnoozed = try row.optionalTime("snoozed_until").map { $0 > now } ?? false
        var due = now
        let cooldown = Double(settings.cooldownMinutes) * 60
        if event == .fired, let before = try row.optionalTime("told_before") {
            // A clock that was ahead must not silence anybody.
            due = max(due, min(before, now).adding(seconds: cooldown))
        }
        let notice = try AlertNotice(event, at: now, of: alert, room: room).json()
        let values: [PostgresValue] = [
            .id(id), .text(event.rawValue), .text(alert.severity.rawValue), .text(group(alert.subject, room)),
            .json(notice), .time(now), .time(due), .id(alert.subject.plant), .text(room),
        ]
        if event == .resolved {
            try retract(id, isSnoozed: isSnoozed)
            try connection.query(AlertSQL.tellResolved, Array(values.prefix(7)))
            return
        }
        let told = try connection.query(AlertSQL.tell, values).affected
        let reminds = cooldown > 0 && !Self.withoutReminders.contains(alert.subject.kind)
        // Twice as long each time, and at most a day unless even the first takes longer.
        try connection.query(
            """
            UPDATE alerts SET notified_at = CASE WHEN $2 THEN $3 ELSE notified_at END,
                remind_at = CASE WHEN $5 THEN $3::timestamptz + make_interval(
                    secs => GREATEST($4, LEAST($4 * 2 ^ LEAST(reminders, 20), 86400))) END
            WHERE id = $1
            """,
            [
                .id(id), .bool(told > 0), .time(due), .double(cooldown), .bool(reminds),
            ])
    }

    /// Takes back what nobody was told yet because it had to wait: it is over.
    private func retract(_ id: EntityID, isSnoozed: Bool) throws(PostgresError) {
        try connection.query(
            """
            WITH retracted AS (
                UPDATE notifications SET state = 'cancelled'
                WHERE alert_id = $1 AND state = 'waiting' AND (due_at > $2 OR $3) AND NOT deferred RETURNING id
            )
            UPDATE alerts SET notified_at = NULL WHERE id = $1 AND NOT EXISTS (
                SELECT 1 FROM notifications n WHERE n.alert_id = $1 AND n.state IN ('waiting', 'composed')
                    AND n.id NOT IN (SELECT id FROM retracted))
            """, [.id(id), .time(now), .bool(isSnoozed)])
    }

    private func group(_ subject: AlertSubject, _ room: String?) -> String {
        if let outage { return outage }
        guard subject.kind == .threshold else { return subject.kind.rawValue }
        return room.map { "room:\($0):\(subject.metric ?? ""):\(subject.direction?.rawValue ?? "")" }
            ?? "plant:\(subject.plant?.description ?? "")"
    }

    /// Says to whoever listens which alerts were changed. They hear of it when the transaction is committed.
    func announce() throws(PostgresError) {
        try Store.announce(Array(Set(touched)), on: connection)
        guard !transitions.isEmpty else { return }
        connection.whenCommitted { [transitions] in AlertTransitions.count(transitions) }
    }

    // MARK: rows

    private struct Open {
        let id: EntityID
        let state: AlertState
        let severity: AlertSeverity
        let devices: [EntityID]
    }

    /// The open alert about a subject, locked.
    private func open(_ subject: AlertSubject) throws(PostgresError) -> Open? {
        let rows = try connection.query(
            """
            SELECT id, state, severity, devices FROM alerts
            WHERE subject_key = $1 AND state <> 'resolved' FOR UPDATE
            """, [.text(subject.key)])
        guard let row = rows.first else { return nil }
        return Open(
            id: try row.id("id"), state: AlertState(rawValue: try row.text("state")) ?? .firing,
            severity: AlertSeverity(rawValue: try row.text("severity")) ?? .warning,
            devices: (try row.optionalUUIDs("devices") ?? []).map { EntityID(high: $0.0, low: $0.1) })
    }

    /// - Returns: no row when there is an open alert about it already.
    private func insert(
        _ finding: AlertFinding, state: AlertState, since: Timestamp, severity: AlertSeverity, detail: String?
    ) throws(PostgresError) -> PostgresRows {
        let subject = finding.subject
        let fires = state == .firing
        return try connection.query(
            AlertSQL.insert,
            [
                .id(.make(at: now)), .text(subject.key), .text(subject.kind.rawValue), .id(subject.plant),
                .id(subject.device), .text(subject.metric), .text(subject.direction?.rawValue),
                .text(severity.rawValue), .text(state.rawValue), .double(finding.value), .double(finding.limit),
                .text(detail), .time(since), fires ? .time(now) : .null(.timestamp),
                .uuids(subject.device.map { [($0.high, $0.low)] } ?? []),
            ])
    }

    mutating func touch(_ rows: PostgresRows) throws(PostgresError) {
        for index in 0..<rows.count { touched.append(try rows[index].id("id")) }
    }
}
