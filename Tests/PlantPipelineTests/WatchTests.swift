import PlantDomain
import PlantStore
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import PlantPipeline

/// What no reading causes: troubles of the system, and the light of days that are over.
@Suite(.serialized) struct WatchTests {
    private func alerts(_ database: TestDatabase) throws -> [String] {
        let rows = try PostgresConnection(database.options).query(
            "SELECT concat_ws(' ', state, kind, direction, severity) FROM alerts ORDER BY started_at, id")
        return try (0..<rows.count).compactMap { try rows[$0].text(0) }
    }

    private final class Surroundings: Sendable {
        let expiry = Mutex<Timestamp?>(nil)
        let isReceiving = Mutex(true)
    }

    private func watch(_ database: TestDatabase, _ around: Surroundings) -> SystemWatch {
        SystemWatch(
            store: database.store(),
            SystemWatch.Sources(
                certificateExpiry: { around.expiry.withLock { $0 } },
                isReceiving: { around.isReceiving.withLock { $0 } }, intake: { "intake" },
                // Nothing there, nothing to say of its disk.
                diskPath: "/nowhere"))
    }

    @Test func `a certificate is spoken of 30, 7 and 1 days before its end, and not in between`() async throws {
        let database = try TestDatabase()
        let around = Surroundings()
        let watch = watch(database, around)
        let now = Timestamp.now()
        var state = SystemWatch.State()
        func told(_ days: Double) async throws -> [String] {
            around.expiry.withLock { $0 = now.adding(seconds: days * 86_400) }
            try await watch.look(&state, at: now)
            return try alerts(database)
        }
        #expect(try await told(31).isEmpty)
        #expect(try await told(29.5) == ["firing certificate_expiring warning"])
        #expect(try await told(20) == ["firing certificate_expiring warning"])
        #expect(try await told(6.9) == ["firing certificate_expiring critical"])
        let open = AlertSubject(.certificateExpiring)
        #expect(try await database.store().openAlertValue(open)?.value == 6.9)
        _ = try await told(2)
        #expect(try await database.store().openAlertValue(open)?.value == 6.9)
        _ = try await told(0.9)
        #expect(try await database.store().openAlertValue(open)?.value == 0.9)
        #expect(try await told(365) == ["resolved certificate_expiring critical"])
    }

    @Test func `an intake that stands still for five minutes is told, and that it goes on`() async throws {
        let database = try TestDatabase()
        let around = Surroundings()
        let watch = watch(database, around)
        let now = Timestamp.now()
        var state = SystemWatch.State()
        around.isReceiving.withLock { $0 = false }
        try await watch.look(&state, at: now)
        try await watch.look(&state, at: now.adding(seconds: 299))
        #expect(try alerts(database).isEmpty)
        try await watch.look(&state, at: now.adding(seconds: 300))
        #expect(try alerts(database) == ["firing ingest_stalled critical"])
        around.isReceiving.withLock { $0 = true }
        try await watch.look(&state, at: now.adding(seconds: 330))
        #expect(try alerts(database) == ["resolved ingest_stalled critical"])
    }

    @Test func `many dead letters of an hour are told, and that they are fewer`() async throws {
        let database = try TestDatabase()
        let watch = watch(database, Surroundings())
        var state = SystemWatch.State()
        func bury(_ count: Int) throws {
            try PostgresConnection(database.options).execute(
                """
                INSERT INTO dead_letters (id, received_at, topic, reason, detail, payload, payload_bytes)
                SELECT gen_random_uuid(), now(), 't', 'not_json', '', '', 0 FROM generate_series(1, \(count))
                """)
        }
        try bury(49)
        try await watch.look(&state, at: .now())
        #expect(try alerts(database).isEmpty)
        try bury(1)
        try await watch.look(&state, at: .now())
        #expect(try alerts(database) == ["firing dead_letters warning"])
        try await watch.look(&state, at: Timestamp.now().adding(seconds: 3700))
        #expect(try alerts(database) == ["resolved dead_letters warning"])
    }

    @Test(
        arguments: [
            (400.0, 4000.0, nil, true), (4.0, 4000.0, .warning, false), (0.5, 4000.0, .critical, false),
            (3.0, 32.0, .warning, false), (4.5, 32.0, nil, true), (0.9, 32.0, .critical, false),
            (5.5, 50.0, nil, false),
        ] as [(Double, Double, AlertSeverity?, Bool)])
    func `a disk is full when both the part and the bytes are little`(
        free: Double, total: Double, severity: AlertSeverity?, isWell: Bool
    ) {
        let disk = DiskSpace(freeBytes: free * 1_073_741_824, totalBytes: total * 1_073_741_824)
        #expect(disk.severity == severity)
        #expect(disk.isWell == isWell)
    }

    @Test func `two dark days in a row are told, silence ends nothing, and two bright ones do`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let now = Timestamp.now()
        let plant = Plant(
            id: .make(), name: "Fern", species: nil, room: nil, position: nil,
            thresholds: ["light_level": Threshold(min: 500)], createdAt: now, updatedAt: now)
        try await store.createPlant(plant)
        let device = try await store.register(.sample()).device
        let watch = LightWatch(store: store)
        // An hour after midnight of the days of the test, whose zone is UTC.
        let first = Timestamp(rfc3339: "2026-05-01T00:00:00Z") ?? now
        try PostgresConnection(database.options).execute(
            "SELECT telemetry_ensure_partitions('2026-04-01', '2026-06-01')")
        func measure(_ lux: Double, day: Int) throws {
            try PostgresConnection(database.options).execute(
                """
                INSERT INTO telemetry (time, device_id, plant_id, light_level, time_source, received_at)
                SELECT at, '\(device)', '\(plant.id)', \(lux), 'device', at
                FROM generate_series('2026-05-01'::timestamptz + \(day) * INTERVAL '1 day',
                    '2026-05-01'::timestamptz + \(day + 1) * INTERVAL '1 day' - INTERVAL '1 second',
                    INTERVAL '30 minutes') at
                """)
        }
        func judge(morningOf day: Int) async throws -> [String] {
            try await watch.judge(at: first.adding(seconds: Double(day) * 86_400 + 3600))
            return try alerts(database)
        }
        try measure(100, day: 0)
        #expect(try await judge(morningOf: 1).isEmpty)
        try measure(100, day: 1)
        #expect(try await judge(morningOf: 2) == ["firing threshold min critical"])
        #expect(try await store.plant(plant.id)?.status(now: now) == .critical)
        // Nothing more is heard of it, for longer than the judge looks back.
        #expect(try await judge(morningOf: 20) == ["firing threshold min critical"])
        try measure(2000, day: 20)
        #expect(try await judge(morningOf: 21) == ["firing threshold min critical"])
        try measure(2000, day: 21)
        #expect(try await judge(morningOf: 22) == ["resolved threshold min critical"])
    }
}
