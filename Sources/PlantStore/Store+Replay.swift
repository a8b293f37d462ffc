import Foundation
package import PlantDomain
import Postgres

extension Store {
    /// Readings asked for at once: bounds memory, and how long a connection is taken.
    private static let replayRows = 20_000

    /// Lets a plant's readings of a span pass by limits, in the order of their time.
    /// - Parameters:
    ///   - from: inclusive.
    ///   - to: exclusive.
    package func replay(
        _ replay: LimitReplay, metrics: [String], of plant: EntityID, from: Timestamp, to: Timestamp
    ) async throws -> LimitReplay {
        let columns = ReplayColumns(metrics)
        var current = replay
        var after: (time: Timestamp, device: EntityID)? = nil
        while true {
            let (state, last) = (current, after)
            let (next, isLast) = try await pool.run { connection in
                try Self.replayPart(state, columns, of: plant, after: last, from: from, to: to, on: connection)
            }
            current = next.replay
            after = next.last ?? after
            if isLast {
                current.finish(at: to)
                return current
            }
        }
    }

    private struct ReplayColumns: Sendable {
        let metrics: [Metric]
        let extras: [String]

        init(_ names: [String]) {
            metrics = names.compactMap { Metric.named($0) }
            extras = names.filter { Metric.named($0) == nil }
        }

        /// With parameters from `$first` on for the names of the extra metrics.
        func selected(first: Int) -> String {
            let columns = metrics.map(\.name) + extras.indices.map { "(extra ->> $\(first + $0))::double precision" }
            return (["device_id", "time"] + columns).joined(separator: ", ")
        }
    }

    private static func replayPart(
        _ state: LimitReplay, _ columns: ReplayColumns, of plant: EntityID,
        after: (time: Timestamp, device: EntityID)?, from: Timestamp, to: Timestamp, on connection: PostgresConnection
    ) throws -> ((replay: LimitReplay, last: (time: Timestamp, device: EntityID)?), isLast: Bool) {
        let rows = try connection.query(
            """
            SELECT \(columns.selected(first: 6)) FROM telemetry
            WHERE plant_id = $1 AND time >= $2 AND time < $3 AND (time > $2 OR device_id > $4)
            ORDER BY time, device_id LIMIT $5
            """,
            [
                .id(plant), .time(after?.time ?? from), .time(to), .id(after?.device ?? EntityID(high: 0, low: 0)),
                .int(Int64(replayRows)),
            ] + columns.extras.map { .text($0) }, once: true)
        var replay = state
        var last: (time: Timestamp, device: EntityID)?
        for index in 0..<rows.count {
            let row = rows[index]
            guard let (high, low) = try row.uuid(0), let microseconds = try row.timestamp(1) else { continue }
            let device = EntityID(high: high, low: low)
            var reading = Reading(
                time: Timestamp(microseconds: microseconds), timeSource: .device, values: MetricValues())
            for (offset, metric) in columns.metrics.enumerated() {
                reading.values[metric] = try row.double(Int32(2 + offset))
            }
            for (offset, name) in columns.extras.enumerated() {
                guard let value = try row.double(Int32(2 + columns.metrics.count + offset)) else { continue }
                reading.extras.append(ExtraValue(name: name, value: value))
            }
            replay.add(reading, of: device)
            last = (reading.time, device)
        }
        return ((replay, last), rows.count < replayRows)
    }

    /// The plants with limits of light.
    package func plantsWithLightLimits() async throws -> [(id: EntityID, thresholds: Thresholds)] {
        try await pool.run { connection in
            let rows = try connection.query(
                "SELECT id, thresholds FROM plants WHERE thresholds ? 'light_level' ORDER BY id")
            return try (0..<rows.count).compactMap { index in
                let data = Data(try rows[index].text("thresholds").utf8)
                // One that cannot be read does not keep the others from being judged.
                guard let thresholds = try? JSONDecoder().decode(Thresholds.self, from: data) else { return nil }
                return (try rows[index].id("id"), thresholds)
            }
        }
    }

    private static let lightDaySetting = "light_judged_day"

    /// The last local day whose light was judged, as `2026-11-21`.
    package func lightJudgedDay() async throws -> String {
        try await setting(Self.lightDaySetting, initially: "")
    }

    package func setLightJudgedDay(_ day: String) async throws {
        let json = String(decoding: try JSONEncoder().encode(day), as: UTF8.self)
        try await pool.run { connection in
            _ = try connection.query(
                "UPDATE settings SET value = $2, updated_at = now() WHERE name = $1",
                [.text(Self.lightDaySetting), .json(json)]
            ).affected
        }
    }
}
