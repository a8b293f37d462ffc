import MQTT
import PlantDomain

/// Measuring and sending.
extension SimulatedDevice {
    /// At most this many messages of one device are made up for when the program was held up.
    private static let mostOverdue = 500
    /// Messages of 500 readings under way while a device delivers its past.
    private static let backfillWindow = 8
    /// Held up longer than this, in seconds, a device was asleep and has measured nothing.
    private static let asleepAfter = 60.0

    /// Measures what has fallen due.
    func measure(now: Timestamp) {
        guard counters.isLive, counters.isOpen, !isBackfilling, let interval = messageInterval else { return }
        let step = max(1, Int64(interval * 1e6))
        guard var due = nextMessage else {
            // The first reading as soon as there is a connection; then each device at its own time.
            guard isOnline else { return }
            let share = Double(index) / Double(plan.devices)
            nextMessage = now.microseconds + max(1, Int64(share * Double(step)))
            if case .interval = plan.pace { keep(readingsUntil: now.microseconds, interval: step) }
            return
        }
        if now.microseconds - due > max(Int64(Self.asleepAfter * 1e6), 2 * step) || due - now.microseconds > 2 * step {
            due = now.microseconds
        }
        var made = 0
        while due <= now.microseconds, made < Self.mostOverdue {
            keep(readingsUntil: due, interval: step)
            due += step
            made += 1
        }
        nextMessage = due
    }

    private func keep(readingsUntil time: Int64, interval: Int64) {
        let batch = batch(until: time, interval: interval)
        counters.summary.dropped += outbox.add(batch, joining: !isOnline)
    }

    /// The readings of one message, the last at `time`, all after those before.
    private func batch(until time: Int64, interval: Int64) -> ReadingBatch {
        let count = Int64(plan.readingsPerMessage)
        let spacing = max(1, interval / count)
        let first = max(time - (count - 1) * spacing, lastReading + 1)
        let batch = ReadingBatch(first: first, step: spacing, count: Int(count))
        lastReading = batch.time(Int(count) - 1)
        return batch
    }

    /// Hands over to the client what may be under way. Nothing leaves before `writePending`.
    func publishTelemetry() throws(MQTTError) {
        guard isOnline, let client else { return }
        if isBackfilling {
            guard try publishBackfill(client) else { return }
        }
        let isFlood = messageInterval == nil && counters.isLive && counters.isOpen
        while outbox.unacknowledged < plan.windowPerDevice, outbox.hasWaiting || isFlood, counters.mayPublish {
            let batch = outbox.next() ?? batch(until: Timestamp.now().microseconds, interval: 1)
            try publish(batch, client)
        }
    }

    /// - Returns: true when the past has arrived.
    private func publishBackfill(_ client: MQTTClient) throws(MQTTError) -> Bool {
        while outbox.unacknowledged < min(Self.backfillWindow, plan.windowPerDevice), counters.mayPublish {
            guard let batch = outbox.next() ?? (counters.isLive ? backfill.popLast() : nil) else { break }
            try publish(batch, client)
        }
        guard backfill.isEmpty, outbox.isEmpty else { return false }
        isBackfilling = false
        return true
    }

    private func publish(_ batch: ReadingBatch, _ client: MQTTClient) throws(MQTTError) {
        counters.writer.write(batch, of: &weather)
        let packetID = try counters.writer.withBytes { bytes throws(MQTTError) in
            try client.publish(topic: topics.telemetry, payload: bytes)
        }
        outbox.sent(batch, packetID: packetID)
        counters.summary.published += 1
    }

    /// The broker has answered one of our messages.
    func answered(packetID: Int32, accepted: Bool) {
        guard let batch = outbox.answered(packetID: packetID) else {
            if farewell?.packetID == packetID { farewell?.isAcknowledged = true }
            return
        }
        if accepted {
            counters.summary.acknowledged += 1
            counters.summary.readingsAcknowledged += batch.count
        } else {
            // A refusal is an answer: sending the same again would be refused again.
            counters.summary.refused += 1
            counters.summary.dropped += batch.count
        }
    }

    func sendHeartbeat(now: Double) throws(MQTTError) {
        guard now >= nextHeartbeat, let client else { return }
        nextHeartbeat = now + plan.heartbeatSeconds
        let uptime = Int(now - bootTime)
        let reading = weather.reading(at: Timestamp.now().microseconds)
        let heap = 182_000 + (index * 977 + uptime * 13) % 24_000
        try client.publish(
            topic: topics.heartbeat,
            payload: """
                {"uptime":\(uptime),"rssi":\(reading.rssi),"battery":\(reading.battery),"free_heap":\(heap),\
                "firmware_version":"\(SimulatorPlan.firmwareVersion)"}
                """)
    }
}
