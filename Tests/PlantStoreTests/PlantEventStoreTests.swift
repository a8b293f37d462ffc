import Logging
import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// What happened to plants, and the waterings that are found in stored readings.
@Suite(.serialized) struct PlantEventStoreTests {
    /// So that values of every five minutes are each in five minutes of their own.
    private let now = Timestamp(seconds: (Timestamp.now().seconds / 300).rounded(.down) * 300)

    private struct Pot {
        let database: TestDatabase
        let store: Store
        let plant: EntityID
        let device: EntityID

        init(_ kind: TimeSeriesKind, thresholds: Thresholds = [:]) async throws {
            database = try TestDatabase(kind)
            store = database.store()
            plant = try await makePlant(store, thresholds: thresholds)
            device = try await makeDevice(store, interval: 300)
            _ = try await store.assign(device, to: plant, at: .now())
        }

        func fill(_ readings: [Reading], by device: EntityID? = nil, isSummarized: Bool = true) async throws {
            try database.execute("SELECT telemetry_ensure_partitions(now() - INTERVAL '36 days', now())")
            var maker = BatchMaker()
            maker.telemetry(device ?? self.device, readings)
            _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
            guard isSummarized else { return }
            let upkeep = SeriesUpkeep(database.options, logger: Logger(label: "test"))
            #expect(try await upkeep.summarize(zone: .utc, at: .now()))
        }

        func find(_ seconds: Double = WateringScan.shortSeconds, at now: Timestamp) async throws -> Int {
            try await store.findWaterings(of: [plant], since: now.adding(seconds: -seconds), at: now)
        }

        func events(_ filter: PlantEventFilter = PlantEventFilter()) async throws -> [PlantEvent] {
            try #require(try await store.plantEvents(of: plant, filter, limit: 500, offset: 0)).items
        }

        func enter(
            _ kind: PlantEvent.Kind = .watering, at time: Timestamp, note: String? = nil, amount: Double? = nil,
            user: EntityID? = nil
        ) async throws -> PlantEvent {
            let event = PlantEvent(
                id: .make(), plantID: plant, kind: kind, at: time, source: .entered, note: note,
                amountMillilitres: amount, createdAt: .now())
            let outcome = try await store.createPlantEvent(event, user: user, by: testOrigin, at: .now())
            guard case .created(let made) = outcome else { throw TestSetupError(description: "\(outcome)") }
            return made
        }

        func delete(_ event: PlantEvent) async throws -> Bool {
            try await store.deletePlantEvent(event.id, of: plant, by: testOrigin, at: .now())
        }
    }

    /// Every five minutes from so many minutes ago on; watered so many minutes ago.
    private func readings(
        from: Double = 300, watered: Double, until: Double = 0, before: Double = 30, after: Double = 60
    ) -> [Reading] {
        stride(from: from, through: until, by: -5).map {
            reading(ago($0).adding(seconds: 1), [.soilMoisture: $0 > watered ? before : after])
        }
    }

    private func ago(_ minutes: Double) -> Timestamp { now.adding(seconds: -minutes * 60) }

    @Test(arguments: TestDatabase.kinds)
    func `a watering is found in what was measured, once`(kind: TimeSeriesKind) async throws {
        let pot = try await Pot(kind)
        #expect(try await pot.find(at: now) == 0)
        try await pot.fill(readings(watered: 60))
        #expect(try await pot.find(at: now) == 1)
        let event = try #require(try await pot.events().first)
        #expect((event.kind, event.source, event.at, event.plantID) == (.watering, .detected, ago(60), pot.plant))
        #expect(event.measured == PlantEvent.Measured(before: 30, after: 60, device: pot.device))
        #expect((event.note, event.amountMillilitres, event.createdBy) == (nil, nil, nil))
        #expect(try await pot.store.waterings(of: pot.plant, since: ago(60)) == [ago(60)])
        #expect(try await pot.store.waterings(of: pot.plant, since: ago(59)).isEmpty)
        #expect(try await pot.find(at: now) == 0)
        #expect(try await pot.find(WateringScan.longSeconds, at: now) == 0)
        #expect(try await pot.events() == [event])
        // It belongs to no other plant, and the reading behind it may go.
        #expect(try await pot.store.findWaterings(of: [try await makePlant(pot.store)], since: ago(300), at: now) == 0)
    }

    @Test(arguments: TestDatabase.kinds)
    func `what comes late is found, however late`(kind: TimeSeriesKind) async throws {
        let pot = try await Pot(kind)
        let days = 20 * 1440.0
        try await pot.fill(readings(watered: 100))
        #expect(try await pot.find(at: now) == 1)
        try await pot.fill(readings(from: days + 300, watered: days + 60, until: days))
        #expect(try await pot.find(WateringScan.middleSeconds, at: now) == 0)
        #expect(try await pot.find(WateringScan.longSeconds, at: now) == 1)
        #expect(try await pot.store.waterings(of: pot.plant, since: ago(50_000)) == [ago(days + 60), ago(100)])
        #expect(try await pot.events().map(\.at) == [ago(100), ago(days + 60)])
    }

    @Test func `a dip or a rise at the beginning of what is looked at is told by what was before`() async throws {
        let pot = try await Pot(.native)
        // Ten minutes out of the pot, just before the span begins, and a watering that began before it.
        let dip = stride(from: 420.0, through: 0, by: -5).map {
            reading(ago($0), [.soilMoisture: (360...370).contains($0) ? 0 : $0 > 370 ? 60.0 : 59])
        }
        try await pot.fill(dip)
        for minutes in stride(from: 350.0, through: 380, by: 5) {
            #expect(try await pot.find(minutes * 60, at: now) == 0, "\(minutes)")
        }
        let other = try await Pot(.native)
        try await other.fill(readings(from: 420, watered: 365))
        #expect(try await other.find(360 * 60, at: now) == 0)
        #expect(try await other.find(370 * 60, at: now) == 1)
    }

    @Test(arguments: TestDatabase.kinds)
    func `two devices in a pot, and many backends, find one`(kind: TimeSeriesKind) async throws {
        let pot = try await Pot(kind)
        let second = try await makeDevice(pot.store)
        _ = try await pot.store.assign(second, to: pot.plant, at: .now())
        try await pot.fill(readings(watered: 60))
        try await pot.fill(readings(watered: 50, before: 20, after: 70), by: second)
        let stores = (0..<6).map { _ in pot.database.store(connections: 1) }
        let (plant, now) = (pot.plant, now)
        let new = try await withThrowingTaskGroup(of: Int.self) { group in
            for store in stores {
                group.addTask {
                    try await store.findWaterings(of: [plant], since: now.adding(seconds: -18_000), at: now)
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(new == 1)
        let events = try await pot.events()
        #expect(events.map(\.at) == [ago(60)])
        #expect(events.first?.measured == PlantEvent.Measured(before: 20, after: 70, device: second))
        // A device that goes takes nothing along.
        #expect(try await pot.store.deleteDevice(second))
        #expect(try await pot.events() == events)
    }

    @Test func `while the past is being summarized nothing is looked for`() async throws {
        let pot = try await Pot(.native)
        try await pot.fill(readings(watered: 60))
        try pot.database.execute("UPDATE rollup_state SET is_complete = false")
        #expect(try await pot.find(at: now) == 0)
        #expect(try await pot.store.plantsForLongWateringScan(at: now).isEmpty)
        try pot.database.execute("UPDATE rollup_state SET is_complete = true")
        #expect(try await pot.store.plantsForLongWateringScan(at: now) == [pot.plant])
        #expect(try await pot.find(at: now) == 1)
    }

    @Test func `the long way is gone once a day, also after the clock was wrong`() async throws {
        let pot = try await Pot(.native)
        try pot.database.execute("UPDATE rollup_state SET is_complete = true")
        func isDue(_ seconds: Double) async throws -> Bool {
            try await !pot.store.plantsForLongWateringScan(at: now.adding(seconds: seconds)).isEmpty
        }
        #expect(try await isDue(0))
        #expect(try await isDue(10))
        try await pot.store.setLongWateringScan(at: now)
        #expect(try await !isDue(0))
        #expect(try await !isDue(86_399))
        #expect(try await isDue(86_400))
        #expect(try await isDue(-86_400))
    }

    @Test func `whose devices were heard of is looked at`() async throws {
        let pot = try await Pot(.native)
        let (other, second) = (try await makePlant(pot.store), try await makeDevice(pot.store))
        _ = try await pot.store.assign(second, to: other, at: .now())
        _ = try await makePlant(pot.store)
        let time = Timestamp.now()
        try await pot.fill([reading(time, [.soilMoisture: 40])], isSummarized: false)
        try await pot.fill([reading(time, [.temperature: 20])], by: second, isSummarized: false)
        #expect(try await pot.store.plantsWithMoisture(heardSince: time.adding(seconds: -60)) == [pot.plant])
        #expect(try await pot.store.plantsWithMoisture(heardSince: time.adding(seconds: 60)).isEmpty)
    }

    // MARK: people

    @Test func `what a person removed does not come back`() async throws {
        let pot = try await Pot(.native)
        try await pot.fill(readings(watered: 60))
        #expect(try await pot.find(at: now) == 1)
        let event = try #require(try await pot.events().first)
        #expect(try await pot.delete(event))
        #expect(try await !pot.delete(event))
        #expect(try await pot.events().isEmpty)
        #expect(try await pot.store.waterings(of: pot.plant, since: ago(999)).isEmpty)
        #expect(try await pot.find(at: now) == 0)
        #expect(try await pot.events().isEmpty)
        // It may be entered again, and is no other's.
        let entered = try await pot.enter(at: ago(55))
        #expect(entered.measured == nil)
        #expect(try await pot.find(at: now) == 0)
        #expect(try await pot.events() == [entered])
        let other = try await makePlant(pot.store)
        #expect(try await !pot.store.deletePlantEvent(entered.id, of: other, by: testOrigin, at: .now()))
    }

    @Test(arguments: [true, false])
    func `what was entered is shown, with what sensors have seen, whichever came first`(isEnteredFirst: Bool)
        async throws
    {
        let pot = try await Pot(.native)
        try await pot.fill(readings(watered: 60))
        if !isEnteredFirst { #expect(try await pot.find(at: now) == 1) }
        let entered = try await pot.enter(at: ago(90), note: "from below", amount: 250)
        #expect((entered.measured == nil) == isEnteredFirst)
        #expect(try await pot.find(at: now) == 0)
        let events = try await pot.events()
        let event = try #require(events.first)
        #expect(events.count == 1)
        #expect((event.id, event.at, event.source, event.note) == (entered.id, ago(90), .entered, "from below"))
        #expect(event.amountMillilitres == 250)
        #expect(event.measured == PlantEvent.Measured(before: 30, after: 60, device: pot.device))
        #expect(try await pot.store.waterings(of: pot.plant, since: ago(999)) == [ago(90)])
        // Removed, it does not come back as detected; what was written goes for good.
        #expect(try await pot.delete(event))
        #expect(try await pot.find(at: now) == 0)
        #expect(try await pot.events().isEmpty)
        #expect(
            try pot.database.int("SELECT count(*) FROM plant_events WHERE note IS NOT NULL OR amount_ml IS NOT NULL")
                == 0)
    }

    @Test func `a watering that was entered an hour or more away is another`() async throws {
        let pot = try await Pot(.native)
        try await pot.fill(readings(watered: 100))
        #expect(try await pot.find(at: now) == 1)
        let entered = try await pot.enter(at: ago(39))
        #expect(entered.measured == nil)
        // Notes and repotting have nothing to do with it.
        _ = try await pot.enter(.repotting, at: ago(100))
        #expect(try await pot.events().map(\.at) == [ago(39), ago(100), ago(100)])
        #expect(try await pot.store.waterings(of: pot.plant, since: ago(999)) == [ago(100), ago(39)])
    }

    @Test func `a watering that goes on is told with what it rises to`() async throws {
        let pot = try await Pot(.native)
        try await pot.fill(readings(watered: 120, until: 85, after: 50))
        #expect(try await pot.find(at: now) == 1)
        try await pot.fill(readings(from: 80, watered: 999, after: 70))
        #expect(try await pot.find(at: now) == 0)
        let events = try await pot.events()
        #expect(events.map(\.measured?.after) == [70])
    }

    @Test func `events are listed by kind and time, newest first, page by page`() async throws {
        let pot = try await Pot(.native)
        var made: [PlantEvent] = []
        for (index, kind) in PlantEvent.Kind.allCases.enumerated() {
            made.append(try await pot.enter(kind, at: ago(Double(400 - index * 100)), note: "\(kind)"))
        }
        let newest = Array(made.reversed())
        #expect(try await pot.events() == newest)
        #expect(try await pot.events(PlantEventFilter(kind: .fertilizing)) == [made[2]])
        #expect(try await pot.events(PlantEventFilter(from: ago(300))) == Array(newest.prefix(3)))
        #expect(try await pot.events(PlantEventFilter(to: ago(300))) == [made[0]])
        let page = try #require(try await pot.store.plantEvents(of: pot.plant, .init(), limit: 2, offset: 1))
        #expect((page.items, page.total) == (Array(newest[1...2]), 4))
        let beyond = try #require(try await pot.store.plantEvents(of: pot.plant, .init(), limit: 2, offset: 9))
        #expect((beyond.items.count, beyond.total) == (0, 4))
        #expect(try await pot.store.plantEvents(of: .make(), .init(), limit: 2, offset: 0) == nil)
    }

    @Test func `who entered it is told as long as there is such a user, and a plant takes its events along`()
        async throws
    {
        let pot = try await Pot(.native)
        let user = EntityID.make()
        try pot.database.execute(
            """
            INSERT INTO users (id, email, role, password_hash, created_at, updated_at)
            VALUES ('\(user)', 'a@example.org', 'member', 'x', now(), now())
            """)
        let event = try await pot.enter(.note, at: ago(10), note: "New leaf\nat last", user: user)
        #expect((event.createdBy, event.note) == ("a@example.org", "New leaf\nat last"))
        try pot.database.execute("DELETE FROM users")
        #expect(try await pot.events().map(\.createdBy) == [nil])
        #expect(
            try pot.database.lines("SELECT action FROM audit_log WHERE action LIKE 'plant_event%'") == [
                "plant_event.create"
            ])
        #expect(try await pot.store.deletePlant(pot.plant))
        #expect(try pot.database.int("SELECT count(*) FROM plant_events") == 0)
        let outcome = try await pot.store.createPlantEvent(event, user: nil, by: testOrigin, at: .now())
        guard case .noSuchPlant = outcome else { return #expect(Bool(false), "\(outcome)") }
    }

    @Test func `there can be so many of a plant; what is detected takes the place of the oldest detected`() async throws
    {
        let pot = try await Pot(.native)
        func fill(_ source: String, _ count: Int) throws {
            try pot.database.execute(
                """
                INSERT INTO plant_events (id, plant_id, kind, at, source, value_before, value_after, created_at)
                SELECT gen_random_uuid(), '\(pot.plant)', 'watering', '2020-01-01'::timestamptz + n * INTERVAL '2 hours',
                    '\(source)', 1, 2, now() FROM generate_series(1, \(count)) n
                """)
        }
        try fill("entered", Store.plantEventLimit)
        await #expect(throws: TestSetupError.self) { try await pot.enter(at: ago(600)) }
        try await pot.fill(readings(watered: 60))
        #expect(try await pot.find(at: now) == 0)
        try pot.database.execute("DELETE FROM plant_events")
        try fill("detected", Store.plantEventLimit)
        #expect(try await pot.find(at: now) == 1)
        #expect(try pot.database.int("SELECT count(*) FROM plant_events") == Store.plantEventLimit)
        #expect(try pot.database.int("SELECT count(*) FROM plant_events WHERE at < '2020-01-01 03:00Z'") == 0)
    }

    // MARK: outlook

    @Test(arguments: TestDatabase.kinds)
    func `a forecast follows from the readings since the last watering`(kind: TimeSeriesKind) async throws {
        let pot = try await Pot(kind, thresholds: ["soil_moisture": Threshold(min: 25)])
        func outlook() async throws -> DryingOutlook {
            try #require(try await pot.store.dryingOutlook(of: pot.plant, at: now))
        }
        #expect(try await outlook().reason == .noData)
        #expect(try await pot.store.dryingOutlook(of: .make(), at: now) == nil)
        // Watered three days ago; since then half of what is above 5 % goes in every four days.
        try await pot.fill(
            stride(from: 6 * 1440.0, through: 0, by: -20).map { minutes in
                let days = 3 - minutes / 1440
                let value = days < 0 ? 30 - days : 5 + 65 * halved(days / 4)
                return reading(ago(minutes).adding(seconds: 1), [.soilMoisture: value])
            })
        for isComplete in [true, false] {
            try pot.database.execute("UPDATE rollup_state SET is_complete = \(isComplete)")
            let found = try await outlook()
            #expect(found.reason == nil, "\(found)")
            let basis = try #require(found.basis)
            // ln 2 = 0.693
            #expect(abs(basis.timeConstantDays - 4 / 0.693147) < 0.2)
            #expect(basis.kind == .currentCycle)
            let prediction = try #require(found.prediction)
            // 70 → 25 takes 4·log2(65/20) = 6.8 days, of which 3 are over.
            let days = prediction.reachesMinimumAt.seconds(since: now) / 86_400
            #expect(abs(days - 3.8) < 0.3)
            #expect(prediction.low < prediction.reachesMinimumAt && prediction.reachesMinimumAt < prediction.high)
            #expect(found.device == pot.device && found.minimum == 25)
        }
        _ = try await pot.store.updatePlant(pot.plant, at: .now()) { $0.thresholds = [:] }
        #expect(try await outlook().reason == .noLimit)
        // Without the device it is history.
        _ = try await pot.store.unassign(pot.device, at: .now())
        #expect(try await outlook().reason == .noData)
    }

    /// 2 to the power of −x.
    private func halved(_ x: Double) -> Double {
        var (result, step, rest) = (1.0, 0.5.squareRoot(), x)
        while rest >= 1 { (result, rest) = (result / 2, rest - 1) }
        var bit = 0.5
        for _ in 0..<50 {
            if rest >= bit { (result, rest) = (result * step, rest - bit) }
            (step, bit) = (step.squareRoot(), bit / 2)
        }
        return result
    }
}

extension Store {
    /// - Returns: how many are new.
    @discardableResult
    fileprivate func findWaterings(of plants: [EntityID], since: Timestamp, at now: Timestamp) async throws -> Int {
        var new = 0
        try await findWaterings(of: plants, since: since, at: now, counting: &new)
        return new
    }
}
