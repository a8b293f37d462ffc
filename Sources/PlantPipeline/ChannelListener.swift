import Logging
import MQTT
import Postgres
import ServiceLifecycle

/// Hears what the database is told on a channel (`NOTIFY`), on a connection and a thread of its own, and listens anew
/// whenever that breaks.
struct ChannelListener: Sendable {
    private let options: PostgresOptions
    private let channel: String
    private let subject: String
    private let logger: Logger
    private let began: @Sendable () -> Void
    private let heard: @Sendable (String) -> Void

    /// - Parameters:
    ///   - subject: what is heard, for the log.
    ///   - began: called on the thread whenever listening begins: nobody heard what happened before.
    ///   - heard: called on the thread with each payload.
    init(
        _ options: PostgresOptions, channel: String, subject: String, logger: Logger,
        began: @escaping @Sendable () -> Void, heard: @escaping @Sendable (String) -> Void
    ) {
        self.options = options
        self.channel = channel
        self.subject = subject
        self.logger = logger
        self.began = began
        self.heard = heard
    }

    /// Listens until the program stops; then `tell`, which runs beside it, is cancelled.
    func run(_ tell: @escaping @Sendable () async -> Void) async {
        let (stop, wake) = (StopFlag(), WakeSignal())
        await withTaskCancellationOrGracefulShutdownHandler {
            await cancelWhenGracefulShutdown {
                await withDiscardingTaskGroup { group in
                    group.addTask { await tell() }
                    // Left behind when the program stops: connecting may hang for seconds.
                    await DedicatedThread.run(name: "listener") { listen(stop, wake) }
                    group.cancelAll()
                }
            }
        } onCancelOrGracefulShutdown: {
            stop.raise()
            wake.signal()
        }
    }

    private func listen(_ stop: StopFlag, _ wake: WakeSignal) {
        var backoff = Backoff()
        var lastProblem: String?
        while !stop.isRaised {
            do {
                let listener = try PostgresListener(options, channels: [channel])
                logger.info("listening for \(subject)")
                began()
                while !stop.isRaised {
                    let notifications = try listener.wait(milliseconds: 500)
                    for notification in notifications { heard(notification.payload) }
                    // Not before: a server that takes connections and drops them at once must not be hammered.
                    backoff.reset()
                    lastProblem = nil
                }
            } catch {
                // Once per problem, or an hour's outage fills the log.
                let level: Logger.Level = lastProblem == "\(error)" ? .debug : .warning
                lastProblem = "\(error)"
                logger.log(level: level, "\(subject) are not heard", metadata: ["reason": "\(error)"])
                _ = waitReadable([wake.descriptor], milliseconds: Int32(backoff.wait() * 1000))
            }
        }
    }
}
