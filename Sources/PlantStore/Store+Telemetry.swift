package import PlantDomain
import Postgres

/// A question about the past of a plant.
package struct HistoryQuery: Sendable {
    package var plant: EntityID
    /// Inclusive.
    package var from: Timestamp
    /// Exclusive.
    package var to: Timestamp
    /// Names of metrics, extra ones among them; nil asks for every known metric that has values.
    package var metrics: [String]?
    /// nil chooses: every reading while there are at most `automaticPoints`, else the finest bucket that fits.
    package var resolution: HistoryResolution?

    package static let automaticPoints = 1000
    /// Most points one answer may hold.
    package static let maximumPoints = 20_000

    package init(
        plant: EntityID, from: Timestamp, to: Timestamp, metrics: [String]?, resolution: HistoryResolution?
    ) {
        self.plant = plant
        self.from = from
        self.to = to
        self.metrics = metrics
        self.resolution = resolution
    }
}

package enum HistoryOutcome: Sendable {
    case history(History)
    case noSuchPlant
    /// More than `HistoryQuery.maximumPoints`.
    case tooManyPoints
}

extension Store {
    /// The newest value of each metric of one device.
    /// - Returns: nil when there is no such device; an empty inner value when it has measured nothing yet.
    package func latestTelemetry(of device: EntityID) async throws -> LatestTelemetry?? {
        try await pool.run { connection in
            let rows = try connection.query(
                """
                SELECT \(StateColumns.selected) FROM devices d LEFT JOIN device_state s ON s.device_id = d.id
                WHERE d.id = $1
                """, [.id(device)])
            guard let row = rows.first else { return nil }
            guard try row.optionalTime("reading_at") != nil else { return .some(nil) }
            return .some(try StateColumns.latest(row))
        }
    }

    package func history(_ query: HistoryQuery) async throws -> HistoryOutcome {
        try await pool.run { connection in
            let plants = try connection.query("SELECT 1 AS one FROM plants WHERE id = $1", [.id(query.plant)])
            guard plants.count > 0 else { return .noSuchPlant }
            let resolution = try query.resolution ?? Self.automaticResolution(connection, query)
            return try Self.history(connection, query, resolution)
        }
    }

    private static func automaticResolution(
        _ connection: PostgresConnection, _ query: HistoryQuery
    ) throws -> HistoryResolution {
        // Counts no further than it must.
        let rows = try connection.query(
            """
            SELECT count(*) AS readings FROM
                (SELECT 1 FROM telemetry WHERE plant_id = $1 AND time >= $2 AND time < $3 LIMIT $4) counted
            """,
            [.id(query.plant), .time(query.from), .time(query.to), .int(Int64(HistoryQuery.automaticPoints + 1))])
        guard try rows[0].int("readings") > HistoryQuery.automaticPoints else { return .raw }
        return .fitting(seconds: query.to.seconds(since: query.from), points: HistoryQuery.automaticPoints)
    }

    private static func history(
        _ connection: PostgresConnection, _ query: HistoryQuery, _ resolution: HistoryResolution
    ) throws -> HistoryOutcome {
        var values: [PostgresValue] = [
            .id(query.plant), .time(query.from), .time(query.to), .int(Int64(HistoryQuery.maximumPoints + 1)),
        ]
        var columns: [String] = []
        let names = query.metrics ?? Metric.allCases.map(\.name)
        var history = History(
            resolution: resolution,
            series: names.map { History.Series(name: $0, unit: Metric.named($0)?.unit) })
        for name in names {
            let source: String
            if let metric = Metric.named(name) {
                source = metric.name
            } else {
                values.append(.text(name))
                source = "(extra ->> $\(values.count))::double precision"
            }
            columns.append("avg(\(source)), min(\(source)), max(\(source))")
        }
        // Two devices in one pot may measure at the same instant, hence the grouping of single readings too.
        let bucket = resolution.seconds.map { "date_bin('\($0) seconds', time, 'epoch')" } ?? "time"
        let rows = try connection.query(
            """
            SELECT \(bucket) AS bucket, \(columns.joined(separator: ", "))
            FROM telemetry WHERE plant_id = $1 AND time >= $2 AND time < $3
            GROUP BY bucket ORDER BY bucket LIMIT $4
            """, values, once: true)
        guard rows.count <= HistoryQuery.maximumPoints else { return .tooManyPoints }
        for index in 0..<rows.count {
            let row = rows[index]
            guard let time = try row.timestamp(0) else { continue }
            history.fillGap(before: Timestamp(microseconds: time))
            history.time.append(Timestamp(microseconds: time))
            for series in history.series.indices {
                let column = Int32(1 + series * 3)
                history.series[series].avg.append(try row.double(column))
                history.series[series].min.append(try row.double(column + 1))
                history.series[series].max.append(try row.double(column + 2))
            }
        }
        if query.metrics == nil { history.series.removeAll(where: \.isEmpty) }
        return .history(history)
    }
}

extension History {
    /// Buckets without a reading are null, once for each gap: enough for a chart to break its line.
    fileprivate mutating func fillGap(before next: Timestamp) {
        guard let width = resolution.seconds, let last = time.last,
            next.seconds(since: last) > Double(width) * 1.5
        else { return }
        time.append(last.adding(seconds: Double(width)))
        for index in series.indices {
            series[index].avg.append(nil)
            series[index].min.append(nil)
            series[index].max.append(nil)
        }
    }
}
