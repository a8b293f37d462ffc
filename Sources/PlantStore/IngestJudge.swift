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
        at now: Timestamp, on connection: PostgresConnection
    ) throws(PostgresError) -> Outcome {
        var outcome = Outcome()
        let ids = PostgresValue.uuids(inputs.keys.map { ($0.high, $0.low) })
        let kept = try Self.kept(ids, on: connection)
        let standing = try Self.standing(ids, on: connection)
        // Nothing is remembered of a new device, and nothing that can be read after a newer version was here.
        let open = try Self.openAlerts(of: inputs.keys.filter { kept[$0]?.memory == nil }, on: connection)
        for device in inputs.keys.sorted() {
            // What a device that was shut out had sent before is stored, and counts no more than what it said.
            guard let entry = devices[device], let inputs = inputs[device], let home = standing[device],
                home.isEnabled
            else { continue }
            let plant = home.plant
            var memory = kept[device]?.memory ?? SensorMemory(resuming: open[device] ?? [], in: plant)
            memory.judgedUntil = kept[device]?.judgedUntil
            if let since = kept[device]?.offlineSince {
                outcome.findings.append(
                    AlertFinding(
                        AlertSubject(.deviceOffline, plant: plant, device: device), .resolved(since: since), value: nil,
                        limit: nil, at: now))
            }
            let context = SensorMemory.Context(
                device: device, plant: plant, rules: rules[home.thresholds], forSeconds: forSeconds)
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
        outcome.findings = Self.inLockOrder(outcome.findings)
        return outcome
    }

    /// Alerts are locked in the order of the findings, and one of a plant may be another backend's, too. Each alert's own
    /// keep theirs.
    private static func inLockOrder(_ findings: [AlertFinding]) -> [AlertFinding] {
        guard findings.count > 1 else { return findings }
        let keyed = findings.enumerated().map { (key: $0.element.subject.key, number: $0.offset, finding: $0.element) }
        return keyed.sorted { ($0.key, $0.number) < ($1.key, $1.number) }.map(\.finding)
    }

    private struct Kept {
        let memory: SensorMemory?
        let judgedUntil: Timestamp?
        let offlineSince: Timestamp?
    }

    private static func kept(
        _ ids: PostgresValue, on connection: PostgresConnection
    ) throws(PostgresError) -> [EntityID: Kept] {
        let rows = try connection.query(IngestSQL.memories, [ids])
        var kept: [EntityID: Kept] = Dictionary(minimumCapacity: rows.count)
        for index in 0..<rows.count {
            let row = rows[index]
            guard let (high, low) = try row.uuid(0) else { continue }
            kept[EntityID(high: high, low: low)] = Kept(
                memory: row.bytes(1).flatMap { SensorMemory(encoded: $0) },
                judgedUntil: try row.timestamp(2).map { Timestamp(microseconds: $0) },
                offlineSince: try row.timestamp(3).map { Timestamp(microseconds: $0) })
        }
        return kept
    }

    private struct Home {
        let isEnabled: Bool
        let plant: EntityID?
        /// Its limits as JSON.
        let thresholds: String?
    }

    private static func standing(
        _ ids: PostgresValue, on connection: PostgresConnection
    ) throws(PostgresError) -> [EntityID: Home] {
        let rows = try connection.query(IngestSQL.standing, [ids])
        var standing: [EntityID: Home] = Dictionary(minimumCapacity: rows.count)
        for index in 0..<rows.count {
            let row = rows[index]
            guard let (high, low) = try row.uuid(0) else { continue }
            standing[EntityID(high: high, low: low)] = Home(
                isEnabled: try row.bool(1) ?? true,
                plant: try row.uuid(2).map { EntityID(high: $0.0, low: $0.1) }, thresholds: try row.text(3))
        }
        return standing
    }

    /// What is open because of each of these devices.
    private static func openAlerts(
        of devices: [EntityID], on connection: PostgresConnection
    ) throws(PostgresError) -> [EntityID: [Alert]] {
        guard !devices.isEmpty else { return [:] }
        let rows = try connection.query(
            """
            SELECT * FROM alerts WHERE kind = ANY ($2) AND state <> 'resolved' AND devices && $1
            """, [.uuids(devices.map { ($0.high, $0.low) }), .texts(AlertKind.allCases.map(\.rawValue))])
        var alerts: [EntityID: [Alert]] = [:]
        for index in 0..<rows.count {
            let alert = try Alert(rows[index])
            for (high, low) in try rows[index].optionalUUIDs("devices") ?? [] {
                alerts[EntityID(high: high, low: low), default: []].append(alert)
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
