import HTTPTypes
import Hummingbird
import PlantDomain
import PlantStore

/// Plants: made, changed, arranged in the room.
struct PlantRoutes {
    private static let nameLength = 1...100
    /// The unit is the drawing's own; the bound only keeps out nonsense.
    private static let positionRange = -1_000_000.0...1_000_000.0

    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        let plant = Route.Answer.ok("The plant", Schema.ref("Plant"))
        return [
            Route(
                method: .get, path: "/plants", tag: "plants", access: .viewer,
                summary: "All plants, oldest first, with their newest values",
                query: Route.QueryParameter.page, answer: .ok("A page of plants", Schema.page("plants", of: "Plant")),
                handler: list),
            Route(
                method: .post, path: "/plants", tag: "plants", access: .member, summary: "Make a plant",
                body: Self.creationSchema,
                answer: .created("The new plant", Schema.ref("Plant")), handler: create),
            Route(
                method: .get, path: "/plants/{id}", tag: "plants", access: .viewer, summary: "One plant", answer: plant,
                problems: [404],
                handler: get),
            Route(
                method: .put, path: "/plants/{id}", tag: "plants", access: .member,
                summary: "Change a plant: absent fields stay, null clears; limits metric by metric",
                body: Self.changeSchema, answer: plant, problems: [404], handler: change),
            Route(
                method: .delete, path: "/plants/{id}", tag: "plants", access: .member,
                summary: "Remove a plant; its devices are free again",
                answer: .noContent, problems: [404], handler: delete),
            Route(
                method: .put, path: "/plants/{id}/position", tag: "plants", access: .member,
                summary: "Move a plant in the room",
                body: Schema.ref("Position"), answer: plant, problems: [404], handler: move),
            Route(
                method: .get, path: "/plants/{id}/devices", tag: "plants", access: .viewer,
                summary: "The devices that stand in a plant",
                answer: .ok("Its devices", Schema.page("devices", of: "Device")), problems: [404], handler: devices),
        ]
    }

    // MARK: handlers

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        var query = QueryParameters(request)
        let (limit, offset) = query.page()
        try query.finish()
        let now = environment.now()
        let page = try await environment.store.plants(limit: limit, offset: offset)
        let lit = try await environment.store.withLightOfYesterday(page, at: now)
        return try .page("plants", lit) { JSONValue($0, now: now) }
    }

    @Sendable private func create(_ request: Request, _ context: PlantContext) async throws -> Response {
        var fields = try Fields(try await request.json())
        let change = PlantChange(&fields)
        let name = fields.require("name", change.name)
        let now = environment.now()
        var plant = Plant(
            id: .make(), name: name ?? "", species: nil, room: nil, position: nil, thresholds: [:], createdAt: now,
            updatedAt: now)
        change.apply(to: &plant)
        ThresholdsChange.check(plant.thresholds, &fields)
        try fields.finish()
        let made = try await environment.store.createPlant(plant, by: context.origin)
        return try .json(
            JSONValue(made, now: now), status: .created, headers: [.location: "/api/plants/\(plant.id)"])
    }

    @Sendable private func get(_ request: Request, _ context: PlantContext) async throws -> Response {
        guard let plant = try await environment.store.plant(try context.id("plant")) else {
            throw Problem.notFound("plant")
        }
        return try await answer(plant, now: environment.now())
    }

    @Sendable private func change(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("plant")
        var read = try Fields(try await request.json())
        let change = PlantChange(&read)
        let fields = read
        let now = environment.now()
        let changed = try await environment.store.updatePlant(id, by: context.origin, at: now) { plant in
            var fields = fields
            change.apply(to: &plant)
            // Only now: a new minimum may lie above a maximum that was there before.
            ThresholdsChange.check(plant.thresholds, &fields)
            try fields.finish()
        }
        guard let changed else { throw Problem.notFound("plant") }
        return try await answer(changed, now: now)
    }

    @Sendable private func delete(_ request: Request, _ context: PlantContext) async throws -> Response {
        let deleted = try await environment.store.deletePlant(
            try context.id("plant"), by: context.origin, at: environment.now())
        guard deleted else { throw Problem.notFound("plant") }
        return .noContent
    }

    @Sendable private func move(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("plant")
        var fields = try Fields(try await request.json())
        let position = PlantChange.position(&fields)
        try fields.finish()
        let now = environment.now()
        let moved = try await environment.store.updatePlant(id, by: context.origin, at: now) { $0.position = position }
        guard let moved else { throw Problem.notFound("plant") }
        return try await answer(moved, now: now)
    }

    private func answer(_ plant: Plant, now: Timestamp) async throws -> Response {
        try .json(JSONValue(try await environment.store.withLightOfYesterday([plant], at: now)[0], now: now))
    }

    @Sendable private func devices(_ request: Request, _ context: PlantContext) async throws -> Response {
        guard let devices = try await environment.store.devices(of: try context.id("plant")) else {
            throw Problem.notFound("plant")
        }
        let now = environment.now()
        return try .json(
            [
                "devices": .array(devices.map { JSONValue($0, now: now) }),
                "total": .integer(Int64(devices.count)),
            ] as JSONValue)
    }

    /// The fields of a plant that people set.
    private struct PlantChange: Sendable {
        let name: Change<String>
        let species: Change<String>
        let room: Change<String>
        let position: Change<Plant.Position?>
        let thresholds: ThresholdsChange
        let lightSource: Change<LightSource>

        init(_ fields: inout Fields) {
            name = fields.keep("name", fields.text("name", length: PlantRoutes.nameLength))
            species = fields.text("species", length: PlantRoutes.nameLength)
            room = fields.text("room", length: PlantRoutes.nameLength)
            position = fields.nested("position") { Self.position(&$0) }
            thresholds = ThresholdsChange(&fields)
            lightSource = fields.choice("light_source", of: LightSource.self)
        }

        static func position(_ fields: inout Fields) -> Plant.Position? {
            let x = fields.require("x", fields.number("x", range: PlantRoutes.positionRange))
            let y = fields.require("y", fields.number("y", range: PlantRoutes.positionRange))
            guard let x, let y else { return nil }
            return Plant.Position(x: x, y: y)
        }

        func apply(to plant: inout Plant) {
            name.apply(to: &plant.name)
            species.apply(to: &plant.species)
            room.apply(to: &plant.room)
            switch position {
            case .unchanged: break
            case .cleared: plant.position = nil
            case .set(let position): plant.position = position
            }
            thresholds.apply(to: &plant.thresholds)
            switch lightSource {
            case .unchanged: break
            case .cleared: plant.lightSource = .sun
            case .set(let source): plant.lightSource = source
            }
        }
    }

    // MARK: shapes

    private static let settable: [String: JSONValue] = [
        "species": Schema.nullable(Schema.text(nameLength)), "room": Schema.nullable(Schema.text(nameLength)),
        "position": Schema.nullable(Schema.ref("Position")), "thresholds": Schema.nullable(Schema.ref("Thresholds")),
        // null: the sun.
        "light_source": Schema.nullable(lightSourceSchema),
    ]
    private static let lightSourceSchema = Schema.choice(LightSource.allCases.map(\.rawValue))
    private static let creationSchema = Schema.object(
        settable.merging(["name": Schema.text(nameLength)]) { $1 }, optional: Set(settable.keys))
    private static let changeSchema = Schema.change(settable.merging(["name": Schema.text(nameLength)]) { $1 })

    static let positionSchema = Schema.object([
        "x": Schema.number(positionRange), "y": Schema.number(positionRange),
    ])

    static let schema = Schema.object([
        "id": Schema.id, "name": Schema.text, "species": Schema.nullable(Schema.text),
        "room": Schema.nullable(Schema.text), "position": Schema.nullable(Schema.ref("Position")),
        "thresholds": Schema.ref("Thresholds"),
        "suggested_thresholds": [
            "anyOf": [Schema.ref("Thresholds"), ["type": "null"]],
            "description":
                "Limits to begin with, when `species` names one that is known. A rule of thumb, never applied by itself.",
        ],
        "device_count": ["type": "integer", "minimum": 0],
        "latest_telemetry": Schema.nullable(Schema.ref("LatestTelemetry")),
        "light_source": lightSourceSchema, "status": Schema.choice(PlantStatus.allCases.map(\.rawValue)),
        "derived": derivedSchema,
        "snoozed_until": Schema.nullable(Schema.time),
        "created_at": Schema.time, "updated_at": Schema.time,
    ])

    /// Any of them is left out that cannot be told now.
    private static let derivedSchema = Schema.object(
        Dictionary(uniqueKeysWithValues: DerivedMetric.allCases.map { ($0.name, Schema.number) }),
        optional: Set(DerivedMetric.allCases.map(\.name)))
}

extension JSONValue {
    init(_ plant: Plant, now: Timestamp) {
        self = [
            "id": JSONValue(plant.id), "name": .string(plant.name), "species": JSONValue(plant.species),
            "room": JSONValue(plant.room),
            "position": plant.position.map { ["x": .number($0.x), "y": .number($0.y)] } ?? .null,
            "thresholds": JSONValue(plant.thresholds),
            "suggested_thresholds": plant.suggestedThresholds.map { JSONValue($0) } ?? .null,
            "device_count": .integer(Int64(plant.deviceCount)),
            "latest_telemetry": plant.latest.map { JSONValue($0) } ?? .null,
            "light_source": .string(plant.lightSource.rawValue), "status": .string(plant.status(now: now).rawValue),
            "snoozed_until": JSONValue(plant.snoozedUntil.flatMap { $0 > now ? $0 : nil }),
            "derived": .object(
                Dictionary(uniqueKeysWithValues: plant.derived(now: now).map { ($0.key.name, .number($0.value)) })),
            "created_at": JSONValue(plant.createdAt), "updated_at": JSONValue(plant.updatedAt),
        ]
    }
}
