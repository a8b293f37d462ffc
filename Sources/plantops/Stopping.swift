import Dispatch
import Foundation
import Logging
import ServiceLifecycle
import Synchronization

/// How the program ends: it says at once that it does, then finishes what is under way, and never takes longer than 10 s.
///
/// The services are told by their group. This listens to signals, from before there is a group, and sees to what a group
/// does not know: a second signal, and work that heeds neither.
final class Stopping: Sendable {
    /// How long services are asked; then they are cancelled.
    static let patience = Duration.seconds(8)
    /// A thread that waits for a database that hangs cannot be called back: then the process goes. Nothing is lost by
    /// that, as nothing was acknowledged that is not stored.
    private static let mostSeconds = 9.5
    /// `timeout` and some shells send a signal to the process and to its group: that is one request, not two.
    private static let sameRequest = Duration.milliseconds(500)
    private static let signals = [SIGTERM, SIGINT]

    private struct State {
        var since: ContinuousClock.Instant?
        var tell: (@Sendable () -> Void)?
    }

    private let logger: Logger
    private let state = Mutex(State())
    private let queue: DispatchQueue
    /// Kept, or nobody listens any more. Dispatch's sources may be used from everywhere, but are not marked so.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

    init(logger: Logger) {
        self.logger = logger
        let queue = DispatchQueue(label: "plantops.stopping")
        self.queue = queue
        sources = Self.signals.map { DispatchSource.makeSignalSource(signal: $0, queue: queue) }
    }

    var isStopping: Bool { state.withLock { $0.since != nil } }

    /// Listens to signals for as long as the process lives. To be called once.
    func listen() {
        for (number, source) in zip(Self.signals, sources) {
            source.setEventHandler { [self] in received(number) }
            source.resume()
        }
    }

    /// - Parameter tell: called once when the program is told to stop; at once when it already was.
    func whenTold(_ tell: @escaping @Sendable () -> Void) {
        let wasTold = state.withLock { state in
            if state.since == nil { state.tell = tell }
            return state.since != nil
        }
        if wasTold { tell() }
    }

    /// The first call counts.
    func begin() {
        let (isFirst, tell) = state.withLock { state in
            defer {
                state.since = state.since ?? .now
                state.tell = nil
            }
            return (state.since == nil, state.tell)
        }
        guard isFirst else { return }
        logger.notice("stopping; what is under way is finished first")
        tell?()
        queue.asyncAfter(deadline: .now() + Self.mostSeconds) { [logger] in
            logger.critical("what was under way has not ended in time and is cut off")
            Self.exit(status: 1)
        }
    }

    private func received(_ number: Int32) {
        guard let since = state.withLock({ $0.since }) else { return begin() }
        guard since.duration(to: .now) > Self.sameRequest else { return }
        logger.warning("told to stop once more: ending at once")
        // As a shell reports a process that a signal has ended.
        Self.exit(status: 128 + number)
    }

    /// Without waiting for anybody, at-exit handlers included.
    private static func exit(status: Int32) -> Never { _exit(status) }
}

/// The first to be stopped: nothing of what answers HTTP ends before whoever sends requests here had a moment to see
/// `/api/ready` turn 503 and go elsewhere.
struct Farewell: Service {
    /// Half of what a person notices, and enough for a proxy that asks every few hundred milliseconds.
    static let moment = Duration.seconds(1)

    let stopping: Stopping

    func run() async throws {
        try? await gracefulShutdown()
        stopping.begin()
        try? await Task.sleep(for: Self.moment)
    }
}

/// Services that are told to stop at the same moment, where a group of them waits for one before it tells the next.
struct Together: Service {
    let services: [any Service]

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in services { group.addTask { try await service.run() } }
            while try await group.next() != nil {
                // As in a group: none of them ends by itself, unless something is wrong with it.
                guard Task.isShuttingDownGracefully || Task.isCancelled else { return group.cancelAll() }
            }
        }
    }
}
