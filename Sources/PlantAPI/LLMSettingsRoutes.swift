import HTTPTypes
import Hummingbird
import PlantDomain
import PlantStore
import Sealing

/// Which language model writes care plans. Its key goes in and never comes out.
struct LLMSettingsRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        let answer = Route.Answer.ok("The settings; `provider` is null while none are set", Schema.ref("LLMSettings"))
        return [
            Route(
                method: .get, path: "/settings/llm", tag: "settings", access: .member,
                summary: "Which language model writes care plans, and what it has cost this month", answer: answer,
                handler: get),
            Route(
                method: .put, path: "/settings/llm", tag: "settings", access: .member,
                summary:
                    "Change that: absent fields stay, null clears. A key goes to no other server than the one it was "
                    + "given for: who changes provider or host gives it again, or null",
                body: Self.changeSchema, answer: answer, handler: change),
            Route(
                method: .delete, path: "/settings/llm", tag: "settings", access: .member,
                summary: "Forget the language model and its key; care plans stay", answer: .noContent, handler: delete),
            Route(
                method: .post, path: "/settings/llm/test", tag: "settings", access: .member,
                summary: "Ask the language model something short now; 502 says why it did not answer",
                answer: .ok("It answered", Self.testSchema), problems: [409, 502],
                watchesClient: true, handler: test),
        ]
    }

    // MARK: handlers

    @Sendable private func get(_ request: Request, _ context: PlantContext) async throws -> Response {
        try await answer(try await environment.store.llmSettings())
    }

    @Sendable private func change(_ request: Request, _ context: PlantContext) async throws -> Response {
        let servers = environment.advisor.servers
        var fields = try Fields(try await request.json())
        let before = try await environment.store.llmSettings()
        let named = fields.keep("provider", fields.choice("provider", of: LLMProvider.self))
        let provider = before == nil ? fields.require("provider", named) : named.value
        let model = fields.text("model", length: LLMSettings.modelLength)
        let base = await Self.address(&fields, environment.advisor)
        let key = fields.secret("api_key", length: LLMSettings.keyLength)
        if let key = key.value, !LLMSettings.isKey(key.reveal()) {
            fields.refuse("api_key", "must be printable ASCII, without spaces around it")
        }
        if case .unchanged = key, var after = before, after.keyHint != nil {
            after.provider = provider ?? after.provider
            base.apply(to: &after.baseURL)
            if servers.place(of: after) != after.keyPlace { fields.refuse("api_key", Self.otherServer) }
        }
        let budget = fields.integer("monthly_token_budget", range: LLMSettings.budgetRange)
        let automatic = fields.boolean("automatic")
        try fields.finish()
        let outcome = try await environment.store.updateLLMSettings(
            provider: provider, key: key, servers: servers, sealer: environment.sealer, by: context.origin,
            at: environment.now()
        ) { settings in
            model.apply(to: &settings.model)
            base.apply(to: &settings.baseURL)
            budget.apply(to: &settings.monthlyTokenBudget)
            switch automatic {
            case .unchanged: break
            case .cleared: settings.automatic = true
            case .set(let automatic): settings.automatic = automatic
            }
        }
        switch outcome {
        case .updated(let settings): return try await answer(settings)
        case .noProvider: throw Problem.invalid([Problem.FieldError(pointer: "/provider", detail: "is required")])
        case .keyIsForAnotherServer:
            throw Problem.invalid([Problem.FieldError(pointer: "/api_key", detail: Self.otherServer)])
        }
    }

    @Sendable private func delete(_ request: Request, _ context: PlantContext) async throws -> Response {
        _ = try await environment.store.deleteLLMSettings(by: context.origin, at: environment.now())
        return .noContent
    }

    @Sendable private func test(_ request: Request, _ context: PlantContext) async throws -> Response {
        let advisor = environment.advisor
        let outcome = try await request.whileConnected { _ in try await advisor.test() }
        let problem: String?
        switch outcome {
        case .notConfigured:
            throw Problem(
                status: .conflict, detail: "no language model is set: PUT /api/settings/llm with a provider and a key")
        case .stopping: throw Problem.unavailable("the backend", retryAfterSeconds: 5)
        case .answered: problem = nil
        case .failed(let reason): problem = reason
        }
        try await environment.store.record(
            "llm.test", AuditEntry.Subject("settings", nil, "llm"), by: context.origin, at: environment.now(),
            details: ["outcome": problem ?? "answered"])
        guard case .answered(let model, let milliseconds) = outcome else {
            throw Problem(status: .badGateway, detail: problem ?? "")
        }
        return try .json(
            ["ok": true, "model": .string(model), "milliseconds": .integer(Int64(milliseconds))] as JSONValue)
    }

    // MARK: reading and showing

    private static let otherServer = "was given for another server; give it again, or null"

    /// The base address in one spelling. Looks at it, and asks where its name leads.
    private static func address(_ fields: inout Fields, _ advisor: APIEnvironment.Advisor) async -> Change<String> {
        let change = fields.text("base_url", length: 1...WebAddress.mostBytes)
        guard let text = change.value else { return change }
        do {
            let address = try LLMAddress(text, allowed: advisor.servers.allowed)
            guard let problem = await advisor.check(address) else { return .set(address.text) }
            fields.refuse("base_url", problem)
        } catch {
            fields.refuse("base_url", "\(error)")
        }
        return .unchanged
    }

    private func answer(_ settings: LLMSettings?) async throws -> Response {
        let usage = try await environment.store.llmUsage(at: environment.now())
        return try .json(JSONValue(settings, usage))
    }

    // MARK: schemas

    private static let settable: [String: JSONValue] = [
        "provider": Schema.choice(LLMProvider.allCases.map(\.rawValue)),
        "model": Schema.nullable(Schema.text(LLMSettings.modelLength)),
        "base_url": Schema.nullable(Schema.text(1...WebAddress.mostBytes)),
        "api_key": Schema.nullable(Schema.text(LLMSettings.keyLength)),
        "monthly_token_budget": Schema.nullable(
            Schema.integer(
                minimum: LLMSettings.budgetRange.lowerBound, maximum: LLMSettings.budgetRange.upperBound,
                default: LLMSettings.usualBudget)),
        "automatic": Schema.nullable(Schema.boolean),
    ]
    private static let changeSchema = Schema.change(settable)

    static let schema: JSONValue = {
        let count: JSONValue = ["type": "integer", "minimum": 0]
        var fields = settable
        fields["api_key"] = nil
        fields["provider"] = Schema.nullable(Schema.choice(LLMProvider.allCases.map(\.rawValue)))
        fields["automatic"] = Schema.boolean
        fields["api_key_set"] = Schema.boolean
        fields["api_key_masked"] = Schema.nullable(Schema.text)
        fields["updated_at"] = Schema.nullable(Schema.time)
        fields["usage"] = Schema.object([
            "month": ["type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"], "input_tokens": count,
            "output_tokens": count, "requests": count, "resets_at": Schema.time,
        ])
        fields["defaults"] = Schema.object(
            Dictionary(uniqueKeysWithValues: LLMProvider.allCases.map { ($0.rawValue, Schema.text) }))
        fields["last_error"] = Schema.nullable(Schema.object(["at": Schema.time, "text": Schema.text]))
        return Schema.object(fields)
    }()

    private static let testSchema = Schema.object([
        "ok": Schema.boolean, "model": Schema.text, "milliseconds": ["type": "integer", "minimum": 0],
    ])
}

extension JSONValue {
    fileprivate init(_ settings: LLMSettings?, _ usage: LLMUsage) {
        let budget = settings.map { JSONValue($0.monthlyTokenBudget) } ?? JSONValue(LLMSettings.usualBudget)
        self = [
            "provider": JSONValue(settings?.provider.rawValue), "model": JSONValue(settings?.model),
            "base_url": JSONValue(settings?.baseURL), "api_key_set": .bool(settings?.keyHint != nil),
            "api_key_masked": JSONValue(settings?.keyHint), "monthly_token_budget": budget,
            "automatic": .bool(settings?.automatic ?? true), "updated_at": JSONValue(settings?.updatedAt),
            "usage": [
                "month": .string(usage.month), "input_tokens": JSONValue(usage.inputTokens),
                "output_tokens": JSONValue(usage.outputTokens), "requests": JSONValue(usage.requests),
                "resets_at": JSONValue(usage.resetsAt),
            ],
            "defaults": .object(
                Dictionary(
                    uniqueKeysWithValues: LLMProvider.allCases.map { ($0.rawValue, .string($0.defaultModel)) })),
            "last_error": settings?.lastError.map { ["at": JSONValue($0.at), "text": .string($0.text)] } ?? .null,
        ]
    }
}
