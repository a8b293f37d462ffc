import Foundation
import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// What advice rests on, from stored readings of a time that is over, whatever the clock says.
@Suite(.serialized) struct CareSubjectTests {
    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    /// The day of the month, so that each day has a mean of its own.
    private func number(_ time: Timestamp, in zone: KnownTimeZone) -> Double {
        Double(LocalDay.containing(time, in: zone).description.suffix(2)) ?? 0
    }

    /// The clocks went back on 2025-10-26: that day had 25 hours.
    @Test(arguments: TestDatabase.kinds)
    func `days are those of the place, one of them longer`(kind: TimeSeriesKind) async throws {
        let begin = try time("2025-10-10T00:00:00Z")
        let pot = try await CarePot(kind, zone: "Europe/Berlin", assigned: begin)
        let now = try time("2025-10-27T12:00:00Z")
        try await pot.fill(
            pot.readings(begin, now) { [.soilMoisture: number($0, in: pot.zone), .lightLevel: 1200] })
        let subject = try #require(try await pot.store.careSubject(of: pot.plant, at: now))
        #expect(subject.zone == pot.zone)
        let days = try #require(subject.days["soil_moisture"])
        #expect(days.map { "\($0.day)" } == (14...27).map { "2025-10-\($0)" })
        for day in days {
            let number = number(day.day.start, in: pot.zone)
            #expect((day.mean, day.min, day.max) == (number, number, number), "\(day.day)")
        }
        // Today so far from midnight to one o'clock in the afternoon.
        #expect(days.map(\.hours) == Array(repeating: 24, count: 12) + [25, 13])
        #expect(subject.light.map { "\($0.day)" } == (13...26).map { "2025-10-\($0)" })
        #expect(subject.light.allSatisfy { $0.light.coverage > 0.999 })
        #expect(subject.light.map { ($0.light.luxHours / 1200).rounded() } == Array(repeating: 24, count: 13) + [25])
        #expect(subject.days["temperature"] == nil)
        #expect((subject.waterings, subject.feedback) == ([], []))
        // The health check in it is the one there is without it.
        let health = try #require(try await pot.store.healthSubject(of: pot.plant, at: now))
        let hours = try #require(subject.health.hours["soil_moisture"])
        #expect(hours.map(\.start) == health.hours["soil_moisture"]?.map(\.start))
        #expect(hours.count == 48)
        #expect(subject.health.plant == health.plant)
        #expect(subject.health.yesterday == health.yesterday)
        #expect(health.plant.lightOfYesterday == subject.light.last?.light)
    }

    /// A large database that was upgraded: to make the hours of all its readings would take too long.
    @Test func `until everything is summarized it is made from the readings of its days alone`() async throws {
        let begin = try time("2025-10-10T00:00:00Z")
        let pot = try await CarePot(.native, zone: "Europe/Berlin", assigned: begin)
        let now = try time("2025-10-27T12:00:00Z")
        try await pot.fill(
            pot.readings(begin, now, extras: ["co"]) {
                [
                    .soilMoisture: number($0, in: pot.zone),
                    .temperature: Double($0.seconds.truncatingRemainder(dividingBy: 7)),
                ]
            })
        let summarized = try #require(try await pot.store.careSubject(of: pot.plant, at: now))
        try pot.database.execute(
            "UPDATE rollup_state SET is_complete = false; ALTER VIEW telemetry_1h RENAME TO out_of_reach")
        let subject = try #require(try await pot.store.careSubject(of: pot.plant, at: now))
        #expect(Set(subject.days.keys) == ["soil_moisture", "temperature", "co"])
        for (name, days) in summarized.days {
            let found = try #require(subject.days[name])
            #expect(found.map(\.day) == days.map(\.day))
            for (found, day) in zip(found, days) {
                #expect(abs(found.mean - day.mean) < 1e-9)
                #expect((found.min, found.max, found.hours) == (day.min, day.max, day.hours), "\(name) \(day.day)")
            }
        }
        #expect(
            subject.health.hours.mapValues { $0.map(\.start) } == summarized.health.hours.mapValues { $0.map(\.start) })
    }

    @Test func `where days begin at half past, each hour belongs to one day`() async throws {
        let begin = try time("2025-10-01T00:00:00Z")
        let pot = try await CarePot(.native, zone: "Asia/Kolkata", assigned: begin)
        let now = try time("2025-10-20T12:00:00Z")
        try await pot.fill(pot.readings(begin, now) { [.temperature: number($0, in: pot.zone)] })
        let days = try #require(try await pot.store.careSubject(of: pot.plant, at: now)?.days["temperature"])
        #expect(days.map { "\($0.day)".suffix(2) } == (7...20).map { $0 < 10 ? "0\($0)" : "\($0)" })
        // 18:30 UTC is midnight; the hour before its middle is the evening before's.
        #expect(days.dropLast().allSatisfy { $0.hours == 24 })
        #expect(days.last?.hours == 18)
        for day in days {
            let number = number(day.day.start, in: pot.zone)
            #expect(day.max == number)
            #expect(day.min >= number - 1)
            #expect(abs(day.mean - number) < 0.03, "half an hour of the day before at most")
        }
    }

    @Test(arguments: TestDatabase.kinds)
    func `a pot is measured by what stands in it`(kind: TimeSeriesKind) async throws {
        let begin = try time("2025-10-20T00:00:00Z")
        let (moved, now) = (try time("2025-10-23T12:00:00Z"), try time("2025-10-25T00:00:00Z"))
        let pot = try await CarePot(kind, assigned: begin)
        let (other, second) = (try await makePlant(pot.store, name: "Palm"), try await makeDevice(pot.store))
        _ = try await pot.store.assign(pot.device, to: other, at: moved)
        _ = try await pot.store.assign(second, to: pot.plant, at: begin)
        try await pot.fill(pot.readings(begin, now) { _ in [.humidity: 40] })
        // The second one begins a day later.
        try await pot.fill(pot.readings(begin.adding(seconds: 86_400), now) { _ in [.humidity: 60] }, by: second)
        func days(_ plant: EntityID) async throws -> [String] {
            let subject = try #require(try await pot.store.careSubject(of: plant, at: now))
            return (subject.days["humidity"] ?? []).map {
                "\("\($0.day)".suffix(2)) \($0.mean) \($0.min) \($0.max) \($0.hours)"
            }
        }
        #expect(
            try await days(pot.plant) == [
                "20 40.0 40.0 40.0 24.0", "21 50.0 40.0 60.0 24.0", "22 50.0 40.0 60.0 24.0", "23 55.0 40.0 60.0 24.0",
                "24 60.0 60.0 60.0 24.0",
            ])
        #expect(try await days(other) == ["23 40.0 40.0 40.0 12.0", "24 40.0 40.0 40.0 24.0"])
    }

    @Test func `extra metrics are few, gaps are no days, and there is no subject without a plant`() async throws {
        let pot = try await CarePot(.native, assigned: try time("2025-10-01T00:00:00Z"))
        let (early, late) = (try time("2025-10-15T03:00:00Z"), try time("2025-10-20T03:00:00Z"))
        let names = (0..<16).map { "x\($0 < 10 ? "0" : "")\($0)" }
        for start in [early, late] {
            try await pot.fill(
                pot.readings(start, start.adding(seconds: 7200), extras: names) { _ in [.soilMoisture: 40] })
        }
        _ = try await pot.store.updatePlant(pot.plant, at: early) { $0.thresholds = ["x15": Threshold(max: 5)] }
        let subject = try #require(try await pot.store.careSubject(of: pot.plant, at: late.adding(seconds: 7200)))
        #expect(Set(subject.days.keys) == Set(names.prefix(7) + ["x15", "soil_moisture"]))
        #expect(subject.days["x00"]?.map { "\($0.day) \($0.hours)" } == ["2025-10-15 2.0", "2025-10-20 2.0"])
        #expect(subject.light.isEmpty)
        #expect(try await pot.store.careSubject(of: .make(), at: late) == nil)
    }

    /// ln 2 = 0.693; of a pot that was watered at the beginning of its readings.
    @Test(
        arguments: [
            (nil, nil, "Monstera deliciosa", 25.0), (30, nil, "Monstera deliciosa", 30),
            (nil, 70, "Monstera deliciosa", 25),
            (nil, nil, nil, nil),
        ] as [(Double?, Double?, String?, Double?)])
    func `the limit that advice goes by is foretold, the forecast goes by the plant's own`(
        min: Double?, max: Double?, species: String?, expected: Double?
    ) async throws {
        let begin = try time("2025-10-01T00:00:00Z")
        let now = try time("2025-10-04T00:00:00Z")
        let pot = try await CarePot(.native, assigned: begin)
        _ = try await pot.store.updatePlant(pot.plant, at: begin) {
            $0.species = species
            $0.thresholds = min == nil && max == nil ? [:] : ["soil_moisture": Threshold(min: min, max: max)]
        }
        // Half of what is above 5 % goes in four days.
        try await pot.fill(
            pot.readings(begin, now) { [.soilMoisture: 5 + 60 * exp2(-$0.seconds(since: begin) / 86_400 / 4)] })
        let subject = try #require(try await pot.store.careSubject(of: pot.plant, at: now))
        let drying = try #require(subject.drying)
        #expect(drying.minimum == expected)
        #expect((drying.reachesMinimumAt != nil) == (expected != nil))
        #expect(abs((drying.timeConstant ?? 0) / 86_400 - 4 / 0.693) < 0.2)
        if let expected, let at = drying.reachesMinimumAt {
            let days = 4 * log2(60 / (expected - 5))
            #expect(abs(at.seconds(since: begin) / 86_400 - days) < 0.3)
            #expect(
                CareFacts(subject, at: now)["watering.next"]?.time
                    == CareFacts(subject, at: now)["soil_moisture.reaches_min_at"]?.time)
        }
        let outlook = try #require(try await pot.store.dryingOutlook(of: pot.plant, at: now))
        #expect(outlook.minimum == min)
        #expect((outlook.reason == .noLimit) == (min == nil))
    }

    @Test func `waterings of the last 60 days are what it rests on, oldest first`() async throws {
        let pot = try await CarePot(.native)
        let now = Timestamp.now()
        func back(_ days: Double) -> Timestamp { now.adding(seconds: -days * 86_400) }
        for (kind, at) in [
            (PlantEvent.Kind.watering, back(2)), (.note, back(1)), (.watering, back(9)), (.watering, back(61)),
        ] {
            let event = PlantEvent(
                id: .make(), plantID: pot.plant, kind: kind, at: at, source: .entered, createdAt: now)
            _ = try await pot.store.createPlantEvent(event, user: nil, by: testOrigin, at: now)
        }
        let subject = try #require(try await pot.store.careSubject(of: pot.plant, at: now))
        #expect(subject.waterings == [back(9), back(2)])
        #expect(CareFacts(subject, at: now)["watering.last"]?.time == back(2))
    }

    @Test func `a species is one's own before the built-in one, and feedback that of the newest plan with any`()
        async throws
    {
        let pot = try await CarePot(.native)
        let now = Timestamp.now()
        func subject() async throws -> CareSubject {
            try #require(try await pot.store.careSubject(of: pot.plant, at: now))
        }
        #expect(try await subject().species == nil)
        let builtIn = try #require(SpeciesLibrary.builtIn(named: "Monstera deliciosa"))
        _ = try await pot.store.updatePlant(pot.plant, at: now) { $0.species = "monstera deliciosa" }
        #expect(try await subject().species == builtIn)
        let own = Species(id: nil, scientificName: "Monstera deliciosa", water: .low)
        _ = try await pot.store.createSpecies(own, id: .make(), by: testOrigin, at: now)
        #expect(try await subject().species?.water == .low)
        #expect(try await subject().species?.id != nil)

        let plans = try (0..<3).map { try carePlan(of: pot.plant, at: now.adding(seconds: Double($0))) }
        for plan in plans { _ = try await pot.store.saveCarePlan(plan) }
        for (index, item) in [(0, CareItem.plan), (1, .watering), (1, .light)] {
            _ = try await pot.store.setCareFeedback(
                .done, on: item, of: plans[index].id, plant: pot.plant, user: nil, by: testOrigin, at: now)
        }
        #expect(try await subject().feedback.map(\.item) == [.watering, .light])
    }
}
