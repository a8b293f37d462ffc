import Foundation
import Testing

@testable import PlantDomain

/// What the first sentences say, and what they must not.
@Suite struct BuiltInAdvisorSummaryTests {
    private func opening(_ change: (inout CarePatient) -> Void) -> String {
        var plant = CarePatient.measured
        change(&plant)
        return plant.advice.summary
    }

    @Test func `without limits a plan goes by what is typical, and says so`() {
        #expect(
            opening { $0.patient.thresholds = [:] }.hasPrefix(
                "Spidey (Spider plant) is as is typical for its species, as far as it is measured (21 Nov 14:00). Soil")
        )
        #expect(
            opening { plant in
                plant.patient.thresholds = [:]
                plant.species = nil
            }.hasPrefix("Spidey is as is usual for house plants, as far as"))
        #expect(
            opening { plant in
                plant.patient.thresholds = [:]
                plant.species = nil
                plant.patient.latest = ["co2": (600, 60)]
                plant.days = [:]
                plant.light = { _ in nil }
                plant.patient.hours = [:]
            }.hasPrefix("There are no limits to judge Spidey by (21 Nov 14:00)."))
        var plant = CarePatient.measured
        plant.patient.thresholds = [:]
        #expect(
            plant.advice.tips.first
                == "You have set no limits for this plant (as of 21 Nov 14:00), so no alert can be raised; this plan goes by what "
                + "is typical for its species.")
    }

    @Test(
        arguments: [
            ("Nephrolepis exaltata", 31.0, "is below 50 % RH (typical for the species)."),
            ("Aloe vera", 65, "is above 60 % RH (typical for the species)."),
            (nil, 31, "is below 40 % RH (usual for house plants)."),
        ] as [(String?, Double, String)])
    func `what is far off is told first`(species: String?, humidity: Double, end: String) {
        let text = opening { plant in
            plant.patient.thresholds = [:]
            plant.species = species
            plant.patient.latest = ["humidity": (humidity, 300)]
        }
        #expect(
            text.contains("needs attention (21 Nov 14:00). Its humidity, \(Int(humidity)) % RH (21 Nov 13:55), \(end)"))
    }

    @Test func `wet soil is told, too`() {
        #expect(
            opening { plant in
                plant.patient.thresholds = [:]
                plant.patient.latest["soil_moisture"] = (80, 300)
                plant.patient.hours["soil_moisture"] = { _ in 80 }
            }.contains("Its soil moisture, 80 % (21 Nov 13:55), is above 75 % (typical for the species)."))
    }

    @Test func `nothing is fine that is too dark on most days, or was too hot within the day`() {
        var plant = CarePatient.measured
        plant.patient.thresholds["light_level"] = Threshold(min: 2000)
        plant.light = { _ in (9000, 1) }
        plant.patient.light = LightSum(luxHours: 9000, coverage: 1)
        #expect(
            plant.advice.summary.hasPrefix(
                "Spidey (Spider plant) needs attention (21 Nov 14:00). Its light, 750 lx on average over the 14 days before 21 "
                    + "Nov, is below 2000 lx (your limit)."))
        #expect(!plant.advice.tips.contains { $0.contains("One such day") })
        #expect(
            opening { $0.patient.hours["temperature"] = { $0 == -3 ? 36 : 21 } }.contains(
                "needs attention (21 Nov 14:00). Of its temperature: in the 24 hours to 21 Nov 14:00 it went up to 37 °C"
            ))
    }

    @Test func `frost harms whatever house plant it is`() {
        for species in ["Hedera helix", "Unknown to all", nil] {
            var plant = CarePatient.measured
            plant.species = species
            plant.patient.thresholds = [:]
            plant.patient.latest["temperature"] = (-1.9, 300)
            #expect(
                plant.advice.alerts == ["Temperature is -1.9 °C (21 Nov 13:55), below 5 °C (usual for house plants)."])
            #expect(plant.advice.temperature.recommendation.hasPrefix("Move it to a warmer place"))
            // Limits of its own go first.
            plant.patient.thresholds["temperature"] = Threshold(min: -10)
            #expect(!plant.advice.alerts.contains { $0.contains("usual") })
        }
    }

    @Test func `who has named the species is not asked to`() throws {
        var plant = CarePatient.measured
        plant.light = { _ in (9000, 1) }
        let facts = plant.facts
        let bare = CareFacts(
            at: facts.at, today: facts.today, zone: facts.zone,
            facts: facts.facts.filter { fact in !["_min", "_max"].contains { fact.id.hasSuffix($0) } })
        let advice = BuiltInAdvisor.advice(bare)
        #expect(advice.temperature.recommendation.hasSuffix("is right is not known: set limits."))
        #expect(advice.light.recommendation.hasSuffix("is right is not known: set limits."))
    }

    // MARK: Spans

    @Test(
        arguments: [
            (0, "In the 24 hours to 21 Nov 14:00, of which 10 hours were measured, between"),
            (-7, "In the 14 days to 21 Nov 14:00, of which 8 days were measured, between"),
        ])
    func `what was not measured is not spoken of as if it were`(first: Int, text: String) {
        var plant = CarePatient.measured
        plant.days["humidity"] = { $0 < first ? nil : (48, 41, 57) }
        if first == 0 {
            plant.patient.hours["humidity"] = { $0 > -10 ? 50 : nil }
            plant.light = { _ in (0, 0) }
        }
        #expect(plant.advice.humidity.current.contains(text))
        #expect(plant.advice.humidity.current.contains("14 days") == (first != 0))
        #expect(!plant.advice.light.current.contains("Only 0 %"))
    }

    @Test(arguments: [(1.0, "1 hour was"), (20, "20 hours were"), (190, "8 days were")])
    func `one hour was, more were`(hours: Double, text: String) {
        #expect(CareWords.measured(hours) == "\(text) measured")
    }

    @Test func `a place that is too cold by night and too hot by day swings`() {
        var plant = CarePatient.measured
        plant.patient.thresholds["temperature"] = Threshold(min: 19, max: 23)
        plant.patient.hours["temperature"] = { $0 == -3 ? 26.5 : $0 == -12 ? 18 : 21 }
        #expect(
            plant.advice.temperature.recommendation
                == "Now 21.5 °C (21 Nov 13:55) is right, but in the 24 hours to 21 Nov 14:00 it swung between 17 °C, below 19 °C "
                + "(your limit), and 27.5 °C, above 23 °C (your limit): find a place where it is steadier, away from radiators, "
                + "draughts and the midday sun.")
    }

    @Test(arguments: [("Spathiphyllum wallisii", 343_632.0, true), ("Spathiphyllum wallisii", 60_000, false)])
    func `full sun is too much for plants of the shade`(species: String, luxHours: Double, isTold: Bool) {
        var plant = CarePatient.measured
        plant.species = species
        plant.light = { _ in (luxHours, 1) }
        #expect(plant.facts["species.light"]?.text == "shade")
        #expect(plant.advice.tips.contains { $0.contains("midday sun") } == isTold)
    }

    // MARK: Texts as a whole

    /// Ordinary plants of every class of water and light, with and without limits, dry, right and wet.
    @Test func `no text is cut`() throws {
        let species: [String?] = [
            nil, "Chlorophytum comosum", "Aloe vera", "Nephrolepis exaltata", "Monstera deliciosa",
        ]
        for name in species {
            for isLimited in [true, false] {
                for moisture in [0.0, 18, 45, 95] {
                    for isLamp in [true, false] {
                        var plant = CarePatient.measured
                        plant.patient.name = "The big old one at the kitchen window"
                        plant.species = name
                        if !isLimited { plant.patient.thresholds = [:] }
                        plant.patient.latest["soil_moisture"] = (moisture, 300)
                        plant.patient.hours["temperature"] = { $0 == -3 ? 40 : $0 == -9 ? -6 : 21 }
                        plant.others = [("Sensor in the back of the pot", 60)]
                        if isLamp {
                            plant.lightSource = .highPressureSodium
                            plant.patient.thresholds["light_level"] = Threshold(min: 8000, max: 20_000)
                        }
                        plant.waterings = [0.25, 6.5, 13.5, 20.5, 27.5]
                        let facts = plant.facts
                        let advice = BuiltInAdvisor.advice(facts)
                        for text in advice.texts { #expect(!text.hasSuffix("…"), "\(text)") }
                        let json = String(decoding: try JSONEncoder().encode(advice), as: UTF8.self)
                        #expect(try CareAnswer.read(json, today: facts.today) == advice)
                    }
                }
            }
        }
    }
}
