import Foundation
import Logging
import PlantStore
import Postgres
import ServiceLifecycle
import Synchronization

/// Brings the schema up to date before anything uses it, waiting for the database if it is not there yet.
///
/// Ends the program when waiting cannot help: the schema is one this program cannot work with, or was tampered with.
final class SchemaService: Service {
    private struct State {
        var isReady = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let options: PostgresOptions
    /// What else has to be in the database before anything uses it.
    private let prepare: @Sendable () async throws -> Void
    private let logger: Logger
    private let state = Mutex(State())

    init(_ options: PostgresOptions, logger: Logger, prepare: @escaping @Sendable () async throws -> Void) {
        self.options = options
        self.prepare = prepare
        self.logger = logger
    }

    var isReady: Bool { state.withLock { $0.isReady } }

    /// Returns once the schema is ready, or when the program stops before that.
    func waitUntilReady() async {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isReady = state.withLock { state in
                    if !state.isReady, !Task.isCancelled, !Task.isShuttingDownGracefully {
                        state.waiting.append(continuation)
                        return false
                    }
                    return true
                }
                if isReady { continuation.resume() }
            }
        } onCancelOrGracefulShutdown: {
            self.release()
        }
    }

    private func release(ready: Bool = false) {
        let waiting = state.withLock { state in
            if ready { state.isReady = true }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            var wait = 0.5
            while !Task.isCancelled {
                do {
                    try await self.migrate()
                    try await self.prepare()
                    self.release(ready: true)
                    break
                } catch is CancellationError {
                    break
                } catch let error as PostgresError where error.isTransient {
                    self.logger.warning("waiting for the database", metadata: ["reason": "\(error)"])
                    try? await Task.sleep(for: .seconds(wait))
                    wait = min(5, wait * 2)
                }
            }
        }
        // A service that returns ends the program; this one stays until the others do.
        try? await gracefulShutdown()
    }

    private func migrate() async throws {
        let (options, logger) = (options, logger)
        // libpq blocks, and a large migration, or another program's, takes its time. When the program is stopped
        // meanwhile the stream ends, and the thread with the process: the server rolls back.
        let (results, continuation) = AsyncThrowingStream<Schema.Outcome, any Error>.makeStream()
        Thread.detachNewThread {
            do {
                continuation.yield(try Schema.migrate(options, logger: logger))
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        for try await outcome in results {
            for step in outcome.applied { logger.info("migration applied", metadata: ["migration": "\(step)"]) }
            if !outcome.newer.isEmpty {
                logger.notice(
                    "the schema is newer than this program, which goes on with what it knows of it",
                    metadata: ["newer": "\(outcome.newer.joined(separator: ", "))"])
            }
        }
        try Task.checkCancellation()
    }
}

/// A service that is made and begins when the schema is ready.
struct Gated<Inner: Service>: Service {
    private let schema: SchemaService
    private let make: @Sendable () -> Inner

    init(_ schema: SchemaService, _ make: @escaping @Sendable () -> Inner) {
        self.schema = schema
        self.make = make
    }

    func run() async throws {
        await schema.waitUntilReady()
        // One that is told to stop lets all go that wait; to a group, a service that ends before its turn has failed.
        guard schema.isReady else {
            try? await gracefulShutdown()
            return
        }
        try await make().run()
    }
}
