package import PlantDomain
package import PlantStore
import Synchronization

/// What the ingest thread is doing, readable from everywhere.
package final class IngestStatus: Sendable {
    package struct Snapshot: Sendable {
        /// Connected and subscribed.
        package var mqttConnected = false
        package var databaseConnected = false
        package var lastCommitAt: Timestamp?
        /// Seconds from taking the oldest message of the last batch to its commit.
        package var lastCommitLag: Double = 0
        /// When the oldest message not yet committed was taken; nil when none waits.
        package var waitingSince: Timestamp?
        package var totals = IngestOutcome()
        package var batches = 0
        package var redeliveries = 0
        package var retainedIgnored = 0
        package var lastProblem: String?

        /// How far storing is behind taking in, in seconds.
        package func lag(now: Timestamp) -> Double {
            waitingSince.map { max(0, now.seconds(since: $0)) } ?? lastCommitLag
        }
    }

    private let state = Mutex(Snapshot())

    package init() {}

    package var snapshot: Snapshot { state.withLock { $0 } }

    func change(_ body: (inout Snapshot) -> Void) { state.withLock { body(&$0) } }
}
