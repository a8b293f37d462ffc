import Foundation
package import PlantDomain
package import Sealing

/// The model that is asked, where, and with which key.
package struct LLMEndpoint: Sendable {
    package let provider: LLMProvider
    package let address: LLMAddress
    package let model: String
    /// nil: the server wants none.
    package let key: Secret?

    package init(provider: LLMProvider, address: LLMAddress, model: String, key: Secret?) {
        self.provider = provider
        self.address = address
        self.model = model
        self.key = key
    }

    /// For people: whose server it is.
    var server: String { address.official?.name ?? address.web.hostAndPort }

    /// For people: the model in one line, and not too long.
    var shownModel: String { String(model.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(80)) }
}

/// What is asked of a model.
struct LLMQuestion: Sendable {
    var system: String
    let user: String
    /// JSON Schema of the answer, as text; nil: a word or two will do.
    let schema: String?
    /// Whether an OpenAI-compatible server is told the schema as a format; else it is told in words.
    var usesFormat = true

    /// Whether there is anybody, and whether they take the key.
    static let test = LLMQuestion(system: "This is a test of the connection.", user: "Answer: ok", schema: nil)
}

/// A question in the words of a provider's API, without the key.
struct LLMRequest: Sendable {
    let body: [UInt8]
    /// The most tokens that the answer may have, those of thinking among them.
    let mostTokens: Int

    /// What the question costs, in tokens: rather more than it will be.
    var estimatedInput: Int { body.count / 3 + 1 }

    /// What is counted: as the server says, else the question and the text that came.
    /// - Returns: nil when nothing was sent.
    func cost(of result: Result<LLMAnswer, LLMFailure>) -> LLMCost? {
        switch result {
        case .success(let answer): return answer.usage ?? estimate(answer.text.utf8.count)
        case .failure(let failure):
            switch failure.reach {
            case .unsent: return nil
            case .turnedDown: return LLMCost(input: 0, output: 0)
            case .sent: return failure.usage ?? estimate(failure.textBytes)
            }
        }
    }

    /// More than it was allowed it cannot have written.
    private func estimate(_ textBytes: Int) -> LLMCost {
        LLMCost(input: estimatedInput, output: min((textBytes + 2) / 3, mostTokens))
    }

    init(_ question: LLMQuestion, of endpoint: LLMEndpoint) {
        switch endpoint.provider {
        case .anthropic:
            mostTokens = question.schema == nil ? 16 : 2000
            body = Self.anthropic(question, model: endpoint.model, mostTokens)
        case .openai:
            let isOfficial = endpoint.address.official == .openai
            let thinks = isOfficial && endpoint.model.hasPrefix("gpt-5") && !endpoint.model.contains("chat")
            mostTokens = question.schema == nil ? (thinks ? 1000 : 16) : isOfficial ? 6000 : 2000
            body = Self.openai(question, model: endpoint.model, mostTokens, isOfficial: isOfficial, thinks: thinks)
        }
    }

    /// With the key: this is the only place that reveals it.
    static func headers(of endpoint: LLMEndpoint, userAgent: String) -> [(name: String, value: String)] {
        var headers = [(name: "Content-Type", value: "application/json"), (name: "User-Agent", value: userAgent)]
        switch endpoint.provider {
        case .anthropic:
            headers.append((name: "anthropic-version", value: "2023-06-01"))
            if let key = endpoint.key { headers.append((name: "x-api-key", value: key.reveal())) }
        case .openai:
            if let key = endpoint.key { headers.append((name: "Authorization", value: "Bearer " + key.reveal())) }
        }
        return headers
    }

    // The schema is put into the bodies as the text it is: models fill its properties in the order in which they stand.

    private static func anthropic(_ question: LLMQuestion, model: String, _ mostTokens: Int) -> [UInt8] {
        var body = #"{"model":\#(quoted(model)),"max_tokens":\#(mostTokens),"system":\#(quoted(question.system)),"#
        body += #""messages":[{"role":"user","content":\#(quoted(question.user))}]"#
        if let schema = question.schema {
            body += #","tools":[{"name":"care_plan","description":"Takes the care plan.","input_schema":\#(schema)}],"#
            body += #""tool_choice":{"type":"tool","name":"care_plan"}"#
        }
        return Array((body + "}").utf8)
    }

    private static func openai(
        _ question: LLMQuestion, model: String, _ mostTokens: Int, isOfficial: Bool, thinks: Bool
    ) -> [UInt8] {
        var system = question.system
        if let schema = question.schema, !question.usesFormat {
            system += "\n\nAnswer with one JSON object of this JSON Schema and nothing else:\n" + schema
        }
        var body = #"{"model":\#(quoted(model)),"messages":[{"role":"system","content":\#(quoted(system))},"#
        body += #"{"role":"user","content":\#(quoted(question.user))}],"#
        body += #""\#(isOfficial ? "max_completion_tokens" : "max_tokens")":\#(mostTokens)"#
        if thinks { body += #","reasoning_effort":"low""# }
        if let schema = question.schema, question.usesFormat {
            body += #","response_format":{"type":"json_schema","json_schema":"#
            body += #"{"name":"care_plan","strict":true,"schema":\#(schema)}}"#
        }
        return Array((body + "}").utf8)
    }

    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        // A text can always be written.
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
