import HTTPTypes
import Hummingbird
import PlantDomain
import PlantStore
import Sealing

/// On whose behalf a request is made.
struct Principal: Sendable {
    enum Way: Sendable {
        /// With a cookie; the hash names the session.
        case session([UInt8])
        case token(id: EntityID, name: String)
        /// `AUTH_MODE=disabled`: nobody is asked who he is.
        case disabled
    }

    /// nil when nobody is asked.
    let user: User?
    /// What this request may do: never more than the user.
    let role: UserRole
    let way: Way

    /// For the API: `session`, `token` or `disabled`.
    var wayName: String {
        switch way {
        case .session: "session"
        case .token: "token"
        case .disabled: "disabled"
        }
    }
}

/// Finds out who makes a request, and whether he may.
struct Gatekeeper: Sendable {
    static let cookieName = "plantops_session"

    private let store: Store
    private let isOpenHouse: Bool
    private let enrollment: EnrollmentMode
    private let knownHosts: KnownHosts
    private let now: @Sendable () -> Timestamp

    init(_ environment: APIEnvironment) {
        store = environment.store
        isOpenHouse = !environment.policy.requiresSignIn
        enrollment = environment.policy.enrollment
        knownHosts = KnownHosts(environment.policy.publicOrigin.map { [$0] } ?? [])
        now = environment.now
    }

    /// Lets a request through, or not.
    /// - Throws: 401 or 403.
    func admit(_ request: Request, to access: Route.Access, _ context: inout PlantContext) async throws {
        if isOpenHouse || access == .enrollment && enrollment != .token, access != .everyone,
            !knownHosts.contains(context.host)
        {
            throw Problem(
                status: .forbidden,
                detail: "this name is not known here, and without signing in only known ones are answered; "
                    + "put it into PUBLIC_URL, or use the address")
        }
        guard case .role(let needed) = access else { return }
        guard let principal = try await principal(of: request) else {
            throw Problem(
                status: .unauthorized,
                detail: "sign in, or send an API token: the session or token that came along, if any, is not valid",
                challenge: true)
        }
        context.principal = principal
        guard principal.role >= needed else {
            throw Problem(
                status: .forbidden,
                detail: "this needs the role \(needed.rawValue); yours is \(principal.role.rawValue)")
        }
    }

    /// - Returns: nil for a stranger.
    func principal(of request: Request) async throws -> Principal? {
        if isOpenHouse { return Principal(user: nil, role: .admin, way: .disabled) }
        if let header = request.headers[.authorization] {
            // A token says what it is meant for; a cookie comes along by itself. So the token counts, even if wrong.
            guard let token = Self.bearer(header),
                let found = try await store.user(apiTokenHash: Accounts.hash(token), at: now())
            else { return nil }
            return Principal(user: found.user, role: found.user.role, way: .token(id: found.token, name: found.name))
        }
        guard let hash = Self.sessionHash(of: request), let user = try await store.user(sessionHash: hash, at: now())
        else { return nil }
        return Principal(user: user, role: user.role, way: .session(hash))
    }

    /// Of the session a request names, which need not exist.
    static func sessionHash(of request: Request) -> [UInt8]? {
        request.cookie(cookieName).map { Accounts.hash(Secret($0)) }
    }

    static func bearer(_ header: String) -> Secret? {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return Secret(parts[1].trimmingPrefix { $0 == " " }.description)
    }
}

extension Request {
    /// The value of a cookie; the first one counts.
    func cookie(_ name: String) -> String? {
        for header in headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == name else { continue }
                return String(parts[1])
            }
        }
        return nil
    }
}
