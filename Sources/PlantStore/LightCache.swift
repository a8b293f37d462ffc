import PlantDomain
import Synchronization

/// The light of a day that is over, as it was found a moment ago: it is shown with every page of plants, and hardly ever
/// changes.
final class LightCache: Sendable {
    private struct Entry {
        let light: LightSum
        let foundAt: Timestamp

        /// How much later at most late readings of the day are shown, in seconds: when all of it was known already, or when
        /// what is missing may be on its way.
        var secondsKept: Double { light.coverage >= 0.99 ? 600 : 15 }
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
                guard let entry = known.entries[plant], abs(now.seconds(since: entry.foundAt)) < entry.secondsKept
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
            for (plant, sum) in light { known.entries[plant] = Entry(light: sum, foundAt: now) }
        }
    }
}
