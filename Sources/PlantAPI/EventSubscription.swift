/// One who watches. It is over when the object goes away, at the latest. For one task at a time.
package final class EventSubscription: Sendable {
    /// What is to be sent.
    package struct Delivery: Sendable {
        /// Whole events in the format of `text/event-stream`; empty when there was only a nudge.
        package let bytes: [UInt8]
        /// Whether ``EventSubscription/nudge()`` was called meanwhile.
        package let isNudged: Bool
    }

    /// The id of the event before the first one that comes; nil when that one is a `reset`.
    package let start: String?
    private let hub: EventHub
    private let id: Int
    private let signals: AsyncStream<Void>
    private let endings: AsyncStream<EventHub.End>

    init(hub: EventHub, id: Int, start: String?, signals: AsyncStream<Void>, endings: AsyncStream<EventHub.End>) {
        self.hub = hub
        self.id = id
        self.start = start
        self.signals = signals
        self.endings = endings
    }

    deinit { hub.remove(id) }

    /// Waits for events.
    /// - Returns: nil when the subscription is over, or the task is cancelled.
    package func next() async -> Delivery? {
        var signals = signals.makeAsyncIterator()
        while true {
            switch hub.take(id) {
            case .delivery(let delivery): return delivery
            case .over: return nil
            case .nothing: break
            }
            guard await signals.next() != nil else {
                if case .delivery(let rest) = hub.take(id) { return rest }
                return nil
            }
        }
    }

    /// Makes `next` return, even without an event.
    /// - Returns: false when `next` has not returned since the last nudge: nobody comes to fetch events any more.
    package func nudge() -> Bool { hub.nudge(id) }

    /// Ends it for a reason of the subscriber's.
    package func end(_ reason: EventHub.End) { hub.end(id, reason) }

    /// Waits until it is over. To be called once.
    package func ended() async -> EventHub.End {
        for await end in endings { return end }
        return .left
    }
}
