import Foundation
import PlantDomain
import Sealing
import TestSupport
import Testing

@testable import PlantPipeline

extension LLMClientTests {
    // MARK: Statuses

    @Test(
        arguments: [
            ("401 Unauthorized", .key, "127.0.0.1:* refused the key (401); set it again under settings"),
            ("403 Forbidden", .key, "127.0.0.1:* refused the key (403); set it again under settings"),
            (
                "404 Not Found", .model,
                "127.0.0.1:* does not know the model a-model (404); check model and base address under settings"
            ),
            (
                "400 Bad Request", .refused,
                "127.0.0.1:* did not take the question (400); check model and base address under settings, and the account's credit"
            ),
            ("422 Unprocessable", .refused, nil), ("402 Payment Required", .other, nil), ("413 Too Large", .other, nil),
            ("500 Internal Server Error", .trouble, "127.0.0.1:* is in trouble (500); it is asked again later"),
            ("529 Overloaded", .trouble, nil), ("408 Request Timeout", .trouble, nil),
            ("429 Too Many Requests", .wait, "127.0.0.1:* asks to wait (429)"),
        ] as [(String, LLMFailure.Kind, String?)])
    func `what a status means is said, and nothing of the answer`(
        status: String, kind: LLMFailure.Kind, problem: String?
    ) async throws {
        for provider in LLMProvider.allCases {
            let echo = #"{"error":{"message":"wrong key \#(Self.key)"}}"#
            let server = try LocalServer(LLMReply.status(status, "X-Echo: \(Self.key)\r\n", echo))
            let failure = try failure(try await ask(provider, server))
            #expect(failure.kind == kind)
            #expect(failure.reach == .turnedDown)
            #expect(failure.problem.contains(status.prefix(3)))
            if let problem { #expect(failure.problem == problem.replacing("*", with: "\(server.port)")) }
            #expect(!logs.text.contains("wrong key"))
        }
    }

    @Test func `a server that wants a key is told apart from one that refuses it`() async throws {
        let server = try LocalServer(LLMReply.status("401 Unauthorized"))
        let failure = try failure(try await ask(.openai, server, key: nil))
        #expect(failure.problem == "127.0.0.1:\(server.port) wants a key (401); set it under settings")
    }

    @Test func `429 says how long to wait, in seconds or as a date`() async throws {
        let server = try LocalServer(LLMReply.status("429 Too Many", "Retry-After: 30\r\n"))
        let told = try failure(try await ask(.anthropic, server))
        #expect(told.retryAfterSeconds == 30)
        #expect(told.problem == "127.0.0.1:\(server.port) asks to wait 30 s (429)")
        let past = try LocalServer(LLMReply.status("429 Too Many", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"))
        #expect(try failure(try await ask(.openai, past)).retryAfterSeconds == 0)
        let future = try LocalServer(LLMReply.status("429 Too Many", "Retry-After: Fri, 31 Dec 2999 23:59:59 GMT\r\n"))
        #expect(try failure(try await ask(.openai, future)).retryAfterSeconds == 3600)
        let broke = try LocalServer(
            LLMReply.status("429 Too Many", "", #"{"error":{"code":"insufficient_quota","message":"x"}}"#))
        #expect(try failure(try await ask(.openai, broke)).problem.contains("no credit left (429)"))
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func `a redirect is not followed: the key stays`(status: Int) async throws {
        let target = try LocalServer(LLMReply.openai("{}"))
        let server = try LocalServer(
            LLMReply.status("\(status) Moved", "Location: http://127.0.0.1:\(target.port)/v1/chat/completions\r\n"))
        let failure = try failure(try await ask(.openai, server))
        #expect(failure.kind == .address)
        #expect(!failure.problem.contains("\(target.port)"))
        try await server.waitUntilClosed()
        #expect(target.requests.isEmpty)
    }

    // MARK: Answers that are none

    @Test(arguments: [
        "", "not JSON", "<html>", "[]", "null", "7", "{}", #"{"choices":[]}"#, #"{"choices":{}}"#,
        #"{"choices":[{"message":"x"}]}"#, #"{"choices":[{"message":{"content":null}}]}"#,
        #"{"choices":[{"message":{"content":7}}]}"#, #"{"content":[]}"#, #"{"content":"x"}"#,
        #"{"content":[{"type":"text"}]}"#, #"{"content":[7,{"type":"tool_use","input":"x"}]}"#,
        #"{"choices":[{"message":{"content":"{}"}}"#, #"{"error":{"message":"x"}}"#,
    ])
    func `wrong types are a wrong answer`(json: String) async throws {
        for provider in LLMProvider.allCases {
            let server = try LocalServer(LLMReply.json(json))
            #expect(try failure(try await ask(provider, server)).kind == .wrongAnswer)
        }
    }

    @Test func `nesting without end is a wrong answer`() async throws {
        let server = try LocalServer(LLMReply.json(String(repeating: "[", count: 100_000)))
        #expect(try failure(try await ask(.openai, server)).kind == .wrongAnswer)
    }

    @Test func `an answer that was cut at its length is a wrong answer, and its cost is known`() async throws {
        let server = try LocalServer(LLMReply.openai("{", finish: "length"))
        let failure = try failure(try await ask(.openai, server))
        #expect(failure.kind == .wrongAnswer)
        #expect(failure.usage == LLMCost(input: 120, output: 30))
        let other = try LocalServer(LLMReply.anthropicTool("{}", stop: "max_tokens"))
        let found = try self.failure(try await ask(.anthropic, other))
        #expect(found.kind == .wrongAnswer)
        #expect(found.usage?.output == 30)
    }

    @Test func `a model may decline`() async throws {
        for (provider, manner) in [
            (.anthropic, LLMReply.anthropicText("No.", stop: "refusal")),
            (.openai, LLMReply.openai("", refusal: "\"I cannot.\"")),
            (.openai, LLMReply.openai("", finish: "content_filter")),
        ] as [(LLMProvider, LocalServer.Manner)] {
            let server = try LocalServer(manner)
            #expect(try failure(try await ask(provider, server)).kind == .declined)
        }
    }

    @Test func `half an answer is a wrong answer`() async throws {
        let server = try LocalServer(.cutOff("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"choices\":[{\"mess"))
        #expect(try failure(try await ask(.openai, server)).kind == .wrongAnswer)
    }

    @Test func `ten megabytes are not read`() async throws {
        let size = 10_000_000
        for head in ["Content-Length: \(size)", "Connection: close"] {
            let server = try LocalServer(.flood("HTTP/1.1 200 OK\r\n\(head)\r\n\r\n", size))
            let failure = try failure(try await ask(.openai, server))
            #expect(failure.kind == .wrongAnswer)
            #expect(failure.problem.contains("256 KiB"))
            try await server.waitUntilClosed()
            // Beyond what is read, only what the kernel and the client had room for.
            #expect(server.floodedBytes < size * 8 / 10)
        }
    }

    // MARK: Time

    @Test func `a server that says nothing is left when the time is up`() async throws {
        let server = try LocalServer(.silence)
        let failure = try failure(try await ask(.openai, server, seconds: 5))
        #expect(failure.kind == .late)
        #expect(failure.problem == "127.0.0.1:\(server.port) answered nothing in 30 s")
        try await server.waitUntilClosed()
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{", "HTTP/1.1 200 OK\r\n\r\n"])
    func `an answer that does not end is left when the time is up`(head: String) async throws {
        let server = try LocalServer(.trickle(head))
        #expect(try failure(try await ask(.anthropic, server, seconds: 5)).kind == .late)
        try await server.waitUntilClosed()
    }

    @Test func `of an answer that did not end in time, that is said`() throws {
        let reader = LLMAnswerReader(endpoint: try endpoint(.openai, "https://api.openai.com/v1"), isTest: false)
        let answer = ServerAnswer(status: 200, headers: [:], body: [], ending: .late)
        let failure = try failure(reader.read(answer, at: .now(), seconds: 30))
        #expect(failure.kind == .late)
        #expect(failure.problem == "OpenAI did not finish its answer in 30 s")
    }

    @Test func `who is cancelled leaves at once`() async throws {
        let server = try LocalServer(.silence)
        let asking = Task { try await ask(.openai, server) }
        try await server.waitForRequests(1)
        asking.cancel()
        let failure = try failure(try await asking.value)
        #expect(failure.kind == .stopped)
        #expect(failure.reach == .sent)
        try await server.waitUntilClosed()
    }

    @Test func `what came before whoever asked has gone counts`() throws {
        let endpoint = try endpoint(.openai, "http://127.0.0.1/v1")
        let request = LLMRequest(question, of: endpoint)
        let told = LLMAnswer(text: "seven", usage: LLMCost(input: 7, output: 9))
        #expect(request.cost(of: .failure(.stopped(after: .success(told)))) == told.usage)
        let untold = LLMAnswer(text: "seven", usage: nil)
        let estimate = LLMCost(input: request.body.count / 3 + 1, output: 2)
        #expect(request.cost(of: .success(untold)) == estimate)
        #expect(request.cost(of: .failure(.stopped(after: .success(untold)))) == estimate)
        // More than was allowed it cannot be.
        let long = LLMAnswer(text: String(repeating: "x", count: 100_000), usage: nil)
        #expect(request.cost(of: .success(long))?.output == 2000)
        let nobody = LLMFailure(kind: .notConnected, problem: "nobody")
        #expect(request.cost(of: .failure(.stopped(after: .failure(nobody)))) == nil)
        let refused = LLMFailure(kind: .key, problem: "no")
        #expect(request.cost(of: .failure(.stopped(after: .failure(refused)))) == LLMCost(input: 0, output: 0))
    }

    @Test func `who is cancelled before there is a connection has cost nothing`() async throws {
        let (asked, ask) = AsyncStream<Void>.makeStream()
        let client = LLMClient(version: "1", logger: logs.logger) { _, _ in
            ask.yield()
            try? await Task.sleep(for: .seconds(60))
            return .addresses([])
        }
        let endpoint = try endpoint(.openai, "https://models.example/v1")
        let asking = Task {
            await client.ask(.test, LLMRequest(.test, of: endpoint), of: endpoint, until: .now + .seconds(60))
        }
        for await _ in asked { break }
        asking.cancel()
        let failure = try failure(await asking.value)
        #expect(failure.kind == .stopped)
        #expect(failure.reach == .unsent)
    }

    @Test func `of an answer that was cut at its length, the text counts`() async throws {
        let server = try LocalServer(LLMReply.openai("12345678", finish: "length", usage: nil))
        let failure = try failure(try await ask(.openai, server))
        #expect(failure.usage == nil)
        #expect(failure.textBytes == 8)
    }

    // MARK: Where it leads

    @Test func `nobody there, and a connection that breaks`() async throws {
        let closed = try LocalServer(.reset)
        let broken = try failure(try await ask(.openai, closed))
        #expect(broken.kind == .broken)
        #expect(broken.reach == .sent)
        let endpoint = try endpoint(.openai, "http://127.0.0.1:1/v1")
        let result = await client().ask(
            .test, LLMRequest(.test, of: endpoint), of: endpoint, until: .now + .seconds(60))
        let nobody = try failure(result)
        #expect(nobody.kind == .notConnected)
        #expect(nobody.problem == "nothing listens at 127.0.0.1:1")
        #expect(nobody.reach == .unsent)
    }

    @Test(arguments: [
        ("http://models.example/v1", ["93.184.215.14"], "must begin with https://"),
        ("https://models.example", ["169.254.169.254", "fe80::1"], "(link-local)"),
        ("http://models.example", ["169.254.169.254"], "(link-local)"),
        ("https://models.example", ["::ffff:169.254.169.254"], "(link-local)"),
        ("https://models.example", ["fd00:ec2::254"], "(a cloud's own service)"),
        ("https://models.example", ["0.0.0.0"], "(unspecified)"),
        ("https://models.example", ["224.0.0.1"], "(multicast)"),
    ])
    func `a name is judged by where it leads`(base: String, addresses: [String], words: String) async throws {
        let endpoint = try endpoint(.openai, base)
        let client = client(names: ["models.example": addresses])
        let result = await client.ask(.test, LLMRequest(.test, of: endpoint), of: endpoint, until: .now + .seconds(60))
        let failure = try failure(result)
        #expect(failure.kind == .address)
        #expect(failure.reach == .unsent)
        #expect(failure.problem.contains(words), "\(failure.problem)")
        #expect(await client.check(endpoint.address)?.contains(words) == true)
    }

    @Test func `a name of this network is reached over plain HTTP, and goes to the judged address`() async throws {
        let server = try LocalServer(LLMReply.openai("{}"))
        let client = client(names: ["ollama.invalid": ["169.254.1.1", "127.0.0.1"]])
        let endpoint = try endpoint(.openai, "http://ollama.invalid:\(server.port)")
        #expect(await client.check(endpoint.address) == nil)
        _ = try await client.ask(.test, LLMRequest(.test, of: endpoint), of: endpoint, until: .now + .seconds(60)).get()
        #expect(server.requests.first?.header("Host") == "ollama.invalid:\(server.port)")
    }
}
