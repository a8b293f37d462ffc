import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Metrics
import PlantDomain
import PlantStore
import Sealing

/// Signing in and out, and one's own password.
struct AuthRoutes {
    private static let passwordLength = 1...1000

    private let environment: APIEnvironment
    private let signedIn = Self.counter("signed_in")
    private let refused = Self.counter("refused")
    private let throttled = Self.counter("throttled")

    init(_ environment: APIEnvironment) { self.environment = environment }

    private static func counter(_ outcome: String) -> Counter {
        Counter(label: "plantops_sign_ins_total", dimensions: [("outcome", outcome)])
    }

    var routes: [Route] {
        [
            Route(
                method: .post, path: "/auth/login", tag: "auth", access: .everyone,
                summary: "Sign in; the answer sets the session cookie",
                body: Schema.object(["email": Schema.text(1...254), "password": Schema.text(Self.passwordLength)]),
                answer: .ok("Who signed in", Schema.ref("Me")), problems: [401, 403, 429], handler: signIn),
            Route(
                method: .post, path: "/auth/logout", tag: "auth", access: .everyone, summary: "End the session",
                answer: .noContent, problems: [403], handler: signOut),
            Route(
                method: .get, path: "/auth/me", tag: "auth", access: .viewer, summary: "Who is signed in",
                answer: .ok("Who it is", Schema.ref("Me")), handler: me),
            Route(
                method: .put, path: "/auth/password", tag: "auth", access: .viewer,
                summary: "Change one's own password; ends one's other sessions",
                body: Schema.object([
                    "current_password": Schema.text(Self.passwordLength),
                    "new_password": Schema.text(User.passwordLength),
                ]),
                answer: .noContent, problems: [409, 429], handler: changePassword),
        ]
    }

    @Sendable private func signIn(_ request: Request, _ context: PlantContext) async throws -> Response {
        var fields = try Fields(try await request.json())
        let email = fields.require("email", fields.text("email", length: 1...254))
        let password = fields.require("password", fields.secret("password", length: Self.passwordLength))
        try fields.finish()
        guard let email, let password else { throw Problem.invalid(fields.errors) }
        guard environment.policy.requiresSignIn else {
            return try .json(JSONValue(Principal(user: nil, role: .admin, way: .disabled)))
        }
        let place = SignInPlace(
            email: email, address: context.client.counted, session: Gatekeeper.sessionHash(of: request))
        let outcome = try await environment.accounts.signIn(
            place, password: password, userAgent: request.headers[.userAgent].map { String($0.prefix(200)) },
            from: context.origin, at: environment.now())
        switch outcome {
        case .signedIn(let user, let token):
            signedIn.increment()
            context.logger.info("signed in", metadata: ["user_id": "\(user.id)"])
            let principal = Principal(user: user, role: user.role, way: .session([]))
            let cookie = Self.cookie(
                token.reveal(), seconds: Store.sessionLongestSeconds, isSecure: context.client.isSecure)
            return try .json(JSONValue(principal), headers: [.setCookie: cookie])
        case .refused:
            refused.increment()
            context.logger.notice("sign-in refused", metadata: ["address": "\(context.client.counted)"])
            throw Problem(status: .unauthorized, detail: "the email address or the password is wrong", challenge: true)
        case .wait(let seconds):
            throttled.increment()
            context.logger.notice("sign-in throttled", metadata: ["address": "\(context.client.counted)"])
            throw Self.throttled(seconds)
        }
    }

    private static func throttled(_ seconds: Double) -> Problem {
        Problem(
            status: .tooManyRequests, detail: "there were too many attempts; wait, then try again",
            retryAfterSeconds: max(1, Int(seconds.rounded(.up))))
    }

    private static func cookie(_ value: String, seconds: Double, isSecure: Bool) -> String {
        "\(Gatekeeper.cookieName)=\(value); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(Int(seconds))"
            + (isSecure ? "; Secure" : "")
    }

    /// Also for a session that is over: whoever wants to be signed out is.
    @Sendable private func signOut(_ request: Request, _ context: PlantContext) async throws -> Response {
        if let hash = Gatekeeper.sessionHash(of: request), environment.policy.requiresSignIn {
            let user = try await environment.store.user(sessionHash: hash, at: environment.now())
            let principal = user.map { Principal(user: $0, role: $0.role, way: .session(hash)) }
            try await environment.store.endSession(hash, by: context.origin(of: principal), at: environment.now())
        }
        let cookie = Self.cookie("", seconds: 0, isSecure: context.client.isSecure)
        return Response(status: .noContent, headers: [.setCookie: cookie])
    }

    @Sendable private func me(_ request: Request, _ context: PlantContext) async throws -> Response {
        try .json(JSONValue(try context.signedIn()))
    }

    @Sendable private func changePassword(_ request: Request, _ context: PlantContext) async throws -> Response {
        let (user, session) = try context.person("change your password")
        var fields = try Fields(try await request.json())
        let current = fields.require("current_password", fields.secret("current_password", length: Self.passwordLength))
        let new = fields.require("new_password", fields.secret("new_password", length: User.passwordLength))
        try fields.finish()
        guard let current, let new else { throw Problem.invalid(fields.errors) }
        let outcome = try await environment.accounts.changePassword(
            of: user, from: current, to: new, keeping: session, by: context.origin, at: environment.now())
        switch outcome {
        case .done: return .noContent
        case .wrongPassword:
            fields.refuse("current_password", "is wrong")
            throw Problem.invalid(fields.errors)
        case .wait(let seconds): throw Self.throttled(seconds)
        }
    }

    static let schema = Schema.object([
        "id": Schema.nullable(Schema.id), "email": Schema.nullable(Schema.text),
        "role": Schema.choice(UserRole.allCases.map(\.rawValue)),
        "via": Schema.choice(["session", "token", "disabled"]), "auth_mode": Schema.choice(["required", "disabled"]),
    ])
}

extension JSONValue {
    fileprivate init(_ principal: Principal) {
        self = [
            "id": JSONValue(principal.user?.id), "email": JSONValue(principal.user?.email),
            "role": .string(principal.role.rawValue), "via": .string(principal.wayName),
            "auth_mode": principal.user == nil ? "disabled" : "required",
        ]
    }
}
