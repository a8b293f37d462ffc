import Foundation
package import PlantDomain
import Postgres
import Sealing

/// A plant that a plan may be due for.
package struct CareCandidate: Sendable, Equatable {
    package let id: EntityID
    /// nil: there is none yet.
    package let newest: NewestPlan?
    /// Whether it was measured for at least a day.
    package let isKnown: Bool

    package struct NewestPlan: Sendable, Equatable {
        package let generatedAt: Timestamp
        package let reason: CareReason
        package let source: CareSource
    }
}

extension Store {
    /// How many plans of a plant are kept, the newest, and how many more of those that somebody said something of.
    package static let carePlansKept = 100
    package static let judgedCarePlansKept = 100
    /// A plant that was not measured for so many days is left alone.
    package static let careDays = 14

    package func newestCarePlan(of plant: EntityID) async throws -> CarePlan? {
        try await pool.run { connection in
            try Self.carePlans(
                connection, "WHERE p.plant_id = $1 ORDER BY p.generated_at DESC, p.id DESC LIMIT 1", [.id(plant)]
            ).first
        }
    }

    package func carePlan(_ id: EntityID, of plant: EntityID) async throws -> CarePlan? {
        try await pool.run { try Self.carePlan($0, id, of: plant) }
    }

    /// Newest first.
    /// - Returns: nil when there is no such plant.
    package func carePlans(of plant: EntityID, limit: Int, offset: Int) async throws -> Page<CarePlan>? {
        try await pool.run { connection in
            let counted = try connection.query(
                """
                SELECT (SELECT count(*) FROM care_plans WHERE plant_id = p.id) AS total FROM plants p WHERE p.id = $1
                """, [.id(plant)])
            guard let total = try counted.first?.int("total") else { return nil }
            let plans = try Self.carePlans(
                connection, "WHERE p.plant_id = $1 ORDER BY p.generated_at DESC, p.id DESC LIMIT $2 OFFSET $3",
                [.id(plant), .int(Int64(limit)), .int(Int64(offset))])
            return Page(items: plans, total: Int(total))
        }
    }

    /// Keeps a plan, and drops the oldest that are too many.
    /// - Returns: false when its plant is gone.
    package func saveCarePlan(_ plan: CarePlan) async throws -> Bool {
        try await pool.transaction { connection in
            // One plan of a plant at a time, so that each counts those before it. Whoever writes readings of the plant
            // is not held up.
            let plants = try connection.query(
                "SELECT 1 AS one FROM plants WHERE id = $1 FOR NO KEY UPDATE", [.id(plan.plantID)])
            guard plants.count > 0 else { return false }
            try connection.query(
                """
                INSERT INTO care_plans (id, plant_id, generated_at, source, model, note, reason, advice, facts, changes,
                    input_hash)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, decode($11, 'hex'))
                """,
                [
                    .id(plan.id), .id(plan.plantID), .time(plan.generatedAt), .text(plan.source.rawValue),
                    .text(plan.model), .text(plan.note), .text(plan.reason.rawValue), .json(try json(plan.advice)),
                    .json(try json(plan.facts)), .json(try json(plan.changes)), .text(plan.inputHash),
                ])
            try connection.query(
                """
                DELETE FROM care_plans WHERE id IN (
                    SELECT id FROM (
                        SELECT p.id, row_number() OVER (ORDER BY p.generated_at DESC, p.id DESC) AS place,
                            EXISTS (SELECT FROM care_feedback f WHERE f.plan_id = p.id) AS is_judged
                        FROM care_plans p WHERE p.plant_id = $1) placed
                    WHERE place > $2 AND (NOT is_judged OR place > $2 + $3))
                """,
                [.id(plan.plantID), .int(Int64(Self.carePlansKept)), .int(Int64(Self.judgedCarePlansKept))])
            return true
        }
    }

    // MARK: feedback

    /// Says what somebody thinks of a part of a plan, in the place of what was said before. Who says that the watering is
    /// done has watered: that is entered among the plant's events, unless one since the plan is there already.
    /// - Parameters:
    ///   - verdict: nil takes it back.
    ///   - user: who says so; nil where nobody signs in.
    /// - Returns: the plan; nil when the plant has no such plan.
    package func setCareFeedback(
        _ verdict: CareVerdict?, on item: CareItem, of plan: EntityID, plant: EntityID, user: EntityID?,
        by origin: Origin, at now: Timestamp
    ) async throws -> CarePlan? {
        try await pool.transaction { connection in
            // The plant first, as does whoever keeps a plan and drops the oldest.
            let plants = try connection.query("SELECT name FROM plants WHERE id = $1 FOR NO KEY UPDATE", [.id(plant)])
            guard let name = try plants.first?.text("name"),
                let known = try Self.carePlan(connection, plan, of: plant)
            else { return nil }
            if let verdict {
                try connection.query(
                    """
                    INSERT INTO care_feedback (plan_id, item, verdict, at, by_user) VALUES ($1, $2, $3, $4, $5)
                    ON CONFLICT (plan_id, item) DO UPDATE SET verdict = excluded.verdict, at = excluded.at,
                        by_user = excluded.by_user
                    """,
                    [.id(plan), .text(item.rawValue), .text(verdict.rawValue), .time(now), .id(user)])
                if item == .watering, verdict == .done {
                    try Self.enterWatering(since: known, user: user, by: origin, at: now, on: connection)
                }
            } else {
                try connection.query(
                    "DELETE FROM care_feedback WHERE plan_id = $1 AND item = $2", [.id(plan), .text(item.rawValue)])
            }
            try Self.record(
                "care_plan.feedback", AuditEntry.Subject("plant", plant, name), by: origin, at: now,
                details: [
                    "care_plan": plan.description, "item": item.rawValue, "feedback": verdict?.rawValue ?? "",
                ], on: connection)
            return try Self.carePlan(connection, plan, of: plant)
        }
    }

    /// A plan that is older than this was hardly followed just now, in seconds.
    private static let followedSeconds = 14 * 86_400.0

    private static func enterWatering(
        since plan: CarePlan, user: EntityID?, by origin: Origin, at now: Timestamp, on connection: PostgresConnection
    ) throws {
        guard now.seconds(since: plan.generatedAt) < followedSeconds,
            try waterings(of: plan.plantID, since: plan.generatedAt, on: connection).isEmpty
        else { return }
        let event = PlantEvent(
            id: .make(at: now), plantID: plan.plantID, kind: .watering, at: now, source: .entered, createdAt: now)
        // A plant with thousands of events does without this one.
        _ = try createPlantEvent(event, user: user, by: origin, at: now, on: connection)
    }

    /// What was said of the newest plan that anything was said of.
    static func newestCareFeedback(
        of plant: EntityID, _ connection: PostgresConnection
    ) throws -> [CareFeedback] {
        let rows = try connection.query(
            """
            SELECT p.id FROM care_plans p
            WHERE p.plant_id = $1 AND EXISTS (SELECT FROM care_feedback f WHERE f.plan_id = p.id)
            ORDER BY p.generated_at DESC, p.id DESC LIMIT 1
            """, [.id(plant)])
        guard let id = try rows.first?.id("id") else { return [] }
        return try careFeedback(of: [id], connection)[id] ?? []
    }

    // MARK: one at a time

    /// Nobody takes it for longer than half of that, in seconds, and two hosts' clocks may differ by the other half. What
    /// seems to be taken for longer was taken before the clock was set back.
    private static let longestClaimSeconds = 120.0

    /// Takes the making of a plant's plan, unless somebody else has it.
    /// - Parameters:
    ///   - owner: who takes it; who has it already takes it again.
    ///   - until: when it is free again, should it not be given back: a minute from now at most.
    /// - Returns: false when somebody else has it, or the plant is gone.
    package func claimCare(
        of plant: EntityID, by owner: EntityID, until: Timestamp, at now: Timestamp
    ) async throws -> Bool {
        try await pool.run { connection in
            try connection.query(
                """
                INSERT INTO care_state AS s (plant_id, claimed_by, claimed_until)
                SELECT id, $2, $3 FROM plants WHERE id = $1
                ON CONFLICT (plant_id) DO UPDATE SET claimed_by = excluded.claimed_by,
                    claimed_until = excluded.claimed_until
                WHERE s.claimed_until <= $4 OR s.claimed_until > $5 OR s.claimed_by = $2
                """,
                [
                    .id(plant), .id(owner), .time(until), .time(now),
                    .time(now.adding(seconds: Self.longestClaimSeconds)),
                ]
            ).affected > 0
        }
    }

    package func releaseCare(of plant: EntityID, by owner: EntityID) async throws {
        try await pool.run { connection in
            _ = try connection.query(
                "DELETE FROM care_state WHERE plant_id = $1 AND claimed_by = $2", [.id(plant), .id(owner)])
        }
    }

    // MARK: whose plan is due

    /// The plants that were measured within the last ``careDays``, oldest first. Nobody while what was there before the
    /// rollups is still being summarized: what advice rests on would take too long to find.
    package func plantsForCare(at now: Timestamp) async throws -> [CareCandidate] {
        try await pool.run { connection in
            let rows = try connection.query(
                """
                SELECT p.id, n.generated_at, n.reason, n.source, EXISTS (
                    SELECT FROM telemetry t WHERE t.plant_id = p.id AND t.time > $1 AND t.time <= $2) AS is_known
                FROM plants p LEFT JOIN LATERAL (
                    SELECT generated_at, reason, source FROM care_plans WHERE plant_id = p.id
                    ORDER BY generated_at DESC, id DESC LIMIT 1) n ON true
                WHERE (SELECT is_complete FROM rollup_state) AND EXISTS (
                    SELECT FROM telemetry t WHERE t.plant_id = p.id AND t.time > $1 AND t.time <= $3)
                ORDER BY p.id
                """,
                [
                    .time(now.adding(seconds: -Double(Self.careDays) * 86_400)), .time(now.adding(seconds: -86_400)),
                    .time(now),
                ])
            return try (0..<rows.count).map { index in
                let row = rows[index]
                let newest = try row.optionalTime("generated_at").map { time in
                    CareCandidate.NewestPlan(
                        generatedAt: time, reason: CareReason(rawValue: try row.text("reason")) ?? .requested,
                        source: CareSource(rawValue: try row.text("source")) ?? .builtin)
                }
                return CareCandidate(id: try row.id("id"), newest: newest, isKnown: try row.bool("is_known"))
            }
        }
    }

    // MARK: rows

    private static func carePlan(
        _ connection: PostgresConnection, _ id: EntityID, of plant: EntityID
    ) throws -> CarePlan? {
        try carePlans(connection, "WHERE p.id = $1 AND p.plant_id = $2", [.id(id), .id(plant)]).first
    }

    private static func carePlans(
        _ connection: PostgresConnection, _ selection: String, _ values: [PostgresValue]
    ) throws -> [CarePlan] {
        let rows = try connection.query(
            "SELECT p.*, encode(p.input_hash, 'hex') AS hash FROM care_plans p \(selection)", values)
        let ids = try (0..<rows.count).map { try rows[$0].id("id") }
        let feedback = try careFeedback(of: ids, connection)
        return try (0..<rows.count).compactMap { index in
            let row = rows[index]
            // What a newer version wrote may not be understood. It is passed over, so that another can take its place.
            guard let advice = try? decode(CareAdvice.self, row.text("advice")),
                let facts = try? decode(CareFacts.self, row.text("facts"))
            else { return nil }
            return CarePlan(
                id: ids[index], plantID: try row.id("plant_id"), advice: advice,
                source: CareSource(rawValue: try row.text("source")) ?? .builtin,
                model: try row.optionalText("model"), note: try row.optionalText("note"),
                facts: facts,
                changes: try decode([String].self, row.text("changes")),
                reason: CareReason(rawValue: try row.text("reason")) ?? .requested, inputHash: try row.text("hash"),
                generatedAt: try row.time("generated_at"), feedback: feedback[ids[index]] ?? [])
        }
    }

    /// By plan, each in the order of its items.
    private static func careFeedback(
        of plans: [EntityID], _ connection: PostgresConnection
    ) throws -> [EntityID: [CareFeedback]] {
        guard !plans.isEmpty else { return [:] }
        let rows = try connection.query(
            """
            SELECT f.plan_id, f.item, f.verdict, f.at, u.email FROM care_feedback f LEFT JOIN users u ON u.id = f.by_user
            WHERE f.plan_id = ANY ($1)
            """, [.uuids(plans.map { ($0.high, $0.low) })])
        var feedback: [EntityID: [CareFeedback]] = [:]
        for index in 0..<rows.count {
            let row = rows[index]
            guard let item = CareItem(rawValue: try row.text("item")),
                let verdict = CareVerdict(rawValue: try row.text("verdict"))
            else { continue }
            feedback[try row.id("plan_id"), default: []].append(
                CareFeedback(item: item, verdict: verdict, at: try row.time("at"), by: try row.optionalText("email")))
        }
        let order = CareItem.allCases
        return feedback.mapValues { items in
            items.sorted { (order.firstIndex(of: $0.item) ?? 0) < (order.firstIndex(of: $1.item) ?? 0) }
        }
    }
}

private func json(_ value: some Encodable) throws -> String {
    String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
}

private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
    try JSONDecoder().decode(type, from: Data(text.utf8))
}
