import Hummingbird
import PlantDomain
import PlantStore

/// What could not be stored, for whoever wants to know why a device's readings do not show.
struct RejectRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/ingest/rejects", tag: "system", access: .admin,
                summary: "Messages, or parts of them, that could not be stored; newest first",
                query: Route.QueryParameter.page, answer: .ok("A page of them", Schema.page("rejects", of: "Reject")),
                handler: list)
        ]
    }

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        var query = QueryParameters(request)
        let (limit, offset) = query.page()
        try query.finish()
        let page = try await environment.store.deadLetters(limit: limit, offset: offset)
        return try .page("rejects", page) { JSONValue($0) }
    }

    static let schema = Schema.object([
        "id": Schema.id, "received_at": Schema.time, "topic": Schema.text, "device_id": Schema.nullable(Schema.id),
        "reason": Schema.text, "detail": Schema.text, "advice": Schema.nullable(Schema.text), "payload": Schema.text,
        "payload_bytes": ["type": "integer"],
    ])
}

extension JSONValue {
    /// The payload as text; bytes that are no UTF-8 show as U+FFFD.
    init(_ letter: DeadLetter) {
        self = [
            "id": JSONValue(letter.id), "received_at": JSONValue(letter.receivedAt), "topic": .string(letter.topic),
            "device_id": JSONValue(letter.deviceID), "reason": .string(letter.reason),
            "detail": .string(letter.detail),
            "advice": JSONValue(RejectReason(rawValue: letter.reason)?.advice),
            "payload": .string(String(decoding: letter.payload, as: UTF8.self)),
            "payload_bytes": .integer(Int64(letter.payloadBytes)),
        ]
    }
}
