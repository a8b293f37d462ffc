import HTTPTypes
import Hummingbird
import PlantDomain
import PlantStore
import Sealing

/// Tokens that let devices in.
struct EnrollmentTokenRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/enrollment-tokens", tag: "devices", access: .member,
                summary: "Tokens that let devices in, oldest first", query: Route.QueryParameter.page,
                answer: .ok("A page of them", Schema.page("enrollment_tokens", of: "EnrollmentToken")), handler: list),
            Route(
                method: .post, path: "/enrollment-tokens", tag: "devices", access: .member,
                summary: "Make a token that lets devices in; it is shown this once",
                body: Schema.object(
                    [
                        "label": Schema.text(1...100),
                        "max_uses": Schema.integer(
                            minimum: EnrollmentToken.usesRange.lowerBound,
                            maximum: EnrollmentToken.usesRange.upperBound, default: 1),
                        "expires_in_hours": Schema.integer(
                            minimum: EnrollmentToken.hoursRange.lowerBound,
                            maximum: EnrollmentToken.hoursRange.upperBound, default: 24),
                    ], optional: ["max_uses", "expires_in_hours"]),
                answer: .created("The token, shown this once", Schema.object(Self.fields(withToken: true))),
                handler: create),
            Route(
                method: .delete, path: "/enrollment-tokens/{id}", tag: "devices", access: .member,
                summary: "End a token; devices it let in stay", answer: .noContent, problems: [404], handler: delete),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        var query = QueryParameters(request)
        let (limit, offset) = query.page()
        try query.finish()
        let page = try await environment.store.enrollmentTokens(limit: limit, offset: offset)
        return try .page("enrollment_tokens", page) { .object(Self.object($0)) }
    }

    @Sendable private func create(_ request: Request, _ context: PlantContext) async throws -> Response {
        var fields = try Fields(try await request.json())
        let label = fields.require("label", fields.text("label", length: 1...100))
        let uses = fields.keep("max_uses", fields.integer("max_uses", range: EnrollmentToken.usesRange))
        let hours = fields.keep(
            "expires_in_hours", fields.integer("expires_in_hours", range: EnrollmentToken.hoursRange))
        try fields.finish()
        guard let label else { throw Problem.invalid(fields.errors) }
        let secret = Secret(try Crypto.randomToken(bytes: 24))
        let token = EnrollmentToken(
            label: label, maxUses: uses.value ?? 1, hours: hours.value ?? 24, at: environment.now())
        try await environment.store.createEnrollmentToken(token, hash: Accounts.hash(secret), by: context.origin)
        var answer = Self.object(token)
        answer["token"] = .string(secret.reveal())
        return try .json(
            JSONValue.object(answer), status: .created, headers: [.location: "/api/enrollment-tokens/\(token.id)"])
    }

    @Sendable private func delete(_ request: Request, _ context: PlantContext) async throws -> Response {
        let deleted = try await environment.store.deleteEnrollmentToken(
            try context.id("token"), by: context.origin, at: environment.now())
        guard deleted else { throw Problem.notFound("token") }
        return .noContent
    }

    private static func fields(withToken: Bool) -> [String: JSONValue] {
        var fields: [String: JSONValue] = [
            "id": Schema.id, "label": Schema.text, "max_uses": ["type": "integer"], "uses": ["type": "integer"],
            "expires_at": Schema.time, "created_at": Schema.time,
        ]
        if withToken { fields["token"] = Schema.text }
        return fields
    }

    static let schema = Schema.object(fields(withToken: false))

    private static func object(_ token: EnrollmentToken) -> [String: JSONValue] {
        [
            "id": JSONValue(token.id), "label": .string(token.label), "max_uses": JSONValue(token.maxUses),
            "uses": JSONValue(token.uses), "expires_at": JSONValue(token.expiresAt),
            "created_at": JSONValue(token.createdAt),
        ]
    }
}
