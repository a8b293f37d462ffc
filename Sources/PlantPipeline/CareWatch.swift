package import Logging
import PlantDomain
package import PlantStore
import ServiceLifecycle

/// Has care plans written that nobody asks for: the first one, one every week, and one when something has changed.
package struct CareWatch: Service {
    /// In seconds. At first, others have more to do.
    private static let delay = 60.0
    private static let interval = 300.0
    /// Whether a plant's plan is due is found out at most so often, in seconds: that takes a dozen statements.
    private static let leastBetween = 3600.0
    /// So many plants are seen to at once in any case.
    private static let leastAtOnce = 12

    /// When each plant was seen to last.
    struct State {
        fileprivate var seen: [EntityID: Timestamp] = [:]
    }

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
            var state = State()
            var wait = Self.delay
            // Ends early, and with it the loop, when the program stops.
            while (try? await Task.sleep(for: .seconds(wait))) != nil {
                wait = Self.interval
                await look(&state, at: .now())
            }
        }
    }

    /// Sees to one plant after the other, of many only to some: in an hour's looks each has its turn.
    func look(_ state: inout State, at now: Timestamp) async {
        do {
            let candidates = try await store.plantsForCare(at: now).filter { Self.mayBeDue($0, at: now) }.map(\.id)
            // Of those that are gone, nothing is remembered.
            let known = Set(candidates)
            state.seen = state.seen.filter { known.contains($0.key) }
            let looks = Int(Self.leastBetween / Self.interval)
            for plant in Self.turns(of: candidates, state, at: now)
                .prefix(max(Self.leastAtOnce, (candidates.count + looks - 1) / looks))
            {
                try Task.checkCancellation()
                try await see(to: plant)
                state.seen[plant] = now
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
            if error is CancellationError || Store.isAway(error) { throw error }
            logger.warning(
                "the care plan of a plant cannot be written", metadata: ["plant_id": "\(plant)", "reason": "\(error)"])
        }
    }

    /// Those whose turn it is, who has waited longest first.
    private static func turns(of candidates: [EntityID], _ state: State, at now: Timestamp) -> [EntityID] {
        // Either way: the clock may have been set back.
        let due = candidates.filter { state.seen[$0].map { abs(now.seconds(since: $0)) >= leastBetween } ?? true }
        let waited = due.map { ($0, state.seen[$0] ?? Timestamp(microseconds: .min)) }
        return waited.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0)
    }

    /// Whether it is worth finding out.
    private static func mayBeDue(_ candidate: CareCandidate, at now: Timestamp) -> Bool {
        guard let newest = candidate.newest else { return candidate.isKnown }
        return abs(now.seconds(since: newest.generatedAt)) >= CareAnalysis.leastAge
    }
}
