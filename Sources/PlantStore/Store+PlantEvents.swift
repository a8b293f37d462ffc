package import PlantDomain
import Postgres

package enum CreatePlantEventOutcome: Sendable {
    case created(PlantEvent)
    case noSuchPlant
    case tooMany
}

/// What happened to plants.
extension Store {
    /// Per plant, and what was removed counts.
    package static let plantEventLimit = 10_000

    /// Newest first.
    /// - Returns: nil when there is no such plant.
    package func plantEvents(
        of plant: EntityID, _ filter: PlantEventFilter, limit: Int, offset: Int
    ) async throws -> Page<PlantEvent>? {
        try await pool.run { connection in
            guard try Self.plantName(plant, on: connection) != nil else { return nil }
            let condition = """
                plant_id = $1 AND deleted_at IS NULL AND ($2::text IS NULL OR kind = $2)
                    AND ($3::timestamptz IS NULL OR at >= $3) AND ($4::timestamptz IS NULL OR at < $4)
                """
            let values: [PostgresValue] = [
                .id(plant), .text(filter.kind?.rawValue), filter.from.map { .time($0) } ?? .null(.timestamp),
                filter.to.map { .time($0) } ?? .null(.timestamp),
            ]
            let total = try connection.query("SELECT count(*) AS total FROM plant_events WHERE \(condition)", values)
            let rows = try connection.query(
                """
                SELECT e.*, u.email FROM plant_events e LEFT JOIN users u ON u.id = e.by_user
                WHERE \(condition) ORDER BY at DESC, e.id DESC LIMIT $5 OFFSET $6
                """, values + [.int(Int64(limit)), .int(Int64(offset))])
            return Page(items: try rows.map(Self.plantEvent), total: Int(try total[0].int("total")))
        }
    }

    /// Enters an event. A watering that sensors have seen within an hour of it is this one: it gets its values, and what
    /// was detected goes.
    /// - Parameters:
    ///   - event: an entered one, of ``PlantEvent/plantID``.
    ///   - user: who enters it; nil where nobody signs in.
    /// - Returns: the event as it is read from now on.
    package func createPlantEvent(
        _ event: PlantEvent, user: EntityID?, by origin: Origin, at now: Timestamp
    ) async throws -> CreatePlantEventOutcome {
        try await pool.transaction { connection in
            try Self.createPlantEvent(event, user: user, by: origin, at: now, on: connection)
        }
    }

    /// The same, in a transaction of the caller's.
    static func createPlantEvent(
        _ event: PlantEvent, user: EntityID?, by origin: Origin, at now: Timestamp, on connection: PostgresConnection
    ) throws -> CreatePlantEventOutcome {
        guard let name = try lockEvents(of: event.plantID, connection) else { return .noSuchPlant }
        let count = try connection.query(
            "SELECT count(*) AS total FROM plant_events WHERE plant_id = $1", [.id(event.plantID)])
        guard try count[0].int("total") < plantEventLimit else { return .tooMany }
        var event = event
        if event.kind == .watering, let seen = try takeDetected(near: event, connection) { event.measured = seen }
        try insert(event, user: user, on: connection)
        var details = ["kind": event.kind.rawValue, "at": event.at.rfc3339, "event_id": "\(event.id)"]
        if let amount = event.amountMillilitres { details["amount_ml"] = Wording.rounded(amount, decimals: 1) }
        try record(
            "plant_event.create", AuditEntry.Subject("plant", event.plantID, name), by: origin, at: now,
            details: details, on: connection)
        return .created(try plantEvent(event.id, on: connection) ?? event)
    }

    /// A watering that sensors have seen is not found again.
    /// - Returns: false when the plant has no such event.
    package func deletePlantEvent(
        _ id: EntityID, of plant: EntityID, by origin: Origin, at now: Timestamp
    ) async throws -> Bool {
        try await pool.transaction { connection in
            guard let name = try Self.lockEvents(of: plant, connection) else { return false }
            let known = try connection.query(
                """
                SELECT kind, at, source, value_before IS NOT NULL AS seen FROM plant_events
                WHERE id = $1 AND plant_id = $2 AND deleted_at IS NULL
                """, [.id(id), .id(plant)])
            guard let row = known.first else { return false }
            if try row.bool("seen") {
                // What a person wrote goes all the same.
                try connection.query(
                    "UPDATE plant_events SET deleted_at = $2, note = NULL, amount_ml = NULL, by_user = NULL WHERE id = $1",
                    [.id(id), .time(now)])
            } else {
                try connection.query("DELETE FROM plant_events WHERE id = $1", [.id(id)])
            }
            try Self.record(
                "plant_event.delete", AuditEntry.Subject("plant", plant, name), by: origin, at: now,
                details: [
                    "kind": try row.text("kind"), "at": try row.time("at").rfc3339,
                    "source": try row.text("source"), "event_id": "\(id)",
                ], on: connection)
            return true
        }
    }

    // MARK: waterings

    /// Entered and detected ones from an instant on, oldest first.
    package func waterings(of plant: EntityID, since: Timestamp) async throws -> [Timestamp] {
        try await pool.run { try Self.waterings(of: plant, since: since, on: $0) }
    }

    static func waterings(
        of plant: EntityID, since: Timestamp, on connection: PostgresConnection
    ) throws -> [Timestamp] {
        try connection.query(
            """
            SELECT at FROM plant_events
            WHERE plant_id = $1 AND at >= $2 AND kind = 'watering' AND deleted_at IS NULL ORDER BY at
            """, [.id(plant), .time(since)]
        ).map { row throws(PostgresError) in try row.time("at") }
    }

    /// Writes down what was found in the readings of a plant, unless it is known; several backends may do so at once.
    /// - Returns: how many waterings are new.
    @discardableResult
    package func note(_ waterings: [DetectedWatering], of plant: EntityID, at now: Timestamp) async throws -> Int {
        guard let first = waterings.first, let last = waterings.last else { return 0 }
        return try await pool.transaction { connection in
            guard try Self.lockEvents(of: plant, connection) != nil else { return 0 }
            var new = 0
            for watering in waterings {
                let known = try Self.knownWaterings(
                    of: plant, from: min(first.since, watering.since), to: max(last.at, watering.at), connection)
                let measured: [PostgresValue] = [
                    .double(watering.before), .double(watering.after), .id(watering.device),
                ]
                switch KnownWatering.settle(watering, among: known) {
                case .nothing: break
                case .insert:
                    let event = PlantEvent(
                        id: .make(at: now), plantID: plant, kind: .watering, at: watering.at, source: .detected,
                        measured: PlantEvent.Measured(
                            before: watering.before, after: watering.after, device: watering.device),
                        createdAt: now)
                    guard try Self.makeRoom(for: event, connection) else { break }
                    try Self.insert(event, user: nil, on: connection)
                    new += 1
                case .measure(let id):
                    try connection.query(
                        "UPDATE plant_events SET value_before = $2, value_after = $3, device_id = $4 WHERE id = $1",
                        [.id(id)] + measured)
                case .raise(let id):
                    try connection.query(
                        "UPDATE plant_events SET value_after = $2 WHERE id = $1", [.id(id), .double(watering.after)])
                }
            }
            return new
        }
    }

    /// The oldest that was detected makes place for a new one: nobody can be asked to remove some.
    private static func makeRoom(for event: PlantEvent, _ connection: PostgresConnection) throws -> Bool {
        let count = try connection.query(
            "SELECT count(*) AS total FROM plant_events WHERE plant_id = $1", [.id(event.plantID)])
        guard try count[0].int("total") >= plantEventLimit else { return true }
        let removed = try connection.query(
            """
            DELETE FROM plant_events WHERE id = (
                SELECT id FROM plant_events WHERE plant_id = $1 AND source = 'detected' AND at < $2
                ORDER BY at, id LIMIT 1)
            """, [.id(event.plantID), .time(event.at.adding(seconds: -WateringScan.longSeconds))])
        return removed.affected > 0
    }

    private static func knownWaterings(
        of plant: EntityID, from: Timestamp, to: Timestamp, _ connection: PostgresConnection
    ) throws -> [KnownWatering] {
        try connection.query(
            """
            SELECT id, at, source = 'entered' AS entered, deleted_at IS NOT NULL AS removed, value_after FROM plant_events
            WHERE plant_id = $1 AND kind = 'watering' AND at >= $2 AND at <= $3
            """,
            [
                .id(plant), .time(from.adding(seconds: -KnownWatering.sameSeconds)),
                .time(to.adding(seconds: KnownWatering.sameSeconds)),
            ]
        ).map { row throws(PostgresError) in
            KnownWatering(
                id: try row.id("id"), at: try row.time("at"), isEntered: try row.bool("entered"),
                isRemoved: try row.bool("removed"), after: try row.optionalDouble("value_after"))
        }
    }

    /// Removes the nearest watering that was detected, for one that was entered.
    /// - Returns: what it knew.
    private static func takeDetected(
        near event: PlantEvent, _ connection: PostgresConnection
    ) throws -> PlantEvent.Measured? {
        let rows = try connection.query(
            """
            DELETE FROM plant_events WHERE id = (
                SELECT id FROM plant_events
                WHERE plant_id = $1 AND kind = 'watering' AND source = 'detected' AND deleted_at IS NULL
                    AND at BETWEEN $2 AND $3
                ORDER BY abs(extract(epoch FROM at - $4)), id LIMIT 1)
            RETURNING value_before, value_after, device_id
            """,
            [
                .id(event.plantID), .time(event.at.adding(seconds: -KnownWatering.sameSeconds)),
                .time(event.at.adding(seconds: KnownWatering.sameSeconds)), .time(event.at),
            ])
        return try rows.first.flatMap { try measured($0) }
    }

    // MARK: rows

    /// One writer at a time per plant, or two could pass the limit, or find the same watering, together.
    /// - Returns: the plant's name; nil when there is no such plant.
    private static func lockEvents(of plant: EntityID, _ connection: PostgresConnection) throws -> String? {
        try connection.query("SELECT name FROM plants WHERE id = $1 FOR NO KEY UPDATE", [.id(plant)])
            .first?.text("name")
    }

    private static func plantName(_ plant: EntityID, on connection: PostgresConnection) throws -> String? {
        try connection.query("SELECT name FROM plants WHERE id = $1", [.id(plant)]).first?.text("name")
    }

    private static func insert(_ event: PlantEvent, user: EntityID?, on connection: PostgresConnection) throws {
        try connection.query(
            """
            INSERT INTO plant_events (id, plant_id, kind, at, source, note, amount_ml, value_before, value_after,
                device_id, by_user, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            """,
            [
                .id(event.id), .id(event.plantID), .text(event.kind.rawValue), .time(event.at),
                .text(event.source.rawValue), .text(event.note), .double(event.amountMillilitres),
                .double(event.measured?.before), .double(event.measured?.after), .id(event.measured?.device),
                .id(user), .time(event.createdAt),
            ])
    }

    private static func plantEvent(_ id: EntityID, on connection: PostgresConnection) throws -> PlantEvent? {
        try connection.query(
            "SELECT e.*, u.email FROM plant_events e LEFT JOIN users u ON u.id = e.by_user WHERE e.id = $1", [.id(id)]
        ).map(plantEvent).first
    }

    private static func plantEvent(_ row: PostgresRow) throws(PostgresError) -> PlantEvent {
        PlantEvent(
            id: try row.id("id"), plantID: try row.id("plant_id"),
            kind: PlantEvent.Kind(rawValue: try row.text("kind")) ?? .note, at: try row.time("at"),
            source: PlantEvent.Source(rawValue: try row.text("source")) ?? .entered,
            note: try row.optionalText("note"), amountMillilitres: try row.optionalDouble("amount_ml"),
            measured: try measured(row), createdBy: try row.optionalText("email"),
            createdAt: try row.time("created_at"))
    }

    private static func measured(_ row: PostgresRow) throws(PostgresError) -> PlantEvent.Measured? {
        guard let before = try row.optionalDouble("value_before"), let after = try row.optionalDouble("value_after")
        else { return nil }
        return PlantEvent.Measured(before: before, after: after, device: try row.optionalID("device_id"))
    }
}
