package import Logging
package import PlantStore
import ServiceLifecycle
import Synchronization

/// Knows whether the database answers, without making whoever asks wait for it.
package final class DatabaseWatch: Service {
    private let store: Store
    private let logger: Logger
    private let answering = Atomic(false)

    package init(store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// As of the last second or so.
    package var isAnswering: Bool { answering.load(ordering: .relaxed) }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.look()
                // Ends early, and with it the loop, when the program stops.
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func look() async {
        do {
            try await store.ping()
            if !answering.exchange(true, ordering: .relaxed) { logger.info("the database answers") }
        } catch {
            if answering.exchange(false, ordering: .relaxed) {
                logger.warning("the database does not answer", metadata: ["reason": "\(error)"])
            }
        }
    }
}
