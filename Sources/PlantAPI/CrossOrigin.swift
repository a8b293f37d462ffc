import HTTPTypes
import Hummingbird

/// Which pages of other sites a browser may let talk to this API: none, but for those in `CORS_ORIGINS`.
struct CrossOrigin: Sendable {
    private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")!
    private static let origin = HTTPField.Name("Origin")!
    private static let requestMethod = HTTPField.Name("Access-Control-Request-Method")!
    private static let allowOrigin = HTTPField.Name("Access-Control-Allow-Origin")!
    private static let allowMethods = HTTPField.Name("Access-Control-Allow-Methods")!
    private static let allowHeaders = HTTPField.Name("Access-Control-Allow-Headers")!
    private static let exposeHeaders = HTTPField.Name("Access-Control-Expose-Headers")!
    private static let maxAge = HTTPField.Name("Access-Control-Max-Age")!

    private let allowed: Set<String>
    /// The dashboard's own origin, when `PUBLIC_URL` says it.
    private let own: String?

    /// - Parameter origins: `https://example.org`, without a path.
    init(allowed origins: [String], own: String?) {
        allowed = Set(origins.map { $0.lowercased() })
        self.own = own?.lowercased()
    }

    /// Refuses what another site's page makes a browser send along with the user's cookie. As Go's
    /// `http.CrossOriginProtection`: browsers say where a request comes from, in `Sec-Fetch-Site` or `Origin`; whoever
    /// says neither is no browser and has no cookie that was not given to it.
    /// - Parameter host: what the client called us.
    /// - Throws: 403.
    func check(_ request: Request, host ownHost: String?) throws {
        guard ![.get, .head, .options].contains(request.method) else { return }
        // A token is never sent along by itself, as a cookie is, or a password the browser remembers (Basic).
        if let header = request.headers[.authorization], Gatekeeper.bearer(header) != nil { return }
        let origin = request.headers[Self.origin]?.lowercased()
        if let origin, allowed.contains(origin) || origin == own { return }
        switch request.headers[Self.fetchSite]?.lowercased() {
        case "same-origin", "none": return
        case nil:
            guard let origin else { return }
            let host = origin.split(separator: "/").dropFirst().first.map(String.init)
            if let host, host == ownHost?.lowercased() { return }
        default: break
        }
        throw Problem(status: .forbidden, detail: "this came from a page of another site; see CORS_ORIGINS")
    }

    /// The answer to a browser that asks before it sends; nil when this is no such question.
    func preflight(_ request: Request) -> Response? {
        guard request.method == .options, request.headers[Self.requestMethod] != nil,
            request.headers[Self.origin] != nil
        else { return nil }
        var headers = self.headers(for: request)
        if headers[Self.allowOrigin] != nil {
            headers[Self.allowMethods] = "GET, POST, PUT, PATCH, DELETE"
            headers[Self.allowHeaders] = "Authorization, Content-Type, X-Correlation-ID, Last-Event-ID"
            headers[Self.maxAge] = "600"
        }
        return Response(status: .noContent, headers: headers)
    }

    /// Never `Access-Control-Allow-Credentials`: another site's page uses an API token, not the user's cookie.
    func headers(for request: Request) -> HTTPFields {
        guard !allowed.isEmpty else { return [:] }
        var headers: HTTPFields = [.vary: "Origin"]
        if let origin = request.headers[Self.origin], allowed.contains(origin.lowercased()) {
            headers[Self.allowOrigin] = origin
            headers[Self.exposeHeaders] = "X-Correlation-ID, Location, Retry-After"
        }
        return headers
    }
}

/// What we may be called where nobody has to sign in. A page of another site can make its own name point to this
/// machine ("DNS rebinding"), and then the browser takes it for ours; but the name gives it away.
struct KnownHosts: Sendable {
    /// Names that mean nothing outside of the local network.
    private static let localSuffixes = [
        ".local", ".localhost", ".lan", ".home", ".home.arpa", ".internal", ".fritz.box",
    ]

    private let names: Set<String>

    /// - Parameter origins: whose hosts are ours, too: `PUBLIC_URL`.
    init(_ origins: [String]) { names = Set(origins.compactMap { Self.name($0.split(separator: "/").last) }) }

    /// - Parameter host: as in the header `Host`, with or without a port.
    func contains(_ host: String?) -> Bool {
        // Without the header it is no browser.
        guard let host, !host.isEmpty else { return true }
        guard let name = Self.name(host[...]) else { return false }
        return !name.contains(".") || AddressBlock.bytes(of: name) != nil || names.contains(name)
            || Self.localSuffixes.contains { name.hasSuffix($0) }
    }

    /// Without port, brackets and the dot at the end, in lower case.
    private static func name(_ host: Substring?) -> String? {
        guard let host, !host.isEmpty else { return nil }
        if host.first == "[" { return host.firstIndex(of: "]").map { host[..<$0].dropFirst().lowercased() } }
        let name = host.prefix { $0 != ":" }.lowercased()
        return name.last == "." ? String(name.dropLast()) : name
    }
}
