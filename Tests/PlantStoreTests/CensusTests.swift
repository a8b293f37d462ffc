import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite struct CensusTests {
    private let now = Timestamp.now()

    @Test(arguments: TestDatabase.kinds)
    func `an empty database has nothing of anything, and says so`(_ kind: TimeSeriesKind) async throws {
        let store = try TestDatabase(kind).store()
        let census = try await store.census(at: now)
        #expect(census.devices == [.disabled: 0, .provisioning: 0, .online: 0, .offline: 0])
        #expect(census.plants == 0)
        #expect(census.deadLetters == 0)
        #expect(census.alerts.map(\.count) == [0, 0, 0, 0])
        #expect(census.outbox == (depth: 0, oldestSeconds: 0))
        #expect(census.connections.contains { $0.state == "active" && $0.count >= 1 })
        let sizes = try await store.storageSizes()
        #expect(sizes.tables.contains { $0.name == "telemetry" })
        #expect(sizes.database > sizes.tables.reduce(0) { $0 + $1.bytes })
    }

    /// Statuses are counted by SQL there and told one by one by the domain here.
    @Test func `devices are counted as each of them is shown`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let silences: [(interval: Int?, learned: Double?, seconds: Double)] = [
            (nil, nil, 179), (nil, nil, 181), (600, nil, 1799), (600, nil, 1801), (nil, 300, 899), (nil, 300, 901),
            (10, 300, 179), (10, 300, 181), (nil, nil, -60),
        ]
        for (interval, learned, seconds) in silences {
            for word in ["NULL", "'online'", "'offline'"] {
                let device = try await makeDevice(store, interval: interval, at: now)
                try database.execute(
                    """
                    INSERT INTO device_state (device_id, last_seen_at, learned_interval_seconds, status)
                    VALUES ('\(device)', '\(now.adding(seconds: -seconds).rfc3339)',
                        \(learned.map { "\($0)" } ?? "NULL"), \(word))
                    """)
            }
        }
        for _ in 0..<2 { _ = try await makeDevice(store) }
        let disabled = try await makeDevice(store)
        try database.execute("UPDATE devices SET enabled = false WHERE id = '\(disabled)'")
        // A registration that failed half-way is shown nowhere.
        let half = try await makeDevice(store)
        try database.execute("UPDATE devices SET registered_at = NULL WHERE id = '\(half)'")

        let shown = try await store.devices(limit: 500, offset: 0)
        #expect(shown.total == silences.count * 3 + 3)
        var counted = Dictionary(uniqueKeysWithValues: DeviceStatus.allCases.map { ($0, 0) })
        for device in shown.items { counted[device.status(now: now), default: 0] += 1 }
        #expect(try await store.census(at: now).devices == counted)
        #expect(DeviceStatus.allCases.allSatisfy { counted[$0, default: 0] > 0 })
    }
}
