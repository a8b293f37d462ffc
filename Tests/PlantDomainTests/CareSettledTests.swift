import Testing

@testable import PlantDomain

@Suite struct CareSettledTests {
    /// Whether a change of one fact is significant.
    private func counts(_ change: (inout CarePatient) -> Void, from start: CarePatient = .measured) -> Bool {
        var plant = start
        change(&plant)
        let before = start.facts
        return plant.facts.settled(against: before) != before
    }

    @Test(
        arguments: [
            ("soil_moisture", 41, 45.4, false), ("soil_moisture", 41, 46, true), ("soil_moisture", 26, 24, true),
            // By the day they go up and down.
            ("temperature", 21.5, 25, false), ("temperature", 21.5, 28.1, true), ("humidity", 52, 65, false),
            ("light_level", 640, 64_000, false), ("soil_ec", 1000, 1140, false), ("soil_ec", 1000, 1180, true),
            ("tank", 10, 11.7, false), ("tank", 10, 11.8, true), ("battery", 80, 10, false),
        ] as [(String, Double, Double, Bool)])
    func `a value counts from a step on, or beyond a limit`(metric: String, old: Double, new: Double, expected: Bool) {
        var plant = CarePatient.measured
        plant.patient.latest[metric] = (old, 300)
        // Nothing but this value.
        plant.patient.hours = [:]
        #expect(counts({ $0.patient.latest[metric] = (new, 300) }, from: plant) == expected)
        // The other way round as well.
        plant.patient.latest[metric] = (new, 300)
        #expect(counts({ $0.patient.latest[metric] = (old, 300) }, from: plant) == expected)
    }

    @Test(arguments: [(22.4, false), (22.6, true), (19.4, true)])
    func `the mean of a day counts where a value of now does not`(mean: Double, expected: Bool) {
        #expect(counts { $0.patient.hours["temperature"] = { _ in mean } } == expected)
    }

    @Test func `means of 14 days count from half a step on`() {
        #expect(!counts { $0.days["temperature"] = { _ in (21.1, 17.8, 23.9) } })
        #expect(counts { $0.days["temperature"] = { _ in (21.3, 17.8, 23.9) } })
        #expect(!counts { $0.light = { _ in (15_900, 1) } })
        #expect(counts { $0.light = { _ in (18_000, 1) } })
    }

    @Test func `one gloomy day does not count, one beyond the plant's limit does`() {
        let gloomy = { (plant: inout CarePatient) in plant.light = { $0 == -1 ? (9_000, 1) : (14_400, 1) } }
        #expect(!counts(gloomy))
        var limited = CarePatient.measured
        limited.patient.thresholds["light_level"] = Threshold(min: 800)
        #expect(counts(gloomy, from: limited))
    }

    @Test func `battery counts by 15 points`() {
        var plant = CarePatient.measured
        plant.patient.battery = (80, 60)
        #expect(!counts({ $0.patient.battery = (66, 60) }, from: plant))
        #expect(counts({ $0.patient.battery = (65, 60) }, from: plant))
    }

    @Test func `which of several devices is the driest does not count, how dry it is does`() {
        var plant = CarePatient.measured
        plant.others = [("A", 30), ("B", 31), ("C", 60)]
        #expect(!counts({ $0.others = [("A", 31), ("B", 30), ("C", 60)] }, from: plant))
        #expect(counts({ $0.others = [("A", 24.5), ("B", 31), ("C", 60)] }, from: plant))
    }

    @Test func `times alone do not count`() {
        #expect(!counts { $0.patient.latest["soil_moisture"] = (41, 10) })
        #expect(!counts { $0.now = $0.now.adding(seconds: 240) })
        #expect(
            !counts { $0.drying = CareDrying(minimum: 25, reachesMinimumAt: $0.now.adding(seconds: 9e5)) })
    }

    @Test func `limits, states, species, what is wrong and what happened always count`() {
        #expect(counts { $0.patient.thresholds["soil_moisture"] = Threshold(min: 25.5, max: 75) })
        #expect(counts { $0.patient.thresholds["humidity"] = Threshold(min: 30) })
        #expect(counts { $0.patient.thresholds["temperature"] = nil })
        #expect(counts { $0.species = "Monstera deliciosa" })
        #expect(counts { $0.species = nil })
        #expect(counts { $0.patient.name = "Other" })
        #expect(counts { $0.lightSource = .whiteLED })
        #expect(counts { $0.waterings = [0.2] + $0.waterings })
        #expect(counts { $0.patient.hasDevice = false })
        #expect(counts { $0.patient.silentFor = 1e6 })
        #expect(
            counts { plant in
                plant.patient.alerts = [plant.patient.alert(.sensorStuck, metric: "humidity", since: 7200)]
            })
        let unhelpful = CareFeedback(item: .light, verdict: .notHelpful, at: CarePatient().now, by: nil)
        #expect(counts { $0.feedback = [unhelpful] })
        #expect(!counts { $0.feedback = [CareFeedback(item: .light, verdict: .done, at: $0.now, by: nil)] })
    }

    @Test func `what comes and goes with the data does not count`() {
        // No trend without the day before.
        #expect(!counts { $0.patient.hours["humidity"] = { $0 > -24 ? 50 : nil } })
        // Nor a pace without three whole days and without hours.
        var plant = CarePatient.measured
        plant.patient.hours = [:]
        let start = plant.facts
        #expect(start["soil_moisture.drying"] != nil)
        let days = plant.days["soil_moisture"]
        plant.days["soil_moisture"] = { $0 > -2 || $0 < -6 ? days?($0) : nil }
        #expect(plant.facts["soil_moisture.drying"] == nil)
        #expect(plant.facts["watering.next"]?.text == "interval")
        #expect(plant.facts.settled(against: start)["soil_moisture.drying"] == start["soil_moisture.drying"])
        #expect(plant.facts.settled(against: start)["watering.next"] == start["watering.next"])
    }

    @Test func `an alert that lasts is no other one because it lasts longer`() {
        var plant = CarePatient.measured
        plant.patient.latest["soil_moisture"] = (22, 300)
        plant.patient.alerts = [plant.patient.alert(.threshold, metric: "soil_moisture", .min, since: 7200)]
        #expect(
            !counts(
                { $0.patient.alerts = [$0.patient.alert(.threshold, metric: "soil_moisture", .min, since: 70_000)] },
                from: plant))
        // Worse is another matter.
        #expect(counts({ $0.patient.latest["soil_moisture"] = (12, 300) }, from: plant))
    }

    @Test func `small steps add up against the plan they are compared with`() {
        let first = CarePatient.measured.facts
        var plant = CarePatient.measured
        plant.patient.hours = [:]
        let start = plant.facts
        plant.patient.latest["soil_moisture"] = (38, 300)
        #expect(plant.facts.settled(against: start) == start)
        plant.patient.latest["soil_moisture"] = (35, 300)
        #expect(plant.facts.settled(against: start) != start)
        #expect(first.settled(against: first) == first)
        #expect(first.settled(against: first).canonical == first.canonical)
    }
}
