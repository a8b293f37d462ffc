/// The readings of one message, by their times: since a reading follows from its time, this is all that has to be kept
/// to send the message again.
struct ReadingBatch: Equatable, Sendable {
    /// Microseconds since 1970.
    var first: Int64
    /// Microseconds from one reading to the next; of no meaning for a single one.
    var step: Int64
    var count: Int

    /// The most readings a message may carry.
    static let mostReadings = 500

    func time(_ index: Int) -> Int64 { first + Int64(index) * step }

    /// Appends a reading if it follows in the same step and there is room.
    mutating func append(_ time: Int64) -> Bool {
        guard count < Self.mostReadings else { return false }
        if count == 1 { step = time - first } else if time != self.time(count) { return false }
        count += 1
        return true
    }

    /// Readings at every `step` from `start` up to but without `end`, in messages of at most 500.
    static func covering(_ start: Int64, _ end: Int64, step: Int64) -> [ReadingBatch] {
        guard start < end else { return [] }
        let total = Int((end - start + step - 1) / step)
        return stride(from: 0, to: total, by: mostReadings).map { offset in
            ReadingBatch(
                first: start + Int64(offset) * step, step: step, count: min(mostReadings, total - offset))
        }
    }
}

/// What a device has measured and the broker has not acknowledged, as firmware keeps it: what waits to be sent, oldest
/// dropped when full, and what is under way.
struct Outbox {
    /// The most readings that wait.
    let capacity: Int
    private var waiting = FirstInFirstOut<ReadingBatch>()
    private var underWay = FirstInFirstOut<(packetID: Int32, batch: ReadingBatch)>()
    private(set) var waitingReadings = 0

    init(capacity: Int = 2000) { self.capacity = capacity }

    /// Messages sent and not acknowledged.
    var unacknowledged: Int { underWay.count }
    var isEmpty: Bool { waiting.isEmpty && underWay.isEmpty }
    var hasWaiting: Bool { !waiting.isEmpty }

    /// Keeps a message to be sent.
    /// - Parameter joining: join it to the last one if it goes on in the same step (while there is no connection).
    /// - Returns: how many readings had to be dropped for it.
    mutating func add(_ batch: ReadingBatch, joining: Bool) -> Int {
        waitingReadings += batch.count
        if !(joining && batch.count == 1 && waiting.withLast { $0.append(batch.first) } == true) {
            waiting.append(batch)
        }
        var dropped = 0
        while waitingReadings - dropped > capacity, let oldest = waiting.first {
            let excess = min(waitingReadings - dropped - capacity, oldest.count)
            dropped += excess
            _ = waiting.popFirst()
            if excess < oldest.count {
                waiting.prepend(
                    ReadingBatch(first: oldest.time(excess), step: oldest.step, count: oldest.count - excess))
            }
        }
        waitingReadings -= dropped
        return dropped
    }

    /// Takes the oldest message that waits; whoever takes it sends it.
    mutating func next() -> ReadingBatch? {
        guard let batch = waiting.popFirst() else { return nil }
        waitingReadings -= batch.count
        return batch
    }

    mutating func sent(_ batch: ReadingBatch, packetID: Int32) { underWay.append((packetID, batch)) }

    /// The message the broker has answered; nil if it was none of these.
    mutating func answered(packetID: Int32) -> ReadingBatch? {
        // Brokers answer in order, so this is nearly always the first.
        underWay.removeFirst { $0.packetID == packetID }?.batch
    }

    /// Puts everything under way back to the front, for a new connection that knows nothing of it.
    mutating func takeBack() -> Int {
        let count = underWay.count
        var messages: [ReadingBatch] = []
        while let message = underWay.popFirst() { messages.append(message.batch) }
        for batch in messages.reversed() {
            waiting.prepend(batch)
            waitingReadings += batch.count
        }
        return count
    }
}

/// A queue whose head moves; the room before it is given back from time to time.
private struct FirstInFirstOut<Element> {
    private var elements: [Element] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }
    var first: Element? { isEmpty ? nil : elements[head] }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func prepend(_ element: Element) {
        if head > 0 {
            head -= 1
            elements[head] = element
        } else {
            elements.insert(element, at: 0)
        }
    }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        defer { advance() }
        return elements[head]
    }

    mutating func removeFirst(where matches: (Element) -> Bool) -> Element? {
        guard !isEmpty else { return nil }
        if matches(elements[head]) { return popFirst() }
        guard let index = elements[head...].firstIndex(where: matches) else { return nil }
        return elements.remove(at: index)
    }

    mutating func withLast<Result>(_ body: (inout Element) -> Result) -> Result? {
        isEmpty ? nil : body(&elements[elements.count - 1])
    }

    private mutating func advance() {
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 256, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
    }
}
