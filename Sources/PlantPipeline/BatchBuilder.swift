import MQTT
import PlantDomain
import PlantStore

/// Turns messages as they arrive into a batch ready to be committed.
struct BatchBuilder {
    /// A batch is full after this many messages, below the receive maximum, so that the broker goes on sending while
    /// it is being committed; or this many readings (a message may bring 500) or kept bytes, which bounds memory.
    static let fullMessages = 4000
    static let fullReadings = 20_000
    static let fullBytes = 4 << 20
    /// Bytes of a foreign topic's name that are kept.
    private static let keptTopicBytes = 256

    private(set) var batch = IngestBatch()
    private(set) var redeliveries = 0
    private(set) var retainedIgnored = 0
    /// Messages that may be redeliveries; nil when none can come any more.
    private var redelivery: RedeliveryWindow?
    private var lastServerTime = Timestamp(microseconds: 0)

    /// Begins with a session the broker may have kept.
    /// - Parameters:
    ///   - committed: packet ids and fingerprints that the database has already, of the messages that were delivered
    ///     last.
    ///   - inFlight: most messages the broker may have delivered without an acknowledgement.
    mutating func resume(committed: [UInt16: UInt64], inFlight: Int) {
        redelivery = committed.isEmpty ? nil : RedeliveryWindow(committed: committed, remaining: inFlight)
    }

    /// The broker had kept no session: nothing can come again.
    mutating func beginAfresh() { redelivery = nil }

    func isFull(messages: Int) -> Bool {
        batch.items.count >= messages || batch.readings.count >= Self.fullReadings
            || batch.payloads.count >= Self.fullBytes
    }

    mutating func removeAll() { batch.removeAll() }

    mutating func take(_ message: IncomingMessage, receivedAt: Timestamp) {
        // A reading from before we came is not news: it was delivered live to whoever listened then.
        guard !message.isRetained else {
            retainedIgnored += 1
            return
        }
        if message.packetID != 0, redelivery?.isRedelivery(message) == true {
            redeliveries += 1
            return
        }
        let kept = UnsafeRawBufferPointer(rebasing: message.payload.prefix(IngestBatch.keptPayloadBytes))
        let start = batch.payloads.count
        batch.payloads.append(contentsOf: kept)
        var item = IngestBatch.Item(
            topic: .other(""), content: .refused, rejection: nil, receivedAt: receivedAt,
            payload: start..<batch.payloads.count, payloadBytes: message.payload.count, packetID: message.packetID,
            fingerprint: 0)
        if let (device, topic) = DeviceTopic.parse(message.topic) {
            item.topic = .device(device, topic)
            read(message, topic, into: &item)
        } else {
            let name = String(decoding: message.topic.prefix(Self.keptTopicBytes), as: UTF8.self)
            item.topic = .other(name)
            item.rejection = Rejection(
                reason: .badTopic,
                detail: "the topic is not devices/{device_id}/telemetry, heartbeat, status or commands/result")
        }
        batch.items.append(item)
    }

    private mutating func read(_ message: IncomingMessage, _ topic: DeviceTopic, into item: inout IngestBatch.Item) {
        switch topic {
        case .telemetry:
            let decoded = TelemetryDecoder.decode(message.payload, receivedAt: item.receivedAt) {
                nextServerTime(item.receivedAt)
            }
            item.rejection = decoded.rejection
            guard !decoded.readings.isEmpty else { return }
            let start = batch.readings.count
            batch.readings.append(contentsOf: decoded.readings)
            item.content = .telemetry(start..<batch.readings.count)
            if decoded.readings.contains(where: { $0.timeSource == .server }) {
                item.fingerprint = message.fingerprint
            }
        case .heartbeat:
            let (heartbeat, rejection) = HeartbeatDecoder.decode(message.payload)
            item.rejection = rejection
            if let heartbeat { item.content = .heartbeat(heartbeat) }
        case .commandResult:
            let (result, rejection) = CommandResultDecoder.decode(message.payload)
            item.rejection = rejection
            if let result { item.content = .commandResult(result) }
        case .status:
            if message.payload.elementsEqual("online".utf8) {
                item.content = .status(online: true)
            } else if message.payload.elementsEqual("offline".utf8) {
                item.content = .status(online: false)
            } else {
                item.rejection = Rejection(reason: .wrongType, detail: "a status is `online` or `offline`")
            }
        }
    }

    /// Strictly later with each call, because (device, time) is unique and two readings without a time of their own
    /// must not meet. Follows the clock when it was set back by more than a few seconds.
    private mutating func nextServerTime(_ now: Timestamp) -> Timestamp {
        let ahead = lastServerTime.microseconds - now.microseconds
        lastServerTime = (0...5_000_000).contains(ahead) ? lastServerTime.adding(microseconds: 1) : now
        return lastServerTime
    }
}

/// The first messages of a resumed session, among which the broker repeats what it has no acknowledgement for.
///
/// A repeated message has the packet id it had before (MQTT 5, 4.4), and the broker sends it before anything new.
/// `committed` holds only the ids used last before the session was interrupted, which the broker does not use for new
/// messages before 65 535 others. So "same packet id, same content, among the first `remaining`" is a redelivery, and a
/// new message that happens to read the same has another id.
private struct RedeliveryWindow {
    let committed: [UInt16: UInt64]
    var remaining: Int

    mutating func isRedelivery(_ message: IncomingMessage) -> Bool {
        guard remaining > 0 else { return false }
        remaining -= 1
        return committed[message.packetID] == message.fingerprint
    }
}

extension IncomingMessage {
    /// FNV-1a (64 bits) over topic and payload: stable between runs, unlike Swift's Hasher.
    fileprivate var fingerprint: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ bytes: UnsafeRawBufferPointer) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        }
        add(topic)
        add(payload)
        return hash
    }
}
