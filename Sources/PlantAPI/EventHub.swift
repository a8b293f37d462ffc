import Synchronization

/// Passes events on to everybody who watches (Server-Sent Events, WHATWG HTML 9.2). Nobody misses one unknowingly: who
/// cannot keep up is cut off, and who comes back is given what he missed, or told to load everything anew (`reset`).
///
/// An event's id is `<epoch>-<number>`. The epoch is random per hub, so an id of another process, or of an earlier run,
/// is known to be foreign.
package final class EventHub: Sendable {
    /// What is kept in memory at most.
    package struct Limits: Sendable {
        /// Events kept for those who come back, and their bytes.
        package var kept = 2000
        package var keptBytes = 2 << 20
        /// Events that wait for one subscriber, and their bytes; they are the same bytes for everybody.
        package var waiting = 2000
        package var waitingBytes = 2 << 20
        package var subscribers = 200
        /// A browser that lost its connection is back after 2 s; so long after the last one left, one is expected back.
        package var lingerSeconds = 60.0

        package init() {}
    }

    /// Why a subscription is over.
    package enum End: String, Sendable {
        /// Its events were not fetched, and there was no more room for them.
        case overflow
        /// Somebody was seen not to read any more.
        case stalled
        /// Whoever subscribed may not watch any more.
        case dismissed
        /// Whoever subscribed has gone.
        case left
        /// The program stops.
        case finished

        /// Whether events that wait are still delivered.
        fileprivate var deliversRest: Bool { self == .finished }
    }

    /// One event as it is sent, made once for everybody.
    private typealias Frame = [UInt8]

    /// Belongs to the lock: changed where it is, so that nothing is copied per event and subscriber.
    private final class Reader {
        var waiting: [Frame] = []
        var waitingBytes = 0
        var isNudged = false
        var end: End?
        let signal: AsyncStream<Void>.Continuation
        let ending: AsyncStream<End>.Continuation

        init(signal: AsyncStream<Void>.Continuation, ending: AsyncStream<End>.Continuation) {
            self.signal = signal
            self.ending = ending
        }

        /// The first reason counts.
        func end(_ reason: End) {
            guard end == nil else { return }
            end = reason
            isNudged = false
            if !reason.deliversRest { waiting = [] }
            ending.yield(reason)
            ending.finish()
            signal.finish()
        }
    }

    private struct State {
        /// Of the newest event; the first is 1.
        var number = 0
        /// The newest events, without a gap, oldest first.
        var kept: [Frame] = []
        var keptBytes = 0
        var readers: [Int: Reader] = [:]
        var nextReader = 0
        var isFinished = false
        var lastLeft: ContinuousClock.Instant?
    }

    /// Most bytes handed out at once, unless a single event is larger: a write of them must not take long.
    private static let most = 64 << 10

    private let epoch: String
    private let limits: Limits
    // One lock for all of it. That is what makes replay and live fit together: a subscriber is given what he missed and
    // entered as a reader between two events, never during one.
    private let state = Mutex(State())

    package init(_ limits: Limits = Limits()) {
        self.limits = limits
        epoch = String(UInt64.random(in: 0 ... .max), radix: 36)
    }

    // MARK: telling

    /// Never waits for anybody.
    package func publish(_ event: ServerEvent) {
        state.withLock { state in
            guard !state.isFinished else { return }
            state.number += 1
            let frame = frame(state.number, event)
            state.kept.append(frame)
            state.keptBytes += frame.count
            trim(&state)
            hand(frame, &state)
        }
    }

    /// Tells everybody to load everything anew, those among them who are just coming back: something happened that was
    /// not published. Costs next to nothing when nobody watches.
    package func reset() {
        state.withLock { state in
            guard !state.isFinished else { return }
            state.number += 1
            let frame = frame(state.number, .reset)
            // Whoever loads everything has no use for what was before.
            state.kept = [frame]
            state.keptBytes = frame.count
            hand(frame, &state)
        }
    }

    /// Whether somebody watches, or did until a moment ago and may be back. While it is false an event need not be
    /// made, but then ``reset()`` must be called in its place: somebody may still come back with the id before it.
    package var hasSubscribers: Bool {
        state.withLock { state in
            guard state.readers.isEmpty else { return true }
            return state.lastLeft.map { .now - $0 < .seconds(limits.lingerSeconds) } ?? false
        }
    }

    package var subscriberCount: Int { state.withLock { $0.readers.count } }

    /// Ends all subscriptions, after what waits for them has been delivered, and takes no more.
    package func finish() {
        state.withLock { state in
            state.isFinished = true
            for reader in state.readers.values { reader.end(.finished) }
        }
    }

    // MARK: watching

    /// - Parameter lastEventID: the last event the subscriber has seen.
    /// - Returns: nil when there are too many already, or the program stops.
    package func subscribe(lastEventID: String? = nil) -> EventSubscription? {
        let (signals, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let (endings, ending) = AsyncStream<End>.makeStream()
        return state.withLock { state in
            guard !state.isFinished, state.readers.count < limits.subscribers else { return nil }
            let reader = Reader(signal: signal, ending: ending)
            var start: String? = "\(epoch)-\(state.number)"
            if let lastEventID {
                if let missed = missed(since: lastEventID, state) {
                    reader.waiting = missed
                    start = lastEventID
                } else {
                    // It has seen nothing of ours yet: if it goes before it gets the reset, it is to come back so.
                    start = nil
                    reader.waiting = [frame(state.number, .reset)]
                }
                reader.waitingBytes = reader.waiting.reduce(0) { $0 + $1.count }
            }
            let id = state.nextReader
            state.nextReader += 1
            state.readers[id] = reader
            return EventSubscription(hub: self, id: id, start: start, signals: signals, endings: endings)
        }
    }

    /// - Returns: nil if the id is not ours, or too old, or what came since is too much for a subscriber.
    private func missed(since id: String, _ state: borrowing State) -> [Frame]? {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == epoch, (1...18).contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int(parts[1]), number <= state.number, state.number - number <= state.kept.count
        else { return nil }
        let missed = Array(state.kept.suffix(state.number - number))
        guard missed.count <= limits.waiting, missed.reduce(0, { $0 + $1.count }) <= limits.waitingBytes else {
            return nil
        }
        return missed
    }

    enum Taken {
        case delivery(EventSubscription.Delivery)
        case nothing
        case over
    }

    func take(_ id: Int) -> Taken {
        state.withLock { state in
            guard let reader = state.readers[id] else { return .over }
            var bytes: [UInt8] = []
            var taken = 0
            for frame in reader.waiting {
                guard taken == 0 || bytes.count + frame.count <= Self.most else { break }
                bytes += frame
                taken += 1
            }
            let isNudged = reader.isNudged
            guard taken > 0 || isNudged else { return reader.end == nil ? .nothing : .over }
            reader.waiting.removeFirst(taken)
            reader.waitingBytes -= bytes.count
            reader.isNudged = false
            return .delivery(EventSubscription.Delivery(bytes: bytes, isNudged: isNudged))
        }
    }

    func nudge(_ id: Int) -> Bool {
        state.withLock { state in
            guard let reader = state.readers[id], reader.end == nil else { return true }
            guard !reader.isNudged else { return false }
            reader.isNudged = true
            reader.signal.yield()
            return true
        }
    }

    func end(_ id: Int, _ reason: End) { state.withLock { $0.readers[id]?.end(reason) } }

    func remove(_ id: Int) {
        state.withLock { state in
            state.readers.removeValue(forKey: id)?.end(.left)
            if state.readers.isEmpty { state.lastLeft = .now }
        }
    }

    // MARK: helpers

    private func hand(_ frame: Frame, _ state: inout State) {
        for reader in state.readers.values where reader.end == nil {
            if reader.waiting.count < limits.waiting, reader.waitingBytes + frame.count <= limits.waitingBytes {
                reader.waiting.append(frame)
                reader.waitingBytes += frame.count
                reader.signal.yield()
            } else {
                reader.end(.overflow)
            }
        }
    }

    private func trim(_ state: inout State) {
        var surplus = 0
        while state.kept.count - surplus > limits.kept || state.keptBytes > limits.keptBytes {
            state.keptBytes -= state.kept[surplus].count
            surplus += 1
        }
        state.kept.removeFirst(surplus)
    }

    private func frame(_ number: Int, _ event: ServerEvent) -> Frame {
        event.bytes(id: "\(epoch)-\(number)")
    }
}
