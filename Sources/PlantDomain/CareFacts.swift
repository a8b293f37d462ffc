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
        self.init(
            at: now, today: LocalDayText(LocalDay.containing(now, in: subject.zone)), zone: subject.zone.name, facts: []
        )
    }

    package subscript(id: String) -> CareFact? { facts.first { $0.id == id } }

    /// JSON with sorted keys, to be hashed: equal facts are equal bytes.
    package var canonical: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Values are finite, the only thing that JSON could not say.
        return (try? encoder.encode(self)).map { Array($0) } ?? []
    }

    /// These facts with everything that does not differ significantly from earlier ones as it was then. Nothing
    /// significant has changed if the result equals `previous`.
    package func settled(against previous: CareFacts) -> CareFacts { self }
}
