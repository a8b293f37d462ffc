package import Logging
import MQTT
import PlantDomain
package import PlantStore
import ServiceLifecycle

/// Keeps the rollups of readings current, and their single ones no longer than they are to be kept; notes how large the
/// database is.
package struct SeriesService: Service {
    /// Buckets of long spans are so far behind at most when a reading comes late; what is new is always in them.
    private static let seconds = 60.0
    private static let secondsBetweenTrims = 3600.0

    private let store: Store
    private let upkeep: SeriesUpkeep
    /// nil keeps single readings for ever.
    private let daysKept: Int?
    private let logger: Logger

    package init(store: Store, upkeep: SeriesUpkeep, daysKept: Int?, logger: Logger) {
        self.store = store
        self.upkeep = upkeep
        self.daysKept = daysKept
        self.logger = logger
    }

    package func run() async throws {
        // Not waited for: a statement may take minutes, and is broken off when the connection ends with the program.
        let work = Task { await keep() }
        try? await gracefulShutdown()
        work.cancel()
    }

    private func keep() async {
        var clock = ClockTrust()
        var trimmed: Timestamp?
        while !Task.isCancelled {
            do {
                let now = Timestamp.now()
                let isTrusted = clock.isTrusted(
                    at: now, steady: monotonicSeconds(), lastSeen: try await store.lastStorageSample())
                let zone = KnownTimeZone(try await store.alertSettings().timeZone) ?? .utc
                let isOurs = try await upkeep.summarize(zone: zone, at: now)
                if isOurs, trimmed.map({ abs(now.seconds(since: $0)) >= Self.secondsBetweenTrims }) ?? true {
                    try await store.sampleStorage(at: now)
                    try await trim(keeping: isTrusted ? daysKept : nil, at: now)
                    if isTrusted { trimmed = now }
                }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("rollups are behind; trying again in a minute", metadata: ["reason": "\(error)"])
            }
            // Ends early, and with it the loop, when the program stops.
            try? await Task.sleep(for: .seconds(Self.seconds))
        }
    }

    private func trim(keeping days: Int?, at now: Timestamp) async throws {
        guard let report = try await upkeep.trim(keeping: days, at: now), report != SeriesUpkeep.Report() else {
            return
        }
        logger.info(
            "old readings compressed or dropped",
            metadata: ["compressed": "\(report.compressed)", "dropped": "\(report.dropped)"])
    }
}
