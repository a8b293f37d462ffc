import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@testable import PlantPipeline

extension CareAdvisorTests {
    // MARK: One at a time

    @Test func `who asks meanwhile gets the same plan`() async throws {
        let gate = LocalServer.Gate()
        let server = try LocalServer(.held(gate, LLMReply.openai(goodPlan)))
        let bed = try await CareBed(server)
        defer { gate.open() }
        let asking = [false, true, false].map { refresh in
            Task { try await bed.analyze(refresh: refresh).plan }
        }
        try await server.waitForRequests(1)
        try await eventually("all wait") { await bed.advisor.waiterCount(bed.plant) == 3 }
        gate.open()
        var ids: Set<EntityID> = []
        for task in asking { ids.insert(try await task.value.id) }
        #expect(ids.count == 1)
        #expect(server.requests.count == 1)
        #expect(try bed.database.int("SELECT count(*) FROM care_plans") == 1)
    }

    @Test func `who wants a new one gets it though others are content with the old one`() async throws {
        let bed = try await CareBed()
        let old = try await bed.analyze().plan
        // Holds up whoever looks for the newest plan.
        let holder = try PostgresConnection(bed.database.options)
        try holder.execute("BEGIN; LOCK TABLE care_plans IN ACCESS EXCLUSIVE MODE")
        let content = Task { try await bed.analyze() }
        try await eventually("one waits") { await bed.advisor.waiterCount(bed.plant) == 1 }
        let new = Task { try await bed.analyze(refresh: true) }
        try await eventually("both wait") { await bed.advisor.waiterCount(bed.plant) == 2 }
        try holder.execute("ROLLBACK")
        let (first, second) = (try await content.value, try await new.value)
        #expect(first.isCached && first.plan.id == old.id)
        #expect(!second.isCached && second.plan.id != old.id)
    }

    @Test func `the model is left when the last who waits has gone, and not before`() async throws {
        let server = try LocalServer(.each([.silence, LLMReply.openai(goodPlan)]))
        let bed = try await CareBed(server)
        let asking = (0..<2).map { _ in Task { try await bed.analyze() } }
        try await eventually("both wait") { await bed.advisor.waiterCount(bed.plant) == 2 }
        try await server.waitForRequests(1)
        asking[0].cancel()
        await #expect(throws: CancellationError.self) { try await asking[0].value }
        #expect(await bed.advisor.waiterCount(bed.plant) == 1)
        #expect(server.requests.count == 1)
        asking[1].cancel()
        await #expect(throws: CancellationError.self) { try await asking[1].value }
        try await server.waitUntilClosed()
        // The next one need not wait for a claim to run out.
        #expect(try await bed.analyze().plan.source == .openai)
        #expect(try bed.database.int("SELECT count(*) FROM care_plans") == 1)
        // What was broken off had been asked.
        #expect(try await bed.used() == [2, 120 + server.requests[0].body.utf8.count / 3 + 1, 30])
        #expect(try await bed.store.llmSettings()?.lastError == nil)
        try bed.expectIdle()
    }

    @Test func `who is cancelled before it begins asks nobody`() async throws {
        let server = try LocalServer(LLMReply.openai(goodPlan))
        let bed = try await CareBed(server)
        let asking = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await bed.analyze()
        }
        asking.cancel()
        await #expect(throws: CancellationError.self) { try await asking.value }
        #expect(server.requests.isEmpty)
    }

    @Test func `while the model thinks nobody waits for the database`() async throws {
        let server = try LocalServer(.silence)
        let bed = try await CareBed(server, connections: 1)
        let asking = Task { try await bed.analyze() }
        try await server.waitForRequests(1)
        for _ in 0..<3 { #expect(try await bed.store.plant(bed.plant) != nil) }
        #expect(await bed.advisor.waiterCount(bed.plant) == 1)
        asking.cancel()
        await #expect(throws: CancellationError.self) { try await asking.value }
        try await server.waitUntilClosed()
    }

    @Test func `a plant that is deleted meanwhile has no plan`() async throws {
        let gate = LocalServer.Gate()
        let server = try LocalServer(.held(gate, LLMReply.openai(goodPlan)))
        let bed = try await CareBed(server)
        defer { gate.open() }
        let asking = Task { try await bed.advisor.analyze(bed.plant, refresh: false) }
        try await server.waitForRequests(1)
        #expect(try await bed.store.deletePlant(bed.plant))
        gate.open()
        guard case .noSuchPlant = try await asking.value else {
            Issue.record("the plant is gone")
            return
        }
        try bed.expectIdle()
        #expect(try await bed.used() == [1, 120, 30])
    }

    @Test func `what another process writes is waited for elsewhere`() async throws {
        let server = try LocalServer(LLMReply.openai(goodPlan))
        let bed = try await CareBed(server)
        let other = EntityID.make()
        let now = Timestamp.now()
        #expect(try await bed.store.claimCare(of: bed.plant, by: other, until: now.adding(seconds: 60), at: now))
        guard case .busy(let seconds) = try await bed.advisor.analyze(bed.plant, refresh: true) else {
            Issue.record("another process has it")
            return
        }
        #expect(seconds > 0)
        #expect(server.requests.isEmpty)
        try await bed.store.releaseCare(of: bed.plant, by: other)
        #expect(try await bed.analyze().plan.source == .openai)
    }

    @Test func `what is under way ends when the program does`() async throws {
        let server = try LocalServer(.silence)
        let bed = try await CareBed(server)
        let asking = Task { try await bed.advisor.analyze(bed.plant, refresh: false) }
        let testing = Task { try await bed.advisor.testModel() }
        try await server.waitForRequests(2)
        await bed.advisor.shutDown()
        guard case .shuttingDown = try await asking.value else {
            Issue.record("it is shutting down")
            return
        }
        #expect(try await testing.value == .shuttingDown)
        try await server.waitUntilClosed(2)
        guard case .shuttingDown = try await bed.advisor.analyze(bed.plant, refresh: false) else {
            Issue.record("it is shut down")
            return
        }
        #expect(try await bed.advisor.refreshIfDue(bed.plant) == nil)
        try bed.expectIdle()
    }

    // MARK: Turns

    @Test func `so many have a turn at once, and the others in their order`() async throws {
        let turns = LLMTurns(2)
        let far = ContinuousClock.now + .seconds(600)
        #expect(await turns.take(until: far))
        #expect(await turns.take(until: far))
        // The time is up, and whoever waits in vain takes no turn away.
        #expect(await !turns.take(until: .now))
        #expect(await !turns.take(until: .now + .milliseconds(20)))
        let cancelled = Task { await turns.take(until: far) }
        cancelled.cancel()
        #expect(await !cancelled.value)
        let third = Task { await turns.take(until: far) }
        turns.give()
        #expect(await third.value)
        turns.give()
        #expect(await turns.take(until: far))
        #expect(await !turns.take(until: .now))
    }

    @Test func `a fifth question waits for its turn`() async throws {
        let gate = LocalServer.Gate()
        let server = try LocalServer(.held(gate, LLMReply.openai(goodPlan)))
        let bed = try await CareBed(server)
        defer { gate.open() }
        var plants = [bed.plant]
        for _ in 0..<5 { plants.append(try await CareBed.plant(bed.store)) }
        let asking = plants.map { plant in Task { try await bed.analyze(plant).plan } }
        try await server.waitForRequests(4)
        // Each that waits for its turn has its claim and no reservation.
        try await eventually("all have begun") { try bed.database.int("SELECT count(*) FROM care_state") == 6 }
        #expect(try bed.database.int("SELECT count(*) FROM llm_reservations") == 4)
        #expect(server.requests.count == 4)
        gate.open()
        for task in asking { #expect(try await task.value.source == .openai) }
        #expect(server.requests.count == 6)
        try bed.expectIdle()
    }
}
