import PlantDomain
package import PlantStore
import Synchronization

/// What was heard and not yet told. Each plant and device is told of twice a second at most, and in all no more than can be
/// read and sent: beyond that it only knows that there was too much.
package final class LiveInbox: Sendable {
    enum Next: Equatable {
        case changed(LiveChanges)
        case missed
        /// Nothing is ripe yet.
        case later
    }

    /// From one telling of a plant or device to the next.
    static let rest = Duration.milliseconds(500)
    /// Most that waits to be told, and most told at once.
    static let mostWaiting = 2000
    static let most = 200
    /// Whoever is told that something was missed loads everything: not more often than this, and if there is too much to
    /// tell, hardly ever.
    static let missedGap = Duration.seconds(1)
    static let tooMuchGap = Duration.seconds(10)

    private struct State {
        var waiting = LiveChanges()
        /// When something was missed is told; nil: nothing was.
        var missedDue: ContinuousClock.Instant?
        /// There is so much that it is not gathered before that.
        var isTooMuch = false
        var missedAt: ContinuousClock.Instant?
        /// Who was told of in the last `rest`.
        var toldAt: [EntityID: ContinuousClock.Instant] = [:]
    }

    /// One element whenever there is something to take.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    package init() {
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// - Parameter payload: of a notification. One that cannot be read stands for anything.
    func add(payload: String) {
        if payload == LiveChanges.tooMuch {
            missTooMuch()
        } else if let changes = LiveChanges(payload: payload) {
            add(changes)
        } else {
            miss()
        }
    }

    package func add(_ changes: LiveChanges) {
        guard !changes.isEmpty else { return }
        let isTooMuch = state.withLock { state in
            // Whoever loads everything anew will see it.
            guard !state.isTooMuch else { return false }
            state.waiting.formUnion(changes)
            return state.waiting.count > Self.mostWaiting
        }
        if isTooMuch { missTooMuch() } else { signal.yield() }
    }

    package func miss() {
        state.withLock { Self.miss(&$0, gap: Self.missedGap) }
        signal.yield()
    }

    private func missTooMuch() {
        state.withLock { state in
            Self.miss(&state, gap: Self.tooMuchGap)
            state.isTooMuch = true
        }
        signal.yield()
    }

    private static func miss(_ state: inout State, gap: Duration) {
        state.waiting = LiveChanges()
        let now = ContinuousClock.now
        let due = state.missedAt.map { max(now, $0 + gap) } ?? now
        state.missedDue = min(due, state.missedDue ?? due)
    }

    /// - Returns: nil when there is nothing.
    func take(at now: ContinuousClock.Instant = .now) -> Next? {
        state.withLock { state in
            if let due = state.missedDue {
                guard due <= now else { return .later }
                state.missedDue = nil
                state.isTooMuch = false
                state.missedAt = now
                return .missed
            }
            guard !state.waiting.isEmpty else { return nil }
            state.toldAt = state.toldAt.filter { now - $0.value < Self.rest }
            var ripe = state.waiting.ids.subtracting(state.toldAt.keys)
            guard !ripe.isEmpty else { return .later }
            if ripe.count > Self.most { ripe = Set(ripe.prefix(Self.most)) }
            for id in ripe { state.toldAt[id] = now }
            return .changed(state.waiting.take { ripe.contains($0) })
        }
    }
}
