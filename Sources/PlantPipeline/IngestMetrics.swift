import Metrics
import PlantDomain
import PlantStore
import Postgres

/// What the intake measures of itself. The handles are kept, and counted once for a batch: a message costs an addition.
struct IngestMetrics: Sendable {
    private let telemetry = Self.messages("telemetry")
    private let heartbeats = Self.messages("heartbeat")
    private let statuses = Self.messages("status")
    private let commandResults = Self.messages("command_result")
    private let others = Self.messages("other")
    private let rows = Counter(label: "plantops_ingest_rows_total")
    private let duplicates = Counter(label: "plantops_ingest_duplicates_total")
    private let rejects = Dictionary(
        uniqueKeysWithValues: RejectReason.allCases.map { reason in
            (reason, Counter(label: "plantops_ingest_rejects_total", dimensions: [("reason", reason.rawValue)]))
        })
    private let batchMessages = Recorder(label: "plantops_ingest_batch_messages")
    private let commit = Timer(label: "plantops_ingest_commit_seconds")
    private let away = Self.failures("database_away")
    private let timeouts = Self.failures("timeout")
    private let refusals = Self.failures("refused")
    private let connections = Counter(label: "plantops_broker_connections_total")
    private let disconnections = Counter(label: "plantops_broker_disconnections_total")

    func committed(_ batch: borrowing IngestBatch, _ outcome: IngestOutcome, seconds: Double) {
        var (telemetry, heartbeats, statuses, commandResults, others) = (0, 0, 0, 0, 0)
        for index in batch.items.indices {
            switch batch.items[index].topic {
            case .device(_, .telemetry): telemetry += 1
            case .device(_, .heartbeat): heartbeats += 1
            case .device(_, .status): statuses += 1
            case .device(_, .commandResult): commandResults += 1
            case .other: others += 1
            }
        }
        self.telemetry.increment(by: telemetry)
        self.heartbeats.increment(by: heartbeats)
        self.statuses.increment(by: statuses)
        self.commandResults.increment(by: commandResults)
        self.others.increment(by: others)
        rows.increment(by: outcome.stored)
        duplicates.increment(by: outcome.duplicates)
        for (reason, count) in outcome.deadLetters { rejects[reason]?.increment(by: count) }
        batchMessages.record(batch.items.count)
        commit.recordSeconds(seconds)
    }

    /// Messages the broker delivered again that were known before they were looked into.
    func redelivered(_ count: Int) { duplicates.increment(by: count) }

    /// A batch could not be committed; it comes again.
    func failed(_ error: PostgresError) {
        switch error.code {
        case .unavailable, .poolExhausted: away.increment()
        case .timeout: timeouts.increment()
        case .constraint, .data, .statement, .decoding, .schema: refusals.increment()
        }
    }

    func connected() { connections.increment() }
    func disconnected() { disconnections.increment() }

    private static func messages(_ kind: String) -> Counter {
        Counter(label: "plantops_ingest_messages_total", dimensions: [("kind", kind)])
    }

    private static func failures(_ reason: String) -> Counter {
        Counter(label: "plantops_ingest_failures_total", dimensions: [("reason", reason)])
    }
}
