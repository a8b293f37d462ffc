package import Logging
import PlantDomain
package import PlantStore
import ServiceLifecycle

/// What has to be said of alerts without a reading that causes it: reminders, the system's own troubles, and the light
/// of yesterday.
package struct AlertWatch: Service {
    private static let intervalSeconds = 10.0
    /// How often the system is looked at, and whether a day is over, in seconds.
    private static let systemSeconds = 30.0
    private static let lightSeconds = 300.0

    private let store: Store
    private let system: SystemWatch
    private let light: LightWatch
    private let logger: Logger

    package init(store: Store, system: SystemWatch, light: LightWatch, logger: Logger) {
        self.store = store
        self.system = system
        self.light = light
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var state = SystemWatch.State()
            var lookedAt = Timestamp(microseconds: 0)
            var judgedAt = Timestamp(microseconds: 0)
            while !Task.isCancelled {
                let now = Timestamp.now()
                await attempt("reminding") { _ = try await store.remind(at: now) }
                // Either way: a clock that was set back must not mean a day without a look.
                if abs(now.seconds(since: lookedAt)) >= Self.systemSeconds {
                    lookedAt = now
                    await attempt("looking after the system") { try await system.look(&state, at: now) }
                }
                if abs(now.seconds(since: judgedAt)) >= Self.lightSeconds {
                    judgedAt = now
                    await attempt("judging the light of yesterday") { try await light.judge(at: now) }
                }
                // Ends early, and with it the loop, when the program stops.
                try? await Task.sleep(for: .seconds(Self.intervalSeconds))
            }
        }
    }

    private func attempt(_ what: String, _ work: () async throws -> Void) async {
        do {
            try await work()
        } catch is CancellationError {
            return
        } catch {
            logger.warning(
                "watching failed; trying again shortly", metadata: ["what": "\(what)", "reason": "\(error)"])
        }
    }
}
