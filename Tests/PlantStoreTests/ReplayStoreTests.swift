import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// Limits that pass by stored readings.
@Suite(.serialized) struct ReplayStoreTests {
    private let start = LocalDay.containing(.now(), in: .utc).start.adding(seconds: -3 * 86_400)

    private func replay(
        _ store: Store, _ plant: EntityID, _ thresholds: Thresholds, forSeconds: Double = 0, from: Double = 0,
        to: Double = 2 * 86_400
    ) async throws -> [String] {
        let rules = PlantRules(thresholds, hysteresisPercent: 5)
        let first = LimitReplay(plant: plant, rules: rules, forSeconds: forSeconds, zone: .utc, longestGap: 10_800)
        let replay = try await store.replay(
            first, metrics: rules.metrics, of: plant, from: start.adding(seconds: from), to: start.adding(seconds: to))
        return replay.episodes.map { episode in
            let seconds = [episode.from, episode.to].map { $0.map { "\(Int($0.seconds(since: start)))" } ?? "now" }
            return "\(episode.metric) \(episode.direction) \(seconds[0]) \(seconds[1])"
        }
    }

    /// Readings every so many seconds from the start on, made by the database.
    private func fill(
        _ database: TestDatabase, _ plant: EntityID, device: EntityID = .make(), count: Int, every seconds: Double = 1,
        _ columns: String, _ values: String
    ) throws {
        try database.execute(
            """
            SELECT telemetry_ensure_partitions(now() - INTERVAL '31 days', now());
            INSERT INTO telemetry (time, device_id, plant_id, time_source, received_at, \(columns))
            SELECT '\(start.rfc3339)'::timestamptz + n * \(seconds) * INTERVAL '1 second', '\(device)', '\(plant)',
                'device', now(), \(values)
            FROM generate_series(0, \(count - 1)) AS n
            """)
    }

    @Test(arguments: TestDatabase.kinds)
    func `metrics, extra ones and light pass by their limits`(kind: TimeSeriesKind) async throws {
        let database = try TestDatabase(kind)
        let (plant, other) = (EntityID.make(), EntityID.make())
        try fill(
            database, plant, count: 289, every: 600, "soil_moisture, light_level, extra",
            """
            CASE WHEN n BETWEEN 10 AND 19 THEN 20 ELSE 50 END, 100,
            CASE WHEN n % 2 = 0 THEN jsonb_build_object('leaf_wetness', CASE WHEN n >= 100 THEN 9 ELSE 1 END) END
            """)
        try fill(database, other, count: 100, every: 600, "soil_moisture", "1")
        let limits: Thresholds = [
            "soil_moisture": Threshold(min: 30), "leaf_wetness": Threshold(max: 5), "light_level": Threshold(min: 500),
            "temperature": Threshold(min: 10),
        ]
        #expect(
            try await replay(database.store(), plant, limits, to: 2 * 86_400 + 1) == [
                "soil_moisture min 6000 12000", "leaf_wetness max 60000 now", "light_level min 0 now",
            ])
    }

    @Test func `the span begins at its first instant and ends before its last`() async throws {
        let database = try TestDatabase()
        let (store, plant) = (database.store(), EntityID.make())
        try fill(database, plant, count: 10, every: 60, "soil_moisture", "CASE WHEN n IN (2, 5, 8) THEN 20 ELSE 50 END")
        #expect(
            try await replay(store, plant, dry) == [
                "soil_moisture min 120 180", "soil_moisture min 300 360", "soil_moisture min 480 540",
            ])
        #expect(try await replay(store, plant, dry, from: 300, to: 480) == ["soil_moisture min 300 360"])
        #expect(try await replay(store, plant, dry, from: 300.001, to: 480.001) == ["soil_moisture min 480 now"])
        #expect(try await replay(store, plant, dry, from: 600).isEmpty)
        #expect(try await replay(store, .make(), dry).isEmpty)
    }

    @Test func `no reading is passed over where one part ends and the next begins`() async throws {
        let database = try TestDatabase()
        let plant = EntityID.make()
        // Three devices at the very same instants, 45 000 readings, each of which begins or ends an episode.
        let metrics = ["soil_moisture", "humidity", "co2"]
        let count = 15_000
        for (number, metric) in metrics.enumerated() {
            try fill(
                database, plant, device: EntityID(high: 5, low: UInt64(number + 1)), count: count, every: 4, metric,
                "CASE WHEN n % 2 = 0 THEN 20 ELSE 50 END")
        }
        // CO2 has a band of 15 ppm: it is well again at 45.
        let limits = Thresholds(uniqueKeysWithValues: metrics.map { ($0, Threshold(min: 30)) })
        let episodes = try await replay(database.store(), plant, limits)
        let expected = (0..<count / 2).flatMap { number in
            metrics.map { "\($0) min \(number * 8) \(number * 8 + 4)" }
        }
        #expect(episodes.count == expected.count)
        #expect(episodes == expected)
    }

    @Test func `plants with limits of light are found`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let lit = try await makePlant(store, thresholds: ["light_level": Threshold(min: 500)])
        _ = try await makePlant(store, thresholds: dry)
        #expect(try await store.plantsWithLightLimits().map(\.id) == [lit])
        let broken = try await makePlant(store, thresholds: ["light_level": Threshold(min: 500)])
        try database.execute(
            #"UPDATE plants SET thresholds = '{"light_level": "bright"}' WHERE id = '\#(broken)'"#)
        // One that cannot be read does not keep the others from being judged.
        #expect(try await store.plantsWithLightLimits().map(\.id) == [lit])
    }

    @Test func `the day whose light was judged last is remembered`() async throws {
        let store = try TestDatabase().store()
        #expect(try await store.lightJudgedDay() == "")
        try await store.setLightJudgedDay("2026-11-21")
        #expect(try await store.lightJudgedDay() == "2026-11-21")
    }
}
