import PlantDomain
import Postgres

/// What ends alerts without a reading: somebody changed what they speak of.
extension AlertLedger {
    /// Ends alerts of silent devices that have been heard of. The intake does it; this finds what an older version that
    /// runs beside, or a fault in judging, has left.
    mutating func closeHeardOf() throws(PostgresError) {
        let rows = try connection.query(
            """
            SELECT a.id FROM alerts a LEFT JOIN device_state s ON s.device_id = a.device_id
            WHERE a.kind = 'device_offline' AND a.state = 'firing' AND s.offline_since IS NULL
            ORDER BY a.id LIMIT 500 FOR UPDATE OF a SKIP LOCKED
            """)
        for index in 0..<rows.count { try close(rows[index].id("id"), value: nil, resolution: .recovered) }
    }

    /// Ends alerts because what they speak of is gone, or was changed by somebody.
    /// - Parameter condition: on the columns of `alerts`, with parameters from $1 on.
    mutating func close(
        where condition: String, _ values: [PostgresValue], resolution: AlertResolution
    ) throws(PostgresError) {
        try touch(
            connection.query("DELETE FROM alerts WHERE state = 'pending' AND (\(condition)) RETURNING id", values))
        let rows = try connection.query(
            "SELECT id FROM alerts WHERE state = 'firing' AND (\(condition)) ORDER BY id FOR UPDATE", values)
        for index in 0..<rows.count { try close(rows[index].id("id"), value: nil, resolution: resolution) }
    }

    /// A device stands in its plant no longer: what it said of it is over.
    mutating func withdraw(_ device: EntityID, from plant: EntityID) throws(PostgresError) {
        try changeMemories("SELECT device_id, alert_memory FROM device_state WHERE device_id = $1", device) {
            $0.leavePlant()
        }
        try withdraw(device, "kind = 'threshold'")
        try withdrawLight(of: plant, without: device)
    }

    /// The light of days is the plant's; without a device there will be no more of it.
    private mutating func withdrawLight(of plant: EntityID, without device: EntityID) throws(PostgresError) {
        try close(
            where: """
                kind = 'threshold' AND metric = 'light_level' AND plant_id = $1 AND NOT EXISTS (
                    SELECT 1 FROM device_assignments o JOIN devices d ON d.id = o.device_id
                    WHERE o.plant_id = $1 AND o.unassigned_at IS NULL AND o.device_id <> $2 AND d.enabled)
                """, [.id(plant), .id(device)], resolution: .deviceRemoved)
    }

    /// A device no longer says anything. Should it be silent when it counts again, that is noticed anew.
    mutating func withdraw(_ device: EntityID) throws(PostgresError) {
        try connection.query(
            "UPDATE device_state SET alert_memory = NULL, offline_since = NULL WHERE device_id = $1", [.id(device)])
        try withdraw(device, "true")
        let standing = try connection.query(
            "SELECT plant_id FROM device_assignments WHERE device_id = $1 AND unassigned_at IS NULL", [.id(device)])
        if let row = standing.first { try withdrawLight(of: row.id("plant_id"), without: device) }
    }

    private mutating func withdraw(_ device: EntityID, _ kinds: String) throws(PostgresError) {
        try close(
            where: "\(kinds) AND devices = ARRAY[$1::uuid]", [.id(device)], resolution: .deviceRemoved)
        try connection.query(
            """
            UPDATE alerts SET devices = array_remove(devices, $1)
            WHERE state <> 'resolved' AND \(kinds) AND devices @> ARRAY[$1::uuid]
            """, [.id(device)])
    }

    /// Limits of a plant are gone: what was found by them is over.
    mutating func withdraw(_ limits: [(metric: String, direction: LimitDirection)], of plant: EntityID)
        throws(PostgresError)
    {
        try changeMemories(Self.memoriesOfPlant, plant) { $0.forget(limits) }
        for limit in limits {
            try close(
                where: "kind = 'threshold' AND plant_id = $1 AND metric = $2 AND direction = $3",
                [.id(plant), .text(limit.metric), .text(limit.direction.rawValue)], resolution: .limitRemoved)
        }
    }

    /// A plant is about to go.
    mutating func withdraw(plant: EntityID) throws(PostgresError) {
        try changeMemories(Self.memoriesOfPlant, plant) { $0.leavePlant() }
        try close(where: "kind = 'threshold' AND plant_id = $1", [.id(plant)], resolution: .plantDeleted)
    }

    private static let memoriesOfPlant = """
        SELECT device_id, alert_memory FROM device_state
        WHERE device_id IN (SELECT device_id FROM device_assignments WHERE plant_id = $1 AND unassigned_at IS NULL)
        """

    /// - Parameter selection: of rows of `device_state`, by $1.
    private func changeMemories(
        _ selection: String, _ id: EntityID, _ change: (inout SensorMemory) -> Void
    ) throws(PostgresError) {
        let rows = try connection.query(selection + " ORDER BY device_id FOR NO KEY UPDATE", [.id(id)])
        for index in 0..<rows.count {
            let device = try rows[index].id("device_id")
            // One that cannot be read is made anew from the alerts that are open then.
            var memory = try rows[index].optionalBytes("alert_memory").flatMap { SensorMemory(encoded: $0) }
            if var known = memory {
                change(&known)
                memory = known
            }
            try connection.query(
                "UPDATE device_state SET alert_memory = $2 WHERE device_id = $1",
                [.id(device), memory.map { .bytes($0.encoded) } ?? .null(.bytes)])
        }
    }
}
