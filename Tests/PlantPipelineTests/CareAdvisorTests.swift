import PlantDomain
import PlantStore
import Postgres
import Sealing
import TestSupport
import Testing

@testable import PlantPipeline

/// One after the other: making a database holds up whoever measures time.
@Suite(.serialized) struct CareAdvisorTests {
    // MARK: Whose plan it is

    @Test func `without a model the built-in advisor writes`() async throws {
        let bed = try await CareBed()
        let (plan, isCached) = try await bed.analyze()
        #expect(plan.source == .builtin)
        #expect(plan.model == nil && plan.note == nil && !isCached)
        #expect(plan.reason == .requested)
        #expect(try await bed.store.newestCarePlan(of: bed.plant) == plan)
        let again = try await bed.analyze()
        #expect(again.isCached && again.plan == plan)
        #expect(try await bed.advisor.testModel() == .notConfigured)
        guard case .noSuchPlant = try await bed.advisor.analyze(.make(), refresh: false) else {
            Issue.record("nobody knows that plant")
            return
        }
        try bed.expectIdle()
    }

    @Test(arguments: LLMProvider.allCases)
    func `with one it does, and what that costs is counted`(provider: LLMProvider) async throws {
        let server = try LocalServer(
            provider == .openai ? LLMReply.openai("```json\n\(goodPlan)\n```") : LLMReply.anthropicTool(goodPlan))
        let bed = try await CareBed(server, provider: provider)
        let plan = try await bed.analyze().plan
        #expect(plan.source.rawValue == provider.rawValue)
        #expect(plan.model == provider.defaultModel)
        #expect(plan.note == nil)
        #expect(plan.advice.tips == ["Turn it."])
        #expect(try await bed.store.newestCarePlan(of: bed.plant) == plan)
        #expect(try await bed.used() == (provider == .openai ? [1, 120, 30] : [1, 111, 30]))
        #expect(server.requests.count == 1)
        #expect(server.requests[0].body.contains("Fern"))
        try bed.expectIdle()
    }

    @Test func `a plan is given again until something changes or somebody wants a new one`() async throws {
        let server = try LocalServer(LLMReply.openai(goodPlan))
        let bed = try await CareBed(server)
        let first = try await bed.analyze().plan
        let second = try await bed.analyze()
        #expect(second.isCached && second.plan.id == first.id)
        #expect(server.requests.count == 1)
        try await bed.change()
        let third = try await bed.analyze()
        #expect(!third.isCached && third.plan.inputHash != first.inputHash)
        let fourth = try await bed.analyze(refresh: true)
        #expect(!fourth.isCached && fourth.plan.id != third.plan.id)
        // Another model would say something else.
        try await bed.set(server) { $0.model = "another" }
        #expect(try await bed.analyze().plan.model == "another")
        #expect(server.requests.count == 4)
        try bed.age(hours: 24 * 7 + 1)
        #expect(try await !bed.analyze().isCached)
        #expect(server.requests.count == 5)
    }

    @Test func `a plan that names a day for watering that is over is not given again`() async throws {
        let server = try LocalServer(LLMReply.openai(goodPlan))
        let bed = try await CareBed(server)
        func name(_ day: String) throws {
            try PostgresConnection(bed.database.options).execute(
                "UPDATE care_plans SET advice = jsonb_set(advice, '{watering,next_date}', to_jsonb(\(day)::text))")
        }
        _ = try await bed.analyze()
        // Of the place, which is at UTC.
        try name("((now() AT TIME ZONE 'UTC')::date + 1)")
        #expect(try await bed.analyze().isCached)
        try bed.age(hours: 7)
        #expect(try await bed.advisor.refreshIfDue(bed.plant) == nil)
        try name("((now() AT TIME ZONE 'UTC')::date - 1)")
        let old = try await bed.store.newestCarePlan(of: bed.plant)
        #expect(try await bed.advisor.refreshIfDue(bed.plant)?.reason == .changed)
        #expect(try await bed.store.newestCarePlan(of: bed.plant) != old)
        try name("((now() AT TIME ZONE 'UTC')::date - 1)")
        #expect(try await !bed.analyze().isCached)
        #expect(server.requests.count == 3)
    }

    // MARK: When the model fails

    @Test func `if the key is refused the built-in plan says so, and the model is asked again next time`() async throws
    {
        let server = try LocalServer(LLMReply.status("401 Unauthorized", "", "{\"secret\":\"thing\"}"))
        let bed = try await CareBed(server)
        let plan = try await bed.analyze().plan
        let words = "127.0.0.1:\(server.port) refused the key (401); set it again under settings"
        #expect(plan.note == "the built-in plan: " + words)
        #expect(plan.source == .builtin && plan.model == nil)
        #expect(try await !bed.analyze().isCached)
        #expect(server.requests.count == 2)
        let settings = try #require(try await bed.store.llmSettings())
        #expect(settings.lastError?.text == words)
        #expect(settings.notBefore != nil)
        #expect(try await bed.advisor.testModel() == .failed(words))
        // Nobody bills that.
        #expect(try await bed.used() == [3, 0, 0])
        try bed.expectIdle()
    }

    @Test func `nobody asks by himself while a server wants to be left alone`() async throws {
        let server = try LocalServer(LLMReply.status("429 Too Many", "Retry-After: 600\r\n"))
        let bed = try await CareBed(server)
        let before = Timestamp.now()
        #expect(try await bed.analyze().plan.note?.contains("asks to wait 600 s (429)") == true)
        let wait = try #require(try await bed.store.llmSettings()?.notBefore).seconds(since: before)
        #expect(600...700 ~= wait)
        try bed.age(hours: 24 * 8)
        let own = try #require(try await bed.advisor.refreshIfDue(bed.plant))
        #expect((own.source, own.reason) == (.builtin, .weekly))
        #expect(own.note?.contains("asks to wait 600 s (429)") == true)
        #expect(server.requests.count == 1)
        // Who asks is not held up.
        #expect(try await bed.analyze().plan.note != nil)
        #expect(server.requests.count == 2)
    }

    @Test func `a server that does not answer in time is left alone for a while`() async throws {
        let server = try LocalServer(.silence)
        let bed = try await CareBed(server, seconds: 6)
        let plan = try await bed.analyze().plan
        #expect(plan.note == "the built-in plan: 127.0.0.1:\(server.port) answered nothing in 30 s")
        #expect(try await bed.store.llmSettings()?.notBefore != nil)
        // It may have cost something.
        let used = try await bed.used()
        #expect(used[0] == 1 && used[1] > 100 && used[2] == 0)
        try await server.waitUntilClosed()
    }

    @Test func `an answer that is no plan is asked for once more, with what was wrong`() async throws {
        let wrong = goodPlan.replacing("\"alerts\":[]", with: "\"alerts\":7")
        let server = try LocalServer(.each([LLMReply.openai(wrong), LLMReply.openai(goodPlan)]))
        let bed = try await CareBed(server)
        let plan = try await bed.analyze().plan
        #expect(plan.source == .openai && plan.note == nil)
        #expect(server.requests.count == 2)
        #expect(!server.requests[0].body.contains("alerts must be a list"))
        #expect(server.requests[1].body.contains("alerts must be a list"))
        #expect(try await bed.used() == [2, 240, 60])
        #expect(try await bed.store.llmSettings()?.lastError == nil)
    }

    @Test func `twice is enough`() async throws {
        let server = try LocalServer(LLMReply.anthropicText("I would water it."))
        let bed = try await CareBed(server, provider: .anthropic)
        let plan = try await bed.analyze().plan
        #expect(
            plan.note == "the built-in plan: the answer of 127.0.0.1:\(server.port) was not a care plan, twice")
        #expect(server.requests.count == 2)
        #expect(try await bed.used() == [2, 222, 60])
    }

    @Test func `a server that does not know the format is asked without`() async throws {
        let server = try LocalServer(.each([LLMReply.status("400 Bad Request"), LLMReply.openai(goodPlan)]))
        let bed = try await CareBed(server)
        #expect(try await bed.analyze().plan.source == .openai)
        #expect(server.requests.map { $0.body.contains("response_format") } == [true, false])
        #expect(server.requests[1].body.contains("JSON Schema"))
    }

    @Test func `there is no second question when the time is nearly up`() async throws {
        let server = try LocalServer(LLMReply.openai("no"))
        let bed = try await CareBed(server, seconds: 4)
        let note = try await bed.analyze().plan.note
        #expect(note == "the built-in plan: the answer of 127.0.0.1:\(server.port) was not a care plan")
        #expect(server.requests.count == 1)
    }

    @Test func `a key that cannot be opened is said`() async throws {
        let server = try LocalServer(LLMReply.openai(goodPlan))
        let bed = try await CareBed(server)
        let other = CareAdvisor(
            store: bed.store, sealer: try testSealer("7"), servers: LLMServers(),
            client: LLMClient(version: "1", logger: bed.logs.logger), logger: bed.logs.logger)
        guard case .plan(let plan, _) = try await other.analyze(bed.plant, refresh: false) else {
            Issue.record("there is a plan")
            return
        }
        #expect(plan.note?.contains("ENCRYPTION_KEY") == true)
        #expect(server.requests.isEmpty)
    }

    // MARK: Budget

    @Test func `nothing is asked beyond the budget`() async throws {
        let server = try LocalServer(LLMReply.openai(goodPlan))
        let bed = try await CareBed(server)
        try await bed.set(server) { $0.monthlyTokenBudget = 1000 }
        let plan = try await bed.analyze().plan
        let day = try await bed.store.llmUsage(at: .now()).resetsOn.text
        #expect(plan.source == .builtin)
        #expect(plan.note?.contains("budget") == true && plan.note?.contains(day) == true)
        #expect(server.requests.isEmpty)
        try bed.expectIdle()
        try await bed.set(server) { $0.monthlyTokenBudget = nil }
        #expect(try await bed.analyze().plan.source == .openai)
    }

    @Test func `what a server does not tell is counted by the question and the text that came`() async throws {
        let server = try LocalServer(LLMReply.openai(goodPlan, usage: nil))
        let bed = try await CareBed(server)
        #expect(try await bed.analyze().plan.source == .openai)
        let asked = server.requests[0].body.utf8.count
        #expect(try await bed.used() == [1, asked / 3 + 1, (goodPlan.utf8.count + 2) / 3])
    }

    @Test(arguments: ["<html>", #"{"hello":"world"}"#])
    func `a test asks once, whatever comes`(body: String) async throws {
        let server = try LocalServer(LLMReply.json(body))
        let bed = try await CareBed(server)
        guard case .failed(let problem) = try await bed.advisor.testModel() else {
            Issue.record("that is no answer")
            return
        }
        #expect(!problem.contains("twice"))
        #expect(server.requests.count == 1)
    }

    @Test func `a test asks for a word and counts`() async throws {
        let server = try LocalServer(LLMReply.openai("ok", usage: (9, 1)))
        let bed = try await CareBed(server)
        guard case .answered("gpt-5-mini", let milliseconds) = try await bed.advisor.testModel() else {
            Issue.record("it answers")
            return
        }
        #expect(milliseconds >= 0)
        #expect(try await bed.used() == [1, 9, 1])
        #expect(try bed.database.int("SELECT count(*) FROM care_plans") == 0)
    }

    // MARK: The key

    @Test func `the key is nowhere`() async throws {
        let echo = #"{"error":"\#(CareBed.key)"}"#
        let server = try LocalServer(
            .each([LLMReply.openai(goodPlan), LLMReply.status("500 No", "X: \(CareBed.key)\r\n", echo)]))
        let bed = try await CareBed(server)
        var printed = ""
        for _ in 0..<2 { dump(try await bed.analyze(refresh: true).plan, to: &printed) }
        dump(try await bed.advisor.testModel(), to: &printed)
        dump(try await bed.store.llmSettings(), to: &printed)
        dump(try await bed.store.llmTarget(sealer: testSealer()), to: &printed)
        #expect(printed.contains("…wxyz"))
        #expect(!printed.contains(CareBed.key) && !bed.logs.text.contains(CareBed.key))
        for table in ["llm_settings", "care_plans", "llm_usage", "audit_log"] {
            let rows = try bed.database.text(
                "SELECT coalesce(string_agg(t::text, ' '), '') || encode(convert_to('', 'UTF8'), 'hex') FROM \(table) t"
            )
            #expect(rows?.isEmpty == false)
            #expect(rows?.contains(CareBed.key) == false)
            let hex = CareBed.key.utf8.map { String($0, radix: 16) }.joined()
            #expect(rows?.contains(hex) == false)
        }
    }

    @Test func `the key stays where it was given for when the operator sets another server`() async throws {
        let (first, second) = (try LocalServer(LLMReply.openai(goodPlan)), try LocalServer(LLMReply.openai(goodPlan)))
        let bed = try await CareBed()
        func advisor(_ server: LocalServer) throws -> (CareAdvisor, LLMServers) {
            let servers = LLMServers(openai: try LLMAddress(operators: "http://127.0.0.1:\(server.port)"))
            let client = LLMClient(version: "1", logger: bed.logs.logger)
            return (
                CareAdvisor(
                    store: bed.store, sealer: try testSealer(), servers: servers, client: client,
                    logger: bed.logs.logger), servers
            )
        }
        let (before, servers) = try advisor(first)
        _ = try await bed.store.updateLLMSettings(
            provider: .openai, key: .set(Secret(CareBed.key)), servers: servers, sealer: testSealer(), by: testOrigin,
            at: .now()
        ) { _ in }
        guard case .answered = try await before.testModel() else {
            Issue.record("it is the server it was given for")
            return
        }
        #expect(first.requests.count == 1)
        let (after, _) = try advisor(second)
        guard case .failed(let problem) = try await after.testModel() else {
            Issue.record("it was sent")
            return
        }
        #expect(problem.contains("given for another server"))
        guard case .plan(let plan, _) = try await after.analyze(bed.plant, refresh: true) else {
            Issue.record("no plan")
            return
        }
        #expect(plan.source == .builtin && plan.note?.contains("given for another server") == true)
        #expect(second.requests.isEmpty)
    }
}
