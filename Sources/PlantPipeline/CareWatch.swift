package import Logging
import PlantDomain
package import PlantStore
import ServiceLifecycle

/// Has care plans written that nobody asks for: the first one, one every week, and one when something has changed.
package struct CareWatch: Service {
    /// In seconds. At first, others have more to do.
    private static let delay = 60.0
    private static let interval = 300.0

    private let store: Store
    private let advisor: CareAdvisor
    private let logger: Logger

    package init(store: Store, advisor: CareAdvisor, logger: Logger) {
        self.store = store
        self.advisor = advisor
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var wait = Self.delay
            // Ends early, and with it the loop, when the program stops.
            while (try? await Task.sleep(for: .seconds(wait))) != nil {
                wait = Self.interval
                await look(at: .now())
            }
        }
    }

    /// Sees to one plant after the other.
    func look(at now: Timestamp) async {
        do {
            for candidate in try await store.plantsForCare(at: now) where Self.mayBeDue(candidate, at: now) {
                try Task.checkCancellation()
                try await see(to: candidate.id)
            }
        } catch is CancellationError {
            return
        } catch {
            logger.warning("care plans are behind; trying again in a few minutes", metadata: ["reason": "\(error)"])
        }
    }

    /// What is wrong with one plant must not keep the others from theirs.
    /// - Throws: `CancellationError`, and when the database is away.
    private func see(to plant: EntityID) async throws {
        do {
            guard let plan = try await advisor.refreshIfDue(plant) else { return }
            logger.info(
                "a care plan was written",
                metadata: [
                    "plant_id": "\(plant)", "reason": "\(plan.reason.rawValue)", "source": "\(plan.source.rawValue)",
                ])
        } catch {
            if error is CancellationError || Store.isTransient(error) { throw error }
            logger.warning(
                "the care plan of a plant cannot be written", metadata: ["plant_id": "\(plant)", "reason": "\(error)"])
        }
    }

    /// Whether it is worth finding out.
    private static func mayBeDue(_ candidate: CareCandidate, at now: Timestamp) -> Bool {
        guard let newest = candidate.newest else { return candidate.isKnown }
        return abs(now.seconds(since: newest.generatedAt)) >= CareAnalysis.leastAge
    }
}
