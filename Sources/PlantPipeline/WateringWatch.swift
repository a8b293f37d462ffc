package import Logging
package import PlantDomain
package import PlantStore
import ServiceLifecycle

/// Finds waterings in what was measured: within a minute or two in what is new, within half an hour in what was buffered
/// for a day, once a day in what came later still.
///
/// It keeps nothing but when it looked last: what is found follows from the readings, so that a restart, a day without
/// the program, or two of them at once change nothing.
package struct WateringWatch: Service {
    private static let intervalSeconds = 60.0
    private static let middleIntervalSeconds = 1800.0
    /// The rollups may be so far behind, in seconds; and a watering counts when it has held for half an hour, also if
    /// the device is silent then.
    private static let overlapSeconds = 600.0
    /// Asked for in one statement.
    private static let plantsAtOnce = 50

    /// When it was looked last.
    package struct State: Sendable {
        var short: Timestamp?
        var middle: Timestamp?

        package init() {}
    }

    private let store: Store
    private let logger: Logger

    package init(store: Store, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var state = State()
            while !Task.isCancelled {
                do {
                    let new = try await look(&state, at: .now())
                    if new > 0 { logger.info("waterings detected", metadata: ["count": "\(new)"]) }
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning(
                        "waterings could not be looked for; trying again in a minute", metadata: ["reason": "\(error)"])
                }
                // Ends early, and with it the loop, when the program stops.
                try? await Task.sleep(for: .seconds(Self.intervalSeconds))
            }
        }
    }

    /// - Returns: how many new waterings there are.
    @discardableResult
    package func look(_ state: inout State, at now: Timestamp) async throws -> Int {
        var new = 0
        let isMiddleDue = Self.isDue(state.middle, every: Self.middleIntervalSeconds, at: now)
        let span = isMiddleDue ? WateringScan.middleSeconds : WateringScan.shortSeconds
        let last = isMiddleDue ? state.middle : state.short
        // A clock that was set back must not mean that nothing is new.
        let heard = last.flatMap { $0 > now ? nil : $0.adding(seconds: -Self.overlapSeconds) }
        new += try await find(
            try await store.plantsWithMoisture(heardSince: heard ?? now.adding(seconds: -span)), span, at: now,
            atOnce: Self.plantsAtOnce)
        state.short = now
        if isMiddleDue { state.middle = now }

        let all = try await store.plantsForLongWateringScan(at: now)
        if !all.isEmpty {
            new += try await find(all, WateringScan.longSeconds, at: now, atOnce: 1)
            try await store.setLongWateringScan(at: now)
        }
        return new
    }

    private static func isDue(_ last: Timestamp?, every seconds: Double, at now: Timestamp) -> Bool {
        // Either way: the clock may have been set back.
        last.map { abs(now.seconds(since: $0)) >= seconds } ?? true
    }

    private func find(_ plants: [EntityID], _ span: Double, at now: Timestamp, atOnce: Int) async throws -> Int {
        var new = 0
        for start in stride(from: 0, to: plants.count, by: atOnce) {
            try Task.checkCancellation()
            let some = Array(plants[start..<min(start + atOnce, plants.count)])
            do {
                try await store.findWaterings(
                    of: some, since: now.adding(seconds: -span), at: now, counting: &new)
            } catch {
                if error is CancellationError || Store.isAway(error) { throw error }
                // What is wrong with one plant must not keep the others from theirs.
                if some.count > 1 {
                    new += try await find(some, span, at: now, atOnce: 1)
                } else {
                    logger.warning(
                        "waterings of a plant cannot be looked for",
                        metadata: ["plant_id": "\(some[0])", "reason": "\(error)"])
                }
            }
        }
        return new
    }
}
