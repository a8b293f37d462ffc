package import PlantDomain
import Postgres

extension Store {
    /// The newest value of each metric of one device.
    /// - Returns: nil when there is no such device; an empty inner value when it has measured nothing yet.
    package func latestTelemetry(of device: EntityID) async throws -> LatestTelemetry?? {
        try await pool.run { connection in
            let rows = try connection.query(
                """
                SELECT \(StateColumns.selected) FROM devices d LEFT JOIN device_state s ON s.device_id = d.id
                WHERE d.id = $1
                """, [.id(device)])
            guard let row = rows.first else { return nil }
            guard try row.optionalTime("reading_at") != nil else { return .some(nil) }
            return .some(try StateColumns.latest(row))
        }
    }
}
