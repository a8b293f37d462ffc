package import PlantDomain

/// Messages taken from the broker and not yet committed, decoded, in the order they came.
package struct IngestBatch {
    package enum Content {
        /// Indices into `readings`.
        case telemetry(Range<Int>)
        case heartbeat(Heartbeat)
        /// The device's own word, or its last will.
        case status(online: Bool)
        case commandResult(CommandResult)
        /// Nothing of it can be stored; `rejection` says why.
        case refused
    }

    package enum Topic {
        case device(EntityID, DeviceTopic)
        /// Some other topic; its name, bounded.
        case other(String)
    }

    package struct Item {
        package var topic: Topic
        package var content: Content
        package var rejection: Rejection?
        package var receivedAt: Timestamp
        /// The first bytes of the payload, as a range of `payloads`; kept in case the message becomes a dead letter.
        package var payload: Range<Int>
        package var payloadBytes: Int
        /// 0 for QoS 0, which is never delivered twice.
        package var packetID: UInt16
        /// Of topic and payload; tells a redelivery from a new message under the same packet id.
        package var fingerprint: UInt64

        package init(
            topic: Topic, content: Content, rejection: Rejection?, receivedAt: Timestamp,
            payload: Range<Int>, payloadBytes: Int, packetID: UInt16, fingerprint: UInt64
        ) {
            self.topic = topic
            self.content = content
            self.rejection = rejection
            self.receivedAt = receivedAt
            self.payload = payload
            self.payloadBytes = payloadBytes
            self.packetID = packetID
            self.fingerprint = fingerprint
        }

        /// nil when the topic names none.
        var device: EntityID? {
            if case .device(let id, _) = topic { id } else { nil }
        }

        var topicName: String {
            switch topic {
            case .device(let id, let kind): kind.topic(of: id)
            case .other(let name): name
            }
        }
    }

    /// Most of a payload that is kept for a dead letter, in bytes.
    package static let keptPayloadBytes = 4096

    package var items: [Item] = []
    package var readings: [Reading] = []
    package var payloads: [UInt8] = []

    package init() {}

    package var isEmpty: Bool { items.isEmpty }

    /// Forgets the messages, keeping the memory for the next batch unless a large message has swollen it.
    package mutating func removeAll() {
        items.removeAll(keepingCapacity: true)
        readings.removeAll(keepingCapacity: readings.capacity <= 8192)
        payloads.removeAll(keepingCapacity: payloads.capacity <= 4 << 20)
    }
}

/// What became of a batch.
package struct IngestOutcome: Sendable, Equatable {
    package var messages = 0
    /// Readings that are new in the database.
    package var stored = 0
    /// Readings the database had already.
    package var duplicates = 0
    package var deadLetters: [RejectReason: Int] = [:]
    /// Messages that were stored without being judged, because judging them failed: a fault of this program.
    package var unjudged = 0

    package init() {}

    package mutating func add(_ other: IngestOutcome) {
        messages += other.messages
        stored += other.stored
        duplicates += other.duplicates
        unjudged += other.unjudged
        deadLetters.merge(other.deadLetters, uniquingKeysWith: +)
    }
}
