import PlantDomain
import Testing

@Suite struct BuiltInAdvisorTests {
    @Test func `a plant that is well is told so, with what that rests on`() {
        let advice = CarePatient.measured.advice
        #expect(
            advice.summary
                == "Spidey (Spider plant) is fine: all that has limits is within them (21 Nov 14:00). Soil moisture reaches "
                + "its lower limit of 25 % (your limit) about 25 Nov, as it dries now: water it then.")
        #expect(
            advice.watering.frequency
                == "About every 7 days, the median of the gaps between its waterings, 4 in the 60 days to 21 Nov 14:00. It "
                + "was last watered 15 Nov 02:00. Its species needs moderate water, when the upper part of the soil is dry "
                + "(typical for the species).")
        #expect(
            advice.watering.amount
                == "None now: soil moisture is 41 % (21 Nov 13:55), within what it should be, 25 % to 75 % (your limits). "
                + "When it is down to 25 %, water enough to bring it to about 60 %.")
        #expect(advice.watering.nextDate?.text == "2026-11-25")
        #expect(
            advice.light.current
                == "1200 lx spread over 12 hours yesterday (20 Nov), a daily light integral of 0.96 mol/m²/d. On average "
                + "1200 lx spread over 12 hours on 14 of the 14 days before 21 Nov, 0.96 mol/m²/d. At the moment 640 lx "
                + "(21 Nov 13:55).")
        #expect(
            advice.light.ideal
                == "At least 270 lx (typical for the species) spread over 12 hours, which is 0.22 mol/m²/d of daylight."
        )
        #expect(
            advice.temperature.current
                == "21.5 °C (21 Nov 13:55). In the 24 hours to 21 Nov 14:00 between 20 °C and 22 °C, on average 21 °C. In the "
                + "14 days to 21 Nov 14:00 between 17.8 °C and 23.9 °C, on average 20.5 °C.")
        #expect(advice.temperature.ideal == "16 °C to 28 °C (your limits).")
        #expect(
            advice.humidity.recommendation
                == "Nothing to change: 52 % RH (21 Nov 13:55) is within what it should be, 40 % RH to 70 % RH (typical for "
                + "the species).")
        #expect(advice.alerts == [])
        #expect(advice.tips == [])
    }

    // MARK: Watering

    @Test func `a dry pot is to be watered today, and how much`() {
        var plant = CarePatient.measured
        plant.patient.latest["soil_moisture"] = (22, 300)
        #expect(
            plant.advice.watering.amount
                == "Soil moisture is 22 % (21 Nov 13:55), below 25 % (your limit): water enough to bring it to about 60 %, in "
                + "two or three rounds so that the soil takes it up, and pour away what stands in the saucer.")
        #expect(plant.advice.watering.nextDate?.text == "2026-11-21")
        #expect(plant.advice.summary.hasSuffix("Water it today, 21 Nov."))
        #expect(
            plant.advice.alerts == ["Soil moisture is 22 %, 3 points below its minimum of 25 % (as of 21 Nov 13:55)."])
    }

    @Test func `a pot that stays dry although it was watered is looked at first`() {
        var plant = CarePatient.measured
        plant.patient.latest["soil_moisture"] = (22, 300)
        plant.waterings = [0.25, 7]
        #expect(
            plant.advice.watering.amount.hasPrefix(
                "Soil moisture is 22 % (21 Nov 13:55), below 25 % (your limit), although it was watered 21 Nov 08:00: feel"
            ))
    }

    @Test func `without limits the species says what is dry, and that it is the species`() {
        var plant = CarePatient.measured
        plant.patient.thresholds = [:]
        plant.patient.latest["soil_moisture"] = (22, 300)
        #expect(plant.advice.watering.amount.contains("22 % (21 Nov 13:55), below 25 % (typical for the species)"))
        #expect(
            plant.advice.alerts == ["Soil moisture is 22 % (21 Nov 13:55), below 25 % (typical for the species)."])
        #expect(plant.advice.tips.contains { $0.hasPrefix("You have set no limits") })
    }

    @Test func `a pot that is too wet gets nothing, and a reason if it was just watered`() {
        var plant = CarePatient.measured
        plant.patient.latest["soil_moisture"] = (80, 300)
        plant.patient.hours["soil_moisture"] = { _ in 80 }
        #expect(
            plant.advice.watering.amount
                == "Soil moisture is 80 % (21 Nov 13:55), above 75 % (your limit): no water now. Empty the saucer and let it "
                + "dry.")
        plant.waterings = [0.25]
        #expect(
            plant.advice.watering.amount
                == "Soil moisture is 80 % (21 Nov 13:55), above 75 % (your limit): it was watered 21 Nov 08:00, so some of it "
                + "still drains off. No more water now; empty the saucer.")
    }

    @Test(
        arguments: [
            ([6.5, 13.5, 20.5], "About every 7 days, the median"), ([2, 3, 4], "About every 1 day, the median"),
            ([3, 9, 11, 20], "About every 6 days, the median"),
        ])
    func `how often comes from the waterings`(days: [Double], beginning: String) {
        var plant = CarePatient.measured
        plant.waterings = days
        #expect(plant.advice.watering.frequency.hasPrefix(beginning))
    }

    @Test func `without waterings it comes from how the soil dries, else from the species, else from nothing`() {
        var plant = CarePatient.measured
        plant.waterings = []
        #expect(
            plant.advice.watering.frequency.hasPrefix(
                "About every 9 days: soil moisture falls by about 4 points a day (over 120 hours to 21 Nov 00:00), so that long "
                    + "from 60 % to 25 % (your limit)."))
        plant.days = [:]
        plant.patient.hours = [:]
        #expect(
            plant.advice.watering.frequency
                == "No watering was noticed in the 60 days to 21 Nov 14:00. Its species needs moderate water, when the upper "
                + "part of the soil is dry (typical for the species).")
        #expect(plant.advice.watering.nextDate == nil)
        plant.species = nil
        #expect(plant.advice.watering.frequency.hasPrefix("Not known: no watering was noticed in the 60 days to"))
    }

    @Test func `the usual day is said, unless the soil is still moist then`() {
        var plant = CarePatient.measured
        plant.patient.hours = [:]
        plant.days = [:]
        plant.waterings = [3, 10, 17]
        #expect(plant.advice.watering.nextDate?.text == "2026-11-25")
        #expect(plant.advice.summary.hasSuffix("By the usual interval the next watering is due about 25 Nov."))
        plant.waterings = [9, 16, 23]
        #expect(plant.advice.watering.nextDate == nil)
        plant.patient.latest = [:]
        #expect(plant.advice.watering.nextDate?.text == "2026-11-21")
        #expect(
            plant.advice.summary.hasSuffix(
                "By the usual interval it was due on 19 Nov: feel the soil, and water it today, 21 Nov, unless it is still "
                    + "moist."))
    }

    @Test func `salty soil is to be rinsed`() {
        var plant = CarePatient.measured
        plant.patient.thresholds["soil_ec"] = Threshold(max: 2000)
        plant.patient.latest["soil_ec"] = (3500, 300)
        #expect(plant.advice.tips.contains { $0.contains("rinse the soil") && $0.contains("2000 µS/cm (your limit)") })
    }

    @Test(arguments: [(-3.0, "2026-11-21"), (2, "2026-11-23"), (90, "2027-02-19"), (91, nil)])
    func `the next date is never past and never far away, whatever the facts say`(days: Double, expected: String?) {
        let start = CarePatient.measured.facts
        let next = CareFact(
            id: "watering.next", topic: .watering, kind: .computed, text: "pace",
            time: start.at.adding(seconds: days * 86_400))
        let facts = CareFacts(
            at: start.at, today: start.today, zone: start.zone,
            facts: start.facts.filter { $0.id != next.id } + [next])
        #expect(BuiltInAdvisor.advice(facts).watering.nextDate?.text == expected)
    }

    // MARK: Light

    @Test func `too little light, and how much more it takes`() {
        var plant = CarePatient.measured
        plant.species = "Codiaeum variegatum"
        plant.light = { _ in (6000, 1) }
        #expect(
            plant.advice.light.recommendation
                == "Give it about 2.2 times as much light: a place nearer to a window, or a lamp. 500 lx on average over the 14 "
                + "days before 21 Nov is below 1080 lx (typical for the species).")
        #expect(plant.facts["light.lamp_more"] == nil)
        plant.lightSource = .whiteLED
        // (1080 − 500) lx × 12 h ÷ 1500 lx.
        #expect(
            plant.advice.light.recommendation
                == "The lamp gave up to 25.5 µmol/m²/s at the leaves and burnt for about 6 h in the 24 hours to 21 Nov 14:00; "
                + "about 4.6 h more a day make up for what is missing. 500 lx on average over the 14 days before 21 Nov is "
                + "below 1080 lx (typical for the species).")
        plant.patient.thresholds["light_level"] = Threshold(min: 3000)
        #expect(plant.advice.light.recommendation.contains("; even 16 hours a day would not do: hang it lower"))
        #expect(plant.advice.light.recommendation.hasSuffix("is below 3000 lx (your limit)."))
    }

    @Test func `too much light, one gloomy day, and days that are not known`() {
        var plant = CarePatient.measured
        plant.patient.thresholds["light_level"] = Threshold(min: 800, max: 1000)
        #expect(plant.advice.light.recommendation.hasPrefix("Give it less direct light"))
        plant.light = { $0 == -1 ? (6000, 1) : (11_400, 1) }
        #expect(
            plant.advice.light.recommendation.hasSuffix(
                "Only yesterday (20 Nov) it was 500 lx, below 800 lx (your limit): one day is weather."))
        plant.light = { $0 == -1 ? (6000, 0.4) : nil }
        #expect(
            plant.advice.light.current
                == "Only 40 % of yesterday (20 Nov) were measured, too little to judge that day. At the moment 640 lx "
                + "(21 Nov 13:55).")
        #expect(plant.advice.light.recommendation.hasPrefix("How much light it gets is not known"))
    }

    // MARK: Air

    @Test(
        arguments: [
            (13.0, "Move it to a warmer place", "13 °C (21 Nov 13:55) is below 15 °C (typical for the species)."),
            (
                22, "Nothing to change",
                "22 °C (21 Nov 13:55) is within what it should be, at least 15 °C (typical for the species)."
            ),
        ])
    func `tropical plants below 15 degrees`(temperature: Double, beginning: String, end: String) {
        var plant = CarePatient.measured
        plant.species = "Begonia rex"
        plant.patient.thresholds = [:]
        plant.patient.latest["temperature"] = (temperature, 300)
        #expect(plant.advice.temperature.recommendation.hasPrefix(beginning))
        #expect(plant.advice.temperature.recommendation.hasSuffix(end))
        #expect(plant.advice.alerts.contains { $0.hasPrefix("Temperature is 13 °C") } == (temperature == 13))
    }

    @Test func `a cold night is told although it is warm now`() {
        var plant = CarePatient.measured
        plant.patient.hours["temperature"] = { $0 == -8 ? 13 : 21 }
        #expect(
            plant.advice.temperature.recommendation
                == "Now 21.5 °C (21 Nov 13:55) is right, but in the 24 hours to 21 Nov 14:00 it went down to 12 °C, below "
                + "16 °C (your limit). Move it to a warmer place, away from cold panes and draughts.")
    }

    @Test(
        arguments: [
            ("Nephrolepis exaltata", "50 % RH to 80 % RH (typical for the species)."),
            ("Aloe vera", "20 % RH to 60 % RH (typical for the species)."),
            ("Unknown to all", "40 % RH to 70 % RH (usual for house plants)."),
        ])
    func `how humid it should be goes by the kind of plant`(species: String, ideal: String) {
        var plant = CarePatient.measured
        plant.species = species
        #expect(plant.advice.humidity.ideal == ideal)
    }

    // MARK: Little known

    @Test func `nothing known is said to be not known`() {
        var plant = CarePatient()
        plant.species = nil
        plant.patient.name = "\u{7}\n"
        plant.patient.hasDevice = false
        plant.patient.latest = [:]
        plant.patient.thresholds = [:]
        let advice = plant.advice
        #expect(
            advice.summary
                == "Nothing was measured of The plant in the 14 days to 21 Nov 14:00, so this plan can only say what holds for "
                + "house plants in general. No device stands in this pot, so nothing is measured (as of 21 Nov 14:00).")
        #expect(advice.temperature.current == "Not measured in the 14 days to 21 Nov 14:00.")
        #expect(advice.light.ideal == "Not known: you have set no limits and the species is not known.")
        #expect(advice.tips.count == 3)
        #expect(advice.watering.nextDate == nil)
    }

    @Test func `values of ten days ago are told as such, and not as none`() {
        var plant = CarePatient.measured
        plant.patient.latest = plant.patient.latest.mapValues { ($0.0, 864_000) }
        plant.patient.silentFor = 864_000
        plant.patient.hours = [:]
        plant.days = [:]
        plant.light = { _ in nil }
        let advice = plant.advice
        #expect(advice.temperature.current == "Last measured as 21.5 °C (11 Nov 14:00); what it is now is not known.")
        #expect(
            advice.watering.amount.hasPrefix("Soil moisture was last measured as 41 % (11 Nov 14:00); what it is now"))
        #expect(!advice.texts.contains { $0.contains("Nothing was measured") })
        #expect(
            advice.tips.contains { $0.hasPrefix("Measured last, and not of late: humidity 52 % RH (11 Nov 14:00)") })
        plant.patient.latest = plant.patient.latest.mapValues { ($0.0, 400 * 86_400) }
        #expect(plant.advice.temperature.current.contains("21.5 °C (17 Oct 2025 14:00)"))
        #expect(plant.advice.temperature.current.hasSuffix("Not measured in the 14 days to 21 Nov 14:00."))
        #expect(plant.advice.summary.hasPrefix("Nothing was measured of Spidey"))
    }

    @Test func `contradictory limits are told and not gone by`() {
        var plant = CarePatient.measured
        plant.patient.thresholds["humidity"] = Threshold(min: 70, max: 30)
        #expect(
            plant.advice.humidity.ideal
                == "Your limits for humidity contradict each other: at least 70 % RH, but at most 30 % RH. 40 % RH to 70 % RH "
                + "(typical for the species).")
        #expect(plant.advice.tips.first?.hasPrefix("Your limits for humidity contradict each other") == true)
    }

    @Test func `what did not help is remembered, an unknown species is asked for`() {
        var plant = CarePatient.measured
        plant.species = "Plastic fern"
        plant.feedback = [
            CareFeedback(item: .watering, verdict: .notHelpful, at: plant.now.adding(seconds: -86_400), by: "a@b.c")
        ]
        #expect(
            plant.advice.tips.first?.hasPrefix("On 20 Nov the advice on watering was marked as not helpful. If") == true
        )
        #expect(plant.advice.tips.contains { $0.contains("species Plastic fern") })
    }

    @Test func `times are those of the place`() {
        var plant = CarePatient.measured
        plant.zone = KnownTimeZone("Asia/Kathmandu")!
        #expect(plant.advice.humidity.current.hasPrefix("52 % RH (21 Nov 19:40)."))
    }
}
