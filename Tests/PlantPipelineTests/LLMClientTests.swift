import Foundation
import Logging
import PlantDomain
import Sealing
import TestSupport
import Testing

@testable import PlantPipeline

@Suite struct LLMClientTests {
    static let key = "sk-t3st-k3y-0123456789-wxyz"
    let logs = LogCollector()

    /// - Parameter names: instead of the system's resolver.
    func client(names: [String: [String]]? = nil) -> LLMClient {
        guard let names else { return LLMClient(version: "1.2.3", logger: logs.logger) }
        return LLMClient(version: "1", logger: logs.logger) { name, _ in
            names[name].map { .addresses($0.compactMap { IPAddress($0) }) } ?? .failed("the name is not known")
        }
    }

    func endpoint(
        _ provider: LLMProvider, _ base: String, model: String = "a-model", key: String? = key
    ) throws -> LLMEndpoint {
        LLMEndpoint(
            provider: provider, address: try LLMAddress(base, allowed: .none), model: model, key: key.map { Secret($0) }
        )
    }

    let question = LLMQuestion(system: "Say \"hello\".\n", user: "Ünïcode/", schema: #"{"type":"object","z":1,"a":2}"#)

    func ask(
        _ provider: LLMProvider, _ server: LocalServer, path: String = "", _ question: LLMQuestion? = nil,
        key: String? = key, seconds: Double = 120
    ) async throws -> Result<LLMAnswer, LLMFailure> {
        let endpoint = try endpoint(provider, "http://127.0.0.1:\(server.port)\(path)", key: key)
        let question = question ?? self.question
        let result = await client().ask(
            question, LLMRequest(question, of: endpoint), of: endpoint, until: .now + .seconds(seconds))
        expectNoKey(result, endpoint)
        return result
    }

    /// The key is in nothing that is printed.
    func expectNoKey(_ things: Any..., key: String = key) {
        for thing in things {
            var dumped = ""
            dump(thing, to: &dumped)
            #expect(!"\(thing)".contains(key) && !String(reflecting: thing).contains(key) && !dumped.contains(key))
        }
        #expect(!logs.text.contains(key))
    }

    func failure(_ result: Result<LLMAnswer, LLMFailure>) throws -> LLMFailure {
        guard case .failure(let failure) = result else { throw TestSetupError(description: "\(result)") }
        return failure
    }

    func body(_ server: LocalServer) throws -> [String: Any] {
        let data = Data(try #require(server.requests.last).body.utf8)
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    // MARK: What is sent

    @Test(arguments: [("", "/v1/messages"), ("/v1/", "/v1/messages"), ("/x", "/x/v1/messages")])
    func `Anthropic is asked in its own words`(path: String, target: String) async throws {
        let server = try LocalServer(LLMReply.anthropicTool(#"{"b":1}"#))
        let answer = try await ask(.anthropic, server, path: path).get()
        #expect(answer == LLMAnswer(text: #"{"b":1}"#, usage: LLMCost(input: 111, output: 30)))
        let request = try #require(server.requests.first)
        #expect(request.head.hasPrefix("POST \(target) HTTP/1.1\r\n"))
        #expect(request.header("x-api-key") == Self.key)
        #expect(request.header("anthropic-version") == "2023-06-01")
        #expect(request.header("authorization") == nil)
        #expect(request.header("content-type") == "application/json")
        #expect(request.header("user-agent") == "PlantOps/1.2.3")
        let body = try body(server)
        #expect(Set(body.keys) == ["model", "max_tokens", "system", "messages", "tools", "tool_choice"])
        #expect(body["model"] as? String == "a-model")
        #expect(body["max_tokens"] as? Int == 2000)
        #expect(body["system"] as? String == question.system)
        #expect((body["messages"] as? [[String: String]])?.map(\.values.count) == [2])
        #expect(request.body.contains(#""content":"Ünïcode/""#))
        #expect((body["tool_choice"] as? [String: String]) == ["type": "tool", "name": "care_plan"])
        // In the order in which the schema has it.
        #expect(request.body.contains(#""input_schema":{"type":"object","z":1,"a":2}"#))
        #expect(logs.text.contains("111") && logs.text.contains("answered") && !logs.text.contains("Ünïcode"))
        try await server.waitUntilClosed()
    }

    @Test(arguments: [
        ("", "/v1/chat/completions"), ("/v1", "/v1/chat/completions"), ("/api/v3//", "/api/v3/chat/completions"),
    ])
    func `an OpenAI-compatible server is asked in OpenAI's`(path: String, target: String) async throws {
        let server = try LocalServer(LLMReply.openai("{}"))
        #expect(
            try await ask(.openai, server, path: path).get()
                == LLMAnswer(text: "{}", usage: .init(input: 120, output: 30)))
        let request = try #require(server.requests.first)
        #expect(request.head.hasPrefix("POST \(target) HTTP/1.1\r\n"))
        #expect(request.header("authorization") == "Bearer " + Self.key)
        #expect(request.header("x-api-key") == nil)
        let body = try body(server)
        #expect(Set(body.keys) == ["model", "messages", "max_tokens", "response_format"])
        #expect(body["max_tokens"] as? Int == 2000)
        let messages = try #require(body["messages"] as? [[String: String]])
        #expect(messages.map { $0["role"] } == ["system", "user"])
        #expect(messages.map { $0["content"] } == [question.system, question.user])
        #expect(request.body.contains(#""strict":true,"schema":{"type":"object","z":1,"a":2}"#))
    }

    @Test func `without a key none is sent`() async throws {
        let server = try LocalServer(LLMReply.openai("{}"))
        _ = try await ask(.openai, server, key: nil).get()
        #expect(server.requests.first?.header("authorization") == nil)
    }

    @Test func `a key may hold any printable character`() async throws {
        let key = ##"sk-!"#$%&'()*+,/:;<=>?@[\]^`{|} ~"##
        #expect(LLMSettings.isKey(key))
        let server = try LocalServer(LLMReply.openai("{}"))
        let endpoint = try endpoint(.openai, "http://127.0.0.1:\(server.port)", key: key)
        _ = try await client().ask(.test, LLMRequest(.test, of: endpoint), of: endpoint, until: .now + .seconds(120))
            .get()
        #expect(server.requests.first?.header("authorization") == "Bearer " + key)
        expectNoKey(endpoint, key: key)
    }

    @Test func `a server without formats is told the schema in words`() throws {
        var question = question
        question.usesFormat = false
        let request = LLMRequest(question, of: try endpoint(.openai, "http://127.0.0.1:1"))
        let text = String(decoding: request.body, as: UTF8.self)
        #expect(!text.contains("response_format"))
        #expect(text.contains(#"{\"type\":\"object\",\"z\":1,\"a\":2}"#))
    }

    @Test(arguments: [
        ("gpt-5-mini", 6000, 1000, true), ("gpt-4.1", 6000, 16, false), ("gpt-5-chat-latest", 6000, 16, false),
    ])
    func `OpenAI's own models may think a little`(model: String, most: Int, least: Int, thinks: Bool) throws {
        for (question, tokens) in [(question, most), (LLMQuestion.test, least)] {
            let request = LLMRequest(question, of: try endpoint(.openai, "https://api.openai.com/v1", model: model))
            let text = String(decoding: request.body, as: UTF8.self)
            #expect(text.contains("\"max_completion_tokens\":\(tokens)") && !text.contains("\"max_tokens\""))
            #expect(text.contains(#""reasoning_effort":"low""#) == thinks)
            #expect(request.mostTokens == tokens)
            #expect(request.estimatedInput > request.body.count / 4)
        }
    }

    // MARK: Good answers

    @Test func `Anthropic's text is an answer, too`() async throws {
        let server = try LocalServer(LLMReply.anthropicText("```json\n{}\n```"))
        #expect(try await ask(.anthropic, server).get().text == "```json\n{}\n```")
    }

    @Test(arguments: [
        #"{"choices":[{"message":{"content":"{}"}}]}"#, #"{"choices":[{"message":{"content":"{}"}}],"usage":null}"#,
        #"{"choices":[{"message":{"content":"{}"}}],"usage":{"prompt_tokens":"many","completion_tokens":-3}}"#,
        #"{"choices":[{"message":{"content":"{}"}}],"usage":{"prompt_tokens":1e300,"completion_tokens":3}}"#,
        #"{"choices":[{"message":{"content":[{"type":"text","text":"{"},{"text":"}"},7]}}],"usage":[]}"#,
    ])
    func `an answer counts without its cost`(json: String) async throws {
        let server = try LocalServer(LLMReply.json(json))
        #expect(try await ask(.openai, server).get() == LLMAnswer(text: "{}", usage: nil))
    }

    @Test func `a test wants no more than an answer`() async throws {
        let server = try LocalServer(LLMReply.openai("", finish: "length", usage: (5, 16)))
        #expect(try await ask(.openai, server, .test).get().usage == LLMCost(input: 5, output: 16))
        #expect(try body(server)["response_format"] == nil)
        #expect(try body(server)["max_tokens"] as? Int == 16)
        let other = try LocalServer(LLMReply.anthropicText("o", stop: "max_tokens"))
        #expect(try await ask(.anthropic, other, .test).get().text == "o")
    }
}
