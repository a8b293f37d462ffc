import HTTPTypes
import Hummingbird
import PlantDomain
import PlantStore
import Sealing

/// API tokens: for scripts that act on behalf of whoever made them.
struct TokenRoutes {
    private static let daysRange = 1...3650
    private static let defaultDays = 365

    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/tokens", tag: "tokens", access: .viewer, summary: "One's own API tokens",
                query: Route.QueryParameter.page, answer: .ok("A page of them", Schema.page("tokens", of: "Token")),
                problems: [409], handler: list),
            Route(
                method: .post, path: "/tokens", tag: "tokens", access: .viewer,
                summary: "Make an API token; it is shown this once",
                body: Schema.object(
                    [
                        "name": Schema.text(1...100), "role": Schema.choice(UserRole.allCases.map(\.rawValue)),
                        "expires_in_days": Schema.nullable(
                            Schema.integer(
                                minimum: Self.daysRange.lowerBound, maximum: Self.daysRange.upperBound,
                                default: Self.defaultDays)),
                    ], optional: ["expires_in_days"]),
                answer: .created("The token, shown this once", Schema.object(Self.fields(withToken: true))),
                problems: [409], handler: create),
            Route(
                method: .delete, path: "/tokens/{id}", tag: "tokens", access: .viewer, summary: "End an API token",
                answer: .noContent, problems: [404, 409], handler: delete),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        let user = try context.user()
        var query = QueryParameters(request)
        let (limit, offset) = query.page()
        try query.finish()
        let page = try await environment.store.apiTokens(of: user.id, limit: limit, offset: offset)
        return try .page("tokens", page) { .object(Self.object($0)) }
    }

    @Sendable private func create(_ request: Request, _ context: PlantContext) async throws -> Response {
        // A token that makes tokens would outlive its own end.
        let (user, _) = try context.person("make an API token")
        var fields = try Fields(try await request.json())
        let name = fields.require("name", fields.text("name", length: 1...100))
        let role = fields.require("role", fields.choice("role", of: UserRole.self))
        let days = fields.integer("expires_in_days", range: Self.daysRange)
        if let role, role > user.role { fields.refuse("role", "is above your own, \(user.role.rawValue)") }
        try fields.finish()
        guard let name, let role else { throw Problem.invalid(fields.errors) }
        let now = environment.now()
        var lifetime: Int? = Self.defaultDays
        days.apply(to: &lifetime)
        let secret = Secret("pot_" + (try Crypto.randomToken()))
        let token = APIToken(
            id: .make(at: now), name: name, role: role, createdAt: now,
            expiresAt: lifetime.map { now.adding(microseconds: Int64($0) * 86_400_000_000) })
        let isMade = try await environment.store.createAPIToken(
            token, hash: Accounts.hash(secret), of: user.id, by: context.origin)
        guard isMade else {
            throw Problem(
                status: .conflict, detail: "one user has at most \(Store.apiTokensKept) tokens; end one of them first")
        }
        var answer = Self.object(token)
        answer["token"] = .string(secret.reveal())
        return try .json(JSONValue.object(answer), status: .created, headers: [.location: "/api/tokens/\(token.id)"])
    }

    @Sendable private func delete(_ request: Request, _ context: PlantContext) async throws -> Response {
        let user = try context.user()
        let id = try context.id("token")
        // A token may end itself, and no other.
        if case .token(id, _) = try context.signedIn().way {} else { _ = try context.person("end an API token") }
        let deleted = try await environment.store.deleteAPIToken(
            id, of: user.id, by: context.origin, at: environment.now())
        guard deleted else { throw Problem.notFound("token") }
        return .noContent
    }

    private static func fields(withToken: Bool) -> [String: JSONValue] {
        var fields: [String: JSONValue] = [
            "id": Schema.id, "name": Schema.text, "role": Schema.choice(UserRole.allCases.map(\.rawValue)),
            "created_at": Schema.time, "expires_at": Schema.nullable(Schema.time),
            "last_used_at": Schema.nullable(Schema.time),
        ]
        if withToken { fields["token"] = Schema.text }
        return fields
    }

    static let schema = Schema.object(fields(withToken: false))

    private static func object(_ token: APIToken) -> [String: JSONValue] {
        [
            "id": JSONValue(token.id), "name": .string(token.name), "role": .string(token.role.rawValue),
            "created_at": JSONValue(token.createdAt), "expires_at": JSONValue(token.expiresAt),
            "last_used_at": JSONValue(token.lastUsedAt),
        ]
    }
}
