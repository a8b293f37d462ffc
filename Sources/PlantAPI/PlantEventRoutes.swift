import HTTPTypes
import Hummingbird
import PlantDomain
import PlantStore

/// What happened to a plant.
struct PlantEventRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/plants/{id}/events", tag: "plants", access: .viewer,
                summary: "Waterings, detected or entered, notes, fertilizing and repotting, newest first",
                query: [
                    Route.QueryParameter(
                        name: "kind", schema: Self.kinds, description: "Only of this kind. All unless given."),
                    Route.QueryParameter(name: "from", schema: Schema.time, description: "Start, inclusive."),
                    Route.QueryParameter(name: "to", schema: Schema.time, description: "End, exclusive."),
                ] + Route.QueryParameter.page,
                answer: .ok("A page of events", Schema.page("events", of: "PlantEvent")), problems: [404],
                handler: list),
            Route(
                method: .post, path: "/plants/{id}/events", tag: "plants", access: .member,
                summary: "Enter what happened; a watering that sensors have seen within an hour of it becomes this one",
                body: Self.creationSchema, answer: .created("The new event", Schema.ref("PlantEvent")),
                problems: [404, 409], handler: create),
            Route(
                method: .delete, path: "/plants/{id}/events/{event_id}", tag: "plants", access: .member,
                summary: "Remove an event; a watering that sensors have seen is not found again", answer: .noContent,
                problems: [404], handler: delete),
        ]
    }

    // MARK: handlers

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        let plant = try context.id("plant")
        var query = QueryParameters(request)
        let filter = PlantEventFilter(
            kind: query.choice("kind", of: PlantEvent.Kind.self), from: query.time("from"), to: query.time("to"))
        if let from = filter.from, let to = filter.to, from >= to { query.refuse("from", "must be before to") }
        let (limit, offset) = query.page()
        try query.finish()
        let page = try await environment.store.plantEvents(of: plant, filter, limit: limit, offset: offset)
        guard let page else { throw Problem.notFound("plant") }
        return try .page("events", page) { JSONValue($0) }
    }

    @Sendable private func create(_ request: Request, _ context: PlantContext) async throws -> Response {
        let plant = try context.id("plant")
        var fields = try Fields(try await request.json())
        let kind = fields.require("kind", fields.choice("kind", of: PlantEvent.Kind.self))
        let now = environment.now()
        let time = fields.time("at", from: PlantEvent.earliest, to: now.adding(seconds: PlantEvent.aheadSeconds))
        let note = fields.lines("note", length: PlantEvent.noteLength)
        let amount = fields.number("amount_ml", range: PlantEvent.amounts)
        if kind == .note { _ = fields.require("note", note) }
        if let kind, amount.value != nil, kind != .watering, kind != .fertilizing {
            fields.refuse("amount_ml", "belongs to watering and fertilizing only")
        }
        try fields.finish()
        let event = PlantEvent(
            id: .make(at: now), plantID: plant, kind: kind ?? .note, at: time.value ?? now, source: .entered,
            note: note.value, amountMillilitres: amount.value, createdAt: now)
        let outcome = try await environment.store.createPlantEvent(
            event, user: try context.signedIn().user?.id, by: context.origin, at: now)
        switch outcome {
        case .created(let event):
            return try .json(
                JSONValue(event), status: .created,
                headers: [.location: "/api/plants/\(plant)/events/\(event.id)"])
        case .noSuchPlant: throw Problem.notFound("plant")
        case .tooMany:
            throw Problem(
                status: .conflict,
                detail: "a plant can have \(Store.plantEventLimit) events; remove some of this one's first")
        }
    }

    @Sendable private func delete(_ request: Request, _ context: PlantContext) async throws -> Response {
        let plant = try context.id("plant")
        guard let event = context.parameters.get("event_id").flatMap({ EntityID(String($0)) }) else {
            throw Problem.notFound("event")
        }
        let deleted = try await environment.store.deletePlantEvent(
            event, of: plant, by: context.origin, at: environment.now())
        guard deleted else { throw Problem.notFound("event") }
        return .noContent
    }

    // MARK: shapes

    private static let kinds = Schema.choice(PlantEvent.Kind.allCases.map(\.rawValue))
    private static let amount = Schema.number(PlantEvent.amounts)

    private static let creationSchema = Schema.object(
        [
            "kind": kinds, "at": Schema.nullable(Schema.time),
            "note": Schema.nullable(Schema.text(PlantEvent.noteLength)), "amount_ml": Schema.nullable(amount),
        ], optional: ["at", "note", "amount_ml"])

    static let schema = Schema.object([
        "id": Schema.id, "plant_id": Schema.id, "kind": kinds, "at": Schema.time,
        "source": Schema.choice(PlantEvent.Source.allCases.map(\.rawValue)), "note": Schema.nullable(Schema.text),
        "amount_ml": Schema.nullable(amount), "value_before": Schema.nullable(Schema.number),
        "value_after": Schema.nullable(Schema.number), "unit": Schema.nullable(Schema.text),
        "device_id": Schema.nullable(Schema.id), "created_by": Schema.nullable(Schema.text),
        "created_at": Schema.time,
    ])
}

extension Fields {
    /// An RFC 3339 time between two, both included.
    fileprivate mutating func time(_ name: String, from: Timestamp, to: Timestamp) -> Change<Timestamp> {
        let text = text(name, length: 1...64)
        guard let text = text.value else { return .unchanged }
        guard let time = Timestamp(rfc3339: text) else {
            refuse(name, "must be an RFC 3339 time such as 2026-05-01T12:00:00Z")
            return .unchanged
        }
        guard time >= from, time <= to else {
            refuse(name, time < from ? "must not be before the year 2000" : "must not be in the future")
            return .unchanged
        }
        return .set(time)
    }
}

extension JSONValue {
    /// In %, to a hundredth: sensors are no finer.
    private static func moisture(_ value: Double?) -> JSONValue { JSONValue(value.map { ($0 * 100).rounded() / 100 }) }

    init(_ event: PlantEvent) {
        self = [
            "id": JSONValue(event.id), "plant_id": JSONValue(event.plantID), "kind": .string(event.kind.rawValue),
            "at": JSONValue(event.at), "source": .string(event.source.rawValue), "note": JSONValue(event.note),
            "amount_ml": JSONValue(event.amountMillilitres),
            "value_before": Self.moisture(event.measured?.before), "value_after": Self.moisture(event.measured?.after),
            "unit": JSONValue(event.measured.map { _ in Metric.soilMoisture.unit }),
            "device_id": JSONValue(event.measured?.device), "created_by": JSONValue(event.createdBy),
            "created_at": JSONValue(event.createdAt),
        ]
    }
}
