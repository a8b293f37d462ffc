import PlantDomain
import Postgres

/// The devices of a batch that the database knows, and which plant each stood in when. Looked up for every batch
/// rather than cached: one indexed query, and an assignment counts from the moment it is committed, whichever of
/// several backends made it.
struct DeviceDirectory {
    struct Entry {
        /// Oldest first.
        var assignments: [(from: Timestamp, to: Timestamp?, plant: EntityID)] = []

        /// The plant the device stood in at an instant; nil while it stood in none.
        func plant(at time: Timestamp) -> EntityID? {
            assignments.last { $0.from <= time && (($0.to.map { time < $0 }) ?? true) }?.plant
        }
    }

    private var entries: [EntityID: Entry] = [:]

    subscript(id: EntityID) -> Entry? { entries[id] }

    init(_ items: ArraySlice<IngestBatch.Item>, on connection: PostgresConnection) throws(PostgresError) {
        let ids = Set(items.compactMap(\.device))
        guard !ids.isEmpty else { return }
        let rows = try connection.query(IngestSQL.directory, [.uuids(ids.map { ($0.high, $0.low) })])
        for index in 0..<rows.count {
            let row = rows[index]
            guard let (high, low) = try row.uuid(0) else { continue }
            var entry = entries[EntityID(high: high, low: low)] ?? Entry()
            if let plant = try row.uuid(1), let from = try row.timestamp(2) {
                entry.assignments.append(
                    (
                        Timestamp(microseconds: from), try row.timestamp(3).map { Timestamp(microseconds: $0) },
                        EntityID(high: plant.0, low: plant.1)
                    ))
            }
            entries[EntityID(high: high, low: low)] = entry
        }
    }
}
