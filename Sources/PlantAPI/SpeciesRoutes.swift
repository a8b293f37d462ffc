import HTTPTypes
import Hummingbird
import NIOCore
import PlantDomain
import PlantStore

/// Species: those that come with the program and people's own, and what limits they suggest.
struct SpeciesRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        let species = Route.Answer.ok("The species", Schema.ref("Species"))
        return [
            Route(
                method: .get, path: "/species", tag: "species", access: .viewer,
                summary: "Species by scientific name; with q those it could mean, the likeliest first",
                query: Self.parameters + Route.QueryParameter.page,
                answer: .ok("A page of species", Schema.page("species", of: "Species")), handler: list),
            Route(
                method: .post, path: "/species", tag: "species", access: .member,
                summary: "Add a species of one's own; it takes the place of a built-in one of the same name",
                body: Self.creationSchema, answer: .created("The new species", Schema.ref("Species")),
                problems: [409], handler: create),
            Route(
                method: .get, path: "/species/export.csv", tag: "species", access: .viewer,
                summary: "All species as comma-separated values", query: [Self.sourceParameter],
                answer: .stream("The species, in the columns that import takes", mediaType: "text/csv"),
                handler: export),
            Route(
                method: .post, path: "/species/import", tag: "species", access: .member,
                summary: "Add or change species of one's own by comma-separated values: all of them or none",
                body: Schema.text, bodyMediaType: "text/csv",
                answer: .ok("What became of them", Self.importSchema), problems: [409], handler: take),
            Route(
                method: .get, path: "/species/{id}", tag: "species", access: .viewer, summary: "A species of one's own",
                answer: species, problems: [404], handler: get),
            Route(
                method: .put, path: "/species/{id}", tag: "species", access: .member,
                summary: "Change a species: absent fields stay, null clears; limits metric by metric",
                body: Self.changeSchema, answer: species, problems: [404, 409], handler: change),
            Route(
                method: .delete, path: "/species/{id}", tag: "species", access: .member,
                summary: "Remove a species; plants keep their limits", answer: .noContent, problems: [404],
                handler: delete),
        ]
    }

    /// Where a species is from.
    private enum Source: String, CaseIterable {
        case builtIn = "builtin"
        case own
    }

    // MARK: handlers

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        var query = QueryParameters(request)
        // Forms write a space as a plus sign, and punctuation is not searched for.
        let text = query.text("q", length: Self.searchLength)?.replacing("+", with: " ") ?? ""
        let source = query.choice("source", of: Source.self)
        let (limit, offset) = query.page()
        try query.finish()
        let library = SpeciesLibrary(own: try await environment.store.ownSpecies())
        let found = Self.from(source, text.allSatisfy(\.isWhitespace) ? library.species : library.search(text))
        return try .json(
            [
                "species": .array(found.dropFirst(offset).prefix(limit).map { JSONValue($0) }),
                "total": .integer(Int64(found.count)),
            ] as JSONValue)
    }

    @Sendable private func create(_ request: Request, _ context: PlantContext) async throws -> Response {
        var fields = try Fields(try await request.json())
        let change = SpeciesChange(&fields)
        let name = fields.require("scientific_name", change.scientificName)
        let now = environment.now()
        let id = EntityID.make(at: now)
        var species = Species(id: id, scientificName: name ?? "")
        change.apply(to: &species, &fields)
        try fields.finish()
        switch try await environment.store.createSpecies(species, id: id, by: context.origin, at: now) {
        case .created: break
        case .nameTaken: throw Self.nameTaken(species)
        case .tooMany: throw Self.tooMany
        }
        return try .json(JSONValue(species), status: .created, headers: [.location: "/api/species/\(id)"])
    }

    @Sendable private func get(_ request: Request, _ context: PlantContext) async throws -> Response {
        guard let species = try await environment.store.species(try context.id("species")) else {
            throw Problem.notFound("species")
        }
        return try .json(JSONValue(species))
    }

    @Sendable private func change(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("species")
        var read = try Fields(try await request.json())
        let change = SpeciesChange(&read)
        let fields = read
        let outcome = try await environment.store.updateSpecies(id, by: context.origin, at: environment.now()) {
            species in
            var fields = fields
            // Only now: a new minimum may lie above a maximum that was there before.
            change.apply(to: &species, &fields)
            try fields.finish()
        }
        switch outcome {
        case .updated(let species): return try .json(JSONValue(species))
        case .noSuchSpecies: throw Problem.notFound("species")
        case .nameTaken: throw Self.nameTaken(nil)
        }
    }

    @Sendable private func delete(_ request: Request, _ context: PlantContext) async throws -> Response {
        let deleted = try await environment.store.deleteSpecies(
            try context.id("species"), by: context.origin, at: environment.now())
        guard deleted else { throw Problem.notFound("species") }
        return .noContent
    }

    @Sendable private func export(_ request: Request, _ context: PlantContext) async throws -> Response {
        var query = QueryParameters(request)
        let source = query.choice("source", of: Source.self)
        try query.finish()
        let library = SpeciesLibrary(own: try await environment.store.ownSpecies())
        let table = SpeciesTable.csv(Self.from(source, library.species))
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8; header=present", .cacheControl: "no-store",
                .contentDisposition: "attachment; filename=\"species.csv\"",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: table)))
    }

    @Sendable private func take(_ request: Request, _ context: PlantContext) async throws -> Response {
        let table = SpeciesTable(try await request.csv())
        guard table.mistakes.isEmpty else { throw Self.invalid(table.mistakes) }
        switch try await environment.store.importSpecies(table.rows, by: context.origin, at: environment.now()) {
        case .imported(let created, let updated, let unchanged):
            return try .json(
                [
                    "created": JSONValue(created), "updated": JSONValue(updated), "unchanged": JSONValue(unchanged),
                ] as JSONValue)
        case .refused(let mistakes): throw Self.invalid(mistakes)
        case .tooMany: throw Self.tooMany
        }
    }

    private static func from(_ source: Source?, _ species: [Species]) -> [Species] {
        guard let source else { return species }
        return species.filter { ($0.id == nil) == (source == .builtIn) }
    }

    // MARK: refusals

    private static func nameTaken(_ species: Species?) -> Problem {
        let name = species.map { "called \($0.scientificName)" } ?? "of that name"
        return Problem(status: .conflict, detail: "you have a species \(name) already; change that one")
    }

    private static let tooMany = Problem(
        status: .conflict, detail: "there can be \(Store.ownSpeciesLimit) species of your own; remove some")

    /// The pointer is `/line/column`: the line as a text editor counts it, and the column's name.
    private static func invalid(_ mistakes: [SpeciesTable.Mistake]) -> Problem {
        .invalid(
            mistakes.prefix(CSV.mistakesLimit).map { mistake in
                Problem.FieldError(
                    pointer: "/\(mistake.line)\(mistake.column.map { "/" + Fields.escaped($0) } ?? "")",
                    detail: "line \(mistake.line)\(mistake.column.map { ", \($0)" } ?? ""): \(mistake.detail)")
            })
    }

    /// The fields of a species that people set.
    private struct SpeciesChange: Sendable {
        let scientificName: Change<String>
        let commonName: Change<String>
        let light: Change<LightClass>
        let water: Change<WaterClass>
        let usdaZoneMin: Change<Int>
        let thresholds: ThresholdsChange

        init(_ fields: inout Fields) {
            scientificName = fields.keep(
                "scientific_name", fields.text("scientific_name", length: Species.nameLength))
            commonName = fields.text("common_name", length: Species.nameLength)
            light = fields.choice("light", of: LightClass.self)
            water = fields.choice("water", of: WaterClass.self)
            usdaZoneMin = fields.integer("usda_zone_min", range: Species.usdaZones)
            thresholds = ThresholdsChange(&fields)
        }

        /// Classes first: limits are changes of what is suggested then.
        func apply(to species: inout Species, _ fields: inout Fields) {
            scientificName.apply(to: &species.scientificName)
            commonName.apply(to: &species.commonName)
            light.apply(to: &species.light)
            water.apply(to: &species.water)
            usdaZoneMin.apply(to: &species.usdaZoneMin)
            species.editSuggestion { thresholds.apply(to: &$0) }
            ThresholdsChange.check(species.ownThresholds, &fields)
            let known = Set(Species.limitedMetrics.map(\.name))
            for name in species.ownThresholds.keys.sorted() where !known.contains(name) {
                fields.refuse(
                    ["thresholds", name], "a species can have limits for \(known.sorted().joined(separator: ", "))")
            }
        }
    }

    // MARK: shapes

    private static let searchLength = 0...100

    private static let sourceParameter = Route.QueryParameter(
        name: "source", schema: Schema.choice(Source.allCases.map(\.rawValue)),
        description: "Only those that come with the program, or only one's own.")
    private static let parameters = [
        Route.QueryParameter(
            name: "q", schema: Schema.text(searchLength),
            description: "Words of a scientific or common name, also their beginnings, also misspelt."),
        sourceParameter,
    ]

    private static let settable: [String: JSONValue] = [
        "scientific_name": Schema.text(Species.nameLength),
        "common_name": Schema.nullable(Schema.text(Species.nameLength)),
        "light": Schema.nullable(Schema.choice(LightClass.allCases.map(\.rawValue))),
        "water": Schema.nullable(Schema.choice(WaterClass.allCases.map(\.rawValue))),
        "usda_zone_min": Schema.nullable(
            Schema.integer(minimum: Species.usdaZones.lowerBound, maximum: Species.usdaZones.upperBound)),
        "thresholds": Schema.nullable(Schema.ref("Thresholds")),
    ]
    private static let creationSchema = Schema.object(
        settable, optional: Set(settable.keys).subtracting(["scientific_name"]))
    private static let changeSchema = Schema.change(settable)
    private static let importSchema: JSONValue = {
        let count: JSONValue = ["type": "integer", "minimum": 0]
        return Schema.object(["created": count, "updated": count, "unchanged": count])
    }()

    static let schema = Schema.object(
        settable.merging([
            "id": Schema.nullable(Schema.id), "source": Schema.choice(Source.allCases.map(\.rawValue)),
            "thresholds": [
                "allOf": [Schema.ref("Thresholds")],
                "description":
                    "Limits to begin with: a rule of thumb, to be changed by whoever knows the plant. Never applied by themselves.",
            ],
            "own_thresholds": [
                "allOf": [Schema.ref("Thresholds")],
                "description": "Those of the limits that do not follow from the classes. Set as `thresholds`.",
            ],
        ]) { $1 })
}

extension JSONValue {
    fileprivate init(_ species: Species) {
        self = [
            "id": JSONValue(species.id), "source": species.id == nil ? "builtin" : "own",
            "scientific_name": .string(species.scientificName), "common_name": JSONValue(species.commonName),
            "light": JSONValue(species.light?.rawValue), "water": JSONValue(species.water?.rawValue),
            "usda_zone_min": JSONValue(species.usdaZoneMin), "thresholds": JSONValue(species.suggestedThresholds),
            "own_thresholds": JSONValue(species.ownThresholds),
        ]
    }
}
