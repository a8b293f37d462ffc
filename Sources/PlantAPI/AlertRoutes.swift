import Foundation
import HTTPTypes
import Hummingbird
package import PlantDomain
import PlantStore

/// What is wrong with plants, devices and the system, and what people say to it.
struct AlertRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    private static let snoozeMinutes = 0...43_200

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/alerts", tag: "alerts", access: .viewer, summary: "Alerts, newest first",
                query: [
                    Route.QueryParameter(
                        name: "state", schema: Schema.choice(AlertFilter.State.allCases.map(\.rawValue)),
                        description: "open: pending or firing. All unless given."),
                    Route.QueryParameter(
                        name: "kind", schema: Schema.choice(AlertKind.allCases.map(\.rawValue)),
                        description: "Only of this kind."),
                    Route.QueryParameter(name: "plant_id", schema: Schema.id, description: "Only of this plant."),
                    Route.QueryParameter(name: "device_id", schema: Schema.id, description: "Only of this device."),
                    Route.QueryParameter(
                        name: "from", schema: Schema.time, description: "Only what is open still, or was until then."),
                ] + Route.QueryParameter.page,
                answer: .ok("A page of alerts", Schema.page("alerts", of: "Alert")), handler: list),
            Route(
                method: .get, path: "/alerts/{id}", tag: "alerts", access: .viewer,
                summary: "One alert, and whom it was told to",
                answer: .ok("The alert", Self.detailSchema), problems: [404], handler: get),
            Route(
                method: .post, path: "/alerts/{id}/acknowledge", tag: "alerts", access: .member,
                summary: "Say that somebody has seen to it: no more reminders",
                answer: .ok("The alert", Schema.ref("Alert")), problems: [404, 409], handler: acknowledge),
            Route(
                method: .post, path: "/plants/{id}/snooze", tag: "alerts", access: .member,
                summary: "Tell nothing of a plant for so many minutes; 0 ends that",
                body: Schema.object([
                    "minutes": Schema.integer(
                        minimum: Self.snoozeMinutes.lowerBound, maximum: Self.snoozeMinutes.upperBound)
                ]),
                answer: .ok("The plant", Schema.ref("Plant")), problems: [404], handler: snooze),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        var query = QueryParameters(request)
        let (limit, offset) = query.page()
        var filter = AlertFilter()
        filter.state = query.choice("state", of: AlertFilter.State.self)
        filter.kind = query.choice("kind", of: AlertKind.self)
        filter.plant = query.id("plant_id")
        filter.device = query.id("device_id")
        filter.from = query.time("from")
        try query.finish()
        let page = try await environment.store.alerts(filter, limit: limit, offset: offset)
        let now = environment.now()
        return try .page("alerts", page) { JSONValue($0, now: now) }
    }

    @Sendable private func get(_ request: Request, _ context: PlantContext) async throws -> Response {
        guard let (alert, deliveries) = try await environment.store.alert(try context.id("alert")) else {
            throw Problem.notFound("alert")
        }
        guard case .object(var body) = JSONValue(alert, now: environment.now()) else { throw Problem.notFound("alert") }
        body["notifications"] = .array(deliveries.map { JSONValue($0) })
        return try .json(JSONValue.object(body))
    }

    @Sendable private func acknowledge(_ request: Request, _ context: PlantContext) async throws -> Response {
        let now = environment.now()
        let name = try context.signedIn().user?.email ?? "somebody"
        let outcome = try await environment.store.acknowledgeAlert(
            try context.id("alert"), by: context.origin, name: name, at: now)
        switch outcome {
        case .acknowledged(let alert): return try .json(JSONValue(alert, now: now))
        case .noSuchAlert: throw Problem.notFound("alert")
        case .notFiring(let state):
            throw Problem(
                status: .conflict,
                detail: state == .pending
                    ? "this alert is pending: it has not fired yet, so there is nothing to acknowledge"
                    : "this alert is over already")
        }
    }

    @Sendable private func snooze(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("plant")
        var fields = try Fields(try await request.json())
        let minutes = fields.require("minutes", fields.integer("minutes", range: Self.snoozeMinutes)) ?? 0
        try fields.finish()
        let now = environment.now()
        let until = minutes == 0 ? nil : now.adding(seconds: Double(minutes) * 60)
        guard let plant = try await environment.store.snoozePlant(id, until: until, by: context.origin, at: now) else {
            throw Problem.notFound("plant")
        }
        let lit = try await environment.store.withLightOfYesterday([plant], at: now)
        return try .json(JSONValue(lit[0], now: now))
    }

    // MARK: shapes

    private static let fields: [String: JSONValue] = [
        "id": Schema.id, "kind": Schema.choice(AlertKind.allCases.map(\.rawValue)),
        "plant_id": Schema.nullable(Schema.id), "plant_name": Schema.nullable(Schema.text),
        "device_id": Schema.nullable(Schema.id), "device_name": Schema.nullable(Schema.text),
        "metric": Schema.nullable(Schema.text), "unit": Schema.nullable(Schema.text),
        "direction": Schema.nullable(Schema.choice(LimitDirection.allCases.map(\.rawValue))),
        "severity": Schema.choice(AlertSeverity.allCases.map(\.rawValue)),
        "state": Schema.choice(AlertState.allCases.map(\.rawValue)), "value": Schema.nullable(Schema.number),
        "limit": Schema.nullable(Schema.number), "detail": Schema.nullable(Schema.text), "started_at": Schema.time,
        "fired_at": Schema.nullable(Schema.time), "resolved_at": Schema.nullable(Schema.time),
        "resolution": Schema.nullable(
            Schema.choice(
                [AlertResolution.recovered, .limitRemoved, .deviceRemoved, .plantDeleted].map(\.rawValue))),
        "duration_seconds": Schema.number, "acknowledged_at": Schema.nullable(Schema.time),
        "acknowledged_by": Schema.nullable(Schema.text),
    ]

    static let schema = Schema.object(fields)

    private static let detailSchema = Schema.object(
        fields.merging([
            "notifications": Schema.array(
                Schema.object([
                    "channel_id": Schema.id, "channel": Schema.text,
                    "event": Schema.choice(AlertEvent.allCases.map(\.rawValue)),
                    "state": Schema.choice(AlertDelivery.State.allCases.map(\.rawValue)), "at": Schema.time,
                    "sent_at": Schema.nullable(Schema.time), "attempts": ["type": "integer", "minimum": 0],
                    "error": Schema.nullable(Schema.text),
                ]))
        ]) { $1 })
}

extension JSONValue {
    init(_ alert: Alert, now: Timestamp) {
        self = [
            "id": JSONValue(alert.id), "kind": .string(alert.subject.kind.rawValue),
            "plant_id": JSONValue(alert.subject.plant), "plant_name": JSONValue(alert.plantName),
            "device_id": JSONValue(alert.subject.device), "device_name": JSONValue(alert.deviceName),
            "metric": JSONValue(alert.subject.metric),
            "unit": JSONValue(alert.subject.metric.flatMap { Metric.named($0)?.unit }),
            "direction": JSONValue(alert.subject.direction?.rawValue), "severity": .string(alert.severity.rawValue),
            "state": .string(alert.state.rawValue), "value": JSONValue(alert.value), "limit": JSONValue(alert.limit),
            "detail": JSONValue(alert.detail), "started_at": JSONValue(alert.startedAt),
            "fired_at": JSONValue(alert.firedAt), "resolved_at": JSONValue(alert.resolvedAt),
            "resolution": JSONValue(alert.resolution?.rawValue),
            "duration_seconds": .number((alert.duration(now: now) * 1000).rounded() / 1000),
            "acknowledged_at": JSONValue(alert.acknowledgedAt), "acknowledged_by": JSONValue(alert.acknowledgedBy),
        ]
    }

    fileprivate init(_ delivery: AlertDelivery) {
        self = [
            "channel_id": JSONValue(delivery.channelID), "channel": .string(delivery.channelName),
            "event": .string(delivery.event.rawValue), "state": .string(delivery.state.rawValue),
            "at": JSONValue(delivery.at), "sent_at": JSONValue(delivery.sentAt),
            "attempts": .integer(Int64(delivery.attempts)), "error": JSONValue(delivery.error),
        ]
    }
}

extension ServerEvent {
    /// - Parameter alert: nil: it was pending, and went away.
    package init(alert: Alert?, id: EntityID, now: Timestamp) throws {
        try self.init("alert", alert.map { JSONValue($0, now: now) } ?? ["id": JSONValue(id), "state": "lapsed"])
    }
}
