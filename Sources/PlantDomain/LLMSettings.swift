/// Whose API a language model is asked by. Many servers speak OpenAI's: Ollama, llama.cpp, vLLM.
package enum LLMProvider: String, Sendable, CaseIterable, Codable {
    case anthropic, openai

    /// What is asked when nobody names a model.
    package var defaultModel: String {
        switch self {
        case .anthropic: "claude-sonnet-4-6"
        case .openai: "gpt-5-mini"
        }
    }

    /// For people.
    package var name: String {
        switch self {
        case .anthropic: "Anthropic"
        case .openai: "OpenAI"
        }
    }
}

/// Which language model writes care plans. Its key is sealed and not part of it.
package struct LLMSettings: Sendable, Equatable {
    package var provider: LLMProvider
    /// nil: the provider's ``LLMProvider/defaultModel``.
    package var model: String?
    /// The base of the API, as ``LLMAddress/text``; nil: as the operator has it.
    package var baseURL: String?
    /// `…wxyz`; nil when no key is set.
    package var keyHint: String?
    /// Whom the key was given for, as ``LLMServers/place(of:)`` says it; it goes nowhere else.
    package var keyPlace: String?
    /// Input and output together, in a calendar month of the instance's zone; nil: no limit.
    package var monthlyTokenBudget: Int?
    /// Whether it is also asked without anybody wanting a plan just then.
    package var automatic: Bool
    /// nil once an asking has succeeded.
    package var lastError: LastError?
    /// No automatic asking before this: the server has had enough, or is not well.
    package var notBefore: Timestamp?
    package var updatedAt: Timestamp

    /// Why the last asking failed.
    package struct LastError: Sendable, Equatable {
        package let at: Timestamp
        /// For people; nothing of the server's answer but its status.
        package let text: String

        package init(at: Timestamp, text: String) {
            self.at = at
            self.text = text
        }
    }

    /// In characters.
    package static let modelLength = 1...200
    package static let keyLength = 1...500
    package static let budgetRange = 1_000...1_000_000_000
    package static let usualBudget = 500_000

    package init(
        provider: LLMProvider, model: String? = nil, baseURL: String? = nil, keyHint: String? = nil,
        monthlyTokenBudget: Int? = usualBudget, automatic: Bool = true, lastError: LastError? = nil,
        notBefore: Timestamp? = nil, updatedAt: Timestamp
    ) {
        self.provider = provider
        self.model = model
        self.baseURL = baseURL
        self.keyHint = keyHint
        self.monthlyTokenBudget = monthlyTokenBudget
        self.automatic = automatic
        self.lastError = lastError
        self.notBefore = notBefore
        self.updatedAt = updatedAt
    }

    /// The model that is asked.
    package var chosenModel: String { model ?? provider.defaultModel }

    /// A key as it is shown: its last four characters, if that leaves enough unsaid.
    package static func hint(ofKey key: String) -> String { Channel.hint(ofSecret: key) }

    /// Whether a key can stand in a header as it is: printable ASCII without spaces at its ends.
    package static func isKey(_ text: String) -> Bool {
        keyLength ~= text.utf8.count && text.utf8.allSatisfy { 0x20...0x7E ~= $0 } && text.first != " "
            && text.last != " "
    }
}
