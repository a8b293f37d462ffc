package import PlantDomain
package import Postgres

/// Writes batches of messages, each in one transaction, over a connection of its own.
///
/// Not Sendable: it belongs to the ingest thread. After `unavailable` it must be dropped and made anew.
package final class IngestWriter {
    private let connection: PostgresConnection
    /// Names this backend's session at the broker; packet ids are unique within it.
    private let clientID: String
    private var telemetry = CopyBuffer()
    private var states = CopyBuffer()
    private var deadLetters = CopyBuffer()
    private let rules = PlantRulesCache()
    /// Until when alerts are told in one message, and as what: readings are coming in again after an outage.
    private var outage: (until: Timestamp, group: String)?

    /// What the transaction under way changes for those who watch, and what was committed and not yet told.
    private var touched = LiveChanges()
    private var unannounced = LiveChanges()
    private var announcedAt: ContinuousClock.Instant?

    private let judges: Bool
    /// Whether what fails now fails because of judging.
    private var isJudgingNow = false
    private static let mostConflicts = 3

    /// - Parameter judges: false stores readings without judging them, to measure what judging costs.
    /// - Throws: `unavailable` when the database cannot be reached.
    package init(_ options: PostgresOptions, clientID: String, judges: Bool = true) throws(PostgresError) {
        connection = try PostgresConnection(options)
        self.clientID = clientID
        self.judges = judges
        // Held as long as the connection: a predecessor that is still committing what the broker will deliver to us
        // again finishes first, and two backends never read one session in turns.
        do {
            // Not for long at a time: whoever waits for it cannot be told to stop.
            try connection.execute("BEGIN; SET LOCAL lock_timeout = '1s'")
            try connection.query(IngestSQL.lockSession, [.text(clientID)])
            try connection.commit()
        } catch  where error.code == .timeout {
            throw PostgresError(
                .unavailable, "another backend with the same MQTT client id is at work; each needs a MQTT_CLIENT_ID",
                sqlState: PostgresError.lockTaken)
        }
        try connection.execute(IngestSQL.stagingTables)
        try connection.query(IngestSQL.ensurePartitions)
    }

    /// For so long after an outage alerts are told together, in seconds; shorter interruptions are none.
    private static let outageTailSeconds = 60.0
    package static let outageSeconds = 10.0

    /// Readings come in again after an interruption: what is found out in the next minute is told in one message.
    package func resumed(afterOutage seconds: Double, at now: Timestamp) {
        guard seconds >= Self.outageSeconds else { return }
        outage = (now.adding(seconds: Self.outageTailSeconds), MessagePlan.outageGroup + now.rfc3339)
    }

    /// When anything was heard of last, by any backend; nil: never.
    package func lastSighting() throws(PostgresError) -> Timestamp? {
        try connection.query("SELECT max(last_seen_at) AS at FROM device_state").first?.optionalTime("at")
    }

    /// Whether the connection is still there, without asking the server.
    package func seemsAlive() -> Bool { connection.seemsAlive() }

    /// The packet ids committed lately with the fingerprints of their messages: what the broker may deliver again.
    /// - Parameter inFlight: how many messages the broker may have delivered without an acknowledgement.
    package func recentDeliveries(inFlight: Int) throws(PostgresError) -> [UInt16: UInt64] {
        let rows = try connection.query(IngestSQL.recentDeliveries, [.text(clientID), .int(Int64(inFlight))])
        var deliveries: [UInt16: UInt64] = [:]
        for index in 0..<rows.count {
            guard let packet = try rows[index].int(0), let fingerprint = try rows[index].int(1) else { continue }
            deliveries[UInt16(truncatingIfNeeded: packet)] = UInt64(bitPattern: fingerprint)
        }
        return deliveries
    }

    /// Commits the whole batch, or nothing of it.
    ///
    /// A message the database refuses is found by halving the batch and goes to the dead letters alone.
    /// - Throws: `unavailable`, `timeout` and the like when nothing was stored and the same batch may succeed later.
    package func commit(_ batch: IngestBatch) throws(PostgresError) -> IngestOutcome {
        try commit(batch, 0..<batch.items.count)
    }

    private func commit(_ batch: IngestBatch, _ range: Range<Int>) throws(PostgresError) -> IngestOutcome {
        guard !range.isEmpty else { return IngestOutcome() }
        var attempts = 0
        var judging = judges
        while true {
            do {
                return try attempt(batch, range, refusing: nil, judging: judging)
            } catch {
                attempts += 1
                // The server chose this transaction to end a deadlock: the same again.
                if error.isConflict, attempts <= Self.mostConflicts { continue }
                // A reading does not wait for somebody who holds an alert.
                if isJudgingNow, error.code == .timeout {
                    judging = false
                    continue
                }
                // Only what is wrong with the data is the message's fault. A missing column, a missing right or a full
                // disk is ours: nothing is acknowledged until somebody has mended it. Judging that fails for whatever
                // reason is our fault, too, but no reason to take nothing in.
                let isJudgingFault = isJudgingNow && error.code != .unavailable
                guard error.code == .data || error.code == .constraint || isJudgingFault else { throw error }
                // A device deleted between look-up and write breaks a foreign key, and a month without a partition
                // refuses its row: both are mended by a second try.
                if attempts == 1, error.code == .constraint {
                    try connection.query(IngestSQL.ensurePartitions)
                    continue
                }
                guard range.count > 1 else {
                    // Perhaps it is the judging that fails. A reading is not lost for that.
                    if judging {
                        judging = false
                        continue
                    }
                    return try attempt(
                        batch, range, refusing: Rejection(reason: .storageRefused, detail: error.description),
                        judging: false)
                }
                let middle = range.lowerBound + range.count / 2
                var outcome = try commit(batch, range.lowerBound..<middle)
                outcome.add(try commit(batch, middle..<range.upperBound))
                return outcome
            }
        }
    }

    /// Tells those who watch of what was committed: apart from the commit, because a transaction that notifies keeps every
    /// other one that does from committing until it is written, and so that messages that come one by one are told together.
    /// To be called when there is nothing more urgent.
    /// - Parameter isLast: tells all of it now.
    /// - Returns: after how long it wants to be called again; nil: when something new was committed.
    package func announce(isLast: Bool = false) throws(PostgresError) -> Duration? {
        guard !unannounced.isEmpty else { return nil }
        if !isLast, let announcedAt, .now - announcedAt < Self.announcementGap {
            return Self.announcementGap - (.now - announcedAt)
        }
        let changes = unannounced
        unannounced = LiveChanges()
        announcedAt = .now
        try tell(changes.payloads)
        return nil
    }

    /// Tells those who watch that something may have been committed of which nobody was told: by us before we were ended.
    package func announceAnew() throws(PostgresError) {
        unannounced = LiveChanges()
        try tell([LiveChanges.anything])
    }

    /// Readings do not wait for those who watch: what is refused, such as when a listener that hangs has filled the server's
    /// queue, is not told.
    private func tell(_ payloads: [String]) throws(PostgresError) {
        do {
            try Store.announce(payloads, on: connection)
        } catch {
            guard error.code != .unavailable else { throw error }
        }
    }

    private static let announcementGap = Duration.milliseconds(100)

    private func attempt(
        _ batch: IngestBatch, _ range: Range<Int>, refusing refusal: Rejection?, judging: Bool
    ) throws(PostgresError) -> IngestOutcome {
        try connection.execute("BEGIN")
        do {
            let outcome = try write(batch, range, refusing: refusal, judging: judging)
            try connection.commit()
            unannounced.formUnion(touched)
            return outcome
        } catch {
            connection.rollback()
            throw error
        }
    }

    private func write(
        _ batch: IngestBatch, _ range: Range<Int>, refusing refusal: Rejection?, judging: Bool
    ) throws(PostgresError) -> IngestOutcome {
        telemetry.removeAll()
        deadLetters.removeAll()
        touched = LiveChanges()
        isJudgingNow = false
        let devices = try DeviceDirectory(batch.items[range], on: connection)
        var fold = StateFold()
        var judge = IngestJudge()
        var outcome = IngestOutcome()
        var timedHere: [(packet: UInt16, fingerprint: UInt64)] = []
        outcome.messages = range.count

        for item in batch.items[range] {
            if let refusal {
                bury(item, refusal, batch, &outcome)
                continue
            }
            if let rejection = item.rejection { bury(item, rejection, batch, &outcome) }
            guard let device = item.device else { continue }
            guard let known = devices[device] else {
                if item.rejection == nil { bury(item, .unknownDevice(device), batch, &outcome) }
                continue
            }
            if case .telemetry = item.content { touched.measured.insert(device) } else { touched.heard.insert(device) }
            switch item.content {
            case .telemetry(let readings):
                for reading in batch.readings[readings] {
                    stage(reading, of: device, plant: known.plant(at: reading.time), receivedAt: item.receivedAt)
                }
                fold.add(batch.readings[readings], of: device, receivedAt: item.receivedAt)
                judge.add(readings, of: device, receivedAt: item.receivedAt)
                if item.packetID != 0, batch.readings[readings].contains(where: { $0.timeSource == .server }) {
                    timedHere.append((item.packetID, item.fingerprint))
                }
            case .heartbeat(let heartbeat):
                fold.add(heartbeat, of: device, receivedAt: item.receivedAt)
                judge.add(heartbeat, of: device, receivedAt: item.receivedAt)
            case .status(let online):
                fold.add(online: online, of: device, receivedAt: item.receivedAt)
                if online { judge.heard(device) }
            case .commandResult(let result):
                fold.heard(device, receivedAt: item.receivedAt)
                judge.heard(device)
                if try !settle(result, of: device, receivedAt: item.receivedAt) {
                    let detail = "no command \(result.id) was sent to this device"
                    bury(item, Rejection(reason: .unknownCommand, detail: detail), batch, &outcome)
                }
            case .refused:
                // It could not be read, but it was heard.
                fold.heard(device, receivedAt: item.receivedAt)
                judge.heard(device)
            }
        }

        if telemetry.rows > 0 {
            let staged = telemetry.rows
            try connection.copy(IngestSQL.copyTelemetry, &telemetry)
            outcome.stored = try connection.query(IngestSQL.insertTelemetry).affected
            outcome.duplicates = staged - outcome.stored
        }
        if !fold.isEmpty {
            var found = IngestJudge.Outcome()
            let now = Timestamp.now()
            var settings = AlertSettings()
            if judging, !judge.isEmpty {
                isJudgingNow = true
                settings = try Store.alertSettings(on: connection)
                rules.prepare(hysteresisPercent: settings.hysteresisPercent)
                found = try judge.run(
                    batch, devices, rules, forSeconds: Double(settings.forSeconds), at: now, on: connection)
                isJudgingNow = false
            } else if judges, !judging {
                outcome.unjudged = range.count
            }
            states.removeAll()
            fold.write(into: &states, memories: found.memories)
            try connection.copy(IngestSQL.copyStates, &states)
            try connection.query(IngestSQL.mergeStates)
            if !found.findings.isEmpty {
                isJudgingNow = true
                try write(found.findings, settings, at: now)
                isJudgingNow = false
            }
        }
        if deadLetters.rows > 0 { try connection.copy(IngestSQL.copyDeadLetters, &deadLetters) }
        if !timedHere.isEmpty { try remember(timedHere) }
        if let last = batch.items[range].last(where: { $0.packetID != 0 }) {
            try connection.query(IngestSQL.rememberLastPacket, [.text(clientID), .int(Int64(last.packetID))])
        }
        return outcome
    }

    private func write(
        _ findings: [AlertFinding], _ settings: AlertSettings, at now: Timestamp
    ) throws(PostgresError) {
        if let outage, now >= outage.until { self.outage = nil }
        var ledger = AlertLedger(settings, at: now, outage: outage?.group, on: connection)
        for finding in findings { try ledger.apply(finding) }
        try ledger.announce()
    }

    private func stage(_ reading: Reading, of device: EntityID, plant: EntityID?, receivedAt: Timestamp) {
        telemetry.beginRow(columns: IngestSQL.telemetryColumnCount)
        telemetry.timestamp(reading.time.microseconds)
        telemetry.uuid(device.high, device.low)
        if let plant { telemetry.uuid(plant.high, plant.low) } else { telemetry.null() }
        for metric in Metric.allCases { telemetry.double(reading.values[metric]) }
        if let extra = ExtraJSON.encode(reading.extras) { telemetry.json(extra) } else { telemetry.null() }
        telemetry.text(reading.timeSource.rawValue)
        telemetry.timestamp(receivedAt.microseconds)
    }

    private func bury(
        _ item: IngestBatch.Item, _ rejection: Rejection, _ batch: IngestBatch, _ outcome: inout IngestOutcome
    ) {
        let id = EntityID.make(at: item.receivedAt)
        deadLetters.beginRow(columns: 8)
        deadLetters.uuid(id.high, id.low)
        deadLetters.timestamp(item.receivedAt.microseconds)
        deadLetters.text(item.topicName)
        if let device = item.device { deadLetters.uuid(device.high, device.low) } else { deadLetters.null() }
        deadLetters.text(rejection.reason.rawValue)
        deadLetters.text(rejection.detail)
        deadLetters.bytes(batch.payloads[item.payload])
        deadLetters.int32(Int32(clamping: item.payloadBytes))
        outcome.deadLetters[rejection.reason, default: 0] += 1
    }

    /// - Returns: false when the device was given no such command.
    private func settle(
        _ result: CommandResult, of device: EntityID, receivedAt: Timestamp
    ) throws(PostgresError) -> Bool {
        let values: [PostgresValue] = [
            .id(result.id), .id(device), .bool(result.ok), .text(result.detail), .time(receivedAt),
        ]
        return try connection.query(IngestSQL.commandResult, values).count > 0
    }

    private func remember(_ deliveries: [(packet: UInt16, fingerprint: UInt64)]) throws(PostgresError) {
        // The last message under a packet id is the one that can come again.
        let latest = Dictionary(deliveries.map { (Int64($0.packet), Int64(bitPattern: $0.fingerprint)) }) { $1 }
        try connection.query(
            IngestSQL.rememberDeliveries,
            [.text(clientID), .ints(latest.map(\.key)), .ints(latest.map(\.value))])
    }
}

extension Rejection {
    fileprivate static func unknownDevice(_ id: EntityID) -> Rejection {
        Rejection(reason: .unknownDevice, detail: "no device \(id) is registered")
    }
}
