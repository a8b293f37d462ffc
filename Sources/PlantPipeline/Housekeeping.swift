package import Logging
package import PlantStore
import ServiceLifecycle

/// What has to be done now and then so that the database goes on working and stays bounded.
package struct Housekeeping: Service {
    private let store: Store
    private let logger: Logger

    package init(store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await store.ensurePartitions()
                    let dropped = try await store.trimDeadLetters()
                    if dropped > 0 { logger.info("old dead letters dropped", metadata: ["count": "\(dropped)"]) }
                    try await Task.sleep(for: .seconds(3600))
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("housekeeping failed; trying again in a minute", metadata: ["reason": "\(error)"])
                    try await Task.sleep(for: .seconds(60))
                }
            }
        }
    }
}
