import Logging
import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// The light of days and what a health check goes by, from stored readings.
@Suite(.serialized) struct HealthStoreTests {
    /// One that is over, so that nothing of it is in the future whatever the clock says.
    private let today = LocalDay.containing(.now(), in: .utc).previous
    /// Its noon.
    private var now: Timestamp { today.start.adding(seconds: 12 * 3600) }

    private struct Pot {
        let database: TestDatabase
        let store: Store
        let plant: EntityID
        let device: EntityID

        init(_ kind: TimeSeriesKind, thresholds: Thresholds = [:]) async throws {
            database = try TestDatabase(kind)
            store = database.store()
            plant = try await makePlant(store, thresholds: thresholds)
            device = try await makeDevice(store, interval: 600)
            _ = try await store.assign(device, to: plant, at: .now())
        }

        func fill(_ readings: [Reading], by device: EntityID? = nil) async throws {
            try database.execute("SELECT telemetry_ensure_partitions(now() - INTERVAL '31 days', now())")
            var maker = BatchMaker()
            maker.telemetry(device ?? self.device, readings)
            _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
            // What came late is in the means of hours when that is done.
            let upkeep = SeriesUpkeep(database.options, logger: Logger(label: "test"))
            #expect(try await upkeep.summarize(zone: .utc, at: .now()))
        }

        func dli(at now: Timestamp) async throws -> Double? {
            let plant = try #require(try await store.plant(plant))
            return try await store.withLightOfYesterday([plant], at: now)[0].derived(now: now)[.dli]
        }
    }

    /// Every ten minutes of the day before and an hour on both sides, or more after it.
    private func yesterday(until end: Double = 25, _ lux: (Double) -> Double?) -> [Reading] {
        stride(from: -1.0, through: end, by: 1.0 / 6).compactMap { hour in
            lux(hour).map { reading(today.previous.start.adding(seconds: hour * 3600 + 1), [.lightLevel: $0]) }
        }
    }

    private func sun(_ hour: Double) -> Double { (7..<17).contains(hour) ? 5000 : 0 }

    @Test(arguments: TestDatabase.kinds)
    func `5000 lx of sun for 10 hours of yesterday are 3.33 mol`(kind: TimeSeriesKind) async throws {
        let pot = try await Pot(kind)
        #expect(try await pot.dli(at: now) == nil)
        try await pot.fill(yesterday(sun))
        #expect(try await pot.dli(at: now) == 3.33)
        _ = try await pot.store.updatePlant(pot.plant, at: .now()) { $0.lightSource = .whiteLED }
        #expect(try await pot.store.plant(pot.plant)?.lightSource == .whiteLED)
        #expect(try await pot.dli(at: now) == 3.06)
        // The day before had none, and that of today is not over.
        #expect(try await pot.dli(at: now.adding(seconds: -86_400)) == nil)
        #expect(try await pot.dli(at: now.adding(seconds: 86_400)) == nil)
    }

    /// After an upgrade that can take long, and the views would go through every reading there is.
    @Test(arguments: TestDatabase.kinds)
    func `the light of yesterday is known while the past is still being summarized`(kind: TimeSeriesKind) async throws {
        let pot = try await Pot(kind)
        try await pot.fill(yesterday(sun))
        try pot.database.execute("UPDATE rollup_state SET is_complete = false")
        try pot.database.execute("DROP \(kind == .timescale ? "MATERIALIZED " : "")VIEW telemetry_1h")
        #expect(try await pot.dli(at: now) == 3.33)
    }

    /// PostgreSQL makes an error of a quotient that is too small for it, and one summary is made of everybody's.
    @Test(arguments: TestDatabase.kinds)
    func `values that are next to nothing stop no summary`(kind: TimeSeriesKind) async throws {
        let pot = try await Pot(kind)
        try await pot.fill(
            yesterday { Int($0 * 6) % 2 == 0 ? 5e-324 : 0 }.map {
                Reading(
                    time: $0.time, timeSource: .device, values: $0.values,
                    extras: [ExtraValue(name: "par", value: $0.values[.lightLevel] ?? 0)])
            })
        #expect(try await pot.dli(at: now) == 0)
        #expect(try pot.database.text("SELECT sum(readings)::text FROM telemetry_1d") == "157")
    }

    @Test(arguments: TestDatabase.kinds)
    func `of several devices in a pot the mean counts, and of several plants each has its own`(
        kind: TimeSeriesKind
    ) async throws {
        let pot = try await Pot(kind)
        let second = try await makeDevice(pot.store)
        _ = try await pot.store.assign(second, to: pot.plant, at: .now())
        try await pot.fill(yesterday(sun))
        try await pot.fill(yesterday { 2 * sun($0) }, by: second)
        let (other, third) = (try await makePlant(pot.store), try await makeDevice(pot.store))
        _ = try await pot.store.assign(third, to: other, at: .now())
        try await pot.fill(yesterday { 4 * sun($0) }, by: third)
        _ = try await makePlant(pot.store)
        let page = try await pot.store.withLightOfYesterday(try await pot.store.plants(limit: 10, offset: 0), at: now)
        #expect(page.total == 3)
        #expect(page.items.map { $0.derived(now: now)[.dli] } == [5, 13.32, nil])
    }

    @Test func `days begin at midnight of the place`() async throws {
        let pot = try await Pot(.native)
        try await pot.fill(yesterday(until: 35, sun))
        try await pot.store.set { $0.timeZone = "Pacific/Kiritimati" }
        // 14 hours ahead: the day that was over at 10:00 UTC today had the sun from 10:00 to 17:00 UTC. In the hour of
        // its beginning the sun is on: half of that hour lies between the means of two lit hours.
        let integral = try #require(try await pot.dli(at: now))
        #expect(abs(integral - 7 * 5000 * 3600 * 0.0185 / 1e6) < 0.01)
        // An hour before that it was not over, and of the one before 13 hours were not measured.
        #expect(try await pot.dli(at: now.adding(seconds: -3 * 3600)) == nil)
    }

    @Test func `where no plant has light of these days the database is not asked`() async throws {
        let pot = try await Pot(.native)
        try await pot.fill([reading(.now().adding(seconds: -4 * 86_400), [.lightLevel: 500])])
        let plant = try #require(try await pot.store.plant(pot.plant))
        #expect(plant.latest?.values["light_level"] != nil)
        try pot.database.execute("ALTER VIEW telemetry_1h RENAME TO away")
        #expect(try await pot.store.withLightOfYesterday([plant], at: .now())[0].lightOfYesterday == nil)
        #expect(try await pot.store.withLightOfYesterday([], at: .now()).isEmpty)
        try await pot.fill([reading(.now(), [.lightLevel: 500])])
        let lit = try #require(try await pot.store.plant(pot.plant))
        await #expect(throws: PostgresError.self) { try await pot.store.withLightOfYesterday([lit], at: .now()) }
    }

    @Test func `a day that is known whole is asked for once in ten minutes, others every 15 seconds`() async throws {
        let pot = try await Pot(.native)
        // Of the first plant half of the day is known, of the second nothing.
        try await pot.fill(yesterday { $0 < 15 ? 100 : nil })
        let (other, sensor) = (try await makePlant(pot.store), try await makeDevice(pot.store))
        _ = try await pot.store.assign(sensor, to: other, at: .now())
        try await pot.fill([reading(.now(), [.lightLevel: 100])], by: sensor)
        let plants = try await pot.store.plants(limit: 10, offset: 0).items
        let dark = try await pot.store.withLightOfYesterday(plants, at: now)
        #expect(dark.map { $0.derived(now: now)[.dli] } == [nil, nil])
        try pot.database.execute("ALTER VIEW telemetry_1h RENAME TO away")
        _ = try await pot.store.withLightOfYesterday(plants, at: now.adding(seconds: 14.9))
        for plant in plants {
            await #expect(throws: PostgresError.self) {
                try await pot.store.withLightOfYesterday([plant], at: now.adding(seconds: 15))
            }
        }
        try pot.database.execute("ALTER VIEW away RENAME TO telemetry_1h")
        try await pot.fill(yesterday { $0 >= 15 ? 100 : nil })
        let later = now.adding(seconds: 15)
        let whole = try #require(try await pot.dli(at: later))
        try pot.database.execute("ALTER VIEW telemetry_1h RENAME TO away")
        #expect(try await pot.dli(at: later.adding(seconds: 599)) == whole)
        await #expect(throws: PostgresError.self) { try await pot.dli(at: later.adding(seconds: 600)) }
        // Of the day after, nothing is known.
        await #expect(throws: PostgresError.self) { try await pot.dli(at: now.adding(seconds: 86_400)) }
    }

    // MARK: Health check

    @Test(arguments: TestDatabase.kinds)
    func `a health check has all there is to know of a plant`(kind: TimeSeriesKind) async throws {
        let pot = try await Pot(kind, thresholds: ["soil_moisture": Threshold(min: 30)])
        let second = try await makeDevice(pot.store)
        _ = try await pot.store.assign(second, to: pot.plant, at: .now())
        let now = Timestamp.now()
        let hour = Timestamp(seconds: (now.seconds / 3600).rounded(.down) * 3600)
        func readings(_ moisture: Double, ph: Double) -> [Reading] {
            (1...50).map { back in
                reading(
                    hour.adding(seconds: Double(-back) * 3600 + 60), [.soilMoisture: moisture - Double(back)],
                    extras: [ExtraValue(name: "ph", value: ph)])
            }
        }
        try await pot.fill(readings(60, ph: 6))
        try await pot.fill(readings(70, ph: 7) + [reading(now, [.soilMoisture: 12, .battery: 9])], by: second)
        let alerts: [(AlertKind, EntityID, Bool)] = [
            (.threshold, pot.plant, true), (.batteryLow, second, false), (.deviceOffline, .make(), false),
        ]
        for (index, alert) in alerts.enumerated() {
            let (kind, id, isPlant) = alert
            try pot.database.execute(
                """
                INSERT INTO alerts (id, subject_key, kind, plant_id, device_id, metric, direction, severity, state,
                    started_at, fired_at)
                VALUES (gen_random_uuid(), 'x\(index)', '\(kind.rawValue)', \(isPlant ? "'\(id)'" : "NULL"),
                    \(isPlant ? "NULL" : "'\(id)'"), 'soil_moisture', 'min', 'warning', 'firing', now(), now())
                """)
        }
        let subject = try #require(try await pot.store.healthSubject(of: pot.plant, at: now))
        #expect(subject.plant.latest?.values["soil_moisture"]?.value == 12)
        #expect(Set(subject.members.map(\.device.id)) == [pot.device, second])
        let member = try #require(subject.members.first { $0.device.id == second })
        #expect(member.battery?.value == 9)
        #expect(member.latest?.values["soil_moisture"]?.value == 12)
        // What the intake found by itself is pending.
        #expect(Set(subject.alerts.filter { $0.state == .firing }.map(\.subject.kind)) == [.threshold, .batteryLow])
        let hours = try #require(subject.hours["soil_moisture"]).filter { $0.start < hour }
        #expect(hours.count >= 48)
        let last = try #require(hours.last)
        #expect(last.start == hour.adding(seconds: -3600))
        #expect((last.mean, last.min, last.max) == (64, 59, 69))
        #expect(subject.hours["ph"]?.last?.mean == 6.5)
        #expect(subject.hours["temperature"] == nil)

        let check = HealthCheck(subject, at: now)
        #expect(check.status == .critical)
        #expect(check.issues.prefix(2).map(\.kind) == [.limitExceeded, .batteryLow])
        #expect(check.trends.first { $0.metric == "soil_moisture" }?.direction == .rising)
        #expect(check.trends.first { $0.metric == "ph" }?.direction == .steady)
    }

    @Test func `what a device did elsewhere is not the plant's`() async throws {
        let pot = try await Pot(.native)
        try await pot.fill([reading(.now(), [.soilMoisture: 40, .battery: 50])])
        let other = try await makePlant(pot.store, name: "Palm")
        _ = try await pot.store.assign(pot.device, to: other, at: Timestamp.now().adding(seconds: 1))
        let subject = try #require(try await pot.store.healthSubject(of: other, at: .now()))
        #expect(subject.members.map(\.device.id) == [pot.device])
        #expect(subject.members[0].latest == nil)
        // The battery is the device's, wherever it stands.
        #expect(subject.members[0].battery?.value == 50)
        #expect(subject.hours.isEmpty)
        let left = try #require(try await pot.store.healthSubject(of: pot.plant, at: .now()))
        #expect(left.members.isEmpty)
        #expect(left.hours["soil_moisture"]?.count == 1)
        #expect(try await pot.store.healthSubject(of: .make(), at: .now()) == nil)
    }

    @Test func `the light of yesterday is in a health check, too`() async throws {
        let pot = try await Pot(.native)
        try await pot.fill(yesterday(sun))
        let subject = try #require(try await pot.store.healthSubject(of: pot.plant, at: now))
        #expect(subject.yesterday == today.previous)
        #expect(subject.plant.derived(now: now)[.dli] == 3.33)
    }
}
