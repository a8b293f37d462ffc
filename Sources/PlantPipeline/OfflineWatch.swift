package import Logging
import PlantDomain
package import PlantStore
import ServiceLifecycle

/// Notices devices that fell silent. What it goes by is in the database, so a restart forgets no deadline.
package struct OfflineWatch: Service {
    private static let intervalSeconds = 5.0
    /// How long readings must have been coming in before silence means something: after an outage of ours the broker
    /// first delivers what it kept.
    private static let graceSeconds = 60.0

    private let store: Store
    private let isReceiving: @Sendable () -> Bool
    private let logger: Logger

    /// - Parameter isReceiving: whether readings are being taken in and stored now.
    package init(store: Store, isReceiving: @escaping @Sendable () -> Bool, logger: Logger) {
        self.store = store
        self.isReceiving = isReceiving
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var receivingSince: Timestamp?
            while (try? await Task.sleep(for: .seconds(Self.intervalSeconds))) != nil {
                let now = Timestamp.now()
                guard self.isReceiving() else {
                    receivingSince = nil
                    continue
                }
                let since = receivingSince ?? now
                receivingSince = since
                guard now.seconds(since: since) >= Self.graceSeconds else { continue }
                do {
                    for device in try await self.store.noticeSilentDevices(at: now) {
                        self.logger.notice(
                            "device went offline", metadata: ["device_id": "\(device.id)", "device": "\(device.name)"])
                    }
                } catch {
                    self.logger.warning("looking for silent devices failed", metadata: ["reason": "\(error)"])
                }
            }
        }
    }
}
