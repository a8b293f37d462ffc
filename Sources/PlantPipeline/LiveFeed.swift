package import Logging
package import PlantDomain
package import PlantStore
package import Postgres
import ServiceLifecycle

/// Hears which plants and devices look different now, whichever program changed them, or because time has passed, and tells
/// of them in lots: of a single change at once, of many together.
package final class LiveFeed: Service {
    /// What is done with what was heard. Each has to deal with its own failures; they are called one after the other.
    package struct Telling: Sendable {
        let changed: @Sendable (LiveChanges) async -> Void
        /// Changes have gone by unheard, or there were too many.
        let missed: @Sendable () async -> Void
        /// Finds what looks different because the time has come: after the first instant, until the second; nil when that
        /// cannot be found out now.
        let passed: @Sendable (Timestamp, Timestamp) async -> LiveChanges?

        package init(
            changed: @escaping @Sendable (LiveChanges) async -> Void, missed: @escaping @Sendable () async -> Void,
            passed: @escaping @Sendable (Timestamp, Timestamp) async -> LiveChanges?
        ) {
            self.changed = changed
            self.missed = missed
            self.passed = passed
        }
    }

    /// From one lot to the next: this bounds what is asked of the database.
    static let lotGap = Duration.milliseconds(100)
    private static let tickGap = Duration.seconds(5)

    private let options: PostgresOptions
    private let inbox: LiveInbox
    private let telling: Telling
    private let logger: Logger

    /// - Parameter inbox: where others may put what they know of.
    package init(_ options: PostgresOptions, inbox: LiveInbox, telling: Telling, logger: Logger) {
        self.options = options
        self.inbox = inbox
        self.telling = telling
        self.logger = logger
    }

    package func run() async throws {
        let inbox = inbox
        let listener = ChannelListener(
            options, channel: LiveChanges.channel, subject: "changes of plants and devices", logger: logger,
            began: { inbox.miss() }, heard: { inbox.add(payload: $0) })
        await listener.run {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.tell() }
                group.addTask { await self.tick() }
            }
        }
    }

    private func tell() async {
        for await _ in inbox.signals {
            while !Task.isCancelled, let next = inbox.take() {
                switch next {
                case .changed(let changes): await telling.changed(changes)
                case .missed: await telling.missed()
                case .later: break
                }
                try? await Task.sleep(for: Self.lotGap)
            }
        }
    }

    private func tick() async {
        var last = Timestamp.now()
        while (try? await Task.sleep(for: Self.tickGap)) != nil {
            let now = Timestamp.now()
            // The clock may have been set back.
            if now > last {
                guard let changes = await telling.passed(last, now) else { continue }
                inbox.add(changes)
            }
            last = now
        }
    }
}
