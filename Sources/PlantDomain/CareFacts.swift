import Foundation

/// All that is known of a plant and that advice may rest on: the built-in advisor, a prompt, what is shown as evidence
/// and what tells whether anything changed are one and the same.
package struct CareFacts: Sendable, Equatable, Codable {
    /// When they were put together.
    package let at: Timestamp
    /// The day that is, in ``zone``.
    package let today: LocalDayText
    /// Name of the instance's time zone.
    package let zone: String
    /// By id, in its order.
    package let facts: [CareFact]

    package init(at: Timestamp, today: LocalDayText, zone: String, facts: [CareFact]) {
        self.at = at
        self.today = today
        self.zone = zone
        self.facts = facts.sorted { $0.id < $1.id }
    }

    package init(_ subject: CareSubject, at now: Timestamp) {
        var gathering = CareGathering(subject, at: now)
        gathering.gather()
        self.init(
            at: now, today: LocalDayText(LocalDay.containing(now, in: subject.zone)), zone: subject.zone.name,
            facts: gathering.facts)
    }

    package subscript(id: String) -> CareFact? { facts.first { $0.id == id } }

    /// JSON with sorted keys, to be hashed: equal facts are equal bytes.
    package var canonical: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Values are finite, the only thing that JSON could not say.
        return (try? encoder.encode(self)).map { Array($0) } ?? []
    }
}

/// Between which values a metric should be, and who says so.
struct CareLimits {
    let min: CareFact?
    let max: CareFact?
    /// The plant's own limits exclude each other; they are then not gone by.
    let areContradictory: Bool

    /// End by end, the plant's own limit goes before what is typical for its species, and that before what is usual for
    /// house plants. Where the plant's own end leaves no room to one that is not its own, that one does not count.
    /// - Parameter subject: `soil_moisture`, `extra.tank`: what the ids of its facts begin with.
    init(of subject: String, _ fact: (String) -> CareFact?) {
        let ownMin = fact("\(subject).limit_min")
        let ownMax = fact("\(subject).limit_max")
        let typicalMin = fact("\(subject).species_min") ?? fact("\(subject).usual_min")
        let typicalMax = fact("\(subject).species_max") ?? fact("\(subject).usual_max")
        let isOrdered = { (low: CareFact?, high: CareFact?) in
            guard let low = low?.value, let high = high?.value else { return true }
            return low < high
        }
        areContradictory = ownMin?.value != ownMax?.value && !isOrdered(ownMin, ownMax)
        guard !areContradictory else {
            (min, max) = isOrdered(typicalMin, typicalMax) ? (typicalMin, typicalMax) : (typicalMin, nil)
            return
        }
        let low = ownMin ?? (isOrdered(typicalMin, ownMax) ? typicalMin : nil)
        let high = ownMax ?? (isOrdered(low, typicalMax) ? typicalMax : nil)
        (min, max) = (low, high)
    }

    /// How much of the way from the lower end to the upper one soil is brought by a watering: wet, with room for air.
    private static let targetPart = 0.7

    /// To what soil should be brought, in its unit; nil unless both ends are known.
    var target: Double? {
        guard let min = min?.value, let max = max?.value, max > min else { return nil }
        let target = min + Self.targetPart * (max - min)
        let step = max - min >= 20 ? 5.0 : 1
        let rounded = (target / step).rounded() * step
        return rounded > min && rounded <= max ? rounded : target
    }
}
