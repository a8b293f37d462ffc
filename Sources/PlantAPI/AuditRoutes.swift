import Hummingbird
import PlantDomain
import PlantStore

/// Who changed what.
struct AuditRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/audit", tag: "system", access: .admin,
                summary: "Who changed what, when and from where; newest first",
                query: Route.QueryParameter.page + [
                    Route.QueryParameter(
                        name: "action", schema: Schema.text(1...64), description: "Only this one: `device.approve`."),
                    Route.QueryParameter(
                        name: "subject_id", schema: Schema.id, description: "Only what was done to this."),
                ],
                answer: .ok("A page of the log", Schema.page("entries", of: "AuditEntry")), handler: list)
        ]
    }

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        var query = QueryParameters(request)
        let (limit, offset) = query.page()
        let action = query.text("action", length: 1...64)
        let subject = query.id("subject_id")
        try query.finish()
        let page = try await environment.store.auditLog(
            action: action, subject: subject, limit: limit, offset: offset)
        return try .page("entries", page) { JSONValue($0) }
    }

    static let schema: JSONValue = {
        let who = Schema.object([
            "kind": Schema.text, "id": Schema.nullable(Schema.id), "name": Schema.nullable(Schema.text),
        ])
        return Schema.object([
            "id": Schema.id, "at": Schema.time, "actor": who, "action": Schema.text, "subject": Schema.nullable(who),
            "details": Schema.map(Schema.text), "address": Schema.nullable(Schema.text),
            "correlation_id": Schema.nullable(Schema.text),
        ])
    }()
}

extension JSONValue {
    fileprivate init(_ entry: AuditEntry) {
        let subject = entry.subject.map { subject -> JSONValue in
            ["kind": .string(subject.kind), "id": JSONValue(subject.id), "name": JSONValue(subject.name)]
        }
        self = [
            "id": JSONValue(entry.id), "at": JSONValue(entry.at),
            "actor": [
                "kind": .string(entry.origin.kind.rawValue), "id": JSONValue(entry.origin.id),
                "name": JSONValue(entry.origin.name),
            ],
            "action": .string(entry.action), "subject": subject ?? .null,
            "details": .object(entry.details.mapValues { .string($0) }), "address": JSONValue(entry.origin.address),
            "correlation_id": JSONValue(entry.origin.correlationID),
        ]
    }
}
