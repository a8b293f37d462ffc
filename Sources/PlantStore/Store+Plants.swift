import Foundation
package import PlantDomain
import Postgres

extension Store {
    /// - Returns: the plant as it is read from now on.
    @discardableResult
    package func createPlant(_ plant: Plant, by origin: Origin) async throws -> Plant {
        try await pool.transaction { connection in
            try connection.query(
                """
                INSERT INTO plants (id, name, species, room, position_x, position_y, thresholds, created_at, updated_at,
                    light_source)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                """,
                [
                    .id(plant.id), .text(plant.name), .text(plant.species), .text(plant.room),
                    .double(plant.position?.x), .double(plant.position?.y), .json(try encode(plant.thresholds)),
                    .time(plant.createdAt), .time(plant.updatedAt), .text(plant.lightSource.rawValue),
                ])
            try Self.record("plant.create", .plant(plant), by: origin, at: plant.createdAt, on: connection)
            return try Self.plant(connection, plant.id) ?? plant
        }
    }

    /// Oldest first, each with its newest values: one statement, however many plants.
    package func plants(limit: Int, offset: Int) async throws -> Page<Plant> {
        try await pool.run { connection in
            try Self.plants(
                connection,
                "SELECT * FROM plants ORDER BY id LIMIT $1 OFFSET $2", [.int(Int64(limit)), .int(Int64(offset))])
        }
    }

    package func plant(_ id: EntityID) async throws -> Plant? {
        try await pool.run { try Self.plant($0, id) }
    }

    /// Changes a plant under a lock, so that two people's changes to different fields both count.
    /// - Returns: nil when there is no such plant.
    package func updatePlant(
        _ id: EntityID, by origin: Origin, at now: Timestamp, _ change: @Sendable (inout Plant) throws -> Void
    ) async throws -> Plant? {
        try await pool.transaction { connection in
            try connection.query("SELECT 1 AS one FROM plants WHERE id = $1 FOR UPDATE", [.id(id)])
            guard var plant = try Self.plant(connection, id) else { return nil }
            let before = plant
            try change(&plant)
            plant.updatedAt = now
            try connection.query(
                """
                UPDATE plants SET name = $2, species = $3, room = $4, position_x = $5, position_y = $6,
                    thresholds = $7, updated_at = $8, light_source = $9
                WHERE id = $1
                """,
                [
                    .id(id), .text(plant.name), .text(plant.species), .text(plant.room), .double(plant.position?.x),
                    .double(plant.position?.y), .json(try encode(plant.thresholds)), .time(now),
                    .text(plant.lightSource.rawValue),
                ])
            let gone = limitsGone(from: before.thresholds, to: plant.thresholds)
            if !gone.isEmpty {
                var ledger = AlertLedger(try Self.alertSettings(on: connection), at: now, on: connection)
                try ledger.withdraw(gone, of: id)
                try ledger.announce()
            }
            try Self.record(
                "plant.update", .plant(plant), by: origin, at: now, details: changes(from: before, to: plant),
                on: connection)
            // Another name may mean another species.
            return plant.species == before.species ? plant : try Self.plant(connection, id)
        }
    }

    /// Its devices are free again. Its readings stay until retention drops them.
    /// - Returns: false when there is no such plant.
    package func deletePlant(_ id: EntityID, by origin: Origin, at now: Timestamp) async throws -> Bool {
        try await pool.transaction { connection in
            // Devices first, as does whoever puts one in or takes it out.
            try connection.query(
                """
                SELECT 1 AS one FROM devices WHERE id IN (
                    SELECT device_id FROM device_assignments WHERE plant_id = $1 AND unassigned_at IS NULL)
                ORDER BY id FOR UPDATE
                """, [.id(id)])
            try connection.query("SELECT 1 AS one FROM plants WHERE id = $1 FOR UPDATE", [.id(id)])
            var ledger = AlertLedger(try Self.alertSettings(on: connection), at: now, on: connection)
            try ledger.withdraw(plant: id)
            try ledger.announce()
            let deleted = try connection.query("DELETE FROM plants WHERE id = $1 RETURNING name", [.id(id)])
            guard let row = deleted.first else { return false }
            let subject = AuditEntry.Subject("plant", id, try row.text("name"))
            try Self.record("plant.delete", subject, by: origin, at: now, on: connection)
            return true
        }
    }

    static func plant(_ connection: PostgresConnection, _ id: EntityID) throws -> Plant? {
        try plants(connection, "SELECT * FROM plants WHERE id = $1", [.id(id)]).items.first
    }

    /// - Parameter selection: which plants; its rows are joined with what their devices measured last.
    static func plants(
        _ connection: PostgresConnection, _ selection: String, _ values: [PostgresValue]
    ) throws -> Page<Plant> {
        // The count comes first so that a page beyond the end still says how many there are.
        let rows = try connection.query(
            """
            SELECT n.total, p.id, p.name, p.species, p.room, p.position_x, p.position_y, p.thresholds, p.created_at,
                p.updated_at, p.snoozed_until, p.light_source, (
                    SELECT min(l.severity) FROM alerts l WHERE l.plant_id = p.id AND l.state = 'firing'
                        AND l.kind = 'threshold' AND l.metric = 'light_level') AS light_alert,
                d.id AS device_id, d.reporting_interval_seconds, a.readings_from,
                s.learned_interval_seconds, \(speciesColumns("o")),
                \(StateColumns.selected)
            FROM (SELECT count(*) AS total FROM plants) n
            LEFT JOIN (\(selection)) p ON true
            LEFT JOIN device_assignments a ON a.plant_id = p.id AND a.unassigned_at IS NULL
            LEFT JOIN devices d ON d.id = a.device_id
            LEFT JOIN device_state s ON s.device_id = d.id
            LEFT JOIN (\(speciesByName(first: values.count + 1))) o ON o.name = lower(p.species)
            ORDER BY p.id, d.id
            """, values + builtInNames)
        var plants: [Plant] = []
        for index in 0..<rows.count {
            let row = rows[index]
            guard let id = try row.optionalID("id") else { continue }
            if plants.last?.id != id { plants.append(try plant(row, id)) }
            guard let last = plants.indices.last, try row.optionalID("device_id") != nil else { continue }
            plants[last].deviceCount += 1
            let interval = Device.expectedInterval(
                declared: try row.optionalInt("reporting_interval_seconds").map { Int($0) },
                learned: try row.optionalDouble("learned_interval_seconds"))
            plants[last].silenceAllowedSeconds = max(
                plants[last].silenceAllowedSeconds, Device.silenceAllowed(expectedInterval: interval))
            guard let latest = try StateColumns.latest(row, since: row.optionalTime("readings_from")) else { continue }
            if plants[last].latest == nil {
                plants[last].latest = latest
            } else {
                plants[last].latest?.merge(latest)
            }
        }
        return Page(items: plants, total: Int(try rows.first?.int("total") ?? 0))
    }

    private static func plant(_ row: PostgresRow, _ id: EntityID) throws -> Plant {
        var position: Plant.Position?
        if let x = try row.optionalDouble("position_x"), let y = try row.optionalDouble("position_y") {
            position = Plant.Position(x: x, y: y)
        }
        var plant = Plant(
            id: id, name: try row.text("name"), species: try row.optionalText("species"),
            room: try row.optionalText("room"), position: position,
            thresholds: try JSONDecoder().decode(Thresholds.self, from: Data(row.text("thresholds").utf8)),
            createdAt: try row.time("created_at"), updatedAt: try row.time("updated_at"))
        plant.ownSpecies = try ownSpecies(row)
        plant.snoozedUntil = try row.optionalTime("snoozed_until")
        // A newer version may know more of them.
        plant.lightSource = LightSource(rawValue: try row.text("light_source")) ?? .sun
        plant.lightAlert = try row.optionalText("light_alert").flatMap { AlertSeverity(rawValue: $0) }
        return plant
    }
}

private func encode(_ thresholds: Thresholds) throws -> String {
    String(decoding: try JSONEncoder().encode(thresholds), as: UTF8.self)
}

extension AuditEntry.Subject {
    fileprivate static func plant(_ plant: Plant) -> Self { Self("plant", plant.id, plant.name) }
}

/// What was changed, as the audit log tells it: the new values, by field.
private func changes(from before: Plant, to after: Plant) throws -> [String: String] {
    var changes: [String: String] = [:]
    if before.name != after.name { changes["name"] = after.name }
    if before.species != after.species { changes["species"] = after.species ?? "" }
    if before.room != after.room { changes["room"] = after.room ?? "" }
    if before.position != after.position { changes["position"] = after.position.map { "\($0.x), \($0.y)" } ?? "" }
    if before.lightSource != after.lightSource { changes["light_source"] = after.lightSource.rawValue }
    if before.thresholds != after.thresholds { changes["thresholds"] = try encode(after.thresholds) }
    return changes
}

/// Limits that were there before and are not any more.
private func limitsGone(from before: Thresholds, to after: Thresholds) -> [(metric: String, direction: LimitDirection)]
{
    before.sorted { $0.key < $1.key }.flatMap { name, old in
        var gone: [(String, LimitDirection)] = []
        if old.min != nil, after[name]?.min == nil { gone.append((name, .min)) }
        if old.max != nil, after[name]?.max == nil { gone.append((name, .max)) }
        return gone
    }
}
