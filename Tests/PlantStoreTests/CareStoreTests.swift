import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite(.serialized) struct CareStoreTests {
    private let now = Timestamp.now()

    private func minutes(_ count: Int) -> Timestamp { now.adding(seconds: Double(count) * 60) }

    // MARK: plans

    @Test(arguments: TestDatabase.kinds)
    func `a plan is kept as it was made, and the newest comes first`(kind: TimeSeriesKind) async throws {
        let store = try TestDatabase(kind).store()
        let (plant, other) = (try await makePlant(store), try await makePlant(store))
        #expect(try await store.newestCarePlan(of: plant) == nil)
        let first = try carePlan(of: plant, at: minutes(1), source: .anthropic)
        let second = try carePlan(of: plant, at: minutes(2), reason: .weekly, note: "no key")
        let foreign = try carePlan(of: other, at: minutes(3))
        for plan in [second, first, foreign] { #expect(try await store.saveCarePlan(plan)) }
        #expect(try await store.newestCarePlan(of: plant) == second)
        #expect(try await store.carePlan(first.id, of: plant) == first)
        #expect(try await store.carePlan(first.id, of: other) == nil)
        let page = try #require(try await store.carePlans(of: plant, limit: 1, offset: 1))
        #expect((page.items, page.total) == ([first], 2))
        #expect(try await store.carePlans(of: .make(), limit: 1, offset: 0) == nil)
    }

    @Test(arguments: ["facts", "advice"])
    func `a plan that a newer version wrote is passed over, and another can be kept`(column: String) async throws {
        let database = try TestDatabase()
        let store = database.store()
        let plant = try await makePlant(store)
        let (old, new) = (try carePlan(of: plant, at: minutes(1)), try carePlan(of: plant, at: minutes(2)))
        for plan in [old, new] { _ = try await store.saveCarePlan(plan) }
        try database.execute("UPDATE care_plans SET \(column) = '{\"later\": 1}' WHERE id = '\(new.id)'")
        #expect(try await store.newestCarePlan(of: plant) == nil)
        #expect(try await store.carePlans(of: plant, limit: 10, offset: 0)?.items == [old])
        let next = try carePlan(of: plant, at: minutes(3))
        #expect(try await store.saveCarePlan(next))
        #expect(try await store.newestCarePlan(of: plant) == next)
    }

    @Test func `the hundred newest plans are kept, and those somebody said something of`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let (plant, other) = (try await makePlant(store), try await makePlant(store))
        let foreign = try carePlan(of: other, at: minutes(-1000))
        let (judged, plain) = (try carePlan(of: plant, at: minutes(-902)), try carePlan(of: plant, at: minutes(-901)))
        for plan in [judged, plain, foreign] { _ = try await store.saveCarePlan(plan) }
        #expect(try await judge(store, judged, .done) != nil)
        // More than are kept of either.
        for (count, age, isJudged) in [(98, 100, false), (110, 700, true)] {
            try database.execute(
                """
                WITH made AS (
                    INSERT INTO care_plans (id, plant_id, generated_at, source, reason, advice, facts, input_hash)
                    SELECT gen_random_uuid(), plant_id, '\(now)'::timestamptz - make_interval(mins => \(age) + n), source,
                        reason, advice, facts, input_hash
                    FROM care_plans, generate_series(1, \(count)) n WHERE id = '\(plain.id)' RETURNING id
                )
                INSERT INTO care_feedback (plan_id, item, verdict, at) SELECT id, 'plan', 'done', now() FROM made
                WHERE \(isJudged)
                """)
        }
        let newest = try carePlan(of: plant, at: minutes(1))
        #expect(try await store.saveCarePlan(newest))
        let page = try #require(try await store.carePlans(of: plant, limit: 500, offset: 0))
        #expect(page.total == 200)
        #expect(page.items.first == newest)
        #expect(page.items.count { $0.feedback.isEmpty } == 99)
        #expect(page.items.dropFirst(100).allSatisfy { !$0.feedback.isEmpty })
        // The oldest of all, although it was judged.
        #expect(!page.items.contains { $0.id == judged.id || $0.id == plain.id })
        #expect(try await store.newestCarePlan(of: other) == foreign)
    }

    @Test func `plans go with their plant, and none is kept of one that is gone`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let plant = try await makePlant(store)
        let plan = try carePlan(of: plant, at: now)
        _ = try await store.saveCarePlan(plan)
        _ = try await judge(store, plan, .done)
        #expect(try await store.claimCare(of: plant, by: .make(), until: minutes(1), at: now))
        #expect(try await store.deletePlant(plant))
        for table in ["care_plans", "care_feedback", "care_state"] {
            #expect(try database.int("SELECT count(*) FROM \(table)") == 0, "\(table)")
        }
        #expect(try await store.saveCarePlan(plan) == false)
        #expect(try await store.claimCare(of: plant, by: .make(), until: minutes(1), at: now) == false)
    }

    // MARK: feedback

    private func judge(
        _ store: Store, _ plan: CarePlan, _ verdict: CareVerdict?, on item: CareItem = .plan, user: EntityID? = nil,
        at time: Timestamp? = nil
    ) async throws -> CarePlan? {
        try await store.setCareFeedback(
            verdict, on: item, of: plan.id, plant: plan.plantID, user: user, by: testOrigin, at: time ?? now)
    }

    @Test func `what is said last of a part of a plan counts, until it is taken back`() async throws {
        let store = try TestDatabase().store()
        let plant = try await makePlant(store)
        let plan = try carePlan(of: plant, at: now)
        _ = try await store.saveCarePlan(plan)
        let user = User(id: .make(at: now), email: "a@example.org", role: .member, createdAt: now, updatedAt: now)
        _ = try await store.createUser(user, passwordHash: "x", by: testOrigin)
        _ = try await judge(store, plan, .done, on: .watering)
        _ = try await judge(store, plan, .notHelpful, on: .plan, user: user.id)
        let judged = try #require(
            try await judge(store, plan, .notHelpful, on: .watering, user: user.id, at: minutes(1)))
        var expected = [
            CareFeedback(item: .plan, verdict: .notHelpful, at: now, by: "a@example.org"),
            CareFeedback(item: .watering, verdict: .notHelpful, at: minutes(1), by: "a@example.org"),
        ]
        #expect(judged.feedback == expected)
        #expect(try await store.newestCarePlan(of: plant)?.feedback == expected)
        _ = try await store.deleteUser(user.id, by: testOrigin, at: now)
        #expect(try await judge(store, plan, nil, on: .watering)?.feedback.count == 1)
        expected = [CareFeedback(item: .plan, verdict: .notHelpful, at: now, by: nil)]
        #expect(try await store.newestCarePlan(of: plant)?.feedback == expected)
        #expect(try await judge(store, plan, nil)?.feedback.isEmpty == true)
        let actions = try await store.auditLog(action: "care_plan.feedback", subject: plant, limit: 9, offset: 0)
        #expect(actions.total == 5)
    }

    @Test func `nothing is said of a plan of another plant`() async throws {
        let store = try TestDatabase().store()
        let (plant, other) = (try await makePlant(store), try await makePlant(store))
        let plan = try carePlan(of: plant, at: now)
        _ = try await store.saveCarePlan(plan)
        for (id, of) in [(plan.id, other), (EntityID.make(), plant)] {
            let judged = try await store.setCareFeedback(
                .done, on: .plan, of: id, plant: of, user: nil, by: testOrigin, at: now)
            #expect(judged == nil)
        }
        #expect(try await store.newestCarePlan(of: plant)?.feedback.isEmpty == true)
    }

    // MARK: claims

    @Test func `one at a time makes a plant's plan, until it lets go or its time is over`() async throws {
        let store = try TestDatabase().store()
        let (plant, other) = (try await makePlant(store), try await makePlant(store))
        let (one, two) = (EntityID.make(), EntityID.make())
        func claim(_ owner: EntityID, _ plant: EntityID, at minute: Int) async throws -> Bool {
            try await store.claimCare(of: plant, by: owner, until: minutes(minute + 1), at: minutes(minute))
        }
        #expect(try await claim(one, plant, at: 0))
        #expect(try await claim(two, plant, at: 0) == false)
        #expect(try await claim(two, other, at: 0))
        #expect(try await claim(one, plant, at: 0), "who has it has it")
        try await store.releaseCare(of: plant, by: two)
        #expect(try await claim(two, plant, at: 0) == false)
        try await store.releaseCare(of: plant, by: one)
        #expect(try await claim(two, plant, at: 0))
        // A minute later it is free by itself.
        #expect(try await claim(one, plant, at: 1))
        // Also when the clock was set back after somebody had it who never lets go; but hosts' clocks differ a little.
        #expect(try await claim(two, plant, at: -4) == true)
        #expect(try await claim(one, plant, at: -4) == false)
        #expect(
            try await store.claimCare(of: plant, by: one, until: minutes(-3), at: minutes(-4).adding(seconds: -59))
                == false)
    }

    @Test func `of many who want it at once one gets it`() async throws {
        let store = try TestDatabase().store(connections: 8)
        let (plant, now) = (try await makePlant(store), now)
        let claims = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await store.claimCare(
                        of: plant, by: .make(), until: now.adding(seconds: 60), at: now)
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(claims == 1)
    }

    // MARK: whose plan is due

    @Test(arguments: TestDatabase.kinds)
    func `a plan may be due for plants that are measured`(kind: TimeSeriesKind) async throws {
        let pot = try await CarePot(kind)
        func days(_ count: Double) -> Timestamp { now.adding(seconds: count * 86_400) }
        let others = try await (0..<3).asyncMap { _ in
            let (plant, device) = (try await makePlant(pot.store), try await makeDevice(pot.store))
            _ = try await pot.store.assign(device, to: plant, at: .now())
            return (plant: plant, device: device)
        }
        // Since now, since yesterday, not for two weeks; and never.
        try await pot.fill([reading(now, [.soilMoisture: 40])])
        try await pot.fill([reading(days(-1.1), [.soilMoisture: 40])], by: others[0].device)
        try await pot.fill([reading(days(-14.1), [.soilMoisture: 40])], by: others[1].device)
        let plan = try carePlan(of: others[0].plant, at: minutes(-5), source: .openai, reason: .changed)
        for plan in [try carePlan(of: others[0].plant, at: minutes(-9)), plan] {
            _ = try await pot.store.saveCarePlan(plan)
        }
        let found = try await pot.store.plantsForCare(at: now)
        #expect(found.map(\.id) == [pot.plant, others[0].plant])
        #expect(found.map(\.isKnown) == [false, true])
        #expect(found[0].newest == nil)
        let newest = try #require(found[1].newest)
        #expect((newest.generatedAt, newest.reason, newest.source) == (minutes(-5), .changed, .openai))
        #expect(try await pot.store.plantsForCare(at: days(1)).map(\.isKnown) == [true, true])
        try pot.database.execute("UPDATE rollup_state SET is_complete = false")
        #expect(try await pot.store.plantsForCare(at: now).isEmpty)
    }
}

extension Sequence {
    func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var result: [T] = []
        for element in self { result.append(try await transform(element)) }
        return result
    }
}
