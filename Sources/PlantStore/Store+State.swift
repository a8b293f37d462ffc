import PlantDomain
import Postgres

/// The columns of `device_state` that hold the newest value of each metric, for statements that read or write them.
enum StateColumns {
    /// `s.soil_moisture, s.soil_moisture_at, …`
    static let selected =
        Metric.allCases.map { "s.\($0.name), s.\($0.name)_at" }.joined(separator: ", ")
        + ", s.reading_at, s.reading_received_at, s.reading_time_source, s.extra"

    /// Reads what `selected` asked for.
    /// - Parameter since: values measured before it belong to another plant and are left out.
    static func latest(_ row: PostgresRow, since: Timestamp? = nil) throws -> LatestTelemetry? {
        guard let time = try row.optionalTime("reading_at") else { return nil }
        var values: [String: LatestTelemetry.Value] = [:]
        for metric in Metric.allCases {
            guard let value = try row.optionalDouble(metric.name), let at = try row.optionalTime(metric.name + "_at")
            else { continue }
            values[metric.name] = LatestTelemetry.Value(value: value, time: at)
        }
        for (name, pair) in try ExtraJSON.decodeState(row.text("extra")) { values[name] = pair }
        if let since {
            values = values.filter { $0.value.time >= since }
            guard !values.isEmpty, time >= since else { return nil }
        }
        return LatestTelemetry(
            time: time, receivedAt: try row.optionalTime("reading_received_at") ?? time,
            timeSource: try row.optionalText("reading_time_source").flatMap { TimeSource(rawValue: $0) } ?? .device,
            values: values)
    }
}
