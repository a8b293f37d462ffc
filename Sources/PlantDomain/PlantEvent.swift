/// Something that happened to a plant: somebody entered it, or it was read from what the sensors said.
package struct PlantEvent: Sendable, Equatable {
    package enum Kind: String, CaseIterable, Sendable {
        case watering, note, fertilizing, repotting
    }

    package enum Source: String, CaseIterable, Sendable {
        case entered
        /// Only waterings are: from a rise of soil moisture.
        case detected
    }

    /// Characters of a note.
    package static let noteLength = 1...2000
    /// In millilitres: from a drop to the bath tub of a tree.
    package static let amounts = 0.1...100_000
    /// So far ahead of our clock an event may be entered, in seconds: clocks differ.
    package static let aheadSeconds = 600.0
    /// Nothing is entered from before the year 2000.
    package static let earliest = Timestamp(microseconds: 946_684_800_000_000)

    package let id: EntityID
    package let plantID: EntityID
    package let kind: Kind
    package let at: Timestamp
    package let source: Source
    package var note: String?
    package var amountMillilitres: Double?
    /// Soil moisture before and after a watering that sensors have seen, in %.
    package var measured: Measured?
    /// Who entered it, as an email address; nil when nobody did, or he is gone.
    package var createdBy: String?
    package let createdAt: Timestamp

    package struct Measured: Sendable, Equatable {
        package let before: Double
        package let after: Double
        package let device: EntityID?

        package init(before: Double, after: Double, device: EntityID?) {
            self.before = before
            self.after = after
            self.device = device
        }
    }

    package init(
        id: EntityID, plantID: EntityID, kind: Kind, at: Timestamp, source: Source, note: String? = nil,
        amountMillilitres: Double? = nil, measured: Measured? = nil, createdBy: String? = nil, createdAt: Timestamp
    ) {
        self.id = id
        self.plantID = plantID
        self.kind = kind
        self.at = at
        self.source = source
        self.note = note
        self.amountMillilitres = amountMillilitres
        self.measured = measured
        self.createdBy = createdBy
        self.createdAt = createdAt
    }
}

/// Which events to list.
package struct PlantEventFilter: Sendable {
    package var kind: PlantEvent.Kind?
    /// Inclusive.
    package var from: Timestamp?
    /// Exclusive.
    package var to: Timestamp?

    package init(kind: PlantEvent.Kind? = nil, from: Timestamp? = nil, to: Timestamp? = nil) {
        self.kind = kind
        self.from = from
        self.to = to
    }
}

/// A watering that is known already, as far as it matters to one that was detected.
package struct KnownWatering: Sendable, Equatable {
    package let id: EntityID
    package let at: Timestamp
    package let isEntered: Bool
    /// A person removed it: it must not come back.
    package let isRemoved: Bool
    /// Soil moisture after it, if sensors have seen it, in %.
    package let after: Double?

    package init(id: EntityID, at: Timestamp, isEntered: Bool, isRemoved: Bool, after: Double?) {
        self.id = id
        self.at = at
        self.isEntered = isEntered
        self.isRemoved = isRemoved
        self.after = after
    }

    /// So close together, two waterings are one, in seconds.
    package static let sameSeconds = 3600.0
    /// A value of a watering that was taken while it rose is corrected by more than this, in points.
    private static let rounding = 0.05

    /// What to do about a watering that was detected.
    package enum Settlement: Sendable, Equatable {
        case insert
        /// Somebody entered it: his entry gets the values.
        case measure(EntityID)
        /// It went on rising.
        case raise(EntityID)
        case nothing
    }

    /// A watering is told once. What a person entered is shown rather than what was detected, and with its values;
    /// what a person removed does not come back.
    package static func settle(_ watering: DetectedWatering, among known: [KnownWatering]) -> Settlement {
        let near = known.filter { watering.distance(to: $0.at) <= sameSeconds }
        func nearest(_ isWanted: (KnownWatering) -> Bool) -> KnownWatering? {
            near.filter(isWanted).min {
                (watering.distance(to: $0.at), $0.id) < (watering.distance(to: $1.at), $1.id)
            }
        }
        if let same = nearest({ $0.after != nil }) {
            let isHigher = watering.after > (same.after ?? 0) + rounding
            return isHigher && !same.isRemoved ? .raise(same.id) : .nothing
        }
        if let entered = nearest({ $0.isEntered && !$0.isRemoved }) { return .measure(entered.id) }
        return near.isEmpty ? .insert : .nothing
    }
}
