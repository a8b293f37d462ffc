import HTTPTypes
import Hummingbird
import NIOCore
import PlantDomain
import PlantStore
import Sealing
import TestSupport
import Testing

@testable import PlantAPI

@Suite struct AccessRulesTests {
    private func table() throws -> RouteTable {
        RouteTable(try testEnvironment(try TestDatabase(nil).store()))
    }

    @Test func `what a stranger reaches is listed here, and nothing else is`() throws {
        let open = try table().routes.filter { $0.access == .everyone }.map { "\($0.method) \($0.path)" }
        #expect(
            Set(open) == [
                "GET /health", "GET /ready", "GET /live", "GET /openapi.json", "POST /auth/login", "POST /auth/logout",
            ])
        let enrolling = try table().routes.filter { $0.access == .enrollment }.map(\.path)
        #expect(enrolling == ["/devices/register"])
    }

    @Test func `whoever only reads changes nothing but what is his own`() throws {
        // A replay only looks, at what it takes a body to say; a health check only looks, too.
        let own = [
            "/auth/password", "/tokens", "/tokens/{id}", "/plants/{id}/thresholds/replay", "/plants/{id}/health-check",
        ]
        for route in try table().routes where route.access == .role(.viewer) {
            #expect(route.method == .get || own.contains(route.path), "\(route.method) \(route.path)")
        }
    }

    @Test(arguments: ["/users", "/users/{id}", "/audit", "/ingest/rejects"])
    func `only admins see users, refusals and the log`(path: String) throws {
        let routes = try table().routes.filter { $0.path == path }
        #expect(!routes.isEmpty)
        #expect(routes.allSatisfy { $0.access == .role(.admin) })
    }

    @Test func `a path with a name of its own is no id`() throws {
        let table = try table()
        #expect(table.methods(of: "/api/species/import") == [.post])
        #expect(table.methods(of: "/api/species/export.csv") == [.get])
        #expect(Set(table.methods(of: "/api/species/x")) == [.get, .put, .delete])
        #expect(table.methods(of: "/api/nowhere").isEmpty)
    }

    // MARK: addresses

    private let trusted = ["127.0.0.0/8", "::1", "fd00::/16"].compactMap { AddressBlock($0) }

    @Test(arguments: [
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"), ("127.8.9.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"), ("127.0.0.1", "nonsense", "127.0.0.1"), ("::1", "", "0:0:0:0::/64"),
        ("::ffff:127.0.0.1", "198.51.100.7", "198.51.100.7"), ("127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("fd00::5", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("127.0.0.1", "2001:db8:1:2::9", "2001:db8:1:2::/64"),
    ])
    func `an address counts as told by a trusted proxy, IPv6 by its network`(
        peer: String, forwarded: String, counted: String
    ) {
        let address = ClientAddress(peer: peer, forwardedFor: forwarded, forwardedProto: "https", trusted: trusted)
        #expect(address.counted == counted)
        #expect(address.isSecure == (peer != "192.0.2.1"))
    }

    @Test(arguments: ["", "x", "1.2.3", "1.2.3.4/33", "::/129", "1.2.3.4/", "1.2.3.4/a", "1.2.3.4/8/8"])
    func `what is no block of addresses is refused`(text: String) {
        #expect(AddressBlock(text) == nil)
    }

    // MARK: other sites

    private func request(_ method: HTTPRequest.Method, _ fields: HTTPFields) -> Request {
        Request(
            head: HTTPRequest(
                method: method, scheme: "http", authority: "plants.example:8080", path: "/api/plants",
                headerFields: fields),
            body: RequestBody(buffer: ByteBuffer()))
    }

    private func field(_ name: String) -> HTTPField.Name { HTTPField.Name(name)! }

    @Test(arguments: [
        (["Sec-Fetch-Site": "same-origin"], true), (["Sec-Fetch-Site": "none"], true), ([:], true),
        (["Sec-Fetch-Site": "cross-site"], false), (["Sec-Fetch-Site": "same-site"], false),
        (["Origin": "http://plants.example:8080"], true), (["Origin": "http://plants.example"], false),
        (["Origin": "https://evil.example"], false), (["Origin": "null"], false),
        (["Origin": "https://friend.example", "Sec-Fetch-Site": "cross-site"], true),
        (["Origin": "https://friend.example.evil.example", "Sec-Fetch-Site": "cross-site"], false),
        (["Origin": "https://evil.example", "Authorization": "Bearer x"], true),
        (["Origin": "https://evil.example", "Authorization": "Basic eDp5"], false),
    ])
    func `a page of another site changes nothing`(headers: [String: String], isLetThrough: Bool) {
        let rule = CrossOrigin(allowed: ["https://friend.example"], own: nil)
        var fields = HTTPFields()
        for (name, value) in headers { fields[field(name)] = value }
        for method in [HTTPRequest.Method.post, .put, .patch, .delete] {
            let refusal = Result { try rule.check(request(method, fields), host: "plants.example:8080") }
            #expect((try? refusal.get()) != nil || !isLetThrough)
            if !isLetThrough { #expect(throws: Problem.self) { try refusal.get() } }
        }
        #expect(throws: Never.self) { try rule.check(request(.get, fields), host: nil) }
    }

    @Test(arguments: [
        (nil, true), ("", true), ("localhost:8080", true), ("192.0.2.1", true), ("[fd00::2]:8080", true), ("pi", true),
        ("pi.local", true), ("PI.Local.:8080", true), ("plants.example", true), ("evil.example", false),
        ("evil.example:8080", false), ("plants.example.evil.example", false), ("local.evil", false),
    ])
    func `where nobody signs in, only names that are ours are answered`(host: String?, isKnown: Bool) {
        #expect(KnownHosts(["https://plants.example:8443"]).contains(host) == isKnown)
    }

    @Test func `other sites are told nothing unless they are allowed`() throws {
        let origin = field("Origin")
        let allow = field("Access-Control-Allow-Origin")
        let closed = CrossOrigin(allowed: [], own: nil)
        #expect(closed.headers(for: request(.get, [origin: "https://a.example"])).isEmpty)
        let open = CrossOrigin(allowed: ["https://A.example"], own: nil)
        #expect(open.headers(for: request(.get, [origin: "https://a.example"]))[allow] == "https://a.example")
        #expect(open.headers(for: request(.get, [origin: "https://b.example"]))[allow] == nil)
        #expect(open.headers(for: request(.get, [:]))[.vary] == "Origin")
        let question: HTTPFields = [origin: "https://a.example", field("Access-Control-Request-Method"): "PUT"]
        let answer = try #require(open.preflight(request(.options, question)))
        #expect(answer.status == .noContent)
        #expect(answer.headers[field("Access-Control-Allow-Credentials")] == nil)
        #expect(open.preflight(request(.options, [origin: "https://a.example"])) == nil)
    }
}
