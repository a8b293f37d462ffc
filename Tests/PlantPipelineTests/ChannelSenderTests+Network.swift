import Foundation
import PlantDomain
import Sealing
import Testing

@testable import PlantPipeline

extension ChannelSenderTests {
    // MARK: Bad servers

    @Test(
        arguments: [
            .reset, .answer("\u{0}\u{1}garbage\r\n\r\n"),
            .answer("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), .answer("SSH-2.0-OpenSSH_9.2\r\n"),
            .answer("HTTP/1.1 200 OK\r\nX: " + String(repeating: "y", count: 1 << 20)),
        ] as [LocalServer.Manner])
    func `an answer that is not HTTP is tried again`(manner: LocalServer.Manner) async throws {
        let server = try LocalServer(manner)
        let outcome = try await send(to: server)
        guard case .retry(nil, false, nil, let reason) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(!reason.isEmpty)
        #expect(server.requests.count == 1, "it may have arrived, so it is not sent twice")
    }

    @Test(arguments: [.silence, .trickle("HTTP/1.1 200 OK\r\nX-")] as [LocalServer.Manner])
    func `no answer within the time is tried again`(manner: LocalServer.Manner) async throws {
        let server = try LocalServer(manner)
        let outcome = try await send(to: server, timeoutSeconds: 3)
        guard case .retry(nil, false, nil, let reason) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(!reason.isEmpty)
        // A machine with much else to do may not even have got to it in that time.
        #expect(server.requests.count <= 1, "it may have arrived, so it is not sent twice")
    }

    @Test func `the status counts, however long, slow or broken the body is`() async throws {
        let huge = String(repeating: "x", count: 1 << 20)
        for manner: LocalServer.Manner in [
            answer("200 OK", "", huge), .trickle("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"),
            .trickle("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n"),
            .answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense"),
        ] {
            let server = try LocalServer(manner)
            #expect(try await send(to: server) == .delivered(status: 200, pauseSeconds: nil))
            try await server.waitUntilClosed()
        }
    }

    @Test func `a server that is not there is tried again`() async throws {
        let port = try LocalServer(.silence).port
        let outcome = try await sender(allowing: ["127.0.0.1"])
            .send(message, kind: .webhook, url: Secret("http://127.0.0.1:\(port)/\(Self.token)"), secret: nil)
        #expect(
            outcome
                == .retry(
                    afterSeconds: nil, isGlobal: false, status: nil, reason: "nothing listens at 127.0.0.1:\(port)"))
    }

    @Test func `a server that does not speak TLS is tried again`() async throws {
        let server = try LocalServer(answer("200 OK"))
        let outcome = try await sender(allowing: ["127.0.0.1"], timeoutSeconds: 1).send(
            message, kind: .webhook, url: Secret("https://127.0.0.1:\(server.port)/\(Self.token)"), secret: nil)
        guard case .retry(nil, false, nil, let reason) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(!reason.contains(Self.token))
        #expect(server.requests.isEmpty)
    }

    @Test func `a task that is cancelled is told to try again`() async throws {
        let server = try LocalServer(.silence)
        let sender = try sender(allowing: ["127.0.0.1"], timeoutSeconds: 600)
        let (message, url) = (message, url(server))
        let task = Task { await sender.send(message, kind: .webhook, url: url, secret: nil) }
        while server.requests.isEmpty { await Task.yield() }
        task.cancel()
        #expect(
            await task.value
                == .retry(afterSeconds: nil, isGlobal: false, status: nil, reason: "sending was stopped"))
        try await server.waitUntilClosed()
    }

    // MARK: Where it goes

    @Test func `the connection goes to the address that was judged and not to what the name says by now`() async throws
    {
        let server = try LocalServer(answer("200 OK"))
        let sender = try sender(allowing: ["hook.invalid"], names: ["hook.invalid": ["127.0.0.1"]])
        let outcome = await sender.send(
            message, kind: .webhook, url: url(server, host: "Hook.INVALID"), secret: nil)
        #expect(outcome == .delivered(status: 200, pauseSeconds: nil))
        #expect(server.requests.first?.header("Host") == "hook.invalid:\(server.port)")
    }

    @Test func `another address of the name is tried when nobody listens at the first`() async throws {
        let server = try LocalServer(answer("200 OK"))
        let sender = try sender(allowing: ["hook.invalid"], names: ["hook.invalid": ["127.0.0.2", "127.0.0.1"]])
        let outcome = await sender.send(message, kind: .webhook, url: url(server, host: "hook.invalid"), secret: nil)
        #expect(outcome == .delivered(status: 200, pauseSeconds: nil))
        #expect(server.requests.count == 1)
    }

    @Test(.enabled(if: FileManager.default.contents(atPath: "/proc/net/if_inet6")?.isEmpty == false))
    func `an IPv6 address is reached by name and in brackets`() async throws {
        let server = try LocalServer(answer("200 OK"), version6: true)
        let sender = try sender(allowing: ["hook.invalid", "[::1]"], names: ["hook.invalid": ["::1"]])
        for host in ["hook.invalid", "[::1]", "[0:0::1]"] {
            let outcome = await sender.send(message, kind: .webhook, url: url(server, host: host), secret: nil)
            #expect(outcome == .delivered(status: 200, pauseSeconds: nil))
        }
        #expect(server.requests.map { $0.header("Host") }.last == "[::1]:\(server.port)")
    }

    @Test func `a private address is refused, and so is a name that leads to one`() async throws {
        let server = try LocalServer(answer("200 OK"))
        let elsewhere = try sender(allowing: ["receiver.lan", "127.0.0.1:1"])
        for host in ["http://127.0.0.1", "https://127.0.0.1", "https://[::ffff:127.0.0.1]", "https://localhost"] {
            let url = Secret("\(host):\(server.port)/\(Self.token)")
            let outcome = await elsewhere.send(message, kind: .webhook, url: url, secret: nil)
            guard case .refused(nil, let reason) = outcome else {
                Issue.record("\(host): \(outcome)")
                continue
            }
            #expect(reason.contains("CHANNEL_ALLOWED_HOSTS"))
            #expect(!reason.contains(Self.token))
            #expect(await elsewhere.check(url) != nil)
        }
        #expect(server.requests.isEmpty)
    }

    @Test func `localhost is reached when it is allowed`() async throws {
        let server = try LocalServer(answer("200 OK"))
        let sender = try sender(allowing: ["LOCALHOST:\(server.port)"])
        let outcome = await sender.send(message, kind: .webhook, url: url(server, host: "localhost"), secret: nil)
        #expect(outcome == .delivered(status: 200, pauseSeconds: nil))
        #expect(await sender.check(url(server, host: "localhost")) == nil)
    }

    @Test func `of several addresses only the public ones are connected to`() async throws {
        let names = [
            "mixed.example": ["10.0.0.1", "93.184.215.14", "fe80::1"], "inner.example": ["10.0.0.1", "::1"],
            "empty.example": [],
        ]
        let sender = try sender(allowing: [], names: names)
        let mixed = try ChannelAddress("https://mixed.example/x", allowed: .none)
        let address = try #require(IPAddress("93.184.215.14"))
        #expect(await sender.peers(of: mixed, until: .now + .seconds(60)) == .peers([address]))
        #expect(await sender.check(Secret("https://mixed.example/x")) == nil)
        let complaint = await sender.check(Secret("https://inner.example/\(Self.token)"))
        #expect(complaint?.contains("10.0.0.1, a private address") == true)
        #expect(complaint?.contains(Self.token) == false)
        #expect(await sender.check(Secret("https://empty.example/x")) == nil)
        let outcome = await sender.send(
            message, kind: .webhook, url: Secret("https://nowhere.example/x"), secret: nil)
        guard case .retry(nil, false, nil, "the name is not known") = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func `an address that is none is refused with words`() async throws {
        let sender = try sender(allowing: [])
        let outcome = await sender.send(message, kind: .discord, url: Secret("ftp://\(Self.token)"), secret: nil)
        #expect(
            outcome
                == .refused(
                    status: nil, reason: "the channel's address must be a whole address that begins with https://"))
    }
}
