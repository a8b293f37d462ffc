package import PlantDomain
import Postgres

/// What one metric did of late, of a page of plants.
package struct Sparklines: Sendable, Equatable {
    package struct Line: Sendable, Equatable {
        package let plant: EntityID
        /// One for each step; nil where nothing was measured.
        package var values: [Double?]
    }

    package let metric: Metric
    package let from: Timestamp
    package let to: Timestamp
    package let stepSeconds: Int
    package var lines: [Line] = []
    /// How many plants there are in all.
    package var total = 0

    private static let mostValues = 60
    private static let steps = [300, 600, 900, 1800, 3600, 7200, 10_800]
    package static let hours = 1...168

    /// The last step is the one that is under way.
    package init(_ metric: Metric, hours: Int, now: Timestamp) {
        self.metric = metric
        let step = Self.steps.first { (hours * 3600 + $0 - 1) / $0 <= Self.mostValues } ?? 10_800
        stepSeconds = step
        let width = Int64(step) * 1_000_000
        to = Timestamp(microseconds: (now.microseconds / width + 1) * width)
        from = to.adding(seconds: -Double((hours * 3600 + step - 1) / step * step))
    }

    var count: Int { Int(to.seconds(since: from)) / stepSeconds }

    mutating func add(_ plant: EntityID, at time: Timestamp, _ value: Double) {
        if lines.last?.plant != plant { add(plant) }
        let index = Int(time.seconds(since: from)) / stepSeconds
        guard let last = lines.indices.last, lines[last].values.indices.contains(index) else { return }
        lines[last].values[index] = value
    }

    mutating func add(_ plant: EntityID) {
        lines.append(Line(plant: plant, values: Array(repeating: nil, count: count)))
    }
}

extension Store {
    /// Of the same plants, in the same order, as a page of `plants`: one statement.
    package func sparklines(_ sparklines: Sparklines, limit: Int, offset: Int) async throws -> Sparklines {
        try await pool.run { connection in
            let state = try connection.query("SELECT is_complete FROM rollup_state").first
            // Made of every reading there is until what was there before the rollups has been summarized.
            let source =
                try state?.bool("is_complete") == true
                ? SparklineSQL.rollups(sparklines.metric) : SparklineSQL.readings(sparklines.metric)
            let rows = try connection.query(
                SparklineSQL.statement(of: source),
                [
                    .int(Int64(limit)), .int(Int64(offset)), .time(sparklines.from), .time(sparklines.to),
                    .double(Double(sparklines.stepSeconds)),
                ], once: true)
            var found = sparklines
            found.total = Int(try rows.first?.int("total") ?? 0)
            for index in 0..<rows.count {
                let row = rows[index]
                guard let plant = try row.optionalID("id") else { continue }
                if let at = try row.optionalTime("at"), let value = try row.optionalDouble("value") {
                    found.add(plant, at: at, value)
                } else {
                    found.add(plant)
                }
            }
            return found
        }
    }
}

private enum SparklineSQL {
    /// Of several devices in a pot each counts the same, as in a history.
    static func statement(of source: String) -> String {
        """
        WITH page AS MATERIALIZED (SELECT id FROM plants ORDER BY id LIMIT $1 OFFSET $2), found AS (
            SELECT plant_id, date_bin(make_interval(secs => $5), bucket, 'epoch') AS at, avg(value) AS value
            FROM (\(source)) measured GROUP BY 1, 2
        )
        SELECT n.total, page.id, found.at, found.value FROM (SELECT count(*) AS total FROM plants) n
        LEFT JOIN page ON true LEFT JOIN found ON found.plant_id = page.id
        ORDER BY page.id, found.at
        """
    }

    private static let ofPage = "plant_id = ANY (ARRAY(SELECT id FROM page))"

    static func rollups(_ metric: Metric) -> String {
        """
        SELECT plant_id, bucket, \(metric.name)_avg AS value FROM telemetry_5m
        WHERE \(ofPage) AND bucket >= $3 AND bucket < $4 AND \(metric.name)_count > 0
        """
    }

    static func readings(_ metric: Metric) -> String {
        """
        SELECT plant_id, date_bin('5 minutes', time, 'epoch') AS bucket, avg(\(metric.name)) AS value FROM telemetry
        WHERE \(ofPage) AND time >= $3 AND time < $4 AND \(metric.name) IS NOT NULL GROUP BY device_id, 1, 2
        """
    }
}
