package import PlantDomain
import Postgres

/// A message that could not be stored.
package struct DeadLetter: Sendable {
    package let id: EntityID
    package let receivedAt: Timestamp
    package let topic: String
    package let deviceID: EntityID?
    package let reason: String
    package let detail: String
    /// The first 4 096 bytes.
    package let payload: [UInt8]
    package let payloadBytes: Int
}

extension Store {
    /// How many dead letters are kept, so that a broken device cannot fill the disk.
    package static let deadLettersKept = 10_000
    package static let deadLettersKeptDays = 30

    /// Newest first.
    package func deadLetters(limit: Int, offset: Int) async throws -> Page<DeadLetter> {
        try await pool.run { connection in
            let total = try connection.query("SELECT count(*) AS total FROM dead_letters")
            let letters = try connection.query(
                """
                SELECT id, received_at, topic, device_id, reason, detail, payload, payload_bytes
                FROM dead_letters ORDER BY received_at DESC, id DESC LIMIT $1 OFFSET $2
                """, [.int(Int64(limit)), .int(Int64(offset))]
            ).map { row throws(PostgresError) in
                DeadLetter(
                    id: try row.id("id"), receivedAt: try row.time("received_at"), topic: try row.text("topic"),
                    deviceID: try row.optionalID("device_id"), reason: try row.text("reason"),
                    detail: try row.text("detail"), payload: try row.bytes("payload"),
                    payloadBytes: Int(try row.int("payload_bytes")))
            }
            return Page(items: letters, total: Int(try total[0].int("total")))
        }
    }

    /// Drops the oldest beyond what is kept.
    /// - Returns: how many were dropped.
    package func trimDeadLetters() async throws -> Int {
        try await pool.run { connection in
            try connection.query(
                """
                DELETE FROM dead_letters
                WHERE received_at < now() - make_interval(days => $1::integer)
                   OR received_at < (SELECT received_at FROM dead_letters
                                     ORDER BY received_at DESC OFFSET $2 LIMIT 1)
                """, [.int(Int64(Self.deadLettersKeptDays)), .int(Int64(Self.deadLettersKept - 1))]
            ).affected
        }
    }
}
