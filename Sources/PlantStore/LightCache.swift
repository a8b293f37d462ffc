import PlantDomain
import Synchronization

/// The light of a day that is over, as it was found a moment ago: it is shown with every page of plants, and hardly ever
/// changes.
final class LightCache: Sendable {
    /// Days of which less is known are asked for every time: what is missing may be on its way.
    private static let leastCoverage = 0.99
    /// Late readings of a day that was known already are shown this much later at most, in seconds.
    private static let secondsKept = 600.0

    private struct Entry {
        let light: LightSum
        let foundAt: Timestamp
    }

    private struct Known {
        var day: LocalDay?
        var entries: [EntityID: Entry] = [:]
    }

    private let known = Mutex(Known())

    /// What is known of these plants.
    func light(of plants: [EntityID], on day: LocalDay, at now: Timestamp) -> [EntityID: LightSum] {
        known.withLock { known in
            guard known.day == day else { return [:] }
            var found: [EntityID: LightSum] = [:]
            for plant in plants {
                guard let entry = known.entries[plant], abs(now.seconds(since: entry.foundAt)) < Self.secondsKept
                else { continue }
                found[plant] = entry.light
            }
            return found
        }
    }

    /// Of another day than before, nothing else is kept: there are never more entries than plants.
    func keep(_ light: [EntityID: LightSum], on day: LocalDay, at now: Timestamp) {
        known.withLock { known in
            if known.day != day { known = Known(day: day) }
            for (plant, sum) in light where sum.coverage >= Self.leastCoverage {
                known.entries[plant] = Entry(light: sum, foundAt: now)
            }
        }
    }
}
