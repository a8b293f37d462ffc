import PlantDomain
import Testing

@Suite struct CareChangesTests {
    private func changes(_ change: (inout CarePatient) -> Void, from start: CarePatient = .measured) -> [String] {
        var plant = start
        let plan = CarePlan(
            id: EntityID(high: 1, low: 1), plantID: EntityID(high: 8, low: 1), advice: start.advice, source: .builtin,
            model: nil, note: nil, facts: start.facts, changes: [], reason: .first, inputHash: "",
            generatedAt: start.now)
        change(&plant)
        return CareChanges.between(plan, plant.facts, plant.advice)
    }

    @Test func `nothing new is nothing`() {
        #expect(changes { _ in } == [])
        #expect(changes { $0.patient.latest["temperature"] = (22, 200) } == [])
    }

    @Test func `a watering, and what it did`() {
        let told = changes { plant in
            plant.patient.latest["soil_moisture"] = (66, 300)
            plant.waterings = [0.5] + plant.waterings
        }
        #expect(told.first == "It was watered 21 Nov 02:00.")
        #expect(told.contains("Soil moisture is 66 % (21 Nov 13:55), before 41 % (21 Nov 13:55)."))
    }

    @Test func `what is wrong now, and what no longer is`() {
        var dry = CarePatient.measured
        dry.patient.latest["soil_moisture"] = (22, 300)
        let fine = CarePatient.measured
        #expect(
            changes({ $0 = dry }).first
                == "New: Soil moisture is 22 %, 3 points below its minimum of 25 % (as of 21 Nov 13:55).")
        #expect(
            changes({ $0 = fine }, from: dry).first
                == "Soil moisture is no longer below its minimum of 25 %.")
        // Worse is new, and not over.
        let worse = changes({ $0.patient.latest["soil_moisture"] = (9, 300) }, from: dry)
        #expect(worse.first?.hasPrefix("New: Soil moisture is 9 %") == true)
        #expect(!worse.contains { $0.hasPrefix("No longer so") })
    }

    @Test func `how long it has been so is not told: a plan is shown for days`() {
        let told = changes { plant in
            plant.patient.latest["soil_moisture"] = (22, 300)
            plant.patient.alerts = [plant.patient.alert(.threshold, metric: "soil_moisture", .min, since: 60)]
        }
        #expect(told.first == "New: Soil moisture is 22 %, 3 points below its minimum of 25 % (as of 21 Nov 13:55).")
    }

    @Test func `that a limit was moved moves no value`() {
        var dry = CarePatient.measured
        dry.patient.hours["humidity"] = { _ in 45 }
        let told = changes(
            {
                $0.species = "Nephrolepis exaltata"
                $0.patient.hours["humidity"] = { _ in 45.1 }
            }, from: dry)
        #expect(told.contains("Its species is Nephrolepis exaltata, before Chlorophytum comosum."))
        #expect(!told.contains { $0.contains("24-hour mean") })
        let drier = changes { $0.patient.hours["humidity"] = { _ in 39 } }
        #expect(drier == ["The 24-hour mean of humidity is 39 % RH (21 Nov 14:00), before 50 % RH (21 Nov 14:00)."])
    }

    @Test func `limits, species, names and devices`() {
        let told = changes { plant in
            plant.patient.thresholds["soil_moisture"] = Threshold(min: 30)
            plant.patient.thresholds["humidity"] = Threshold(min: 35)
            plant.species = "Aloe vera"
            plant.room = "Kitchen"
        }
        #expect(told.contains("Your lower limit of soil moisture is 30 %, before 25 %."))
        #expect(told.contains("There is no upper limit of soil moisture any more; it was 75 %."))
        #expect(told.contains("Your lower limit of humidity is 35 % RH, before there was none."))
        #expect(told.contains("Its species is Aloe vera, before Chlorophytum comosum."))
        #expect(told.contains("Its room is Kitchen."))
    }

    @Test func `another day for the next watering`() {
        let told = changes { $0.patient.latest["soil_moisture"] = (35, 300) }
        #expect(told.last == "The next watering is 24 Nov, before 25 Nov.")
    }

    @Test func `never more than ten`() {
        let told = changes { plant in
            plant.patient.thresholds = Dictionary(
                uniqueKeysWithValues: Metric.allCases.map { ($0.name, Threshold(min: 7, max: 9)) })
        }
        #expect(told.count == 10)
    }
}
