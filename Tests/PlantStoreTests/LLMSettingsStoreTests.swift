import PlantDomain
import PlantStore
import Postgres
import Sealing
import TestSupport
import Testing

@Suite(.serialized) struct LLMSettingsStoreTests {
    private let now = Timestamp.now()
    private let key = "sk-test-0123456789abcdef"

    private func update(
        _ store: Store, _ provider: LLMProvider? = nil, key: Change<Secret> = .unchanged,
        servers: LLMServers = LLMServers(), sealer: Sealer? = nil,
        _ change: @Sendable (inout LLMSettings) -> Void = { _ in }
    ) async throws -> UpdateLLMSettingsOutcome {
        try await store.updateLLMSettings(
            provider: provider, key: key, servers: servers, sealer: sealer ?? testSealer(), by: testOrigin, at: now,
            change)
    }

    private func isUpdated(_ outcome: UpdateLLMSettingsOutcome) -> Bool {
        if case .updated = outcome { true } else { false }
    }

    @Test(arguments: TestDatabase.kinds)
    func `settings are kept as they were given, and the key is sealed`(kind: TimeSeriesKind) async throws {
        let database = try TestDatabase(kind)
        let store = database.store()
        #expect(try await store.llmSettings() == nil)
        #expect(try await store.llmTarget(sealer: testSealer()) == nil)
        guard case .noProvider = try await update(store, key: .set(Secret(key))) else {
            Issue.record("taken without a provider")
            return
        }
        let outcome = try await update(store, .openai, key: .set(Secret(key))) {
            ($0.model, $0.baseURL) = ("llama3.2:3b", "http://127.0.0.1:11434/v1")
            ($0.monthlyTokenBudget, $0.automatic) = (nil, false)
        }
        var expected = LLMSettings(
            provider: .openai, model: "llama3.2:3b", baseURL: "http://127.0.0.1:11434/v1", keyHint: "…cdef",
            monthlyTokenBudget: nil, automatic: false, updatedAt: now)
        expected.keyPlace = "openai http://127.0.0.1:11434/v1/chat/completions"
        guard case .updated(expected) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(try await store.llmSettings() == expected)
        let target = try #require(try await store.llmTarget(sealer: testSealer()))
        #expect((target.settings, target.key?.reveal()) == (expected, key))
        let stored = try database.lines("SELECT l::text || encode(api_key, 'escape') FROM llm_settings l").joined()
        let audit = try database.lines("SELECT a::text FROM audit_log a").joined()
        #expect(stored.contains("llama3.2:3b"))
        #expect(audit.contains("llama3.2:3b"))
        // Nor the half of it, nor in hex.
        for part in [key.prefix(12), key.suffix(12)].map(String.init) {
            for form in [part, Crypto.hex(Array(part.utf8))] {
                #expect(!stored.contains(form))
                #expect(!audit.contains(form))
            }
        }
    }

    @Test func `the key opens with the right key only, and in its own row`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        _ = try await update(store, .anthropic, key: .set(Secret(key)))
        await #expect(throws: SealedValueError.unknownKey) { try await store.llmTarget(sealer: testSealer("7")) }
        let column = try #require(SealedColumn.all.first { $0.table == "llm_settings" })
        let rotated = try testSealer("8", old: ["5"])
        #expect(try await store.reseal(column, sealer: rotated).resealed == 1)
        #expect(try await store.reseal(column, sealer: rotated).current == 1)
        #expect(try await store.llmTarget(sealer: testSealer("8"))?.key?.reveal() == key)
        try database.execute("UPDATE llm_settings SET id = gen_random_uuid()")
        await #expect(throws: SealedValueError.tampered) { try await store.llmTarget(sealer: testSealer("8")) }
    }

    @Test func `there is one row, however many set it first at once`() async throws {
        let database = try TestDatabase()
        let store = database.store(connections: 6)
        // Often: what goes wrong does so when the second and the third come just as the first is done.
        for _ in 0..<20 {
            try database.execute("DELETE FROM llm_settings")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<6 {
                    group.addTask { _ = try await update(store, .openai) { $0.model = "m\(index)" } }
                }
                try await group.waitForAll()
            }
        }
        #expect(try database.int("SELECT count(*) FROM llm_settings") == 1)
        #expect(throws: PostgresError.self) {
            try database.execute(
                "INSERT INTO llm_settings (id, provider, updated_at) VALUES (gen_random_uuid(), 'openai', now())")
        }
    }

    @Test(
        arguments: [
            // Nothing that says where it goes; the same in other words.
            (nil, "https://a.example/v1", true), (nil, "https://A.example:443/v1", true),
            (nil, "https://a.example", true), (.openai, "https://a.example/v1", true),
            // Another path, which may be somebody else's; another host, port or scheme, another provider, the provider's
            // own.
            (nil, "https://a.example/v2/x", false), (nil, "https://a.example/v1/other", false),
            (nil, "https://b.example/v1", false), (nil, "https://a.example:8443/v1", false),
            (nil, "http://a.example/v1", false), (.anthropic, "https://a.example/v1", false), (nil, nil, false),
            (nil, "https://a.example.evil.example/v1", false),
        ] as [(LLMProvider?, String?, Bool)])
    func `a key goes to no other server than the one it was given for`(
        provider: LLMProvider?, base: String?, isKept: Bool
    ) async throws {
        let store = try TestDatabase().store()
        _ = try await update(store, .openai, key: .set(Secret(key))) { $0.baseURL = "https://a.example/v1" }
        let before = try await store.llmSettings()
        let outcome = try await update(store, provider) { $0.baseURL = base }
        #expect(isUpdated(outcome) == isKept)
        if !isKept {
            guard case .keyIsForAnotherServer = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(try await store.llmSettings() == before)
        }
        #expect(try await store.llmTarget(sealer: testSealer())?.key?.reveal() == key)
        // Given again, or taken away, it may be anywhere.
        for change in [Change.set(Secret("another-key-4711")), .cleared] {
            #expect(isUpdated(try await update(store, provider, key: change) { $0.baseURL = base }))
            #expect(try await store.llmTarget(sealer: testSealer())?.key?.reveal() == change.wanted)
        }
        #expect(try await store.llmSettings()?.keyHint == nil)
        #expect(isUpdated(try await update(store, .anthropic) { $0.baseURL = nil }), "nothing is left to be kept")
    }

    @Test func `a key that was given for the operator's server does not follow people's address`() async throws {
        let store = try TestDatabase().store()
        let servers = LLMServers(openai: try LLMAddress(operators: "http://gateway.lan:4000/v1"))
        _ = try await update(store, .openai, key: .set(Secret(key)), servers: servers)
        let moved = try await update(store, servers: servers) { $0.baseURL = "https://api.openai.com/v1" }
        #expect(!isUpdated(moved))
        #expect(!isUpdated(try await update(store, servers: servers) { $0.baseURL = "http://gateway.lan:4000/other" }))
        #expect(isUpdated(try await update(store, servers: servers) { $0.baseURL = "http://gateway.lan:4000/v1" }))
        #expect(isUpdated(try await update(store, servers: servers) { $0.baseURL = nil }))
    }

    @Test func `the key of a provider that only a newer version knows is for nobody else`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        _ = try await update(store, .openai, key: .set(Secret(key)))
        try database.execute("UPDATE llm_settings SET provider = 'newer'")
        #expect(try await store.llmSettings() == nil)
        #expect(try await store.llmTarget(sealer: testSealer()) == nil)
        guard case .noProvider = try await update(store) else {
            Issue.record("there is none that is known")
            return
        }
        guard case .keyIsForAnotherServer = try await update(store, .openai) else {
            Issue.record("it was given for another one")
            return
        }
        #expect(isUpdated(try await update(store, .openai, key: .set(Secret("another-key-4711")))))
        #expect(try await store.llmTarget(sealer: testSealer())?.key?.reveal() == "another-key-4711")
    }

    @Test func `what is taken away is gone, but not what was spent`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        _ = try await update(store, .anthropic, key: .set(Secret(key)))
        let reservation = try #require(
            try await store.reserveTokens(10, provider: .anthropic, model: "m", at: now))
        try await store.settle(reservation, input: 1, output: 2)
        #expect(try await store.deleteLLMSettings(by: testOrigin, at: now))
        #expect(try await store.deleteLLMSettings(by: testOrigin, at: now) == false)
        #expect(try await store.llmSettings() == nil)
        #expect(try await store.llmUsage(at: now).inputTokens == 1)
        #expect(try await store.auditLog(action: "llm.delete", subject: nil, limit: 1, offset: 0).total == 1)
    }

    @Test func `how asking ended is noted, and forgotten when something else is asked`() async throws {
        let store = try TestDatabase().store()
        let later = now.adding(seconds: 900)
        let asked = LLMSettings(provider: .openai, updatedAt: now)
        func failing() async throws -> LLMSettings? {
            try await store.noteLLM(error: "HTTP 429", notBefore: later, of: asked, at: now)
            return try await store.llmSettings()
        }
        #expect(try await failing() == nil)
        _ = try await update(store, .openai, key: .set(Secret(key)))
        let failed = try await failing()
        #expect(failed?.lastError == LLMSettings.LastError(at: now, text: "HTTP 429"))
        #expect(failed?.notBefore == later)
        // A budget is no reason to think better of it.
        _ = try await update(store) { $0.monthlyTokenBudget = 7000 }
        #expect(try await store.llmSettings()?.lastError != nil)
        for key in [Change<Secret>.unchanged, .set(Secret("another"))] {
            _ = try await failing()
            _ = try await update(store, key: key) { if case .unchanged = key { $0.model = "other" } }
            #expect(try await store.llmSettings()?.lastError == nil)
            #expect(try await store.llmSettings()?.notBefore == nil)
        }
        _ = try await failing()
        try await store.noteLLM(error: nil, notBefore: nil, of: asked, at: now)
        #expect(try await store.llmSettings()?.lastError == nil)
    }

    @Test func `how asking ended is noted for what was asked, and a longer rest stays`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        _ = try await update(store, .openai, key: .set(Secret(key)))
        let asked = try #require(try await store.llmSettings())
        func note(_ error: String?, _ seconds: Double?) async throws -> Timestamp? {
            let rest = seconds.map { now.adding(seconds: $0) }
            try await store.noteLLM(error: error, notBefore: rest, of: asked, at: now)
            return try await store.llmSettings()?.notBefore
        }
        #expect(try await note("HTTP 429", 3600) == now.adding(seconds: 3600))
        // What fails for another reason meanwhile does not end it.
        #expect(try await note("no answer", 900) == now.adding(seconds: 3600))
        #expect(try await note("stopped", nil) == now.adding(seconds: 3600))
        #expect(try await note(nil, nil) == nil)
        #expect(try await note("no answer", 900) == now.adding(seconds: 900))
        // Before the clock was set back.
        try database.execute("UPDATE llm_settings SET not_before = now() + INTERVAL '4 years'")
        #expect(try await note("no answer", 900) == now.adding(seconds: 900))
        #expect(try await note(nil, nil) == nil)
        // Somebody else has set something else while it was being asked.
        try database.execute("UPDATE llm_settings SET updated_at = updated_at + INTERVAL '1 second'")
        #expect(try await note("no such key", 3600) == nil)
        #expect(try await store.llmSettings()?.lastError == nil)
    }
}

extension Change<Secret> {
    fileprivate var wanted: String? { if case .set(let secret) = self { secret.reveal() } else { nil } }
}
