import PlantDomain

/// The statements of the write path. Column lists come from `Metric`, so that a new metric needs a migration and a
/// case in that enumeration, and nothing here.
enum IngestSQL {
    /// How many extra metrics of one device are shown with its newest values.
    static let extrasKept = 64

    private static let metrics = Metric.allCases.map(\.name)

    private static let telemetryColumns =
        (["time", "device_id", "plant_id"] + metrics + ["extra", "time_source", "received_at"])
    static let telemetryColumnCount = Int16(telemetryColumns.count)

    private static let stateColumns =
        [
            "device_id", "last_seen_at", "status", "status_at", "uptime_seconds", "free_heap_bytes",
            "firmware_version", "learned_interval_seconds", "reading_at", "reading_received_at", "reading_time_source",
        ] + metrics.flatMap { [$0, $0 + "_at"] } + ["extra", "alert_memory", "judged_until"]
    static let stateColumnCount = Int16(stateColumns.count)

    /// Private to the connection and emptied at every commit.
    static let stagingTables = """
        CREATE TEMPORARY TABLE staged_telemetry ON COMMIT DELETE ROWS AS
            SELECT \(telemetryColumns.joined(separator: ", ")) FROM telemetry LIMIT 0;
        CREATE TEMPORARY TABLE staged_states ON COMMIT DELETE ROWS AS
            SELECT \(stateColumns.joined(separator: ", ")) FROM device_state LIMIT 0;
        """

    static let ensurePartitions =
        "SELECT telemetry_ensure_partitions(now() - INTERVAL '31 days', now() + INTERVAL '62 days')"

    static let directory = """
        SELECT d.id, a.plant_id, a.readings_from, a.unassigned_at
        FROM devices d LEFT JOIN device_assignments a ON a.device_id = d.id
        WHERE d.id = ANY ($1)
        ORDER BY d.id, a.assigned_at
        """

    static let copyTelemetry = "COPY staged_telemetry FROM STDIN (FORMAT binary)"

    /// (device_id, time) is unique: a reading that is there already changes nothing.
    static let insertTelemetry = """
        INSERT INTO telemetry (\(telemetryColumns.joined(separator: ", ")))
        SELECT \(telemetryColumns.joined(separator: ", ")) FROM staged_telemetry
        ON CONFLICT DO NOTHING
        """

    static let copyStates = "COPY staged_states FROM STDIN (FORMAT binary)"

    /// Per metric the newer value stays: a late reading never overwrites a newer one. Of the extra metrics the newest
    /// `extrasKept` stay, however many names a device invents.
    static let mergeStates = """
        INSERT INTO device_state AS s (\(stateColumns.joined(separator: ", ")))
        SELECT \(stateColumns.joined(separator: ", ")) FROM staged_states
        ON CONFLICT (device_id) DO UPDATE SET
            last_seen_at = GREATEST(s.last_seen_at, EXCLUDED.last_seen_at),
            status = CASE
                WHEN EXCLUDED.status_at >= COALESCE(s.status_at, '-infinity') THEN EXCLUDED.status
                WHEN EXCLUDED.last_seen_at > s.status_at THEN 'online'
                ELSE s.status END,
            status_at = GREATEST(s.status_at, EXCLUDED.status_at),
            uptime_seconds = COALESCE(EXCLUDED.uptime_seconds, s.uptime_seconds),
            free_heap_bytes = COALESCE(EXCLUDED.free_heap_bytes, s.free_heap_bytes),
            firmware_version = COALESCE(EXCLUDED.firmware_version, s.firmware_version),
            offline_since = CASE WHEN EXCLUDED.last_seen_at > s.last_seen_at THEN NULL ELSE s.offline_since END,
            learned_interval_seconds = \(learned),
            reading_received_at = CASE WHEN \(newer("reading_at")) THEN EXCLUDED.reading_received_at
                ELSE s.reading_received_at END,
            reading_time_source = CASE WHEN \(newer("reading_at")) THEN EXCLUDED.reading_time_source
                ELSE s.reading_time_source END,
            reading_at = GREATEST(s.reading_at, EXCLUDED.reading_at),
        \(metrics.map(mergeMetric).joined(separator: "\n"))
            extra = CASE
                WHEN EXCLUDED.extra = '{}' THEN s.extra
                ELSE (SELECT jsonb_object_agg(key, value) FROM (
                    SELECT key, value FROM (
                        SELECT DISTINCT ON (key) key, value FROM (
                            SELECT * FROM jsonb_each(s.extra) UNION ALL SELECT * FROM jsonb_each(EXCLUDED.extra)
                        ) everything ORDER BY key, (value ->> 1)::bigint DESC
                    ) newest ORDER BY (value ->> 1)::bigint DESC, key LIMIT \(extrasKept)
                ) kept) END,
            alert_memory = COALESCE(EXCLUDED.alert_memory, s.alert_memory),
            judged_until = COALESCE(EXCLUDED.judged_until, s.judged_until)
        """

    /// In the order in which `mergeStates` writes them, so that two backends never wait for each other.
    static let memories = """
        SELECT device_id, alert_memory, judged_until, offline_since FROM device_state
        WHERE device_id = ANY ($1) ORDER BY device_id FOR NO KEY UPDATE
        """

    /// Where devices stand now, and the limits there. Asked when the rows above are locked: whoever moves a device or
    /// removes a limit has done so before, or waits and ends what was found meanwhile.
    static let standing = """
        SELECT d.id, d.enabled, a.plant_id, p.thresholds
        FROM devices d LEFT JOIN device_assignments a ON a.device_id = d.id AND a.unassigned_at IS NULL
        LEFT JOIN plants p ON p.id = a.plant_id
        WHERE d.id = ANY ($1)
        """

    /// How often a device sends: from the spacing of the readings of one message, or else from the time since its
    /// newest reading before; smoothed. A gap of hours is an outage and teaches nothing.
    private static let learned = """
        CASE WHEN \(newer("reading_at")) THEN (
            SELECT CASE WHEN seen IS NULL THEN s.learned_interval_seconds
                WHEN s.learned_interval_seconds IS NULL THEN seen
                ELSE s.learned_interval_seconds * 0.8 + seen * 0.2 END
            FROM (SELECT COALESCE(EXCLUDED.learned_interval_seconds,
                CASE WHEN EXCLUDED.reading_at - s.reading_at BETWEEN INTERVAL '1 second' AND INTERVAL '6 hours'
                    THEN extract(epoch FROM EXCLUDED.reading_at - s.reading_at)::double precision END) AS seen) spacing)
        ELSE s.learned_interval_seconds END
        """

    private static func newer(_ column: String) -> String {
        "EXCLUDED.\(column) > COALESCE(s.\(column), '-infinity')"
    }

    private static func mergeMetric(_ name: String) -> String {
        """
            \(name) = CASE WHEN \(newer(name + "_at")) THEN EXCLUDED.\(name) ELSE s.\(name) END,
            \(name)_at = GREATEST(s.\(name)_at, EXCLUDED.\(name)_at),
        """
    }

    /// Only what the device was told counts, and only once; a changed interval becomes the expected one.
    static let commandResult = """
        WITH answered AS (
            UPDATE device_commands SET ok = $3, detail = $4, result_at = $5
            WHERE id = $1 AND device_id = $2 AND result_at IS NULL RETURNING command, args
        ), expected AS (
            UPDATE devices SET reporting_interval_seconds = GREATEST(1, (args ->> 'seconds')::numeric)::integer
            FROM answered WHERE devices.id = $2 AND $3 AND command = 'set_interval'
        )
        SELECT 1 AS one FROM answered
        UNION ALL SELECT 1 FROM device_commands WHERE id = $1 AND device_id = $2 AND result_at IS NOT NULL
        """

    static let copyDeadLetters = """
        COPY dead_letters (id, received_at, topic, device_id, reason, detail, payload, payload_bytes)
        FROM STDIN (FORMAT binary)
        """

    static let rememberDeliveries = """
        INSERT INTO ingest_deliveries (client_id, packet_id, fingerprint)
        SELECT $1, packet, print FROM unnest($2::bigint[], $3::bigint[]) AS delivery (packet, print)
        ON CONFLICT (client_id, packet_id)
        DO UPDATE SET fingerprint = EXCLUDED.fingerprint, committed_at = EXCLUDED.committed_at
        """

    static let rememberLastPacket = """
        INSERT INTO ingest_sessions (client_id, last_packet_id) VALUES ($1, $2)
        ON CONFLICT (client_id) DO UPDATE SET last_packet_id = EXCLUDED.last_packet_id
        """

    /// Packet ids go round from 1 to 65 535. Only the last ones before an interruption can be delivered again; what is
    /// remembered of earlier ones belongs to messages that were acknowledged long ago.
    static let recentDeliveries = """
        SELECT packet_id, fingerprint FROM ingest_deliveries JOIN ingest_sessions USING (client_id)
        WHERE client_id = $1 AND (last_packet_id - packet_id + 65535) % 65535 < $2
        """

    static let lockSession = "SELECT 1 AS one FROM pg_advisory_lock(hashtextextended($1, 0))"
}
