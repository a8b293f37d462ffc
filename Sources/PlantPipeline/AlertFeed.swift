package import Logging
package import PlantDomain
package import Postgres
import ServiceLifecycle
import Synchronization

/// Hears which alerts have changed, whichever backend changed them. The database tells it when a change is committed:
/// `NOTIFY plantops_alerts, '<alert id>,<alert id>,…'`, or `*` when there are too many to name.
package final class AlertFeed: Service {
    package static let channel = "plantops_alerts"

    private let options: PostgresOptions
    private let changed: @Sendable ([EntityID]) async -> Void
    private let missed: @Sendable () async -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - changed: called with at most 200 different alerts at a time, one call after the other. What changes while it
    ///     runs is gathered for the next call. It has to deal with its own failures.
    ///   - missed: called when changes may have gone by unheard: whenever listening begins, since nobody heard what
    ///     happened before, and when there were too many. In turn with `changed`; what was waiting then is not told
    ///     any more.
    package init(
        _ options: PostgresOptions, logger: Logger, changed: @escaping @Sendable ([EntityID]) async -> Void,
        missed: @escaping @Sendable () async -> Void
    ) {
        self.options = options
        self.logger = logger
        self.changed = changed
        self.missed = missed
    }

    package func run() async throws {
        let news = News()
        let listener = ChannelListener(
            options, channel: Self.channel, subject: "changes of alerts", logger: logger, began: { news.miss() },
            heard: { news.add($0) })
        await listener.run { await self.tell(news) }
    }

    private func tell(_ news: News) async {
        for await _ in news.signals {
            while !Task.isCancelled, let item = news.take() {
                switch item {
                case .changed(let alerts): await changed(alerts)
                case .missed: await missed()
                }
            }
        }
    }
}

/// What was heard and not yet told. Bounded: beyond that, it only knows that there was too much.
final class News: Sendable {
    enum Item: Equatable {
        case changed([EntityID])
        case missed
    }

    /// Most alerts told at once.
    static let most = 200
    /// Most alerts that wait to be told.
    static let mostWaiting = 2000

    private struct State {
        var isMissed = false
        var order: [EntityID] = []
        /// An alert that changes twice before it is told of is told of once.
        var known: Set<EntityID> = []
    }

    /// One element whenever there is something to take.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    init() {
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// - Parameter payload: of a notification. One that cannot be read stands for anything.
    func add(_ payload: String) {
        let parts = payload.split(separator: ",")
        let alerts = parts.compactMap { EntityID(String($0)) }
        guard !alerts.isEmpty, alerts.count == parts.count else { return miss() }
        let isTooMuch = state.withLock { state in
            for alert in alerts where state.known.insert(alert).inserted { state.order.append(alert) }
            return state.order.count > Self.mostWaiting
        }
        if isTooMuch { miss() } else { signal.yield() }
    }

    func miss() {
        state.withLock { $0 = State(isMissed: true) }
        signal.yield()
    }

    func take() -> Item? {
        state.withLock { state in
            if state.isMissed {
                state.isMissed = false
                return .missed
            }
            let alerts = Array(state.order.prefix(Self.most))
            guard !alerts.isEmpty else { return nil }
            state.order.removeFirst(alerts.count)
            state.known.subtract(alerts)
            return .changed(alerts)
        }
    }
}
