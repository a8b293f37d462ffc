import Foundation
import PlantDomain
import Postgres

/// Judges the readings of a batch in its transaction: loads what is remembered of each device, lets its readings
/// change that, and finds which conditions began, fired or ended.
struct IngestJudge {
    private enum Input {
        /// Indices into the batch's readings, and when they were received.
        case readings(Range<Int>, Timestamp)
        case battery(Double, Timestamp)
        /// It was heard of.
        case sighting
    }

    private var inputs: [EntityID: [Input]] = [:]

    var isEmpty: Bool { inputs.isEmpty }

    mutating func add(_ readings: Range<Int>, of device: EntityID, receivedAt: Timestamp) {
        inputs[device, default: []].append(.readings(readings, receivedAt))
    }

    mutating func add(_ heartbeat: Heartbeat, of device: EntityID, receivedAt: Timestamp) {
        inputs[device, default: []].append(heartbeat.battery.map { .battery($0, receivedAt) } ?? .sighting)
    }

    mutating func heard(_ device: EntityID) { inputs[device, default: []].append(.sighting) }

    struct Outcome {
        /// To be written back.
        var memories: [EntityID: SensorMemory] = [:]
        var findings: [AlertFinding] = []
    }

    /// Holds the rows of the devices from here to the end of the transaction: of two backends that share the stream,
    /// the second goes on from what the first has found.
    func run(
        _ batch: IngestBatch, _ devices: DeviceDirectory, _ rules: PlantRulesCache, forSeconds: Double,
        at now: Timestamp,
        on connection: PostgresConnection
    ) throws(PostgresError) -> Outcome {
        var outcome = Outcome()
        let rows = try connection.query(
            IngestSQL.memories, [.uuids(inputs.keys.map { ($0.high, $0.low) })])
        var known: [EntityID: Int] = Dictionary(minimumCapacity: rows.count)
        for index in 0..<rows.count {
            guard let (high, low) = try rows[index].uuid(0) else { continue }
            known[EntityID(high: high, low: low)] = index
        }
        // Nothing is remembered of a new device, and where somebody changed what its alerts speak of.
        let unknown = inputs.keys.filter { device in known[device].map { rows[$0].bytes(1) == nil } ?? true }
        let open = try Self.openAlerts(of: unknown, on: connection)
        // In a fixed order, because alerts are locked in the order of the findings.
        for device in inputs.keys.sorted() {
            guard let entry = devices[device], let inputs = inputs[device] else { continue }
            let row = known[device].map { rows[$0] }
            var memory =
                row?.bytes(1).flatMap { SensorMemory(encoded: $0) }
                ?? SensorMemory(resuming: open[device] ?? [], in: entry.current)
            memory.judgedUntil = try row?.timestamp(2).map { Timestamp(microseconds: $0) }
            if let since = try row?.timestamp(3) {
                outcome.findings.append(
                    AlertFinding(
                        AlertSubject(.deviceOffline, plant: entry.current, device: device),
                        .resolved(since: Timestamp(microseconds: since)), value: nil, limit: nil, at: now))
            }
            let context = SensorMemory.Context(
                device: device, plant: entry.current, rules: rules[entry.thresholds], forSeconds: forSeconds)
            var isJudged = false
            for input in inputs {
                switch input {
                case .readings(let range, let receivedAt):
                    memory.judge(
                        batch.readings[range], receivedAt: receivedAt, in: context, plantAt: entry.plant(at:),
                        findings: &outcome.findings)
                    isJudged = true
                case .battery(let percent, let receivedAt):
                    memory.judge(battery: percent, at: receivedAt, in: context, findings: &outcome.findings)
                    isJudged = true
                case .sighting: break
                }
            }
            if isJudged { outcome.memories[device] = memory }
        }
        return outcome
    }

    /// What fires because of each of these devices.
    private static func openAlerts(
        of devices: [EntityID], on connection: PostgresConnection
    ) throws(PostgresError) -> [EntityID: [Alert]] {
        guard !devices.isEmpty else { return [:] }
        let rows = try connection.query(
            "SELECT * FROM alerts WHERE state = 'firing' AND devices && $1", [.uuids(devices.map { ($0.high, $0.low) })]
        )
        var alerts: [EntityID: [Alert]] = [:]
        for index in 0..<rows.count {
            for (high, low) in try rows[index].optionalUUIDs("devices") ?? [] {
                alerts[EntityID(high: high, low: low), default: []].append(try Alert(rows[index]))
            }
        }
        return alerts
    }
}

/// The limits of plants as they are judged by, made once for each text of limits there is.
final class PlantRulesCache {
    private var byText: [String: PlantRules] = [:]
    private var hysteresisPercent = -1.0
    private static let most = 10_000

    /// The settings count from the next batch on.
    func prepare(hysteresisPercent percent: Double) {
        guard percent != hysteresisPercent || byText.count > Self.most else { return }
        byText.removeAll()
        hysteresisPercent = percent
    }

    subscript(text: String?) -> PlantRules {
        guard let text else { return .none }
        if let rules = byText[text] { return rules }
        // Limits that cannot be read are none: they must not hold up the intake.
        let thresholds = (try? JSONDecoder().decode(Thresholds.self, from: Data(text.utf8))) ?? [:]
        let rules = PlantRules(thresholds, hysteresisPercent: hysteresisPercent)
        byText[text] = rules
        return rules
    }
}
