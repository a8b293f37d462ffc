package import PlantDomain
import Postgres

extension Store {
    package enum AssignOutcome: Sendable { case assigned, noSuchDevice, noSuchPlant }

    /// Makes a device, or finds the one with this MAC address and updates what it says of itself. A new one shows only
    /// after `confirmRegistration`.
    /// - Returns: its id, and whether it is new.
    package func registerDevice(_ device: Device) async throws -> (id: EntityID, isNew: Bool) {
        try await pool.run { connection in
            let rows = try connection.query(
                """
                INSERT INTO devices (id, mac_address, name, firmware_version, sensor_types,
                    reporting_interval_seconds, created_at, updated_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
                ON CONFLICT (mac_address) DO UPDATE SET
                    firmware_version = COALESCE(EXCLUDED.firmware_version, devices.firmware_version),
                    sensor_types = CASE WHEN EXCLUDED.sensor_types = '{}' THEN devices.sensor_types
                        ELSE EXCLUDED.sensor_types END,
                    reporting_interval_seconds =
                        COALESCE(EXCLUDED.reporting_interval_seconds, devices.reporting_interval_seconds),
                    updated_at = EXCLUDED.updated_at
                RETURNING id, registered_at IS NULL AS is_new
                """,
                [
                    .id(device.id), .text(device.macAddress.description), .text(device.name),
                    .text(device.firmwareVersion), .texts(device.sensorTypes),
                    .int(device.reportingIntervalSeconds), .time(device.createdAt),
                ])
            return (try rows[0].id("id"), try rows[0].bool("is_new"))
        }
    }

    /// The broker lets the device in: from now on it is one of the devices.
    package func confirmRegistration(of id: EntityID, at now: Timestamp) async throws {
        _ = try await pool.run { connection in
            try connection.query(
                "UPDATE devices SET registered_at = COALESCE(registered_at, $2) WHERE id = $1", [.id(id), .time(now)]
            ).count
        }
    }

    /// Oldest first: one statement, however many devices.
    package func devices(limit: Int, offset: Int) async throws -> Page<Device> {
        try await pool.run { connection in
            try Self.devices(
                connection, "SELECT * FROM devices WHERE registered_at IS NOT NULL ORDER BY id LIMIT $1 OFFSET $2",
                [.int(Int64(limit)), .int(Int64(offset))])
        }
    }

    package func device(_ id: EntityID) async throws -> Device? {
        try await pool.run { connection in
            try Self.devices(connection, "SELECT * FROM devices WHERE id = $1", [.id(id)]).items.first
        }
    }

    /// The devices that stand in a plant now.
    /// - Returns: nil when there is no such plant.
    package func devices(of plant: EntityID) async throws -> [Device]? {
        try await pool.run { connection in
            guard try connection.query("SELECT 1 AS one FROM plants WHERE id = $1", [.id(plant)]).count > 0 else {
                return nil
            }
            return try Self.devices(
                connection,
                """
                SELECT * FROM devices WHERE id IN
                    (SELECT device_id FROM device_assignments WHERE plant_id = $1 AND unassigned_at IS NULL)
                """, [.id(plant)]
            ).items
        }
    }

    /// - Returns: nil when there is no such device.
    package func updateDevice(
        _ id: EntityID, name: Change<String>, reportingIntervalSeconds: Change<Int>, at now: Timestamp
    ) async throws -> Device? {
        try await pool.transaction { connection in
            try connection.query("SELECT 1 AS one FROM devices WHERE id = $1 FOR UPDATE", [.id(id)])
            let found = try Self.devices(connection, "SELECT * FROM devices WHERE id = $1", [.id(id)])
            guard var device = found.items.first else { return nil }
            name.apply(to: &device.name)
            reportingIntervalSeconds.apply(to: &device.reportingIntervalSeconds)
            try connection.query(
                "UPDATE devices SET name = $2, reporting_interval_seconds = $3, updated_at = $4 WHERE id = $1",
                [.id(id), .text(device.name), .int(device.reportingIntervalSeconds), .time(now)])
            return device
        }
    }

    /// Its readings stay with their plants.
    /// - Returns: false when there is no such device.
    package func deleteDevice(_ id: EntityID) async throws -> Bool {
        try await pool.run { try $0.query("DELETE FROM devices WHERE id = $1", [.id(id)]).affected > 0 }
    }

    /// Puts a device into a plant, taking it out of the one it stood in.
    package func assign(_ device: EntityID, to plant: EntityID, at now: Timestamp) async throws -> AssignOutcome {
        try await pool.transaction { connection in
            // The lock makes two assignments of one device wait for each other.
            let devices = try connection.query("SELECT 1 AS one FROM devices WHERE id = $1 FOR UPDATE", [.id(device)])
            guard devices.count > 0 else { return .noSuchDevice }
            let plants = try connection.query("SELECT 1 AS one FROM plants WHERE id = $1 FOR KEY SHARE", [.id(plant)])
            guard plants.count > 0 else { return .noSuchPlant }
            let current = try connection.query(
                """
                SELECT 1 AS one FROM device_assignments
                WHERE device_id = $1 AND plant_id = $2 AND unassigned_at IS NULL
                """, [.id(device), .id(plant)])
            guard current.count == 0 else { return .assigned }
            try Self.endAssignment(connection, device, at: now)
            try connection.query(
                """
                INSERT INTO device_assignments (device_id, plant_id, readings_from, assigned_at)
                SELECT id, $2, CASE WHEN first_assigned_at IS NULL THEN '-infinity' ELSE $3::timestamptz END, $3
                FROM devices WHERE id = $1
                """, [.id(device), .id(plant), .time(now)])
            try connection.query(
                "UPDATE devices SET first_assigned_at = COALESCE(first_assigned_at, $2) WHERE id = $1",
                [.id(device), .time(now)])
            return .assigned
        }
    }

    /// - Returns: false when there is no such device.
    package func unassign(_ device: EntityID, at now: Timestamp) async throws -> Bool {
        try await pool.transaction { connection in
            let devices = try connection.query("SELECT 1 AS one FROM devices WHERE id = $1 FOR UPDATE", [.id(device)])
            guard devices.count > 0 else { return false }
            try Self.endAssignment(connection, device, at: now)
            return true
        }
    }

    private static func endAssignment(_ connection: PostgresConnection, _ device: EntityID, at now: Timestamp) throws {
        try connection.query(
            "UPDATE device_assignments SET unassigned_at = $2 WHERE device_id = $1 AND unassigned_at IS NULL",
            [.id(device), .time(now)])
    }

    private static func devices(
        _ connection: PostgresConnection, _ selection: String, _ values: [PostgresValue]
    ) throws -> Page<Device> {
        let rows = try connection.query(
            """
            SELECT n.total, d.id, d.mac_address, d.name, d.sensor_types, d.reporting_interval_seconds, d.created_at,
                COALESCE(s.firmware_version, d.firmware_version) AS firmware_version, a.plant_id, s.last_seen_at,
                s.status, s.battery, s.rssi
            FROM (SELECT count(*) AS total FROM devices WHERE registered_at IS NOT NULL) n
            LEFT JOIN (\(selection)) d ON d.registered_at IS NOT NULL
            LEFT JOIN device_assignments a ON a.device_id = d.id AND a.unassigned_at IS NULL
            LEFT JOIN device_state s ON s.device_id = d.id
            ORDER BY d.id
            """, values)
        var devices: [Device] = []
        for index in 0..<rows.count where try rows[index].optionalID("id") != nil {
            devices.append(try device(rows[index]))
        }
        return Page(items: devices, total: Int(try rows.first?.int("total") ?? 0))
    }

    private static func device(_ row: PostgresRow) throws -> Device {
        let address = try row.text("mac_address")
        guard let mac = MACAddress(address) else {
            throw PostgresError(.decoding, "devices.mac_address holds no MAC address")
        }
        return Device(
            id: try row.id("id"), macAddress: mac, name: try row.text("name"),
            firmwareVersion: try row.optionalText("firmware_version"), sensorTypes: try row.texts("sensor_types"),
            reportingIntervalSeconds: try row.optionalInt("reporting_interval_seconds").map { Int($0) },
            plantID: try row.optionalID("plant_id"), createdAt: try row.time("created_at"),
            lastSeenAt: try row.optionalTime("last_seen_at"),
            announcedOnline: try row.optionalText("status").map { $0 == "online" },
            battery: try row.optionalDouble("battery"), rssi: try row.optionalDouble("rssi"))
    }
}
