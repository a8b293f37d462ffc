import Foundation
package import PlantDomain
import Postgres

extension Store {
    /// How long the log is kept. Of what anybody can cause, at most so many lines, so that nobody can push out with it
    /// what he did.
    package static let auditKeptDays = 730
    package static let frequentAuditKept = 100_000
    private static let frequentActions: Set = [
        "auth.sign_in", "auth.sign_in_failed", "auth.sign_out", "token.create", "token.delete", "device.register",
        "device.command", "plant.analyze", "llm.test",
    ]

    /// Writes a line in the transaction of the change it speaks of: neither is there without the other.
    static func record(
        _ action: String, _ subject: AuditEntry.Subject?, by origin: Origin, at now: Timestamp,
        details: [String: String] = [:], on connection: PostgresConnection
    ) throws {
        try connection.query(
            """
            INSERT INTO audit_log (id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id,
                subject_name, details, address, correlation_id, is_frequent)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            """,
            [
                .id(.make(at: now)), .time(now), .text(origin.kind.rawValue), .id(origin.id), .text(origin.name),
                .text(action), .text(subject?.kind), .id(subject?.id), .text(subject?.name),
                .json(String(decoding: try JSONEncoder().encode(details), as: UTF8.self)), .text(origin.address),
                .text(origin.correlationID), .bool(frequentActions.contains(action)),
            ])
    }

    /// For what changes nothing in the database but has to be known, such as a failed sign-in.
    package func record(
        _ action: String, _ subject: AuditEntry.Subject?, by origin: Origin, at now: Timestamp,
        details: [String: String] = [:]
    ) async throws {
        try await pool.run {
            try Self.record(action, subject, by: origin, at: now, details: details, on: $0)
        }
    }

    /// Newest first.
    /// - Parameters:
    ///   - action: only this one; nil for all.
    ///   - subject: only what was done to this; nil for all.
    package func auditLog(
        action: String?, subject: EntityID?, limit: Int, offset: Int
    ) async throws -> Page<AuditEntry> {
        try await pool.run { connection in
            let filter = "($1::text IS NULL OR action = $1) AND ($2::uuid IS NULL OR subject_id = $2)"
            let total = try connection.query(
                "SELECT count(*) AS total FROM audit_log WHERE \(filter)", [.text(action), .id(subject)])
            let entries = try connection.query(
                "SELECT * FROM audit_log WHERE \(filter) ORDER BY id DESC LIMIT $3 OFFSET $4",
                [.text(action), .id(subject), .int(Int64(limit)), .int(Int64(offset))]
            )
            let items = try (0..<entries.count).map { try Self.auditEntry(entries[$0]) }
            return Page(items: items, total: Int(try total[0].int("total")))
        }
    }

    private static func auditEntry(_ row: PostgresRow) throws -> AuditEntry {
        var subject: AuditEntry.Subject?
        if let kind = try row.optionalText("subject_kind") {
            subject = AuditEntry.Subject(kind, try row.optionalID("subject_id"), try row.optionalText("subject_name"))
        }
        let origin = Origin(
            Origin.Kind(rawValue: try row.text("actor_kind")) ?? .system, id: try row.optionalID("actor_id"),
            name: try row.optionalText("actor_name"), address: try row.optionalText("address"),
            correlationID: try row.optionalText("correlation_id"))
        return AuditEntry(
            id: try row.id("id"), at: try row.time("at"), origin: origin, action: try row.text("action"),
            subject: subject,
            details: try JSONDecoder().decode([String: String].self, from: Data(row.text("details").utf8)))
    }
}
