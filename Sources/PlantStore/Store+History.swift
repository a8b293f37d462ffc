package import PlantDomain
import Postgres

/// A question about the past of a plant.
package struct HistoryQuery: Sendable {
    package var plant: EntityID
    /// Inclusive.
    package var from: Timestamp
    /// Exclusive.
    package var to: Timestamp
    /// Names of metrics, extra and derived ones among them; nil asks for every known metric that has values.
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
    package func history(_ query: HistoryQuery) async throws -> HistoryOutcome {
        try await pool.run { connection in
            guard let reader = try HistoryReader(query, on: connection) else { return .noSuchPlant }
            guard let history = try reader.read() else { return .tooManyPoints }
            return .history(history)
        }
    }
}

/// Answers one question about a plant's past.
///
/// Every reading is asked for as it is; buckets come from the rollups or, while there are few readings, from these, which
/// is as quick and knows what came late a moment ago. Of several devices in a pot each counts the same: a bucket's mean
/// is the mean of the devices' means, however often each of them measures.
private struct HistoryReader {
    /// Up to so many readings are summarized on the spot.
    private static let fewReadings = 2000
    /// In a longer span there are mostly more of them, so that the rollups are asked first, in seconds.
    private static let shortSpan = 2 * 86_400.0

    private enum Source {
        case readings
        case rollups
    }

    private let query: HistoryQuery
    private let connection: PostgresConnection
    private let lightSource: LightSource
    private let zone: KnownTimeZone
    /// Whether all single readings of the span are still there.
    private let hasReadings: Bool

    private let measured: [String]
    private let derived: [DerivedMetric]

    /// nil: there is no such plant.
    init?(_ query: HistoryQuery, on connection: PostgresConnection) throws {
        self.query = query
        self.connection = connection
        let rows = try connection.query(
            "SELECT p.light_source, s.zone, s.raw_from FROM plants p CROSS JOIN rollup_state s WHERE p.id = $1",
            [.id(query.plant)])
        guard let row = rows.first else { return nil }
        lightSource = LightSource(rawValue: try row.text("light_source")) ?? .sun
        // The one that the days of the rollups are made with: a change of the setting reaches both at once.
        zone = KnownTimeZone(try row.text("zone")) ?? .utc
        // Buckets begin up to a day before the span, and the light of days three hours more.
        hasReadings = try row.optionalTime("raw_from").map { $0.adding(seconds: 2 * 86_400) <= query.from } ?? true

        let wanted = query.metrics ?? Metric.allCases.map(\.name)
        derived = wanted.compactMap { DerivedMetric.named($0) }
        var measured = wanted.filter { DerivedMetric.named($0) == nil }
        for input in derived.flatMap(\.inputs) where !measured.contains(input.name) { measured.append(input.name) }
        self.measured = measured
    }

    /// - Returns: nil when there are too many points.
    func read() throws -> History? {
        if let resolution = query.resolution {
            return try resolution == .raw ? fetch(.raw, .readings)?.history : read(resolution, orReadings: false)
        }
        // The light of days is asked for by days.
        if derived.contains(.dli) { return try read(.oneDay, orReadings: false).map(fitted) }
        let resolution = HistoryResolution.fitting(
            from: query.from, to: query.to, points: HistoryQuery.automaticPoints)
        return try read(resolution, orReadings: true).map(fitted)
    }

    private func fitted(_ history: History) -> History {
        history.joiningDays(from: startOfDay(query.from), zone: zone, points: HistoryQuery.automaticPoints)
    }

    /// - Parameter orReadings: answers the readings one by one if they are few enough.
    private func read(_ resolution: HistoryResolution, orReadings: Bool) throws -> History? {
        guard hasReadings else { return try fetch(resolution, .rollups)?.history }
        var summarized: History?
        if query.to.seconds(since: query.from) > Self.shortSpan {
            guard let found = try fetch(resolution, .rollups) else { return nil }
            if found.readings > Self.fewReadings { return found.history }
            summarized = found.history
        }
        let count = try countReadings()
        if orReadings, count <= HistoryQuery.automaticPoints, let history = try fetch(.raw, .readings)?.history,
            // The gaps have points, too.
            history.time.count <= HistoryQuery.automaticPoints
        {
            return history
        }
        if count <= Self.fewReadings { return try fetch(resolution, .readings)?.history }
        return try summarized ?? fetch(resolution, .rollups)?.history
    }

    /// Counts no further than it must.
    private func countReadings() throws -> Int {
        let rows = try connection.query(
            """
            SELECT count(*) AS readings FROM
                (SELECT 1 FROM telemetry WHERE plant_id = $1 AND time >= $2 AND time < $3 LIMIT $4) counted
            """,
            [.id(query.plant), .time(query.from), .time(query.to), .int(Int64(Self.fewReadings + 1))])
        return Int(try rows[0].int("readings"))
    }

    private func startOfDay(_ time: Timestamp) -> Timestamp { LocalDay.containing(time, in: zone).start }

    private func fetch(
        _ resolution: HistoryResolution, _ source: Source
    ) throws -> (history: History, readings: Int)? {
        let (from, to) = span(resolution)
        var values: [PostgresValue] = [
            .id(query.plant), .time(from), .time(to), .int(Int64(HistoryQuery.maximumPoints + 1)),
        ]
        let rows = try connection.query(statement(resolution, source, &values), values, once: true)
        guard rows.count <= HistoryQuery.maximumPoints else { return nil }
        var history = History(
            resolution: resolution, series: measured.map { History.Series(name: $0, unit: Metric.named($0)?.unit) })
        history.reserve(rows.count)
        var readings = 0
        for index in 0..<rows.count {
            let row = rows[index]
            guard let time = try row.timestamp(0) else { continue }
            history.time.append(Timestamp(microseconds: time))
            readings += Int(try row.int(1) ?? 0)
            for series in history.series.indices {
                let column = Int32(2 + series * 3)
                history.series[series].avg.append(try row.double(column))
                history.series[series].min.append(try row.double(column + 1))
                history.series[series].max.append(try row.double(column + 2))
            }
        }
        history.addDerived(derived, lightSource: lightSource)
        if derived.contains(.dli), resolution == .oneDay { try addDailyLight(to: &history, source) }
        let wanted = query.metrics
        history.series.removeAll { wanted?.contains($0.name) == false || (wanted == nil && $0.isEmpty) }
        if let wanted {
            history.series.sort { (wanted.firstIndex(of: $0.name) ?? 0) < (wanted.firstIndex(of: $1.name) ?? 0) }
        }
        history.breakLines()
        return (history, readings)
    }

    /// Whole buckets: those that begin before the end, the one that the span begins in included.
    private func span(_ resolution: HistoryResolution) -> (from: Timestamp, to: Timestamp) {
        switch resolution {
        case .raw: (query.from, query.to)
        case .fiveMinutes, .oneHour:
            (query.from.rounded(downTo: resolution), query.to.rounded(upTo: resolution))
        case .oneDay:
            (startOfDay(query.from), LocalDay.containing(query.to.adding(seconds: -1e-6), in: zone).end)
        }
    }

    // MARK: statements

    /// Columns: the time, how many readings, and of each metric the mean, the least and the most.
    private func statement(
        _ resolution: HistoryResolution, _ source: Source, _ values: inout [PostgresValue]
    ) -> String {
        guard resolution != .raw else {
            let columns = measured.map { name in
                let value = reading(name, &values)
                return "avg(\(value)), min(\(value)), max(\(value))"
            }
            // Two devices in one pot may measure at the same instant.
            return """
                SELECT time, count(*), \(columns.joined(separator: ", "))
                FROM telemetry WHERE plant_id = $1 AND time >= $2 AND time < $3
                GROUP BY time ORDER BY time LIMIT $4
                """
        }
        let buckets = source == .readings ? readings(in: resolution, &values) : rollups(of: resolution, &values)
        let columns = measured.indices.map { "avg(avg_\($0)), min(min_\($0)), max(max_\($0))" }
        return """
            SELECT bucket, sum(readings)::bigint, \(columns.joined(separator: ", "))
            FROM (\(buckets)) devices GROUP BY bucket ORDER BY bucket LIMIT $4
            """
    }

    /// Of each bucket and device the columns avg_0, min_0, max_0, avg_1, … in the order of `measured`.
    private func readings(in resolution: HistoryResolution, _ values: inout [PostgresValue]) -> String {
        let columns = measured.indices.map { index in
            let value = reading(measured[index], &values)
            return "avg(\(value)) AS avg_\(index), min(\(value)) AS min_\(index), max(\(value)) AS max_\(index)"
        }
        let bucket: String
        if let width = resolution.fixedWidth {
            bucket = "date_bin('\(width) seconds', time, 'epoch')"
        } else {
            values.append(.text(zone.name))
            bucket = "local_day(time, $\(values.count))"
        }
        return """
            SELECT \(bucket) AS bucket, device_id, count(*) AS readings, \(columns.joined(separator: ", "))
            FROM telemetry WHERE plant_id = $1 AND time >= $2 AND time < $3 GROUP BY 1, 2
            """
    }

    /// The same columns.
    private func rollups(of resolution: HistoryResolution, _ values: inout [PostgresValue]) -> String {
        let columns = measured.indices.map { index in
            let name = measured[index]
            if Metric.named(name) != nil {
                return "\(name)_avg AS avg_\(index), \(name)_min AS min_\(index), \(name)_max AS max_\(index)"
            }
            values.append(.text(name))
            let extra = "extra -> $\(values.count)"
            return """
                (\(extra) -> 0)::double precision AS avg_\(index), (\(extra) -> 1)::double precision AS min_\(index),
                (\(extra) -> 2)::double precision AS max_\(index)
                """
        }
        return """
            SELECT bucket, device_id, readings, \(columns.joined(separator: ", "))
            FROM telemetry_\(resolution.rawValue) WHERE plant_id = $1 AND bucket >= $2 AND bucket < $3
            """
    }

    /// A metric of a single reading.
    private func reading(_ name: String, _ values: inout [PostgresValue]) -> String {
        if let metric = Metric.named(name) { return metric.name }
        values.append(.text(name))
        return "(extra ->> $\(values.count))::double precision"
    }

    // MARK: light

    /// From hours, of which a day has enough, and which are there when single readings are not any more.
    private func addDailyLight(to history: inout History, _ source: Source) throws {
        let now = try connection.query("SELECT now() AS now")[0].time("now")
        let days = history.time.map { LocalDay.containing($0, in: zone) }.filter { $0.end <= now }
        guard let first = days.first, let last = days.last else {
            return history.addDailyLight([], lightSource: lightSource)
        }
        let reader = HistoryReader(light: self)
        var values: [PostgresValue] = [
            .id(query.plant), .time(first.start.adding(seconds: -LightDay.longestGap)),
            .time(last.end.adding(seconds: LightDay.longestGap)), .int(Int64.max),
        ]
        let rows = try connection.query(reader.statement(.oneHour, source, &values), values, once: true)
        var hours: [LightBucket] = []
        for index in 0..<rows.count {
            guard let start = try rows[index].timestamp(0), let lux = try rows[index].double(2) else { continue }
            hours.append(LightBucket(start: Timestamp(microseconds: start), width: 3600, lux: lux))
        }
        history.addDailyLight(DailyLight.sums(of: days, from: hours), lightSource: lightSource)
    }

    /// The same question about nothing but light.
    private init(light reader: HistoryReader) {
        (query, connection, lightSource, zone) = (reader.query, reader.connection, reader.lightSource, reader.zone)
        hasReadings = reader.hasReadings
        (measured, derived) = ([Metric.lightLevel.name], [])
    }
}
