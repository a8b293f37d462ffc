import Logging
package import MQTT
import PlantDomain
import PlantStore
package import Postgres

package struct IngestOptions: Sendable {
    package var mqtt: MQTTOptions
    package var database: PostgresOptions
    /// Several backends that share the stream carry the same name; nil when there is one.
    package var sharedGroup: String?
    /// False to measure what judging costs.
    package var judges: Bool

    /// Most messages the broker may have under way to us, unacknowledged.
    package static let receiveMaximum = 10_000
    /// How long the broker keeps our session and its queue.
    package static let sessionExpirySeconds: UInt32 = 7 * 86_400

    package init(mqtt: MQTTOptions, database: PostgresOptions, sharedGroup: String?, judges: Bool = true) {
        self.mqtt = mqtt
        self.mqtt.cleanStart = false
        self.mqtt.sessionExpirySeconds = Self.sessionExpirySeconds
        self.mqtt.receiveMaximum = Self.receiveMaximum
        // The broker waits one and a half times as long. Longer than a commit may take.
        self.mqtt.keepAliveSeconds = 60
        self.database = database
        self.sharedGroup = sharedGroup
        self.judges = judges
    }
}

/// The thread that takes readings in: read what is there, commit it in one transaction, acknowledge.
///
/// Batches form by themselves: under load many messages wait while one batch is committed and make up the next; a
/// single message is committed at once. There is no timer.
struct IngestLoop {
    let options: IngestOptions
    let status: IngestStatus
    let stop: StopFlag
    let wake: WakeSignal
    /// nil: nobody wants to know.
    let metrics: IngestMetrics?
    let logger: Logger

    /// Returns when it was told to stop and the batch in hand is committed and acknowledged.
    func run() {
        var backoff = Backoff()
        var writer: IngestWriter?
        var limit = BatchBuilder.fullMessages
        // Since when nothing has been taken in; nil while something is.
        var interruptedAt: Timestamp?
        var isFirst = true
        while !stop.isRaised {
            do {
                let ready: IngestWriter
                if let writer {
                    ready = writer
                } else {
                    ready = try IngestWriter(options.database, clientID: options.mqtt.clientID, judges: options.judges)
                    try ready.announceAnew()
                }
                writer = ready
                // Nobody knows how long this program did not run, but when anything was heard of last.
                if isFirst { interruptedAt = try ready.lastSighting() ?? .now() }
                isFirst = false
                let now = Timestamp.now()
                let outage = interruptedAt.map { now.seconds(since: $0) } ?? 0
                interruptedAt = interruptedAt ?? now
                ready.resumed(afterOutage: outage, at: now)
                try session(ready, &limit) {
                    backoff.reset()
                    interruptedAt = nil
                }
                return
            } catch let error as PostgresError {
                // The client is gone by now, its messages unacknowledged: the broker keeps them for us.
                writer = nil
                // A batch too large to be committed in time would come again just as large.
                if error.code == .timeout { limit = max(1, limit / 4) }
                // A predecessor that lets go is succeeded at once.
                if error.isLockTaken { backoff.reset() }
                report(database: false, "database", "\(error)")
            } catch {
                report(database: writer != nil, "broker", "\(error)")
            }
            interruptedAt = interruptedAt ?? .now()
            pause(seconds: backoff.wait())
        }
    }

    private func report(database: Bool, _ what: String, _ problem: String) {
        let isNew = status.snapshot.lastProblem != problem
        status.change { state in
            state.mqttConnected = false
            state.databaseConnected = database
            state.waitingSince = nil
            state.lastProblem = problem
        }
        // Once per problem, or an hour's outage fills the log.
        let level: Logger.Level = isNew ? .warning : .debug
        logger.log(
            level: level, "ingest is interrupted; the broker keeps the messages",
            metadata: ["waiting_for": "\(what)", "reason": "\(problem)"])
    }

    /// One connection to the broker, until it breaks (throws) or the thread is told to stop (returns).
    /// - Parameters:
    ///   - limit: most messages in a batch; grows again with every batch that is committed.
    ///   - working: called when the first batch is committed, or when there is none to commit.
    private func session(_ writer: IngestWriter, _ limit: inout Int, working: () -> Void) throws {
        let client = try MQTTClient(options.mqtt)
        var builder = BatchBuilder()
        builder.resume(
            committed: try writer.recentDeliveries(inFlight: IngestOptions.receiveMaximum),
            inFlight: IngestOptions.receiveMaximum)
        client.onMessage = { builder.take($0, receivedAt: .now()) }
        let filters = DeviceTopic.allCases.map { topic in
            options.sharedGroup.map { "$share/\($0)/\(topic.filter)" } ?? topic.filter
        }
        if try !client.connect(subscribingTo: filters) { builder.beginAfresh() }
        metrics?.connected()
        defer {
            status.change { $0.mqttConnected = false }
            metrics?.disconnected()
        }
        var isWorking = false
        var redeliveries = 0

        var nothingLeft = false
        var lastKeepAlive = monotonicSeconds()
        while true {
            // A session that delivers is as good as a grant, which comes behind everything the broker had kept.
            let mayWork = !builder.batch.isEmpty || nothingLeft && client.isSubscribed
            if !builder.batch.isEmpty {
                try commit(&builder, writer)
                limit = min(BatchBuilder.fullMessages, limit * 2)
            }
            // Everything read so far is in the database: now, and only now, the acknowledgements leave.
            try client.flush()
            if mayWork, !isWorking {
                isWorking = true
                status.change { state in
                    state.mqttConnected = true
                    state.databaseConnected = true
                    state.lastProblem = nil
                }
                working()
                logger.info("ingest is running")
            }
            let announceIn = try writer.announce(isLast: stop.isRaised)
            if stop.isRaised {
                try client.disconnect()
                return
            }
            if nothingLeft {
                let patience = announceIn.map { Int32($0 / .milliseconds(1)) + 1 } ?? 1000
                let readable = waitReadable([client.socket, wake.descriptor], milliseconds: patience)
                if readable[1] { wake.clear() }
            }
            if monotonicSeconds() - lastKeepAlive >= 1 {
                lastKeepAlive = monotonicSeconds()
                try client.keepAlive()
                guard writer.seemsAlive() else {
                    throw PostgresError(.unavailable, "the connection to the server was lost")
                }
            }
            nothingLeft = try client.readAvailable { builder.isFull(messages: limit) }
            if builder.redeliveries > redeliveries {
                metrics?.redelivered(builder.redeliveries - redeliveries)
                redeliveries = builder.redeliveries
            }
        }
    }

    private func commit(_ builder: inout BatchBuilder, _ writer: IngestWriter) throws {
        let oldest = builder.batch.items[0].receivedAt
        status.change { $0.waitingSince = oldest }
        let outcome = try committed(builder.batch, writer)
        builder.removeAll()
        let now = Timestamp.now()
        let (redeliveries, retained) = (builder.redeliveries, builder.retainedIgnored)
        status.change { state in
            state.waitingSince = nil
            state.lastCommitAt = now
            state.lastCommitLag = max(0, now.seconds(since: oldest))
            state.totals.add(outcome)
            state.batches += 1
            state.redeliveries = redeliveries
            state.retainedIgnored = retained
        }
        if outcome.unjudged > 0 {
            logger.error("readings were stored without judging them", metadata: ["messages": "\(outcome.unjudged)"])
        }
        if !outcome.deadLetters.isEmpty {
            let reasons = outcome.deadLetters.map { "\($0.key.rawValue)=\($0.value)" }.sorted().joined(separator: " ")
            logger.notice("messages went to the dead letters", metadata: ["reasons": "\(reasons)"])
        }
    }

    private func committed(_ batch: IngestBatch, _ writer: IngestWriter) throws(PostgresError) -> IngestOutcome {
        guard let metrics else { return try writer.commit(batch) }
        let start = monotonicSeconds()
        do throws(PostgresError) {
            let outcome = try writer.commit(batch)
            metrics.committed(batch, outcome, seconds: monotonicSeconds() - start)
            return outcome
        } catch {
            metrics.failed(error)
            throw error
        }
    }

    private func pause(seconds: Double) {
        if waitReadable([wake.descriptor], milliseconds: Int32(seconds * 1000))[0] { wake.clear() }
    }
}
