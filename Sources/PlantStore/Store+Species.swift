import Foundation
package import PlantDomain
import Postgres

package enum CreateSpeciesOutcome: Sendable {
    case created
    /// There is another one of one's own with this scientific name.
    case nameTaken
    case tooMany
}

package enum UpdateSpeciesOutcome: Sendable {
    case updated(Species)
    case noSuchSpecies
    case nameTaken
}

package enum ImportSpeciesOutcome: Sendable {
    /// - unchanged: the library knew them so already.
    case imported(created: Int, updated: Int, unchanged: Int)
    /// Nothing was imported.
    case refused([SpeciesTable.Mistake])
    case tooMany
}

/// Species of people's own. Those that come with the program are not in the database.
extension Store {
    package static let ownSpeciesLimit = 2000

    /// All of them: there are at most ``ownSpeciesLimit``.
    package func ownSpecies() async throws -> [Species] {
        try await pool.run { try Self.ownSpecies(on: $0) }
    }

    package func species(_ id: EntityID) async throws -> Species? {
        try await pool.run { try Self.species($0, id) }
    }

    package func createSpecies(
        _ species: Species, id: EntityID, by origin: Origin, at now: Timestamp
    ) async throws -> CreateSpeciesOutcome {
        try await pool.transaction { connection in
            try Self.lockSpecies(connection)
            guard try Self.count(connection) < Self.ownSpeciesLimit else { return .tooMany }
            let made = try connection.query(
                Self.insertion + " ON CONFLICT (lower(scientific_name)) DO NOTHING",
                try Self.values(of: species, id, at: now))
            guard made.affected > 0 else { return .nameTaken }
            try Self.record("species.create", .species(species, id), by: origin, at: now, on: connection)
            return .created
        }
    }

    /// Changes a species under a lock, so that two people's changes to different fields both count.
    package func updateSpecies(
        _ id: EntityID, by origin: Origin, at now: Timestamp, _ change: @Sendable (inout Species) throws -> Void
    ) async throws -> UpdateSpeciesOutcome {
        try await pool.transaction { connection in
            try Self.lockSpecies(connection)
            guard var species = try Self.species(connection, id) else { return .noSuchSpecies }
            let before = species
            try change(&species)
            let taken = try connection.query(
                "SELECT 1 AS one FROM species WHERE lower(scientific_name) = lower($1) AND id <> $2",
                [.text(species.scientificName), .id(id)])
            guard taken.count == 0 else { return .nameTaken }
            try connection.query(Self.update, try Self.values(of: species, id, at: now))
            try Self.record(
                "species.update", .species(species, id), by: origin, at: now,
                details: try changes(from: before, to: species), on: connection)
            return .updated(species)
        }
    }

    /// - Returns: false when there is no such species.
    package func deleteSpecies(_ id: EntityID, by origin: Origin, at now: Timestamp) async throws -> Bool {
        try await pool.transaction { connection in
            let deleted = try connection.query(
                "DELETE FROM species WHERE id = $1 RETURNING scientific_name", [.id(id)])
            guard let row = deleted.first else { return false }
            let subject = AuditEntry.Subject("species", id, try row.text("scientific_name"))
            try Self.record("species.delete", subject, by: origin, at: now, on: connection)
            return true
        }
    }

    /// Adds the species of a table, or changes those there are; all of them or none. What the table says of a built-in
    /// species makes one of one's own, unless it is what the built-in one says.
    package func importSpecies(
        _ rows: [SpeciesTable.Row], by origin: Origin, at now: Timestamp
    ) async throws -> ImportSpeciesOutcome {
        try await pool.transaction { connection in
            try Self.lockSpecies(connection)
            let own = try Self.ownSpecies(on: connection)
            let library = Dictionary(SpeciesLibrary(own: own).species.map { ($0.key, $0) }) { first, _ in first }
            var changed: [Species] = []
            var mistakes: [SpeciesTable.Mistake] = []
            for row in rows {
                let known = library[row.key]
                do throws(SpeciesTable.Mistake) {
                    let species = try row.merged(into: known)
                    if species != known { changed.append(species) }
                } catch {
                    mistakes.append(error)
                }
            }
            guard mistakes.isEmpty else { return .refused(mistakes) }
            let created = changed.count { $0.id == nil }
            guard own.count + created <= Self.ownSpeciesLimit else { return .tooMany }
            for species in changed {
                if let id = species.id {
                    try connection.query(Self.update, try Self.values(of: species, id, at: now))
                } else {
                    // Where the database and Swift differ about upper and lower case, it is the database's own.
                    try connection.query(
                        Self.insertion + """
                             ON CONFLICT (lower(scientific_name)) DO UPDATE SET common_name = excluded.common_name,
                                light = excluded.light, water = excluded.water, usda_zone_min = excluded.usda_zone_min,
                                thresholds = excluded.thresholds, updated_at = excluded.updated_at
                            """, try Self.values(of: species, .make(at: now), at: now))
                }
            }
            let updated = changed.count - created
            if !changed.isEmpty {
                try Self.record(
                    "species.import", nil, by: origin, at: now,
                    details: ["created": "\(created)", "updated": "\(updated)"], on: connection)
            }
            return .imported(created: created, updated: updated, unchanged: rows.count - changed.count)
        }
    }

    // MARK: statements

    /// One writer at a time, or two could pass the limit, or take a name, together.
    private static func lockSpecies(_ connection: PostgresConnection) throws {
        try connection.execute("LOCK TABLE species IN SHARE ROW EXCLUSIVE MODE")
    }

    private static func count(_ connection: PostgresConnection) throws -> Int {
        Int(try connection.query("SELECT count(*) AS total FROM species")[0].int("total"))
    }

    private static func ownSpecies(on connection: PostgresConnection) throws -> [Species] {
        let rows = try connection.query("SELECT \(speciesColumns("s")) FROM species s ORDER BY s.id")
        return try (0..<rows.count).compactMap { try ownSpecies(rows[$0]) }
    }

    private static func species(_ connection: PostgresConnection, _ id: EntityID) throws -> Species? {
        let rows = try connection.query("SELECT \(speciesColumns("s")) FROM species s WHERE s.id = $1", [.id(id)])
        return try rows.first.flatMap { try ownSpecies($0) }
    }

    private static let insertion = """
        INSERT INTO species (id, scientific_name, common_name, light, water, usda_zone_min, thresholds, created_at,
            updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        """

    private static let update = """
        UPDATE species SET scientific_name = $2, common_name = $3, light = $4, water = $5, usda_zone_min = $6,
            thresholds = $7, updated_at = $8
        WHERE id = $1
        """

    private static func values(of species: Species, _ id: EntityID, at now: Timestamp) throws -> [PostgresValue] {
        [
            .id(id), .text(species.scientificName), .text(species.commonName), .text(species.light?.rawValue),
            .text(species.water?.rawValue), .int(species.usdaZoneMin), .json(try encode(species.ownThresholds)),
            .time(now),
        ]
    }

    /// What ``ownSpecies(_:)`` reads, from the table of this alias.
    static func speciesColumns(_ alias: String) -> String {
        """
        \(alias).id AS species_id, \(alias).scientific_name, \(alias).common_name, \(alias).light AS species_light,
        \(alias).water AS species_water, \(alias).usda_zone_min, \(alias).thresholds AS species_thresholds
        """
    }

    /// - Returns: nil when a join found none.
    static func ownSpecies(_ row: PostgresRow) throws -> Species? {
        guard let id = try row.optionalID("species_id") else { return nil }
        return Species(
            id: id, scientificName: try row.text("scientific_name"), commonName: try row.optionalText("common_name"),
            light: try row.optionalText("species_light").flatMap { LightClass(rawValue: $0) },
            water: try row.optionalText("species_water").flatMap { WaterClass(rawValue: $0) },
            usdaZoneMin: try row.optionalInt("usda_zone_min").map { Int($0) },
            ownThresholds: try JSONDecoder().decode(
                Thresholds.self, from: Data(row.text("species_thresholds").utf8)))
    }

    /// The species of one's own by every name that means it, in lower case, as a table of `name` and the species'
    /// columns: its scientific name, its common name, and what the built-in species is called whose place it takes.
    /// - Parameter first: the number of the first of two parameters, ``builtInNames``.
    static func speciesByName(first: Int) -> String {
        """
        SELECT DISTINCT ON (n.name) n.name, s.* FROM (
            SELECT lower(scientific_name) AS name, id, 1 AS rank FROM species
            UNION ALL SELECT lower(common_name), id, 2 FROM species WHERE common_name IS NOT NULL
            UNION ALL SELECT b.common, o.id, 3
                FROM unnest($\(first)::text[], $\(first + 1)::text[]) AS b (common, scientific)
                JOIN species o ON lower(o.scientific_name) = b.scientific
        ) n JOIN species s ON s.id = n.id
        ORDER BY n.name, n.rank, n.id
        """
    }

    static let builtInNames: [PostgresValue] = [
        .texts(SpeciesLibrary.commonNames.map(\.common)), .texts(SpeciesLibrary.commonNames.map(\.scientific)),
    ]
}

private func encode(_ thresholds: Thresholds) throws -> String {
    String(decoding: try JSONEncoder().encode(thresholds), as: UTF8.self)
}

extension AuditEntry.Subject {
    fileprivate static func species(_ species: Species, _ id: EntityID) -> Self {
        Self("species", id, species.scientificName)
    }
}

/// What was changed, as the audit log tells it: the new values, by field.
private func changes(from before: Species, to after: Species) throws -> [String: String] {
    var changes: [String: String] = [:]
    if before.scientificName != after.scientificName { changes["scientific_name"] = after.scientificName }
    if before.commonName != after.commonName { changes["common_name"] = after.commonName ?? "" }
    if before.light != after.light { changes["light"] = after.light?.rawValue ?? "" }
    if before.water != after.water { changes["water"] = after.water?.rawValue ?? "" }
    if before.usdaZoneMin != after.usdaZoneMin { changes["usda_zone_min"] = after.usdaZoneMin.map { "\($0)" } ?? "" }
    if before.ownThresholds != after.ownThresholds { changes["thresholds"] = try encode(after.ownThresholds) }
    return changes
}
