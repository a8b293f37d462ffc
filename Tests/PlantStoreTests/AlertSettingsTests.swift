import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// Settings, the replay of limits over stored readings, and what is said to whoever listens.
@Suite(.serialized) struct AlertSettingsTests {
    private let now = Timestamp.now()

    @Test func `settings are as at first until somebody sets them`() async throws {
        let store = try TestDatabase().store()
        #expect(try await store.alertSettings() == AlertSettings())
        var first = AlertSettings()
        first.timeZone = "Europe/Berlin"
        try await store.initializeAlertSettings(first)
        #expect(try await store.alertSettings() == first)
        try await store.initializeAlertSettings(AlertSettings())
        #expect(try await store.alertSettings() == first)
    }

    @Test func `changes of different fields at the same time all count, and each is in the log`() async throws {
        let store = try TestDatabase().store(connections: 4)
        let hours = try QuietHours(from: "22:00", to: "07:00", timeZone: "Europe/Berlin")
        let changes: [@Sendable (inout AlertSettings) -> Void] = [
            { $0.forSeconds = 7 }, { $0.cooldownMinutes = 8 }, { $0.hysteresisPercent = 9 }, { $0.digest = true },
            { $0.quietHours = hours }, { $0.timeZone = "Asia/Tokyo" },
        ]
        let now = now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for change in changes {
                group.addTask { _ = try await store.updateAlertSettings(by: testOrigin, at: now, change) }
            }
            try await group.waitForAll()
        }
        var expected = AlertSettings()
        for change in changes { change(&expected) }
        #expect(try await store.alertSettings() == expected)
        #expect(try await store.updateAlertSettings(by: testOrigin, at: now) { _ in } == expected)
        let log = try await store.auditLog(action: "settings.alerts.update", subject: nil, limit: 9, offset: 0)
        #expect(log.total == changes.count)
    }

    @Test func `settings count from the next batch on`() async throws {
        let house = try await Greenhouse(forSeconds: 120)
        let device = try await house.device(in: house.plant())
        try house.send(device, at: 0, moisture: 31)
        try await house.store.set { $0.forSeconds = 0 }
        try house.send(device, at: 60, moisture: 29)
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min warning"])
        // A band of 50 % ends at 45 %.
        try await house.store.set { $0.hysteresisPercent = 50 }
        try house.send(device, at: 120, moisture: 40)
        #expect(try house.database.alerts() == ["firing threshold soil_moisture min warning"])
        try await house.store.set { $0.hysteresisPercent = 5 }
        try house.send(device, at: 180, moisture: 40)
        #expect(try house.database.alerts() == ["resolved threshold soil_moisture min warning recovered"])
    }

    // MARK: announcements

    @Test func `every change of an alert is announced when it is committed, and what was not committed is not`()
        async throws
    {
        let house = try await Greenhouse(forSeconds: 60)
        let device = try await house.device(in: house.plant())
        let listener = try PostgresListener(house.database.options, channels: ["plantops_alerts"])
        func heard() throws -> [String] {
            try listener.wait(milliseconds: 10_000).flatMap { $0.payload.split(separator: ",").map(String.init) }
        }
        func id() throws -> [String] {
            try house.database.lines("SELECT id::text FROM alerts ORDER BY started_at DESC LIMIT 1")
        }
        try house.send(device, at: 0, moisture: 29)
        #expect(try heard() == id())
        try house.send(device, at: 60, moisture: 29)
        #expect(try heard() == id())
        let firing = try #require(EntityID(try id().first ?? ""))
        _ = try await house.store.acknowledgeAlert(firing, by: testOrigin, name: "Ada", at: .now())
        #expect(try heard() == id())
        try house.send(device, at: 120, moisture: 40)
        try house.send(device, at: 180, moisture: 40)
        #expect(try heard() == id())
        // A pending one that lapses is gone, and that is said as well.
        try house.send(device, at: 240, moisture: 29)
        let pending = try id()
        #expect(try heard() == pending)
        try house.send(device, at: 300, moisture: 40)
        #expect(try heard() == pending)
        #expect(try id() != pending)
        try house.database.execute("ALTER TABLE telemetry RENAME COLUMN co2 TO carbon_dioxide")
        #expect(throws: PostgresError.self) { try house.send(device, at: 360, moisture: 29) }
        #expect(try listener.wait(milliseconds: 200).isEmpty)
    }

    @Test func `many changes at once are announced in parts that PostgreSQL takes`() async throws {
        let database = try TestDatabase()
        let listener = try PostgresListener(database.options, channels: ["plantops_alerts"])
        let findings = (0..<450).map { number in
            AlertFinding(
                AlertSubject(.batteryLow, device: EntityID(high: 7, low: number)), .fired(since: now, .warning),
                value: 9, limit: 20, at: now)
        }
        try await database.store().note(findings, at: now)
        var ids: Set<Substring> = []
        while ids.count < 450 {
            let heard = try listener.wait(milliseconds: 10_000)
            guard !heard.isEmpty else { break }
            ids.formUnion(heard.flatMap { $0.payload.split(separator: ",") })
        }
        #expect(ids.count == 450)
        #expect(try await database.store().alerts(ids.compactMap { EntityID(String($0)) }).count == 450)
    }
}
