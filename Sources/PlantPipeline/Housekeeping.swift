package import Logging
import PlantDomain
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
        await cancelWhenGracefulShutdown {
            var accessTrimmed: Timestamp?
            // Every minute, because a broken device can write many dead letters in an hour.
            while !Task.isCancelled {
                do {
                    try await store.ensurePartitions()
                    let dropped = try await store.trimDeadLetters()
                    if dropped > 0 { logger.info("old dead letters dropped", metadata: ["count": "\(dropped)"]) }
                    let now = Timestamp.now()
                    if accessTrimmed.map({ now.seconds(since: $0) >= 3600 }) ?? true {
                        try await store.trimAccess(at: now)
                        try await store.trimAlerts(at: now)
                        accessTrimmed = now
                    }
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("housekeeping failed; trying again in a minute", metadata: ["reason": "\(error)"])
                }
                // Ends early, and with it the loop, when the program stops.
                try? await Task.sleep(for: .seconds(60))
            }
        }
    }
}
