package import Logging
import PlantDomain
import PlantStore
import ServiceLifecycle

/// Compares the broker's accounts with the database when the broker is reached, and every few minutes: whatever went
/// wrong meanwhile, a device that was deleted is shut out and one that was made is let in.
package struct BrokerReconciler: Service {
    private static let intervalSeconds = 300.0

    private let access: BrokerAccess
    private let control: BrokerControl
    private let logger: Logger

    package init(_ access: BrokerAccess, control: BrokerControl, logger: Logger) {
        self.access = access
        self.control = control
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                let again = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
                group.addTask {
                    for await _ in self.control.connected {
                        await self.reconcile()
                        again.continuation.yield()
                    }
                }
                group.addTask {
                    // What was under way when somebody was killed is given up by then.
                    for await _ in again.stream {
                        guard (try? await Task.sleep(for: .seconds(Store.offerSeconds + 1))) != nil else { return }
                        if self.control.isConnected { await self.reconcile() }
                    }
                }
                group.addTask {
                    // Ends early, and with it the loop, when the program stops.
                    while (try? await Task.sleep(for: .seconds(Self.intervalSeconds))) != nil {
                        if self.control.isConnected { await self.reconcile() }
                    }
                }
            }
        }
    }

    private func reconcile() async {
        var wait = 1.0
        // A failure here is the broker's or the database's absence. The former ends with a new connection, of which
        // we are told; the latter does not.
        while !Task.isCancelled {
            do {
                let mended = try await access.reconcile()
                if mended > 0 { logger.notice("the broker agrees again", metadata: ["devices": "\(mended)"]) }
                return
            } catch is Unavailable {
                return
            } catch is CancellationError {
                return
            } catch {
                logger.warning(
                    "the broker's accounts could not be compared", metadata: ["reason": "\(error)"])
                try? await Task.sleep(for: .seconds(wait))
                wait = min(60, wait * 2)
            }
        }
    }
}
