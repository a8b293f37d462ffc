import Foundation
import PlantDomain
import Postgres

extension AlertNotice {
    func json() throws(PostgresError) -> String {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        } catch {
            throw PostgresError(.data, "a notice cannot be written as JSON")
        }
    }
}

extension Alert {
    /// From a row of `alerts`.
    init(_ row: PostgresRow) throws(PostgresError) {
        guard let kind = AlertKind(rawValue: try row.text("kind")) else {
            throw PostgresError(.decoding, "alerts.kind is unknown to this version")
        }
        let subject = AlertSubject(
            kind, plant: try row.optionalID("plant_id"), device: try row.optionalID("device_id"),
            metric: try row.optionalText("metric"),
            direction: try row.optionalText("direction").flatMap { LimitDirection(rawValue: $0) })
        self.init(
            id: try row.id("id"), subject: subject, plantName: try row.optionalText("plant_name"),
            deviceName: try row.optionalText("device_name"),
            severity: AlertSeverity(rawValue: try row.text("severity")) ?? .warning,
            state: AlertState(rawValue: try row.text("state")) ?? .firing, value: try row.optionalDouble("value"),
            limit: try row.optionalDouble("limit_value"), detail: try row.optionalText("detail"),
            startedAt: try row.time("started_at"), firedAt: try row.optionalTime("fired_at"),
            resolvedAt: try row.optionalTime("resolved_at"),
            resolution: try row.optionalText("resolution").flatMap { AlertResolution(rawValue: $0) },
            acknowledgedAt: try row.optionalTime("acknowledged_at"),
            acknowledgedBy: try row.optionalText("acknowledged_by"))
    }
}
