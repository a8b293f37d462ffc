import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import PlantDomain
import PlantStore
import Sealing
import ServiceLifecycle
import TestSupport
import Testing

@testable import PlantAPI

/// A server with the route of live events, on a port of its own.
private struct EventServer {
    let port: Int
    let events: EventHub
    let store: Store

    /// - Returns: how long the server took to stop.
    @discardableResult
    static func running(
        _ limits: EventHub.Limits = EventHub.Limits(), heartbeat: Duration = .seconds(15), signIn: Bool = false,
        idleTimeout: TimeAmount = .seconds(75), _ body: (EventServer) async throws -> Void
    ) async throws -> Duration {
        let store = try TestDatabase(signIn ? .native : nil).store()
        let events = EventHub(limits)
        let environment = try testEnvironment(store, signIn: signIn, events: events)
        let router = Router(context: PlantContext.self, options: .autoGenerateHeadEndpoints)
        router.add(
            middleware: RequestMiddleware(
                methods: { _ in [] }, isOpen: { true }, isStopping: { false },
                crossOrigin: CrossOrigin(allowed: [], own: nil),
                trustedProxies: []))
        let gatekeeper = Gatekeeper(environment)
        for route in EventRoutes(environment, heartbeat: heartbeat).routes {
            router.on(RouterPath(RouteTable.prefix + route.path), method: route.method) { request, context in
                var context = context
                try await gatekeeper.admit(request, to: route.access, &context)
                return try await route.handler(request, context)
            }
        }
        return try await withServer(router, idleTimeout: idleTimeout) { port in
            try await body(EventServer(port: port, events: events, store: store))
        }
    }

    /// A client who watches, once the stream has begun.
    func watch(_ fields: String...) async throws -> (client: RawClient, opening: String) {
        let client = try RawClient(port: port)
        client.send("GET", "/api/events", fields.joined(separator: "\r\n"))
        return (client, try await client.text(until: ": live events"))
    }
}

@Suite struct EventRouteTests {
    private func event(_ number: Int, bytes: Int = 10) -> ServerEvent {
        ServerEvent(name: "alert", data: #"{"n":\#(number),"x":"\#(String(repeating: "x", count: bytes))"}"#)
    }

    @Test func `a stream begins with the time to wait, an id and no event`() async throws {
        try await EventServer.running { server in
            let client = try RawClient(port: server.port)
            client.send("GET", "/api/events")
            let text = try await client.text(until: "-0\n\n")
            let lines = text.lowercased()
            #expect(lines.hasPrefix("http/1.1 200 ok\r\n"))
            #expect(lines.contains("\r\ncontent-type: text/event-stream\r\n"))
            #expect(lines.contains("\r\ncache-control: no-store\r\n"))
            #expect(lines.contains("\r\nx-accel-buffering: no\r\n"))
            #expect(!lines.contains("content-length"))
            #expect(text.contains("\r\nretry: 2000\n: live events\nid: "))
            #expect(!text.contains("data:"))
            server.events.publish(event(1))
            let events = ParsedEvent.all(try await client.text(until: "}\n\n"))
            #expect(events.map(\.name) == ["alert"])
            #expect(events.first?.id.hasSuffix("-1") == true)
        }
    }

    @Test func `HEAD has the same header and counts for nobody`() async throws {
        try await EventServer.running { server in
            let client = try RawClient(port: server.port)
            client.send("HEAD", "/api/events", "Connection: close")
            let text = try await client.rest().lowercased()
            #expect(text.contains("content-type: text/event-stream"))
            #expect(text.hasSuffix("\r\n\r\n"))
            #expect(server.events.subscriberCount == 0)
        }
    }

    @Test func `whoever comes back is given what he missed, or told to begin anew`() async throws {
        try await EventServer.running { server in
            for number in 1...3 { server.events.publish(event(number)) }
            let epoch = try #require(server.events.subscribe()?.start?.split(separator: "-").first)
            let known = try RawClient(port: server.port)
            known.send("GET", "/api/events", "Last-Event-ID: \(epoch)-1")
            let missed = ParsedEvent.all(try await known.text(until: #"{"n":3"#))
            #expect(missed.map(\.id) == ["\(epoch)-2", "\(epoch)-3"])
            let foreign = try RawClient(port: server.port)
            foreign.send("GET", "/api/events", "Last-Event-ID: other-1")
            let text = try await foreign.text(until: "event: reset\ndata: {}\n\n")
            #expect(text.components("id: ") == 1, "no id before the reset")
        }
    }

    @Test func `a quiet stream is kept alive and not taken for an idle connection`() async throws {
        try await EventServer.running(heartbeat: .milliseconds(200), idleTimeout: .milliseconds(500)) { server in
            let (client, _) = try await server.watch()
            var text = ""
            try await eventually("heartbeats come") {
                text += String(decoding: try #require(client.read()), as: UTF8.self)
                return text.components(": heartbeat\n\n") >= 10
            }
        }
        try await EventServer.running(heartbeat: .seconds(60), idleTimeout: .milliseconds(500)) { server in
            let (client, _) = try await server.watch()
            try await Task.sleep(for: .seconds(2))
            server.events.publish(event(1))
            _ = try await client.text(until: #"{"n":1"#)
        }
    }

    @Test func `whoever hangs up is noticed at once`() async throws {
        try await EventServer.running(heartbeat: .seconds(60)) { server in
            var client: RawClient? = try await server.watch().client
            #expect(server.events.subscriberCount == 1)
            withExtendedLifetime(client) {}
            client = nil
            try await eventually("nobody watches", seconds: 10) { server.events.subscriberCount == 0 }
        }
    }

    @Test func `a client that never reads is cut off, and the others get everything`() async throws {
        var limits = EventHub.Limits()
        limits.waiting = 500
        try await EventServer.running(limits, heartbeat: .seconds(60)) { server in
            let stuck = try RawClient(port: server.port, receiveBuffer: 4096)
            stuck.send("GET", "/api/events")
            let (reader, _) = try await server.watch()
            try await eventually("both watch") { server.events.subscriberCount == 2 }
            // The kernel takes some megabytes before a write has to wait.
            var seen = 0
            let count = 3000
            for number in 1...count {
                server.events.publish(event(number, bytes: 10_000))
                // Other tests need the processor, too: whoever reads is given the time to.
                guard number % 50 == 0 else { continue }
                seen += try await reader.text(until: "{\"n\":\(number),").components("event: alert\n")
            }
            try await eventually("it is cut off", seconds: 10) { server.events.subscriberCount == 1 }
            #expect(seen == count)
            // What the kernel had taken, and then the end.
            let rest = try await stuck.rest()
            #expect(!rest.contains("{\"n\":\(count),"))
        }
    }

    @Test func `a client that stops reading is cut off although little happens`() async throws {
        var limits = EventHub.Limits()
        (limits.waiting, limits.waitingBytes) = (.max, .max)
        try await EventServer.running(limits, heartbeat: .milliseconds(500)) { server in
            let stuck = try RawClient(port: server.port, receiveBuffer: 4096)
            stuck.send("GET", "/api/events")
            try await eventually("it watches") { server.events.subscriberCount == 1 }
            for number in 1...2000 { server.events.publish(event(number, bytes: 10_000)) }
            try await eventually("it is cut off", seconds: 15) { server.events.subscriberCount == 0 }
        }
    }

    @Test func `a server that stops does not wait for those who watch, not even for one who never reads`() async throws
    {
        var limits = EventHub.Limits()
        (limits.waiting, limits.waitingBytes) = (.max, .max)
        var clients: [RawClient] = []
        let took = try await EventServer.running(limits, heartbeat: .seconds(60)) { server in
            for _ in 0..<20 { clients.append(try await server.watch().client) }
            let stuck = try RawClient(port: server.port, receiveBuffer: 4096)
            stuck.send("GET", "/api/events")
            clients.append(stuck)
            try await eventually("all watch") { server.events.subscriberCount == 21 }
            for number in 1...1000 { server.events.publish(event(number, bytes: 10_000)) }
            for client in clients.dropLast() { _ = try await client.text(until: #"{"n":1000,"#) }
        }
        #expect(took < .seconds(8))
        // Who reads sees an orderly end: the last chunk.
        #expect(try await clients[0].rest().hasSuffix("0\r\n\r\n"))
    }

    @Test func `too many are asked to come again`() async throws {
        var limits = EventHub.Limits()
        limits.subscribers = 2
        try await EventServer.running(limits) { server in
            let watching = [try await server.watch(), try await server.watch()]
            let client = try RawClient(port: server.port)
            client.send("GET", "/api/events", "Connection: close")
            let text = try await client.rest()
            #expect(text.hasPrefix("HTTP/1.1 503 "))
            #expect(text.lowercased().contains("retry-after: 10"))
            #expect(text.contains("application/problem+json"))
            withExtendedLifetime(watching) {}
        }
    }

    @Test func `a stream ends with the session, and nobody gets one without`() async throws {
        try await EventServer.running(heartbeat: .milliseconds(200), signIn: true) { server in
            let stranger = try RawClient(port: server.port)
            stranger.send("GET", "/api/events", "Connection: close")
            #expect(try await stranger.rest().hasPrefix("HTTP/1.1 401 "))

            let now = Timestamp.now()
            let user = User(id: .make(at: now), email: "a@b.example", role: .viewer, createdAt: now, updatedAt: now)
            _ = try await server.store.createUser(user, passwordHash: "x", by: testOrigin)
            func signIn() async throws -> String {
                let place = SignInPlace(email: user.email, address: "192.0.2.1", session: nil)
                guard case .counted(let attempt) = try await server.store.beginSignIn(place, at: now) else {
                    throw TestSetupError(description: "not counted")
                }
                let token = try Crypto.randomToken()
                _ = try await server.store.createSession(
                    Accounts.hash(Secret(token)), of: user, verified: "x", attempt, from: place, userAgent: nil,
                    by: testOrigin, at: now)
                return token
            }
            let (kept, ended) = (try await signIn(), try await signIn())
            let one = try await server.watch("Cookie: \(Gatekeeper.cookieName)=\(kept)").client
            let other = try await server.watch("Cookie: \(Gatekeeper.cookieName)=\(ended)").client
            _ = try await one.text(until: ": heartbeat")
            _ = try await other.text(until: ": heartbeat")
            try await server.store.endSession(Accounts.hash(Secret(ended)), by: testOrigin, at: now)
            #expect(try await other.rest().hasSuffix("0\r\n\r\n"))
            server.events.publish(event(1))
            _ = try await one.text(until: #"{"n":1"#)
            _ = try await server.store.deleteUser(user.id, by: testOrigin, at: now)
            _ = try await one.rest()
            #expect(server.events.subscriberCount == 0)
        }
    }

    @Test func `the document says what kind of answer it is`() async throws {
        let table = RouteTable(try testEnvironment(TestDatabase(nil).store()))
        func field(_ value: JSONValue?, _ name: String) -> JSONValue? {
            guard case .object(let fields) = value else { return nil }
            return fields[name]
        }
        var place: JSONValue? = table.document
        for name in ["paths", "/api/events", "get", "responses", "200", "content"] { place = field(place, name) }
        #expect(place == ["text/event-stream": ["schema": ["type": "string"]]])
    }
}

extension String {
    /// How often a part is in it.
    fileprivate func components(_ part: String) -> Int { ranges(of: part).count }
}
