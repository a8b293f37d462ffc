import Dispatch
package import Logging
import Synchronization

/// A few libpq connections shared by everything asynchronous in the program.
///
/// libpq blocks, so each connection lives in an actor with a serial queue of its own: Swift's cooperative threads
/// never wait for the database. Connections are made at first use and again after a failure.
package final class PostgresPool: Sendable {
    private struct State {
        var idle: [Slot]
        var waiters: [(id: Int, resume: CheckedContinuation<Slot, any Error>)] = []
        var nextWaiter = 0
    }

    private let state: Mutex<State>
    private let size: Int
    private let observer: PostgresPoolObserver?
    /// Longest a caller waits for a free connection, in seconds.
    private let patience: Double

    /// - Parameter observer: is told how long everything took; without one no clock is read.
    package init(
        _ options: PostgresOptions, size: Int, patienceSeconds: Double = 5, observer: PostgresPoolObserver? = nil,
        logger: Logger
    ) {
        patience = patienceSeconds
        self.size = max(1, size)
        self.observer = observer
        state = Mutex(State(idle: (0..<max(1, size)).map { _ in Slot(options, logger: logger) }))
    }

    /// How many connections there may be, how many of them nobody uses now, and how many wait for one.
    package var load: (size: Int, idle: Int, waiting: Int) {
        state.withLock { (size, $0.idle.count, $0.waiters.count) }
    }

    /// Runs `work` with a connection of its own, on that connection's queue.
    /// - Throws: `poolExhausted` when none becomes free in time; `unavailable` when the server cannot be reached;
    ///   what `work` throws.
    package func run<T: Sendable>(_ work: @Sendable (PostgresConnection) throws -> T) async throws -> T {
        guard let observer else {
            let slot = try await acquire()
            defer { release(slot) }
            return try await slot.run(work)
        }
        let asked = monotonicSeconds()
        do {
            let slot = try await acquire()
            defer { release(slot) }
            let start = monotonicSeconds()
            observer.waited(start - asked)
            defer { observer.ran(monotonicSeconds() - start) }
            return try await slot.run(work)
        } catch {
            if let error = error as? PostgresError { observer.failed(error.code) }
            throw error
        }
    }

    /// Runs `work` in one transaction.
    package func transaction<T: Sendable>(_ work: @Sendable (PostgresConnection) throws -> T) async throws -> T {
        try await run { connection in try connection.transaction(work) }
    }

    private func acquire() async throws -> Slot {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let deadline = Task { [patience] in
            try await Task.sleep(for: .seconds(patience))
            self.fail(id, PostgresError(.poolExhausted, "all database connections are busy"))
        }
        defer { deadline.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let slot: Slot? = state.withLock { state in
                    if let slot = state.idle.popLast() { return slot }
                    state.waiters.append((id, continuation))
                    return nil
                }
                if let slot {
                    continuation.resume(returning: slot)
                } else if Task.isCancelled {
                    fail(id, CancellationError())
                }
            }
        } onCancel: {
            fail(id, CancellationError())
        }
    }

    private func fail(_ id: Int, _ error: any Error) {
        let waiter = state.withLock { state in
            state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
        }
        waiter?.resume.resume(throwing: error)
    }

    private func release(_ slot: Slot) {
        let next = state.withLock { state in
            if state.waiters.isEmpty {
                state.idle.append(slot)
                return nil as CheckedContinuation<Slot, any Error>?
            }
            return state.waiters.removeFirst().resume
        }
        next?.resume(returning: slot)
    }
}

/// Whoever measures a pool. Called where the work is done, so it must be quick.
package struct PostgresPoolObserver: Sendable {
    /// How long it took to be given a connection, in seconds.
    let waited: @Sendable (Double) -> Void
    /// How long one `run` had its connection, whether it succeeded or not, in seconds.
    let ran: @Sendable (Double) -> Void
    let failed: @Sendable (PostgresError.Code) -> Void

    package init(
        waited: @escaping @Sendable (Double) -> Void, ran: @escaping @Sendable (Double) -> Void,
        failed: @escaping @Sendable (PostgresError.Code) -> Void
    ) {
        self.waited = waited
        self.ran = ran
        self.failed = failed
    }
}

/// One connection and the queue its blocking calls run on.
private actor Slot {
    private let options: PostgresOptions
    private let logger: Logger
    private var connection: PostgresConnection?
    private let queue = QueueExecutor(label: "plantops.postgres")

    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    init(_ options: PostgresOptions, logger: Logger) {
        self.options = options
        self.logger = logger
    }

    func run<T: Sendable>(_ work: @Sendable (PostgresConnection) throws -> T) throws -> T {
        let connection = try ready()
        defer {
            // Whatever happened, the next caller finds a usable connection or makes a new one.
            if connection.isInTransaction { connection.rollback() }
            if connection.isBroken { self.connection = nil }
        }
        return try work(connection)
    }

    private func ready() throws -> PostgresConnection {
        if let connection {
            if connection.seemsAlive() { return connection }
            logger.debug("idle database connection was closed by the server")
            self.connection = nil
        }
        let made = try PostgresConnection(options)
        connection = made
        return made
    }
}

/// Runs an actor's jobs one after the other on a dispatch queue, whose threads may block.
private final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
