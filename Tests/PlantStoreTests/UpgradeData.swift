import PlantDomain
import PlantStore
import Postgres
import TestSupport

/// What stands in a database before it is brought to a newer schema: at least one row of every table.
///
/// To add a migration with new tables, add a line for each to `rows`, with the version they come with. Statements name
/// only columns that the table had in that version.
struct UpgradeData {
    /// Hours of telemetry every two of which have a reading.
    private static let hours = 45 * 24

    let device = EntityID.make()
    let plant = EntityID.make()
    private let user = EntityID.make()
    private let alert = EntityID.make()
    private let channel = EntityID.make()
    private let message = EntityID.make()
    private let carePlan = EntityID.make()
    private let now = Timestamp.now()

    /// Tables that need no rows: what is noted there is gone within minutes.
    static let mayBeEmpty: Set<String> = ["rollup_noted", "rollup_todo", "rollup_5m", "rollup_1h", "rollup_1d"]
    /// Tables that change by themselves.
    static let notCompared: Set<String> = ["schema_migrations", "rollup_state", "telemetry"]

    private struct Row {
        let version: Int
        let table: String
        let sql: String

        init(_ version: Int, _ table: String, _ sql: String) {
            self.version = version
            self.table = table
            self.sql = sql
        }
    }

    private var rows: [Row] { core + access + alerts + library + care }

    private var core: [Row] {
        let time = "'\(now.adding(seconds: -100).rfc3339)'"
        return [
            Row(
                1, "plants",
                """
                INSERT INTO plants (id, name, species, room, position_x, position_y, thresholds)
                VALUES ('\(plant)', 'Old fern', 'Nephrolepis', 'Hall', 1.5, 2.5, '{"soil_moisture": {"min": 30}}');
                INSERT INTO plants (id, name) VALUES ('\(EntityID.make())', 'Bare')
                """),
            Row(
                1, "devices",
                """
                INSERT INTO devices (id, mac_address, name, firmware_version, sensor_types, reporting_interval_seconds,
                    registered_at, first_assigned_at)
                VALUES ('\(device)', '02:00:00:00:00:01', 'Probe', '1.2', '{soil_moisture}', 60, \(time), \(time));
                INSERT INTO devices (id, mac_address, name)
                VALUES ('\(EntityID.make())', '02:00:00:00:00:02', 'Half registered')
                """),
            Row(
                1, "device_assignments",
                """
                INSERT INTO device_assignments (device_id, plant_id, readings_from)
                VALUES ('\(device)', '\(plant)', '-infinity')
                """),
            Row(
                1, "device_state",
                """
                INSERT INTO device_state (device_id, last_seen_at, status, status_at, reading_at, reading_received_at,
                    reading_time_source, soil_moisture, soil_moisture_at, extra)
                VALUES ('\(device)', \(time), 'online', \(time), \(time), \(time), 'device', 20, \(time),
                    '{"sap_flow": [1, 2]}')
                """),
            Row(
                1, "dead_letters",
                """
                INSERT INTO dead_letters (id, received_at, topic, device_id, reason, detail, payload, payload_bytes)
                VALUES ('\(EntityID.make())', \(time), 'devices/x', '\(device)', 'not_json', 'no', 'x', 1)
                """),
            Row(1, "ingest_sessions", "INSERT INTO ingest_sessions (client_id, last_packet_id) VALUES ('old', 7)"),
            Row(
                1, "ingest_deliveries",
                """
                INSERT INTO ingest_deliveries (client_id, packet_id, fingerprint) VALUES ('old', 7, 42)
                """),
        ]
    }

    private var access: [Row] {
        [
            Row(
                3, "users",
                """
                INSERT INTO users (id, email, role, password_hash, created_at, updated_at)
                VALUES ('\(user)', 'a@example.org', 'admin', '$scrypt$x', now(), now())
                """),
            Row(
                3, "sessions",
                """
                INSERT INTO sessions (token_hash, user_id, created_at, last_used_at, expires_at, address)
                VALUES ('s', '\(user)', now(), now(), now() + INTERVAL '1 day', '192.0.2.1')
                """),
            Row(
                3, "api_tokens",
                """
                INSERT INTO api_tokens (id, user_id, name, role, token_hash, created_at)
                VALUES ('\(EntityID.make())', '\(user)', 'script', 'viewer', 't', now())
                """),
            Row(3, "sign_in_attempts", "INSERT INTO sign_in_attempts VALUES ('k', 1, now(), now())"),
            Row(3, "sign_in_places", "INSERT INTO sign_in_places VALUES ('\(user)', 'p', now())"),
            Row(
                3, "enrollment_tokens",
                """
                INSERT INTO enrollment_tokens (id, label, token_hash, max_uses, expires_at, created_at)
                VALUES ('\(EntityID.make())', 'Hall', 'e', 5, now(), now())
                """),
            Row(
                3, "device_commands",
                """
                INSERT INTO device_commands (id, device_id, command, args, created_at)
                VALUES ('\(EntityID.make())', '\(device)', 'identify', '{}', now())
                """),
            Row(
                3, "audit_log",
                """
                INSERT INTO audit_log (id, at, actor_kind, action) VALUES ('\(EntityID.make())', now(), 'system', 'x')
                """),
            Row(
                3, "settings",
                """
                INSERT INTO settings (name, value) VALUES ('alerts', '{"for_seconds": 0, "time_zone": "Asia/Kathmandu"}')
                """),
        ]
    }

    private var alerts: [Row] {
        [
            Row(
                4, "alerts",
                """
                INSERT INTO alerts (id, subject_key, kind, plant_id, device_id, metric, direction, severity, state,
                    value, limit_value, started_at, fired_at, resolved_at, devices)
                VALUES ('\(alert)', 'threshold/x', 'threshold', '\(plant)', '\(device)', 'soil_moisture', 'min',
                    'warning', 'resolved', 20, 30, now(), now(), now(), '{\(device)}')
                """),
            Row(
                4, "channels",
                """
                INSERT INTO channels (id, kind, name, url, url_hint, min_severity, enabled, inherits_quiet_hours,
                    created_at, updated_at)
                VALUES ('\(channel)', 'webhook', 'Hook', 'sealed', '…1234', 'warning', false, true, now(), now())
                """),
            Row(
                4, "messages",
                """
                INSERT INTO messages (id, channel_id, group_key, content, state, created_at, next_attempt_at)
                VALUES ('\(message)', '\(channel)', 'g', '{}', 'sent', now(), now())
                """),
            Row(
                4, "notifications",
                """
                INSERT INTO notifications (id, channel_id, alert_id, event, severity, group_key, notice, created_at,
                    due_at, state, message_id)
                VALUES ('\(EntityID.make())', '\(channel)', '\(alert)', 'fired', 'warning', 'g', '{}', now(), now(),
                    'composed', '\(message)')
                """),
        ]
    }

    private var library: [Row] {
        [
            Row(
                5, "species",
                """
                INSERT INTO species (id, scientific_name, created_at, updated_at)
                VALUES ('\(EntityID.make())', 'Planta inventa', now(), now())
                """),
            Row(5, "storage_samples", "INSERT INTO storage_samples VALUES (now(), 123456)"),
            Row(
                9, "plant_events",
                """
                INSERT INTO plant_events (id, plant_id, kind, at, source, note, amount_ml, value_before, value_after,
                    device_id, by_user, created_at)
                VALUES ('\(EntityID.make())', '\(plant)', 'watering', now(), 'entered', 'from below', 250, 20, 60,
                    '\(device)', '\(user)', now())
                """),
        ]
    }

    private var care: [Row] {
        [
            Row(
                8, "care_plans",
                """
                INSERT INTO care_plans (id, plant_id, generated_at, source, reason, advice, facts, changes, input_hash)
                VALUES ('\(carePlan)', '\(plant)', now(), 'builtin', 'first', '{}', '{}', '[]', '\\x00')
                """),
            Row(
                8, "care_feedback",
                """
                INSERT INTO care_feedback (plan_id, item, verdict, at, by_user)
                VALUES ('\(carePlan)', 'plan', 'done', now(), '\(user)')
                """),
            Row(8, "care_state", "INSERT INTO care_state VALUES ('\(plant)', '\(EntityID.make())', now())"),
            Row(
                8, "llm_settings",
                """
                INSERT INTO llm_settings (id, provider, base_url, api_key, api_key_hint, updated_at)
                VALUES ('\(EntityID.make())', 'openai', 'http://127.0.0.1:11434/v1', 'sealed', '…1234', now())
                """),
            Row(
                8, "llm_usage",
                """
                INSERT INTO llm_usage (month, provider, model, requests, input_tokens, output_tokens)
                VALUES ('2026-11-01', 'openai', 'm', 1, 2, 3)
                """),
            Row(
                8, "llm_reservations",
                """
                INSERT INTO llm_reservations (id, month, provider, model, tokens, reserved_at)
                VALUES ('\(EntityID.make())', '2026-11-01', 'openai', 'm', 5, now())
                """),
        ]
    }

    /// Fills a database of this version.
    func fill(_ log: ReadingLog, version: Int) throws {
        for row in rows where row.version <= version {
            do {
                try log.database.execute(row.sql)
            } catch {
                throw TestSetupError(description: "\(row.table) of version \(row.version): \(error)")
            }
        }
        guard version >= 2 else { return }
        let readings: [LoggedReading] = (0..<Self.hours / 2).map { (index: Int) -> LoggedReading in
            let values: [String: Double] = ["soil_moisture": Double(index % 100), "sap_flow": Double(index)]
            return LoggedReading(
                time: now.hours(Double(-2 * index)), device: device, plant: index % 50 == 0 ? nil : plant,
                values: values)
        }
        try log.write(readings)
    }
}
