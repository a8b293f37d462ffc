import Testing

@testable import PlantDomain

@Suite struct CareFactsTests {
    private func value(_ plant: CarePatient, _ id: String) -> Double? { plant.facts[id]?.value }

    @Test func `what is measured, limits, the species and what follows from them are facts`() throws {
        let facts = CarePatient.measured.facts
        #expect(facts.today.text == "2026-11-21")
        #expect(facts.zone == "UTC")
        #expect(facts.facts.map(\.id) == facts.facts.map(\.id).sorted())
        let now = try #require(facts["soil_moisture.now"])
        #expect((now.value, now.unit, now.kind, now.topic) == (41, "%", .measured, .watering))
        #expect(now.time == Patient().ago(300))
        let expected: [String: (Double?, Double?)] = [
            "soil_moisture.limit_min": (25, nil), "soil_moisture.species_max": (75, nil),
            "temperature.limit_max": (28, nil), "temperature.mean_24h": (21, 24), "temperature.min_14d": (17.8, 326),
            "humidity.species_min": (40, nil), "light_level.species_min": (270, nil), "light.yesterday": (1200, 24),
            "light.mean_14d": (1200, 336), "light.dli_yesterday": (0.96, 24), "soil_moisture.drying": (4, 120),
            "watering.interval": (7, 504), "watering.count_60d": (4, 1440), "watering.target": (60, nil),
            "watering.cycle": (9, 120), "vpd_kpa.now": (1.23, nil), "device.count": (1, nil),
        ]
        for (id, (value, hours)) in expected {
            #expect(facts[id]?.value == value, "\(id)")
            #expect(facts[id]?.hours == hours, "\(id)")
        }
        #expect(facts["species.name"]?.text == "Chlorophytum comosum")
        #expect(facts["watering.last"]?.text == "2026-11-15")
        #expect(facts["watering.next"]?.text == "pace")
        // (41 − 25) ÷ 4 a day.
        #expect(facts["soil_moisture.reaches_min_at"]?.time == now.time?.adding(seconds: 4 * 86_400))
        #expect(facts["temperature.last"] == nil)
    }

    @Test func `equal facts are equal bytes, and come back from JSON`() throws {
        let facts = CarePatient.measured.facts
        #expect(facts.canonical == CarePatient.measured.facts.canonical)
        #expect(!facts.canonical.isEmpty)
        var other = CarePatient.measured
        other.patient.latest["temperature"] = (21.6, 300)
        #expect(facts.canonical != other.facts.canonical)
    }

    @Test func `an old value is the last one, not that of now`() {
        var plant = CarePatient.measured
        plant.patient.latest["temperature"] = (19, 86_400)
        #expect(plant.facts["temperature.now"] == nil)
        #expect(value(plant, "temperature.last") == 19)
        #expect(plant.facts["vpd_kpa.now"] == nil)
    }

    @Test(
        arguments: [
            (Threshold(min: 30, max: 60), 30, 60, "limit", "limit"), (Threshold(min: 30), 30, 75, "limit", "species"),
            (Threshold(max: 50), 25, 50, "species", "limit"), (Threshold(min: 80), 80, nil, "limit", nil),
            (Threshold(max: 20), nil, 20, nil, "limit"), (Threshold(), 25, 75, "species", "species"),
            (Threshold(min: 60, max: 40), 25, 75, "species", "species"),
            (Threshold(min: .nan, max: 1e300), 25, 75, "species", "species"),
            (Threshold(min: 40, max: 40), 40, 40, "limit", "limit"),
        ] as [(Threshold, Double?, Double?, String?, String?)])
    func `limits of the plant go before those of its species`(
        own: Threshold, min: Double?, max: Double?, minBy: String?, maxBy: String?
    ) {
        var plant = CarePatient.measured
        plant.patient.thresholds = ["soil_moisture": own]
        let words = CareWords(plant.facts)
        let limits = words.limits(of: "soil_moisture")
        #expect((limits.min?.value, limits.max?.value) == (min, max))
        #expect(limits.min?.kind.rawValue == minBy)
        #expect(limits.max?.kind.rawValue == maxBy)
        #expect(limits.areContradictory == (own.min == 60))
    }

    @Test func `rounding never moves a value to or across a limit`() {
        var plant = CarePatient.measured
        plant.patient.latest["soil_moisture"] = (24.96, 60)
        #expect(value(plant, "soil_moisture.now") == 24.96 || value(plant, "soil_moisture.now") == 24.9)
        plant.patient.latest["soil_moisture"] = (25.004, 60)
        #expect(value(plant, "soil_moisture.now") == 25.004)
        plant.patient.latest["soil_moisture"] = (25, 60)
        #expect(value(plant, "soil_moisture.now") == 25)
        plant.patient.latest["soil_moisture"] = (41.27, 60)
        #expect(value(plant, "soil_moisture.now") == 41)
    }

    @Test func `what no sensor could have said is no fact`() {
        var plant = CarePatient.measured
        plant.patient.latest = [
            "temperature": (1e300, 60), "humidity": (.nan, 60), "tank": (.infinity, 60), "depth": (1e300, 60),
            "Bad name": (1, 60), "vpd_kpa": (7, 60), "soil_moisture": (-5, 60),
        ]
        plant.patient.thresholds = ["tank": Threshold(min: 1e300), "temperature": Threshold(max: -.infinity)]
        plant.patient.hours = ["temperature": { _ in 1e300 }, "humidity": { _ in .nan }]
        plant.days = ["temperature": { _ in (.nan, 1, 2) }, "depth": { _ in (1e200, 0, 1) }]
        plant.light = { _ in (.infinity, 1) }
        plant.waterings = []
        plant.patient.light = LightSum(luxHours: 1e300, coverage: 1)
        let ids = plant.facts.facts.map(\.id)
        let measured = ids.filter { id in
            [".now", ".last", ".mean_24h", ".mean_14d", ".limit_min", ".limit_max"].contains { id.hasSuffix($0) }
        }
        #expect(measured == [])
        #expect(plant.facts.facts.allSatisfy { $0.value?.isFinite ?? true })
        #expect(!ids.contains { $0.hasPrefix("light.y") || $0.hasPrefix("light.m") })
    }

    @Test func `of extra metrics eight are told, those with limits first`() {
        var plant = CarePatient.measured
        for index in 10..<40 { plant.patient.latest["extra_\(index)"] = (Double(index), 60) }
        plant.patient.thresholds["extra_39"] = Threshold(max: 50)
        let now = plant.facts.facts.filter { $0.id.hasPrefix("extra.") && $0.id.hasSuffix(".now") }
        #expect(now.map(\.metric) == (10...16).map { "extra_\($0)" } + ["extra_39"])
        #expect(value(plant, "extra.extra_39.limit_max") == 50)
        #expect(now.allSatisfy { $0.unit == nil })
    }

    // MARK: Waterings

    @Test func `two waterings on a day are one, and the day is that of the place`() {
        var plant = CarePatient.measured
        plant.waterings = [1, 1.01, 4, 7.1]
        #expect(value(plant, "watering.count_60d") == 3)
        #expect(value(plant, "watering.interval") == 3)
        // 13:00 UTC is the next day in Auckland.
        plant.waterings = [1, 4, 7].map { $0 + 1.0 / 24 }
        #expect(plant.facts["watering.last"]?.text == "2026-11-20")
        plant.zone = KnownTimeZone("Pacific/Auckland")!
        #expect(plant.facts["watering.last"]?.text == "2026-11-21")
        #expect(plant.facts.today.text == "2026-11-22")
        plant.waterings = [-1, 70]
        #expect(plant.facts["watering.last"] == nil)
    }

    @Test func `the usual interval counts days of the calendar, also when clocks are changed`() throws {
        var plant = CarePatient()
        plant.zone = KnownTimeZone("Europe/Berlin")!
        // 26 October, the day after the clocks were put back: 00:30.
        plant.now = Timestamp(rfc3339: "2026-10-25T23:30:00Z")!
        plant.patient.latest = [:]
        // 00:10 of the 19th and of the 12th, summer time.
        let times = ["2026-10-18T22:10:00Z", "2026-10-11T22:10:00Z", "2026-10-04T22:10:00Z"]
        plant.waterings = try times.map {
            plant.now.seconds(since: try #require(Timestamp(rfc3339: $0))) / 86_400
        }
        #expect(value(plant, "watering.interval") == 7)
        #expect(plant.facts.today.text == "2026-10-26")
        #expect(plant.advice.watering.nextDate?.text == "2026-10-26")
    }

    @Test func `a forecast goes before the pace of the last days`() {
        var plant = CarePatient.measured
        let time = plant.now.adding(seconds: 6 * 86_400)
        plant.drying = CareDrying(minimum: 25, reachesMinimumAt: time)
        #expect(plant.facts["watering.next"]?.text == "forecast")
        #expect(plant.facts["watering.next"]?.time == time)
        #expect(plant.advice.watering.nextDate?.text == "2026-11-27")
        // It is of a limit that is not gone by.
        plant.patient.thresholds["soil_moisture"] = Threshold(min: 60, max: 30)
        #expect(plant.facts["watering.next"]?.text == "forecast", "of the species: the same limit")
        plant.drying = CareDrying(minimum: 60, reachesMinimumAt: time)
        #expect(plant.facts["soil_moisture.reaches_min_at"] == nil)
    }

    @Test(
        arguments: [
            (0.0, 0.0, 0.0, "stays_at_0"), (100, 100, 100, "stays_at_100"), (1, 0, 1.9, "stays_at_0"),
            (99, 98, 99.5, "stays_at_100"), (10, 8, 12, "stays_below_minimum"),
            (45, 40, 50, nil),
        ] as [(Double, Double, Double, String?)])
    func `a probe that cannot be right is told`(mean: Double, min: Double, max: Double, suspect: String?) {
        var plant = CarePatient.measured
        plant.patient.latest["soil_moisture"] = (mean, 60)
        plant.patient.hours["soil_moisture"] = nil
        plant.days["soil_moisture"] = { _ in (mean, min, max) }
        let now = plant.now
        let hours = (-20...0).map {
            HealthSubject.Hour(start: now.adding(seconds: Double($0) * 3600), mean: mean, min: min, max: max)
        }
        let old = plant.subject
        let subject = CareSubject(
            health: HealthSubject(
                plant: old.health.plant, members: old.health.members, alerts: [], hours: ["soil_moisture": hours],
                yesterday: old.health.yesterday), species: old.species, zone: old.zone, days: old.days,
            light: old.light, waterings: [now.adding(seconds: -86_400 * 3), now.adding(seconds: -86_400 * 6)],
            feedback: [])
        let facts = CareFacts(subject, at: now)
        #expect(facts["soil_moisture.suspect"]?.text == suspect)
        #expect(BuiltInAdvisor.advice(facts).tips.contains { $0.contains("alibrate") } == (suspect != nil))
    }
}
