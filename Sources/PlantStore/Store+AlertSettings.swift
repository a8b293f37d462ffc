import Foundation
package import PlantDomain
import Postgres

extension Store {
    private static let alertSettingsName = "alerts"

    package func alertSettings() async throws -> AlertSettings {
        try await pool.run { try Self.alertSettings(on: $0) }
    }

    /// What was never set, or cannot be read, is as it is at first.
    static func alertSettings(on connection: PostgresConnection) throws(PostgresError) -> AlertSettings {
        let rows = try connection.query(
            "SELECT value::text FROM settings WHERE name = $1", [.text(alertSettingsName)])
        guard let text = try rows.first?.text(0) else { return AlertSettings() }
        return (try? JSONDecoder().decode(AlertSettings.self, from: Data(text.utf8))) ?? AlertSettings()
    }

    /// Sets what has never been set, such as the time zone at the first start.
    package func initializeAlertSettings(_ settings: AlertSettings) async throws {
        let json = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
        try await pool.run { connection in
            _ = try connection.query(
                "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
                [.text(Self.alertSettingsName), .json(json)]
            ).count
        }
    }

    /// Changes the settings under a lock, so that two people's changes to different fields both count.
    package func updateAlertSettings(
        by origin: Origin, at now: Timestamp, _ change: @Sendable (inout AlertSettings) throws -> Void
    ) async throws -> AlertSettings {
        try await pool.transaction { connection in
            try connection.query(
                """
                INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING
                """,
                [
                    .text(Self.alertSettingsName),
                    .json(String(decoding: try JSONEncoder().encode(AlertSettings()), as: UTF8.self)),
                ])
            try connection.query(
                "SELECT 1 AS one FROM settings WHERE name = $1 FOR UPDATE", [.text(Self.alertSettingsName)])
            let before = try Self.alertSettings(on: connection)
            var settings = before
            try change(&settings)
            guard settings != before else { return settings }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let json = String(decoding: try encoder.encode(settings), as: UTF8.self)
            try connection.query(
                "UPDATE settings SET value = $2, updated_at = $3 WHERE name = $1",
                [.text(Self.alertSettingsName), .json(json), .time(now)])
            if settings.quietHours != before.quietHours {
                try Self.reconsiderQuietHours(of: nil, at: now, on: connection)
            }
            if before.cooldownMinutes == 0, settings.cooldownMinutes > 0 {
                try connection.query(
                    """
                    UPDATE alerts SET remind_at = $1 WHERE state = 'firing' AND remind_at IS NULL
                        AND acknowledged_at IS NULL AND kind <> ALL ($2)
                    """,
                    [
                        .time(now.adding(seconds: Double(settings.cooldownMinutes) * 60)),
                        .texts(AlertLedger.withoutReminders.map(\.rawValue)),
                    ])
            }
            try Self.record(
                "settings.alerts.update", AuditEntry.Subject("settings", nil, "alerts"), by: origin, at: now,
                details: ["settings": json], on: connection)
            return settings
        }
    }

    /// What waits for the end of quiet hours is looked at again, for they have changed.
    static func reconsiderQuietHours(
        of channel: EntityID?, at now: Timestamp, on connection: PostgresConnection
    ) throws(PostgresError) {
        try connection.query(
            """
            UPDATE notifications SET due_at = $1
            WHERE state = 'waiting' AND deferred AND ($2::uuid IS NULL OR channel_id = $2)
            """, [.time(now), .id(channel)])
    }
}
