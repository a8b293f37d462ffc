import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@testable import PlantPipeline

/// Plans that nobody asks for.
@Suite(.serialized) struct CareWatchTests {
    @Test func `the first, then one a week, and one when something changes`() async throws {
        let server = try LocalServer(LLMReply.openai(goodPlan))
        let bed = try await CareBed(server)
        #expect(try await bed.advisor.refreshIfDue(bed.plant)?.reason == .first)
        #expect(try await bed.advisor.refreshIfDue(bed.plant) == nil)
        try await bed.change()
        // Not so soon.
        #expect(try await bed.advisor.refreshIfDue(bed.plant) == nil)
        try bed.age(hours: 7)
        let changed = try #require(try await bed.advisor.refreshIfDue(bed.plant))
        #expect(changed.reason == .changed && changed.source == .openai)
        try bed.age(hours: 7)
        #expect(try await bed.advisor.refreshIfDue(bed.plant) == nil)
        try bed.age(hours: 24 * 7)
        #expect(try await bed.advisor.refreshIfDue(bed.plant)?.reason == .weekly)
        #expect(server.requests.count == 3)
    }

    @Test func `a model that is not to be asked by itself is not, and its plans stay`() async throws {
        let server = try LocalServer(LLMReply.openai(goodPlan))
        let bed = try await CareBed(server)
        try await bed.set(server) { $0.automatic = false }
        let first = try #require(try await bed.advisor.refreshIfDue(bed.plant))
        #expect(first.source == .builtin && first.note == nil)
        #expect(server.requests.isEmpty)
        // Whoever asks for a plan gets the model's.
        let own = try await bed.analyze()
        #expect(!own.isCached && own.plan.source == .openai)
        try await bed.change()
        try bed.age(hours: 24 * 8)
        #expect(try await bed.advisor.refreshIfDue(bed.plant) == nil)
        #expect(server.requests.count == 1)
    }

    @Test func `a model that fails is asked again after hours, and the same note is not written again`() async throws {
        let server = try LocalServer(
            .each([
                LLMReply.status("401 No"), LLMReply.status("401 No"), LLMReply.openai(goodPlan),
            ]))
        let bed = try await CareBed(server)
        #expect(try await bed.advisor.refreshIfDue(bed.plant)?.note != nil)
        #expect(try await bed.advisor.refreshIfDue(bed.plant) == nil)
        #expect(server.requests.count == 1)
        try bed.age(hours: 7)
        // For an hour, another plant's question would fail like this one.
        #expect(try await bed.advisor.refreshIfDue(bed.plant) == nil)
        #expect(server.requests.count == 1)
        try bed.endRest()
        #expect(try await bed.advisor.refreshIfDue(bed.plant) == nil)
        #expect(server.requests.count == 2)
        #expect(try bed.database.int("SELECT count(*) FROM care_plans") == 1)
        // Not every time somebody looks, which is often.
        try bed.endRest()
        #expect(try await bed.advisor.refreshIfDue(bed.plant) == nil)
        #expect(server.requests.count == 2)
        // Whoever asks is not kept waiting.
        let plan = try await bed.analyze().plan
        #expect(plan.source == .openai && plan.note == nil)
        try bed.expectIdle()
    }

    @Test func `while the model rests, the built-in advisor writes what is due, and nobody is asked`() async throws {
        let server = try LocalServer(.each([LLMReply.status("401 No"), LLMReply.openai(goodPlan)]))
        let bed = try await CareBed(server)
        let (second, third) = (try await CareBed.plant(bed.store), try await CareBed.plant(bed.store))
        #expect(try await bed.advisor.refreshIfDue(bed.plant)?.note != nil)
        let plan = try #require(try await bed.advisor.refreshIfDue(second))
        #expect((plan.source, plan.reason) == (.builtin, .first))
        #expect(plan.note?.contains("refused the key (401)") == true)
        try bed.age(hours: 7)
        // That the model could not be asked is no news while it is left alone.
        #expect(try await bed.advisor.refreshIfDue(second) == nil)
        _ = try await bed.store.updatePlant(second, at: .now()) { $0.thresholds = ["humidity": Threshold(min: 50)] }
        #expect(try await bed.advisor.refreshIfDue(second)?.reason == .changed)
        #expect(server.requests.count == 1)
        // A rest of years was noted before the clock was set back.
        try PostgresConnection(bed.database.options).execute(
            "UPDATE llm_settings SET not_before = now() + INTERVAL '4 years'")
        #expect(try await bed.advisor.refreshIfDue(third)?.source == .openai)
        #expect(server.requests.count == 2)
    }

    @Test func `a model that was corrected is asked for the plants that it failed, too`() async throws {
        let server = try LocalServer(
            .each([LLMReply.status("401 No"), LLMReply.status("401 No"), LLMReply.openai(goodPlan)]))
        let bed = try await CareBed(server)
        #expect(try await bed.advisor.refreshIfDue(bed.plant)?.note != nil)
        try bed.age(hours: 7)
        try bed.endRest()
        #expect(try await bed.advisor.refreshIfDue(bed.plant) == nil)
        try await bed.set(server)
        #expect(try await bed.advisor.refreshIfDue(bed.plant)?.source == .openai)
        #expect(server.requests.count == 3)
    }

    private func measure(_ plants: [EntityID], in bed: CareBed) async throws {
        let device = try await bed.store.register(.sample()).device
        _ = try await bed.store.assign(device, to: bed.plant, at: .now())
        try PostgresConnection(bed.database.options).execute(
            """
            SELECT telemetry_ensure_partitions(now() - interval '3 days', now());
            UPDATE rollup_state SET is_complete = true
            """)
        for (index, plant) in plants.enumerated() {
            try PostgresConnection(bed.database.options).execute(
                """
                INSERT INTO telemetry (time, device_id, plant_id, time_source, received_at, soil_moisture)
                SELECT now() - n * interval '1 hour' - interval '\(index) s', '\(device)', '\(plant)', 'device', now(), 40
                FROM generate_series(0, 40) n
                """)
        }
    }

    @Test func `of many plants some are seen to at a time, and each once an hour`() async throws {
        let bed = try await CareBed()
        var plants = [bed.plant]
        while plants.count < 30 { plants.append(try await CareBed.plant(bed.store)) }
        try await measure(plants, in: bed)
        let watch = CareWatch(store: bed.store, advisor: bed.advisor, logger: bed.logs.logger)
        var state = CareWatch.State()
        let start = Timestamp.now()
        for count in [12, 24, 30] {
            await watch.look(&state, at: start)
            #expect(try bed.database.int("SELECT count(*) FROM care_plans") == count)
        }
        // They are all seen to once more, without need.
        try bed.age(hours: 7)
        for _ in 0..<3 { await watch.look(&state, at: start.adding(seconds: 60)) }
        try await bed.change()
        for _ in 0..<3 { await watch.look(&state, at: start.adding(seconds: 3600)) }
        #expect(try bed.database.int("SELECT count(*) FROM care_plans") == 30)
        await watch.look(&state, at: start.adding(seconds: 3661))
        await watch.look(&state, at: start.adding(seconds: 3661))
        await watch.look(&state, at: start.adding(seconds: 3661))
        #expect(try bed.database.int("SELECT count(*) FROM care_plans") == 31)
        #expect(!bed.logs.text.contains("behind"), "\(bed.logs.text)")
    }

    @Test func `a plant that cannot be read keeps no other from its plan`() async throws {
        let bed = try await CareBed()
        let others = [try await CareBed.plant(bed.store), try await CareBed.plant(bed.store)]
        try await measure([bed.plant] + others, in: bed)
        // The first whose turn it is.
        try PostgresConnection(bed.database.options).execute(
            "UPDATE plants SET thresholds = '[]' WHERE id = '\(bed.plant)'")
        let watch = CareWatch(store: bed.store, advisor: bed.advisor, logger: bed.logs.logger)
        var state = CareWatch.State()
        await watch.look(&state, at: .now())
        for plant in others { #expect(try await bed.store.newestCarePlan(of: plant)?.reason == .first) }
        #expect(bed.logs.text.contains("the care plan of a plant cannot be written"), "\(bed.logs.text)")
        #expect(bed.logs.text.contains("\(bed.plant)"))
    }

    @Test func `plants that are measured are seen to, one after the other`() async throws {
        let server = try LocalServer(LLMReply.openai(goodPlan))
        let bed = try await CareBed(server)
        // Never measured.
        _ = try await CareBed.plant(bed.store)
        try await measure([bed.plant], in: bed)
        let watch = CareWatch(store: bed.store, advisor: bed.advisor, logger: bed.logs.logger)
        var state = CareWatch.State()
        await watch.look(&state, at: .now())
        await watch.look(&state, at: .now())
        #expect(try bed.database.int("SELECT count(*) FROM care_plans") == 1)
        #expect(try await bed.store.newestCarePlan(of: bed.plant)?.reason == .first)
        #expect(server.requests.count == 1)
        #expect(bed.logs.text.contains("a care plan was written"))
        #expect(!bed.logs.text.contains("behind"), "\(bed.logs.text)")
    }
}
