package import PlantDomain
import Postgres

extension Store {
    package enum AssignOutcome: Sendable { case assigned, noSuchDevice, noSuchPlant }

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
        _ id: EntityID, name: Change<String>, reportingIntervalSeconds: Change<Int>, isEnabled: Change<Bool>,
        by origin: Origin, at now: Timestamp
    ) async throws -> Device? {
        try await pool.transaction { connection in
            try connection.query("SELECT 1 AS one FROM devices WHERE id = $1 FOR UPDATE", [.id(id)])
            let found = try Self.devices(connection, "SELECT * FROM devices WHERE id = $1", [.id(id)])
            guard var device = found.items.first else { return nil }
            let before = device
            name.apply(to: &device.name)
            reportingIntervalSeconds.apply(to: &device.reportingIntervalSeconds)
            isEnabled.apply(to: &device.isEnabled)
            try connection.query(
                """
                UPDATE devices SET name = $2, reporting_interval_seconds = $3, enabled = $4, updated_at = $5
                WHERE id = $1
                """,
                [
                    .id(id), .text(device.name), .int(device.reportingIntervalSeconds), .bool(device.isEnabled),
                    .time(now),
                ])
            if before.isEnabled, !device.isEnabled { try Self.withdrawAlerts(of: id, at: now, on: connection) }
            try Self.record(
                "device.update", .device(device), by: origin, at: now, details: changes(from: before, to: device),
                on: connection)
            return device
        }
    }

    /// Its readings stay with their plants.
    /// - Returns: false when there is no such device.
    package func deleteDevice(_ id: EntityID, by origin: Origin, at now: Timestamp) async throws -> Bool {
        try await pool.transaction { connection in
            try connection.query("SELECT 1 AS one FROM devices WHERE id = $1 FOR UPDATE", [.id(id)])
            try Self.withdrawAlerts(of: id, at: now, on: connection)
            let deleted = try connection.query(
                "DELETE FROM devices WHERE id = $1 AND registered_at IS NOT NULL RETURNING name, mac_address",
                [.id(id)])
            guard let row = deleted.first else { return false }
            try Self.record(
                "device.delete", AuditEntry.Subject("device", id, try row.text("name")), by: origin, at: now,
                details: ["mac_address": try row.text("mac_address")], on: connection)
            return true
        }
    }

    /// Puts a device into a plant, taking it out of the one it stood in.
    package func assign(
        _ device: EntityID, to plant: EntityID, by origin: Origin, at now: Timestamp
    ) async throws -> AssignOutcome {
        try await pool.transaction { connection in
            // The lock makes two assignments of one device wait for each other.
            let devices = try connection.query("SELECT name FROM devices WHERE id = $1 FOR UPDATE", [.id(device)])
            guard let found = devices.first else { return .noSuchDevice }
            let plants = try connection.query("SELECT name FROM plants WHERE id = $1 FOR KEY SHARE", [.id(plant)])
            guard let home = plants.first else { return .noSuchPlant }
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
            try Self.record(
                "device.provision", AuditEntry.Subject("device", device, try found.text("name")), by: origin, at: now,
                details: ["plant_id": plant.description, "plant": try home.text("name")], on: connection)
            return .assigned
        }
    }

    /// - Returns: false when there is no such device.
    package func unassign(_ device: EntityID, by origin: Origin, at now: Timestamp) async throws -> Bool {
        try await pool.transaction { connection in
            let devices = try connection.query("SELECT name FROM devices WHERE id = $1 FOR UPDATE", [.id(device)])
            guard let found = devices.first else { return false }
            if try Self.endAssignment(connection, device, at: now) {
                let subject = AuditEntry.Subject("device", device, try found.text("name"))
                try Self.record("device.unassign", subject, by: origin, at: now, on: connection)
            }
            return true
        }
    }

    /// - Returns: whether it stood in a plant.
    @discardableResult
    private static func endAssignment(
        _ connection: PostgresConnection, _ device: EntityID, at now: Timestamp
    ) throws -> Bool {
        let ended = try connection.query(
            """
            UPDATE device_assignments SET unassigned_at = $2 WHERE device_id = $1 AND unassigned_at IS NULL
            RETURNING plant_id
            """, [.id(device), .time(now)])
        guard let row = ended.first else { return false }
        var ledger = AlertLedger(try alertSettings(on: connection), at: now, on: connection)
        try ledger.withdraw(device, from: row.id("plant_id"))
        try ledger.announce()
        return true
    }

    private static func withdrawAlerts(
        of device: EntityID, at now: Timestamp, on connection: PostgresConnection
    ) throws {
        var ledger = AlertLedger(try alertSettings(on: connection), at: now, on: connection)
        try ledger.withdraw(device)
        try ledger.announce()
    }

    static func devices(
        _ connection: PostgresConnection, _ selection: String, _ values: [PostgresValue]
    ) throws -> Page<Device> {
        let rows = try connection.query(
            """
            SELECT n.total, d.id, d.mac_address, d.name, d.sensor_types, d.reporting_interval_seconds, d.created_at,
                COALESCE(s.firmware_version, d.firmware_version) AS firmware_version, a.plant_id, s.last_seen_at,
                s.status, s.battery, s.rssi, s.learned_interval_seconds, s.uptime_seconds, s.free_heap_bytes,
                d.approved AND NOT d.offer_needs_approval AS approved, d.enabled, d.needs_enrollment,
                d.requested_at, d.requested_from
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
        var device = Device(
            id: try row.id("id"), macAddress: mac, name: try row.text("name"),
            firmwareVersion: try row.optionalText("firmware_version"), sensorTypes: try row.texts("sensor_types"),
            reportingIntervalSeconds: try row.optionalInt("reporting_interval_seconds").map { Int($0) },
            plantID: try row.optionalID("plant_id"), createdAt: try row.time("created_at"),
            lastSeenAt: try row.optionalTime("last_seen_at"),
            announcedOnline: try row.optionalText("status").map { $0 == "online" },
            battery: try row.optionalDouble("battery"), rssi: try row.optionalDouble("rssi"))
        device.learnedIntervalSeconds = try row.optionalDouble("learned_interval_seconds")
        device.uptimeSeconds = try row.optionalDouble("uptime_seconds")
        device.freeHeapBytes = try row.optionalDouble("free_heap_bytes")
        device.isApproved = try row.bool("approved")
        if !device.isApproved {
            device.requestedAt = try row.optionalTime("requested_at")
            device.requestedFrom = try row.optionalText("requested_from")
        }
        device.isEnabled = try row.bool("enabled")
        device.needsEnrollment = try row.bool("needs_enrollment")
        return device
    }

    /// Notices devices that have been silent for too long, once each and at most 500 at a time, and raises their alerts.
    ///
    /// A last will alone is no silence: a radio that comes and goes leaves one each time.
    /// - Returns: those that were noticed now.
    package func noticeSilentDevices(at now: Timestamp) async throws -> [(id: EntityID, name: String)] {
        try await pool.transaction { connection in
            let rows = try connection.query(
                """
                UPDATE device_state SET offline_since = $1 FROM (
                    SELECT d.id, d.name, a.plant_id FROM device_state s JOIN devices d ON d.id = s.device_id
                    LEFT JOIN device_assignments a ON a.device_id = d.id AND a.unassigned_at IS NULL
                    WHERE s.offline_since IS NULL AND d.enabled
                        AND s.last_seen_at < $1::timestamptz - make_interval(
                            secs => GREATEST(180, 3 * COALESCE(
                                d.reporting_interval_seconds, s.learned_interval_seconds, $2)))
                    -- In the intake's own order, and past what it is writing now.
                    ORDER BY s.device_id LIMIT 500 FOR NO KEY UPDATE OF s SKIP LOCKED
                ) silent WHERE device_id = silent.id
                RETURNING silent.id, silent.name, silent.plant_id, last_seen_at
                """, [.time(now), .double(Device.defaultReportingInterval)])
            var ledger = AlertLedger(try Self.alertSettings(on: connection), at: now, on: connection)
            try ledger.closeHeardOf()
            var changes = LiveChanges()
            for index in 0..<rows.count {
                let row = rows[index]
                changes.heard.insert(try row.id("id"))
                if let plant = try row.optionalID("plant_id") { changes.doubtfulPlants.insert(plant) }
                let subject = AlertSubject(
                    .deviceOffline, plant: try row.optionalID("plant_id"), device: try row.id("id"))
                try ledger.apply(
                    AlertFinding(
                        subject, .fired(since: try row.time("last_seen_at"), .warning), value: nil, limit: nil, at: now)
                )
            }
            try ledger.announce()
            try Self.announce(changes, on: connection)
            return try (0..<rows.count).map { (try rows[$0].id("id"), try rows[$0].text("name")) }
        }
    }
}

extension AuditEntry.Subject {
    fileprivate static func device(_ device: Device) -> Self { Self("device", device.id, device.name) }
}

private func changes(from before: Device, to after: Device) -> [String: String] {
    var changes: [String: String] = [:]
    if before.name != after.name { changes["name"] = after.name }
    if before.reportingIntervalSeconds != after.reportingIntervalSeconds {
        changes["reporting_interval_seconds"] = after.reportingIntervalSeconds.map { "\($0)" } ?? ""
    }
    if before.isEnabled != after.isEnabled { changes["enabled"] = "\(after.isEnabled)" }
    return changes
}
