package import Logging
import MQTT
import PlantStore
package import Postgres
import ServiceLifecycle
import Synchronization

/// Knows whether the database answers, without making whoever asks wait for it. Over a connection of its own: a busy
/// API does not make the database look gone.
package final class DatabaseWatch: Service {
    /// Older news count as no answer: a server that hangs answers nothing at all.
    private static let freshSeconds = 5.0

    private let store: Store
    private let logger: Logger
    private let lastAnswer = Mutex(-Double.infinity)

    package init(_ options: PostgresOptions, logger: Logger) {
        var options = options
        options.statementTimeoutSeconds = 2
        store = Store(pool: PostgresPool(options, size: 1, logger: logger))
        self.logger = logger
    }

    package var isAnswering: Bool { monotonicSeconds() - lastAnswer.withLock { $0 } < Self.freshSeconds }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var was: Bool?
            while !Task.isCancelled {
                let problem = await self.look()
                if was != self.isAnswering {
                    was = self.isAnswering
                    if let problem {
                        self.logger.warning("the database does not answer", metadata: ["reason": "\(problem)"])
                    } else {
                        self.logger.info("the database answers")
                    }
                }
                // Ends early, and with it the loop, when the program stops.
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func look() async -> (any Error)? {
        do {
            try await store.ping()
            lastAnswer.withLock { $0 = monotonicSeconds() }
            return nil
        } catch {
            return error
        }
    }
}
