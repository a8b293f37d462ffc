import PlantDomain
import PlantStore
import Sealing
import TestSupport
import Testing

@Suite(.serialized) struct LLMUsageStoreTests {
    private let now = Timestamp.now()

    private func store(
        _ kind: TimeSeriesKind = .native, budget: Int?, connections: Int = 2
    ) async throws -> (TestDatabase, Store) {
        let database = try TestDatabase(kind)
        let store = database.store(connections: connections)
        _ = try await store.updateLLMSettings(
            provider: .openai, key: .unchanged, servers: LLMServers(), sealer: testSealer(), by: testOrigin, at: now
        ) { $0.monthlyTokenBudget = budget }
        return (database, store)
    }

    private func reserve(_ store: Store, _ tokens: Int, at time: Timestamp? = nil) async throws -> TokenReservation? {
        try await store.reserveTokens(tokens, provider: .openai, model: "m", at: time ?? now)
    }

    @Test(arguments: TestDatabase.kinds)
    func `however many ask at once, the budget is never exceeded`(kind: TimeSeriesKind) async throws {
        let (database, store) = try await store(kind, budget: 10_000, connections: 8)
        let reserved = try await withThrowingTaskGroup(of: TokenReservation?.self) { group in
            for _ in 0..<40 { group.addTask { try await reserve(store, 900) } }
            return try await group.reduce(into: []) { $0 += [$1].compactMap(\.self) }
        }
        #expect(reserved.count == 11)
        #expect(try database.int("SELECT sum(tokens)::bigint FROM llm_reservations") == 9900)
        // What was put aside and what was spent count together, whoever settles meanwhile.
        let more = try await withThrowingTaskGroup(of: Int.self) { group in
            for reservation in reserved {
                group.addTask {
                    try await store.settle(reservation, input: 500, output: 400)
                    return 0
                }
                group.addTask { try await reserve(store, 200) == nil ? 0 : 1 }
            }
            return try await group.reduce(0, +)
        }
        #expect(more == 0)
        #expect(try await reserve(store, 100) != nil)
        #expect(try await reserve(store, 1) == nil)
        let usage = try await store.llmUsage(at: now)
        #expect((usage.requests, usage.inputTokens, usage.outputTokens) == (11, 5500, 4400))
    }

    @Test func `what a request did cost counts once, and nothing if it was never sent`() async throws {
        let (_, store) = try await store(budget: 1000)
        let (first, second) = (try #require(try await reserve(store, 600)), try #require(try await reserve(store, 400)))
        #expect(try await reserve(store, 1) == nil)
        try await store.release(second)
        #expect(try await store.llmUsage(at: now).requests == 0)
        for _ in 0..<2 { try await store.settle(first, input: 100, output: 50) }
        try await store.settle(second, input: 9, output: 9)
        let usage = try await store.llmUsage(at: now)
        #expect((usage.requests, usage.inputTokens, usage.outputTokens) == (1, 100, 50))
        #expect(try await reserve(store, 851) == nil)
        #expect(try await reserve(store, 850) != nil)
    }

    @Test func `without a budget there is no end, and without settings nothing`() async throws {
        let (_, store) = try await store(budget: nil)
        for tokens in [1_000_000_000, 1_000_000_000] { #expect(try await reserve(store, tokens) != nil) }
        _ = try await store.deleteLLMSettings(by: testOrigin, at: now)
        #expect(try await reserve(store, 1) == nil)
    }

    @Test func `what a killed program had put aside counts as spent`() async throws {
        let (_, store) = try await store(budget: 1000)
        let lost = try #require(try await reserve(store, 600))
        let later = now.adding(seconds: 301)
        #expect(try await store.llmUsage(at: now.adding(seconds: 299)).inputTokens == 0)
        let month = try await store.llmUsage(at: now).month
        let usage = try await store.llmUsage(at: later)
        // Unless the month is over by then.
        if usage.month == month { #expect((usage.requests, usage.inputTokens) == (1, 600)) }
        try await store.settle(lost, input: 1, output: 1)
        #expect(try await store.llmUsage(at: now).inputTokens == 600)
        #expect(try await reserve(store, 401) == nil)
        #expect(try await reserve(store, 400) != nil)
    }

    @Test func `what was put aside in a future that did not come counts as spent`() async throws {
        let (database, store) = try await store(budget: 1000)
        _ = try #require(try await reserve(store, 600))
        // By a program that was killed before the clock was set back.
        try database.execute("UPDATE llm_reservations SET reserved_at = reserved_at + INTERVAL '4 years'")
        let usage = try await store.llmUsage(at: now)
        #expect((usage.requests, usage.inputTokens) == (1, 600))
        #expect(try database.int("SELECT count(*) FROM llm_reservations") == 0)
    }

    @Test func `a month begins at midnight of the place`() async throws {
        let (_, store) = try await store(budget: 1000)
        try await store.set { $0.timeZone = "Pacific/Kiritimati" }
        // 14 hours ahead: there it is December from 10:00 UTC on.
        let turn = try #require(Timestamp(rfc3339: "2026-11-30T10:00:00Z"))
        let before = turn.adding(seconds: -1)
        let last = try #require(try await reserve(store, 1000, at: before))
        #expect(try await reserve(store, 1, at: before) == nil)
        #expect(try await reserve(store, 1000, at: turn) != nil)
        // It was made in November.
        try await store.settle(last, input: 1, output: 0)
        let november = try await store.llmUsage(at: before)
        #expect((november.month, november.inputTokens, november.requests) == ("2026-11", 1, 1))
        #expect((november.resetsAt, november.resetsOn.text) == (turn, "2026-12-01"))
        let december = try await store.llmUsage(at: turn)
        #expect((december.month, december.inputTokens, december.resetsOn.text) == ("2026-12", 0, "2027-01-01"))
    }
}
