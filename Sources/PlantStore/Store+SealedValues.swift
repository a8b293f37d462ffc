import PlantDomain
import Postgres
package import Sealing

/// A column whose values are sealed. Whoever adds one adds it to `all`, or `plantops keys rotate` passes it over.
package struct SealedColumn: Sendable {
    package let table: String
    package let column: String
    /// The column that names a row, as a uuid; part of what its values are bound to.
    let key = "id"

    package static let all = [
        SealedColumn(table: "devices", column: "mqtt_password"),
        SealedColumn(table: "devices", column: "offered_password"),
        SealedColumn(table: "channels", column: "url"),
        SealedColumn(table: "channels", column: "secret"),
        SealedColumn(table: "llm_settings", column: "api_key"),
    ]
}

package struct ResealOutcome: Sendable, Equatable {
    package var resealed = 0
    /// Were under the current key already.
    package var current = 0
    /// `devices.mqtt_password of 0190…`: what no key at hand opens.
    package var lost: [String] = []
}

extension Store {
    private static let resealBatch: Int64 = 200

    /// Seals every value of a column under the current key, a few hundred rows per transaction. Killed half-way it has
    /// lost nothing, and the next run goes on: values under the current key are passed over.
    /// - Parameter onlyLooking: change nothing, and say what would have been done.
    package func reseal(
        _ column: SealedColumn, sealer: Sealer, onlyLooking: Bool = false
    ) async throws -> ResealOutcome {
        var outcome = ResealOutcome()
        var last = EntityID(high: 0, low: 0)
        while true {
            let (after, soFar) = (last, outcome)
            let (next, batch) = try await pool.transaction { connection in
                try Self.resealBatch(column, after: after, sealer: sealer, onlyLooking, soFar, on: connection)
            }
            outcome = batch
            guard let next else { return outcome }
            last = next
        }
    }

    private static func resealBatch(
        _ column: SealedColumn, after last: EntityID, sealer: Sealer, _ onlyLooking: Bool, _ soFar: ResealOutcome,
        on connection: PostgresConnection
    ) throws -> (last: EntityID?, outcome: ResealOutcome) {
        var outcome = soFar
        // Locked, so that a value that is being replaced is not put back.
        let rows = try connection.query(
            """
            SELECT \(column.key) AS id, \(column.column) AS sealed FROM \(column.table)
            WHERE \(column.key) > $1 AND \(column.column) IS NOT NULL
            ORDER BY \(column.key) LIMIT $2 FOR NO KEY UPDATE
            """, [.id(last), .int(resealBatch)])
        for index in 0..<rows.count {
            let (id, sealed) = (try rows[index].id("id"), try rows[index].bytes("sealed"))
            if sealer.isCurrent(sealed) {
                outcome.current += 1
                continue
            }
            let place = Sealer.Place(table: column.table, column: column.column, row: id.description)
            do {
                let again = try sealer.seal(sealer.open(sealed, for: place), for: place)
                if !onlyLooking {
                    try connection.query(
                        "UPDATE \(column.table) SET \(column.column) = $2 WHERE \(column.key) = $1",
                        [.id(id), .bytes(again)])
                }
                outcome.resealed += 1
            } catch let error as SealedValueError {
                outcome.lost.append("\(column.table).\(column.column) of \(id): \(error)")
            }
        }
        return (rows.count < Int(resealBatch) ? nil : try rows[rows.count - 1].id("id"), outcome)
    }
}
