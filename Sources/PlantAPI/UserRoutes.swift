import HTTPTypes
import Hummingbird
import PlantDomain
import PlantStore
import Sealing

/// Who may sign in.
struct UserRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/users", tag: "users", access: .admin, summary: "All users, oldest first",
                query: Route.QueryParameter.page, answer: .ok("A page of users", Schema.page("users", of: "User")),
                handler: list),
            Route(
                method: .post, path: "/users", tag: "users", access: .admin, summary: "Make a user",
                body: Schema.object(Self.fields), answer: .created("The new user", Schema.ref("User")),
                problems: [409], handler: create),
            Route(
                method: .patch, path: "/users/{id}", tag: "users", access: .admin,
                summary: "Change a user; a new password ends the user's sessions and API tokens",
                body: Schema.change(Self.fields),
                answer: .ok("The user", Schema.ref("User")), problems: [404, 409], handler: change),
            Route(
                method: .delete, path: "/users/{id}", tag: "users", access: .admin,
                summary: "Remove a user, with sessions and API tokens", answer: .noContent, problems: [404, 409],
                handler: delete),
        ]
    }

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        var query = QueryParameters(request)
        let (limit, offset) = query.page()
        try query.finish()
        let page = try await environment.store.users(limit: limit, offset: offset)
        return try .page("users", page) { JSONValue($0) }
    }

    /// What a request says of a user.
    private struct Input {
        let email: Change<String>
        let role: Change<UserRole>
        let password: Change<Secret>

        init(_ fields: inout Fields) {
            email = fields.keep("email", fields.email("email"))
            role = fields.keep("role", fields.choice("role", of: UserRole.self))
            password = fields.keep("password", fields.secret("password", length: User.passwordLength))
        }
    }

    /// Where nobody signs in, anybody could make himself an account for the day on which somebody does.
    /// - Throws: 409.
    private func requireSignIn() throws {
        guard environment.policy.requiresSignIn else {
            throw Problem(
                status: .conflict, detail: "AUTH_MODE is disabled: users are changed with `plantops user` meanwhile")
        }
    }

    @Sendable private func create(_ request: Request, _ context: PlantContext) async throws -> Response {
        try requireSignIn()
        var fields = try Fields(try await request.json())
        let input = Input(&fields)
        let email = fields.require("email", input.email)
        let role = fields.require("role", input.role)
        let password = fields.require("password", input.password)
        try fields.finish()
        guard let email, let role, let password else { throw Problem.invalid(fields.errors) }
        let now = environment.now()
        let user = User(id: .make(at: now), email: email, role: role, createdAt: now, updatedAt: now)
        let hash = try await environment.accounts.hash(password)
        let made = try Self.user(
            in: try await environment.store.createUser(user, passwordHash: hash, by: context.origin))
        return try .json(JSONValue(made), status: .created, headers: [.location: "/api/users/\(made.id)"])
    }

    @Sendable private func change(_ request: Request, _ context: PlantContext) async throws -> Response {
        try requireSignIn()
        let id = try context.id("user")
        var fields = try Fields(try await request.json())
        let input = Input(&fields)
        try fields.finish()
        var hash: String?
        if let password = input.password.value { hash = try await environment.accounts.hash(password) }
        let outcome = try await environment.store.updateUser(
            id, email: input.email.value, role: input.role.value, passwordHash: hash, by: context.origin,
            at: environment.now())
        return try .json(JSONValue(try Self.user(in: outcome)))
    }

    @Sendable private func delete(_ request: Request, _ context: PlantContext) async throws -> Response {
        try requireSignIn()
        let id = try context.id("user")
        _ = try Self.user(
            in: try await environment.store.deleteUser(id, by: context.origin, at: environment.now()))
        return .noContent
    }

    private static func user(in outcome: Store.UserChange) throws -> User {
        switch outcome {
        case .done(let user): return user
        case .noSuchUser: throw Problem.notFound("user")
        case .emailTaken: throw Problem(status: .conflict, detail: "another user has this email address")
        case .lastAdmin:
            throw Problem(status: .conflict, detail: "this is the only admin; make another one first")
        }
    }

    private static let fields: [String: JSONValue] = [
        "email": Schema.text(3...254), "role": Schema.choice(UserRole.allCases.map(\.rawValue)),
        "password": Schema.text(User.passwordLength),
    ]

    static let schema = Schema.object([
        "id": Schema.id, "email": Schema.text, "role": Schema.choice(UserRole.allCases.map(\.rawValue)),
        "created_at": Schema.time, "updated_at": Schema.time, "last_sign_in_at": Schema.nullable(Schema.time),
    ])
}

extension JSONValue {
    fileprivate init(_ user: User) {
        self = [
            "id": JSONValue(user.id), "email": .string(user.email), "role": .string(user.role.rawValue),
            "created_at": JSONValue(user.createdAt), "updated_at": JSONValue(user.updatedAt),
            "last_sign_in_at": JSONValue(user.lastSignInAt),
        ]
    }
}
