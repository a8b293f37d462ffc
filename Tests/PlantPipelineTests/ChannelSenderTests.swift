import Foundation
import Logging
import PlantDomain
import Sealing
import Testing

@testable import PlantPipeline

@Suite struct ChannelSenderTests {
    static let token = "s3cr3t-t0k3n-abcdefgh"

    /// - Parameter names: instead of the system's resolver.
    func sender(
        allowing hosts: [String], timeoutSeconds: Double = 120, names: [String: [String]]? = nil
    ) throws -> ChannelSender {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let allowed = try AllowedHosts(hosts)
        guard let names else {
            return ChannelSender(
                allowed: allowed, publicOrigin: "https://plants.example.org", version: "1.2.3", logger: logger,
                timeoutSeconds: timeoutSeconds)
        }
        return ChannelSender(
            allowed: allowed, publicOrigin: nil, version: "1", logger: logger, timeoutSeconds: timeoutSeconds,
            resolve: { name, _ in
                names[name].map { .addresses($0.compactMap { IPAddress($0) }) } ?? .failed("the name is not known")
            })
    }

    let message = AlertMessage(id: .make(), kind: .test, createdAt: .now(), notices: [])

    func send(
        to server: LocalServer, kind: ChannelKind = .webhook, secret: Secret? = nil, timeoutSeconds: Double = 120
    ) async throws -> SendOutcome {
        let outcome = try await sender(allowing: ["127.0.0.1:\(server.port)"], timeoutSeconds: timeoutSeconds)
            .send(message, kind: kind, url: url(server), secret: secret)
        #expect(!"\(outcome)".contains(Self.token))
        return outcome
    }

    func url(_ server: LocalServer, host: String = "127.0.0.1") -> Secret {
        Secret("http://\(host):\(server.port)/hooks/\(Self.token)?a=%20b")
    }

    func answer(_ status: String, _ headers: String = "", _ body: String = "") -> LocalServer.Manner {
        .answer("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    func reason(_ outcome: SendOutcome) -> String {
        switch outcome {
        case .delivered: ""
        case .retry(_, _, _, let reason), .refused(_, let reason): reason
        }
    }

    // MARK: What arrives

    @Test func `a webhook gets the message as it was signed`() async throws {
        let server = try LocalServer(.answer("HTTP/1.1 204 No Content\r\n\r\n"))
        let outcome = try await send(to: server, secret: Secret("whisper-whisper"))
        #expect(outcome == .delivered(status: 204, pauseSeconds: nil))
        let request = try #require(server.requests.first)
        #expect(request.head.hasPrefix("POST /hooks/\(Self.token)?a=%20b HTTP/1.1\r\n"))
        #expect(request.header("Host") == "127.0.0.1:\(server.port)")
        #expect(request.header("Content-Type") == "application/json")
        #expect(request.header("User-Agent") == "PlantOps/1.2.3")
        #expect(request.header("X-PlantOps-Delivery") == message.id.description)
        let timestamp = try #require(request.header("X-PlantOps-Timestamp"))
        let digest = Crypto.hmacSHA256(key: Array("whisper-whisper".utf8), Array("\(timestamp).\(request.body)".utf8))
        #expect(request.header("X-PlantOps-Signature") == "v1=" + Crypto.hex(digest))
        let body = try WebhookMessage.body(message, publicOrigin: "https://plants.example.org")
        #expect(request.body == String(decoding: body, as: UTF8.self))
        try await server.waitUntilClosed()
    }

    @Test func `Discord gets an embed and no headers of ours`() async throws {
        let server = try LocalServer(.answer("HTTP/1.1 204 No Content\r\n\r\n"))
        #expect(try await send(to: server, kind: .discord) == .delivered(status: 204, pauseSeconds: nil))
        let request = try #require(server.requests.first)
        #expect(request.body.contains("\"embeds\""))
        #expect(!request.head.contains("X-PlantOps"))
    }

    @Test func `every connection is closed`() async throws {
        let server = try LocalServer(answer("200 OK"))
        for _ in 0..<10 { _ = try await send(to: server) }
        try await server.waitUntilClosed(10)
        #expect(server.requests.count == 10)
    }

    // MARK: What it answers

    @Test func `a webhook may answer any 2xx, Discord 200 and 204`() async throws {
        let server = try LocalServer(answer("202 Accepted"))
        #expect(try await send(to: server) == .delivered(status: 202, pauseSeconds: nil))
        guard case .refused(202, _) = try await send(to: server, kind: .discord) else {
            Issue.record("Discord does not answer 202")
            return
        }
    }

    @Test func `the last one of a limit says how long to pause`() async throws {
        let headers = "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset-After: 1.5\r\n"
        let server = try LocalServer(answer("200 OK", headers))
        #expect(try await send(to: server, kind: .discord) == .delivered(status: 200, pauseSeconds: 1.5))
        let other = try LocalServer(answer("200 OK", headers.replacing("Remaining: 0", with: "Remaining: 1")))
        #expect(try await send(to: other, kind: .discord) == .delivered(status: 200, pauseSeconds: nil))
    }

    @Test(
        arguments: [
            ("Retry-After: 7\r\n", "", 7, false),
            ("", #"{"message":"x","retry_after":0.65,"global":false}"#, 0.65, false),
            ("Retry-After: 1\r\n", #"{"retry_after":0.65,"global":true}"#, 1, true),
            ("Retry-After: 2\r\nX-RateLimit-Scope: global\r\n", "", 2, true),
            ("Retry-After: 2\r\nX-RateLimit-Scope: shared\r\n", "<html>", 2, false),
            ("Retry-After: 31536000\r\n", "", 3600, false),
            ("", #"{"retry_after":1e300}"#, 3600, false),
            ("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "", 0, false),
            ("Retry-After: Fri, 31 Dec 2999 23:59:59 GMT\r\n", "", 3600, false),
            ("Retry-After: -5\r\n", "", nil, false), ("Retry-After: nan\r\n", "", nil, false),
            ("Retry-After: soon\r\n", #"{"retry_after":"later"}"#, nil, false), ("", "", nil, false),
        ] as [(String, String, Double?, Bool)])
    func `429 says how long to wait`(headers: String, body: String, seconds: Double?, isGlobal: Bool) async throws {
        let server = try LocalServer(answer("429 Too Many Requests", headers, body))
        let outcome = try await send(to: server, kind: .discord)
        guard case .retry(seconds, isGlobal, 429, _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test(arguments: ["408 Request Timeout", "425 Too Early", "500 Internal Server Error", "503 Unavailable", "599 X"])
    func `trouble of the server is tried again`(status: String) async throws {
        let server = try LocalServer(answer(status, "Retry-After: 3\r\n", "\(Self.token) echoed"))
        let outcome = try await send(to: server)
        guard case .retry(3, false, Int(status.prefix(3)), _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test(arguments: [400, 401, 403, 404, 405, 410, 413, 422, 451], ChannelKind.allCases)
    func `what will never be taken is refused`(status: Int, kind: ChannelKind) async throws {
        let server = try LocalServer(answer("\(status) No", "", "\(Self.token) echoed"))
        let outcome = try await send(to: server, kind: kind)
        guard case .refused(status, let reason) = outcome, reason.contains("\(status)") else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func `a webhook that is gone is said to be gone`() async throws {
        let server = try LocalServer(answer("404 Not Found", "", #"{"message":"Unknown Webhook","code":10015}"#))
        let outcome = try await send(to: server, kind: .discord)
        #expect(
            outcome
                == .refused(
                    status: 404,
                    reason: "the webhook is gone: the server answered 404; make a new one in Discord and set its "
                        + "address here"))
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `a redirect is not followed`(status: Int) async throws {
        let target = try LocalServer(answer("200 OK"))
        let server = try LocalServer(
            answer("\(status) Moved", "Location: http://127.0.0.1:\(target.port)/x\r\n"))
        // The target would be allowed if it were a channel's address.
        let outcome = try await sender(allowing: ["127.0.0.1"])
            .send(message, kind: .webhook, url: url(server), secret: nil)
        guard case .refused(status, let reason) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(!reason.contains("\(target.port)"))
        try await server.waitUntilClosed()
        #expect(target.requests.isEmpty)
    }
}
