package import Logging
import Metrics
import PlantDomain
package import PlantStore
package import Sealing
import ServiceLifecycle

/// Tells people what the outbox holds: makes messages of it and sends them, several channels at a time, each in order.
/// It touches nothing the intake waits for.
package struct DeliveryService: Service {
    /// Messages sent at the same time, each to another channel.
    private static let atOnce = 8
    private static let intervalSeconds = 0.5
    /// How long what is being sent may take when the program is told to stop, in seconds.
    private static let lastSeconds = 5.0

    private let store: Store
    private let sealer: Sealer
    private let sender: ChannelSender
    private let logger: Logger
    private let outcomes = ["sent", "retried", "failed"].reduce(into: [String: Counter]()) { counters, outcome in
        counters[outcome] = Counter(label: "plantops_deliveries_total", dimensions: [("outcome", outcome)])
    }

    package init(store: Store, sealer: Sealer, sender: ChannelSender, logger: Logger) {
        self.store = store
        self.sealer = sealer
        self.sender = sender
        self.logger = logger
    }

    package func run() async throws {
        let stop = StopFlag()
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                let underWay = Counted()
                while !stop.isRaised, !Task.isCancelled {
                    do {
                        try await store.composeMessages(at: .now())
                        let free = Self.atOnce - underWay.count
                        if free > 0 {
                            for message in try await store.claimMessages(free, sealer: sealer, at: .now()) {
                                underWay.begin()
                                group.addTask {
                                    await deliver(message)
                                    underWay.end()
                                }
                            }
                        }
                    } catch is CancellationError {
                        break
                    } catch {
                        logger.warning("telling of alerts failed; trying again", metadata: ["reason": "\(error)"])
                        await pause(seconds: 5, stop)
                    }
                    await pause(seconds: Self.intervalSeconds, stop)
                }
                // A message that is cut off may have arrived, and would be sent again.
                await pause(seconds: Self.lastSeconds) { underWay.count == 0 }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            stop.raise()
        }
    }

    private func pause(seconds: Double, _ stop: StopFlag) async {
        await pause(seconds: seconds) { stop.isRaised }
    }

    /// Ends early when it need not wait any longer, or the task is cancelled.
    private func pause(seconds: Double, unless isOver: () -> Bool) async {
        let end = ContinuousClock.now + .seconds(seconds)
        while !isOver(), ContinuousClock.now < end {
            guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { return }
        }
    }

    private func deliver(_ claimed: ClaimedMessage) async {
        let result = await attempt(claimed)
        let channel: Logger.Metadata = [
            "channel_id": "\(claimed.channelID)", "message_id": "\(claimed.message.id)",
            "attempt": "\(claimed.attempt)",
        ]
        switch result {
        case .sent: logger.info("alerts were told", metadata: channel)
        case .again(let seconds, _, _, let reason):
            logger.notice(
                "alerts could not be told; trying again",
                metadata: channel.merging(["reason": "\(reason)", "seconds": "\(seconds.rounded())"]) { $1 })
        case .given(let reason, _):
            logger.error("alerts could not be told", metadata: channel.merging(["reason": "\(reason)"]) { $1 })
        }
        outcomes[result.name]?.increment()
        // Not given up when the program is told to stop: what was sent must be known as sent, or it is sent twice.
        await Task { await settle(claimed, result) }.value
    }

    private func attempt(_ claimed: ClaimedMessage) async -> DeliveryResult {
        guard let target = claimed.target else {
            return .given(
                up: "the channel's address cannot be opened with ENCRYPTION_KEY; set the address again", status: nil)
        }
        let outcome = await sender.send(
            claimed.message, kind: target.kind, url: target.url, secret: target.secret)
        switch outcome {
        case .delivered(let status, let pause): return .sent(status: status, pauseSeconds: pause)
        case .refused(let status, let reason): return .given(up: reason, status: status)
        case .retry(let after, let isGlobal, let status, let reason):
            var backoff = Backoff(first: 2, longest: 900)
            for _ in 1..<max(1, min(claimed.attempt, 12)) { _ = backoff.wait() }
            return .again(
                afterSeconds: after ?? backoff.wait(), pausing: after == nil ? .nothing : isGlobal ? .kind : .channel,
                status: status, reason: reason)
        }
    }

    private func settle(_ claimed: ClaimedMessage, _ result: DeliveryResult) async {
        // While the database is away this is said as often as it takes; should that not be enough, the message goes
        // out once more when its claim has run out.
        for _ in 0..<5 {
            do {
                return try await store.settle(claimed, result, at: .now())
            } catch {
                logger.warning("the end of a delivery cannot be written down yet", metadata: ["reason": "\(error)"])
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}

extension DeliveryResult {
    fileprivate var name: String {
        switch self {
        case .sent: "sent"
        case .again: "retried"
        case .given: "failed"
        }
    }
}
