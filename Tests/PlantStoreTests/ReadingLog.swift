import Foundation
import Logging
import PlantDomain
import PlantStore
import Postgres
import TestSupport

/// A reading as a test keeps it in mind. Extra metrics are among the values, by their names.
struct LoggedReading: Sendable {
    var time: Timestamp
    var device: EntityID
    var plant: EntityID?
    var values: [String: Double]
}

/// Readings that a test has written, and what their summaries must be: added up here, from nothing but the list.
final class ReadingLog {
    let database: TestDatabase
    let upkeep: SeriesUpkeep
    private let connection: PostgresConnection
    private var readings: [Key: LoggedReading] = [:]

    private struct Key: Hashable {
        let device: EntityID
        let time: Timestamp
    }

    init(_ database: TestDatabase) throws {
        self.database = database
        connection = try PostgresConnection(database.options)
        upkeep = SeriesUpkeep(database.options, logger: Logger(label: "test"))
    }

    convenience init(_ kind: TimeSeriesKind) throws { try self.init(TestDatabase(kind)) }

    /// Writes readings as the intake does: one that is there already stays as it is.
    func write(_ new: [LoggedReading]) throws {
        try Self.write(new, on: connection)
        note(new)
    }

    /// What somebody else has written.
    func note(_ new: [LoggedReading]) {
        for reading in new {
            let key = Key(device: reading.device, time: reading.time)
            if readings[key] == nil { readings[key] = reading }
        }
    }

    static func write(_ new: [LoggedReading], on connection: PostgresConnection) throws {
        guard let first = new.map(\.time).min(), let last = new.map(\.time).max() else { return }
        try connection.query(
            "SELECT telemetry_ensure_partitions($1, $2)",
            [.timestamp(first.microseconds), .timestamp(last.microseconds)])
        let metrics = Metric.allCases.map(\.name)
        let rows = new.map { reading in
            let columns = metrics.map { name in reading.values[name].map { "\($0)" } ?? "NULL" }
            let extras = reading.values.filter { !metrics.contains($0.key) }.map { "\"\($0.key)\": \($0.value)" }
            let extra = extras.isEmpty ? "NULL" : "'{\(extras.joined(separator: ", "))}'::jsonb"
            let plant = reading.plant.map { "'\($0)'::uuid" } ?? "NULL"
            return """
                ('\(reading.time.rfc3339)'::timestamptz, '\(reading.device)'::uuid, \(plant),
                \(columns.joined(separator: ", ")), \(extra), 'device', now())
                """
        }
        try connection.execute(
            """
            INSERT INTO telemetry (time, device_id, plant_id, \(metrics.joined(separator: ", ")), extra, time_source,
                received_at)
            VALUES \(rows.joined(separator: ",\n")) ON CONFLICT DO NOTHING
            """)
    }

    // MARK: what must be

    struct Bucket: Hashable, CustomStringConvertible {
        let start: Timestamp
        let device: EntityID
        let plant: EntityID?
        var description: String { "\(start.rfc3339) \(device) \(plant.map(\.description) ?? "-")" }
    }

    struct Summary {
        var readings = 0
        /// Of each metric that has values.
        var metrics: [String: (avg: Double, min: Double, max: Double, count: Int)] = [:]

        /// nil when they are the same; means may differ by rounding.
        func difference(to other: Summary) -> String? {
            guard readings == other.readings else { return "\(readings) readings, \(other.readings) expected" }
            guard Set(metrics.keys) == Set(other.metrics.keys) else {
                return "has \(metrics.keys.sorted()), \(other.metrics.keys.sorted()) expected"
            }
            for (name, values) in metrics {
                guard let wanted = other.metrics[name] else { continue }
                let isMean = abs(values.avg - wanted.avg) <= 1e-9 * max(1, abs(wanted.avg))
                guard isMean, values.min == wanted.min, values.max == wanted.max, values.count == wanted.count else {
                    return "\(name) is \(values), \(wanted) expected"
                }
            }
            return nil
        }
    }

    static let views = ["telemetry_5m", "telemetry_1h", "telemetry_1d"]

    /// What a view must hold.
    func expected(_ view: String, zone: KnownTimeZone) -> [Bucket: Summary] {
        let groups = Dictionary(grouping: readings.values) { reading in
            Bucket(start: start(view, reading.time, zone), device: reading.device, plant: reading.plant)
        }
        return groups.mapValues { readings in
            var summary = Summary(readings: readings.count)
            for name in Set(readings.flatMap(\.values.keys)) {
                let values = readings.compactMap { $0.values[name] }
                summary.metrics[name] = (
                    values.reduce(0, +) / Double(values.count), values.min() ?? 0, values.max() ?? 0, values.count
                )
            }
            return summary
        }
    }

    private func start(_ view: String, _ time: Timestamp, _ zone: KnownTimeZone) -> Timestamp {
        func floor(_ width: Int64) -> Timestamp {
            let microseconds = width * 1_000_000
            return Timestamp(microseconds: time.microseconds / microseconds * microseconds)
        }
        switch view {
        case "telemetry_5m": return floor(300)
        case "telemetry_1h": return floor(3600)
        default: return LocalDay.containing(time, in: zone).start
        }
    }

    // MARK: what is

    func found(_ view: String) throws -> [Bucket: Summary] {
        let metrics = Metric.allCases.map(\.name)
        let columns = metrics.map { "\($0)_avg, \($0)_min, \($0)_max, \($0)_count" }
        let rows = try connection.query(
            "SELECT bucket, device_id, plant_id, readings, extra, \(columns.joined(separator: ", ")) FROM \(view)")
        var found: [Bucket: Summary] = [:]
        for index in 0..<rows.count {
            let row = rows[index]
            let plant = try row.uuid(2).map { EntityID(high: $0.0, low: $0.1) }
            guard let start = try row.timestamp(0), let device = try row.uuid(1), let count = try row.int(3) else {
                throw TestSetupError(description: "a bucket without time, device or count")
            }
            var summary = Summary(readings: Int(count))
            for (number, name) in metrics.enumerated() {
                let column = Int32(5 + number * 4)
                let values = try row.int(column + 3) ?? 0
                guard values > 0 else { continue }
                summary.metrics[name] = (
                    try row.double(column) ?? .nan, try row.double(column + 1) ?? .nan,
                    try row.double(column + 2) ?? .nan, Int(values)
                )
            }
            if let extra = try row.text(4) {
                for (name, values) in try JSONDecoder().decode([String: [Double]].self, from: Data(extra.utf8)) {
                    summary.metrics[name] = (values[0], values[1], values[2], Int(values[3]))
                }
            }
            let bucket = Bucket(
                start: Timestamp(microseconds: start), device: EntityID(high: device.0, low: device.1), plant: plant)
            guard found.updateValue(summary, forKey: bucket) == nil else {
                throw TestSetupError(description: "\(view) has \(bucket) twice")
            }
        }
        return found
    }

    /// The first few buckets of all views that are not as they must be; none when everything is right.
    func differences(zone: KnownTimeZone = .utc) throws -> [String] {
        var differences: [String] = []
        for view in Self.views {
            let (found, expected) = (try found(view), expected(view, zone: zone))
            for bucket in Set(found.keys).union(expected.keys) {
                let difference =
                    switch (found[bucket], expected[bucket]) {
                    case (.some(let is_), .some(let must)): is_.difference(to: must)
                    case (.some, nil): "should not be there"
                    default: "is missing"
                    }
                if let difference { differences.append("\(view) \(bucket): \(difference)") }
            }
        }
        return Array(differences.sorted().prefix(5))
    }

    @discardableResult
    func summarize(zone: KnownTimeZone = .utc, at now: Timestamp) async throws -> Bool {
        try await upkeep.summarize(zone: zone, at: now)
    }
}

/// Invents readings; the same ones for the same seed.
struct ReadingMaker {
    /// SplitMix64.
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    var random: Generator
    let devices = (0..<3).map { _ in EntityID.make() }
    let plants = (0..<2).map { _ in EntityID.make() }

    init(seed: UInt64) { random = Generator(state: seed) }

    /// Some of all metrics, now and then none, in whichever plant the device happens to stand.
    mutating func reading(between first: Timestamp, and last: Timestamp) -> LoggedReading {
        var values: [String: Double] = [:]
        for metric in Metric.allCases where Int.random(in: 0..<3, using: &random) == 0 {
            values[metric.name] = Double.random(in: metric.range, using: &random)
        }
        for name in ["leaf_wetness", "sap_flow"] where Int.random(in: 0..<3, using: &random) == 0 {
            values[name] = Double(Int.random(in: -1000...1000, using: &random)) / 8
        }
        // Whole seconds, so that the same instant comes up again.
        let seconds = Int.random(in: 0..<max(1, Int(last.seconds(since: first))), using: &random)
        return LoggedReading(
            time: first.adding(seconds: Double(seconds)), device: devices[Int.random(in: 0..<3, using: &random)],
            plant: Int.random(in: 0..<5, using: &random) == 0 ? nil : plants[Int.random(in: 0..<2, using: &random)],
            values: values)
    }

    mutating func readings(_ count: Int, between first: Timestamp, and last: Timestamp) -> [LoggedReading] {
        (0..<count).map { _ in reading(between: first, and: last) }
    }
}

extension Timestamp {
    /// A point in time by its text.
    init(_ text: String) throws {
        guard let time = Timestamp(rfc3339: text) else { throw TestSetupError(description: "no time: \(text)") }
        self = time
    }

    func days(_ number: Double) -> Timestamp { adding(seconds: number * 86_400) }
    func hours(_ number: Double) -> Timestamp { adding(seconds: number * 3600) }
}
