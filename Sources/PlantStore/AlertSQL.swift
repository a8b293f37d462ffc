enum AlertSQL {
    /// A payload may have 8 000 bytes (PostgreSQL manual, NOTIFY).
    static let idsPerAnnouncement = 200

    static let insert = """
        INSERT INTO alerts (id, subject_key, kind, plant_id, device_id, metric, direction, plant_name, device_name,
            severity, state, value, limit_value, detail, started_at, fired_at, devices)
        VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT name FROM plants WHERE id = $4),
            (SELECT name FROM devices WHERE id = $5), $8, $9, $10, $11, $12, $13, $14, $15)
        ON CONFLICT (subject_key) WHERE state <> 'resolved' DO NOTHING RETURNING id
        """

    private static let columns =
        "(id, channel_id, alert_id, event, severity, group_key, notice, created_at, due_at)"
    private static let values = "gen_random_uuid(), c.id, $1, $2, $3, $4, $5, $6, $7"

    /// To every channel that wants to know of such a thing.
    static let tell = """
        INSERT INTO notifications \(columns)
        SELECT \(values) FROM channels c
        WHERE c.enabled AND (c.min_severity = 'warning' OR $3 = 'critical')
            AND (c.plant_ids IS NULL AND c.rooms IS NULL OR $8::uuid = ANY (c.plant_ids) OR $9::text = ANY (c.rooms))
        """

    /// To every channel that was told it had begun.
    static let tellResolved = """
        INSERT INTO notifications \(columns)
        SELECT \(values) FROM channels c
        WHERE c.enabled AND EXISTS (
            SELECT 1 FROM notifications n
            WHERE n.alert_id = $1 AND n.channel_id = c.id AND n.state IN ('waiting', 'composed'))
        """
}
