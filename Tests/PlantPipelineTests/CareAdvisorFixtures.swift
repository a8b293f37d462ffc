import Foundation
import Logging
import PlantDomain
import PlantStore
import Postgres
import Sealing
import TestSupport
import Testing

@testable import PlantPipeline

/// A care plan as a model would give it.
let goodPlan =
    #"{"summary":"All is well.","watering":{"frequency":"weekly","amount":"a cup","next_date":null},"#
    + #""light":{"current":"a","ideal":"b","recommendation":"c"},"#
    + #""humidity":{"current":"a","ideal":"b","recommendation":"c"},"#
    + #""temperature":{"current":"a","ideal":"b","recommendation":"c"},"alerts":[],"tips":["Turn it."]}"#

/// An advisor with a database of its own, a plant, and a model that a local server plays.
struct CareBed {
    static let key = "sk-care-t3st-0123456789-wxyz"

    let database: TestDatabase
    let store: Store
    let logs = LogCollector()
    let advisor: CareAdvisor
    let plant: EntityID

    /// - Parameters:
    ///   - server: plays the model; nil: none is set.
    ///   - seconds: for asking it.
    init(
        _ server: LocalServer? = nil, provider: LLMProvider = .openai, connections: Int = 2, seconds: Int = 120
    ) async throws {
        database = try TestDatabase()
        store = database.store(connections: connections)
        advisor = CareAdvisor(
            store: store, sealer: try testSealer(), servers: LLMServers(),
            client: LLMClient(version: "1", logger: logs.logger), logger: logs.logger, seconds: seconds)
        plant = try await Self.plant(store)
        if let server { try await set(server, provider) }
    }

    static func plant(_ store: Store) async throws -> EntityID {
        let now = Timestamp.now()
        let plant = Plant(
            id: .make(), name: "Fern", species: nil, room: nil, position: nil, thresholds: [:], createdAt: now,
            updatedAt: now)
        try await store.createPlant(plant)
        return plant.id
    }

    func set(
        _ server: LocalServer, _ provider: LLMProvider = .openai,
        _ change: @escaping @Sendable (inout LLMSettings) -> Void = { _ in }
    ) async throws {
        _ = try await store.updateLLMSettings(
            provider: provider, key: .set(Secret(Self.key)), servers: LLMServers(), sealer: testSealer(),
            by: testOrigin, at: .now()
        ) { settings in
            settings.baseURL = "http://127.0.0.1:\(server.port)"
            change(&settings)
        }
    }

    /// - Returns: the plan, and whether it was there already.
    func analyze(_ plant: EntityID? = nil, refresh: Bool = false) async throws -> (plan: CarePlan, isCached: Bool) {
        let outcome = try await advisor.analyze(plant ?? self.plant, refresh: refresh)
        guard case .plan(let plan, let isCached) = outcome else { throw TestSetupError(description: "\(outcome)") }
        return (plan, isCached)
    }

    /// Makes what there is of plans older.
    func age(hours: Int) throws {
        try PostgresConnection(database.options).execute(
            "UPDATE care_plans SET generated_at = generated_at - interval '\(hours) hours'")
    }

    /// The model may be asked by itself again, as it may after an hour.
    func endRest() throws {
        try PostgresConnection(database.options).execute("UPDATE llm_settings SET not_before = NULL")
    }

    /// Something that matters changes.
    func change(_ limit: Double = 33) async throws {
        _ = try await store.updatePlant(plant, at: .now()) {
            $0.thresholds = ["soil_moisture": Threshold(min: limit, max: 80)]
        }
    }

    func used() async throws -> [Int] {
        let usage = try await store.llmUsage(at: .now())
        return [usage.requests, usage.inputTokens, usage.outputTokens]
    }

    /// Nothing is left of what was under way.
    func expectIdle() throws {
        #expect(try database.int("SELECT count(*) FROM care_state") == 0)
        #expect(try database.int("SELECT count(*) FROM llm_reservations") == 0)
    }
}
