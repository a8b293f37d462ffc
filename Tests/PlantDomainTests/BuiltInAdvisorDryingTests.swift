import Foundation
import PlantDomain
import Testing

/// Plans that rest on how the soil dries.
@Suite struct BuiltInAdvisorDryingTests {
    /// Days after a watering.
    private func curve(_ days: Double) -> Double { 5 + 43 * exp(-days / 6) }

    /// Watered three days ago: 31 % now.
    private var drying: CarePatient {
        var plant = CarePatient.measured
        plant.days = [:]
        plant.patient.latest["soil_moisture"] = (curve(3), 300)
        plant.patient.hours["soil_moisture"] = { $0 < -72 ? nil : curve(3 + Double($0) / 24) }
        plant.waterings = [3]
        return plant
    }

    /// 6·ln(43 ÷ (minimum − 5)) days after the watering, whoever set the minimum; the straight line would be there earlier.
    @Test(
        arguments: [
            (nil, "2026-11-23", "About every 6 days"),
            (Threshold(min: 25, max: 75), "2026-11-23", "About every 6 days"),
            (Threshold(min: 30, max: 75), "2026-11-21", "About every 5 days"),
            (Threshold(min: 20, max: 75), "2026-11-24", "About every 8 days"),
        ] as [(Threshold?, String, String)])
    func `the date and how often follow the curve, also of a limit of the species`(
        limits: Threshold?, date: String, often: String
    ) {
        var plant = drying
        plant.patient.thresholds = limits.map { ["soil_moisture": $0] } ?? [:]
        plant.drying = plant.foretold(hours: 72, curve)
        #expect(plant.facts["watering.next"]?.text == "forecast")
        #expect(plant.advice.watering.nextDate?.text == date)
        #expect(plant.advice.watering.frequency.hasPrefix("\(often): as its soil has dried"))
        #expect(plant.facts["soil_moisture.time_constant"]?.value == 6)
    }

    @Test(arguments: [DryingOutlook.Reason.beyondHorizon, .notDrying, .stale, .tooShort])
    func `what the outlook does not foretell, a straight line does not either`(reason: DryingOutlook.Reason) {
        var plant = CarePatient.measured
        plant.waterings = []
        #expect(plant.facts["watering.next"]?.text == "pace")
        plant.drying = CareDrying(minimum: 25, reachesMinimumAt: nil, reason: reason)
        #expect(plant.facts["soil_moisture.reaches_min_at"] == nil)
        #expect(plant.advice.watering.nextDate == nil)
    }

    @Test func `one of several devices finds the soil too dry`() {
        var plant = CarePatient.measured
        plant.others = [("Sensor B", 17), ("Sensor C", 48)]
        plant.drying = CareDrying(
            minimum: 25, reachesMinimumAt: nil, reason: .alreadyDry,
            value: .init(value: 17, time: plant.now.adding(seconds: -300)))
        let advice = plant.advice
        #expect(advice.summary.hasPrefix("Spidey (Spider plant) needs attention"))
        #expect(advice.alerts == ["Soil moisture is 17 % (21 Nov 13:55) at Sensor B, below 25 % (your limit)."])
        #expect(advice.watering.nextDate?.text == "2026-11-21")
        #expect(
            advice.watering.amount.hasPrefix(
                "Soil moisture is 17 % (21 Nov 13:55) at Sensor B, below 25 % (your limit): water enough"))
        #expect(
            advice.tips.first?.hasPrefix(
                "The devices in the pot disagree on soil moisture: 48 % (21 Nov 13:55) at Sensor C, 17 %") == true)
        plant.others = [("Sensor B", 36), ("Sensor C", 46)]
        plant.drying = nil
        #expect(plant.advice.tips == [])
    }

    @Test func `as long as an alert goes on, nothing is fine`() {
        var plant = CarePatient.measured
        plant.patient.alerts = [plant.patient.alert(.threshold, metric: "soil_moisture", .min, since: 3600)]
        #expect(plant.advice.summary.hasPrefix("Spidey (Spider plant) needs attention"))
        #expect(
            plant.advice.summary.contains("The alert of 21 Nov 13:00 that soil moisture is too low is not over yet."))
    }

    @Test func `the pace ends with what was measured last`() {
        var plant = CarePatient.measured
        plant.waterings = []
        plant.days["soil_moisture"] = { $0 > -6 ? nil : (60 - 4 * Double($0 + 13), 0, 100) }
        plant.patient.hours["soil_moisture"] = nil
        // The 15th was the last day.
        #expect(plant.facts["soil_moisture.drying"]?.time == plant.day(-5).start)
        #expect(plant.advice.watering.frequency.contains("4 points a day (over 192 hours to 16 Nov 00:00)"))
    }

    @Test func `a single gap says more than a straight line`() {
        var plant = CarePatient.measured
        plant.waterings = [6.5, 12.5]
        #expect(
            plant.advice.watering.frequency.hasPrefix(
                "Between its two waterings in the 60 days to 21 Nov 14:00 were 6 days; how often"))
    }

    // MARK: Shortly after a watering

    @Test(arguments: [(0.1, "event"), (7, "rise")])
    func `soil that is too wet after a watering is no alert`(watered: Double, text: String) {
        var plant = CarePatient.measured
        plant.waterings = [watered]
        plant.patient.latest["soil_moisture"] = (82, 30)
        plant.patient.hours["soil_moisture"] = { _ in 31 }
        #expect(plant.facts["watering.grace"]?.text == text)
        #expect(plant.facts["plant.status"]?.text == "ok")
        let advice = plant.advice
        #expect(advice.alerts == [])
        #expect(
            advice.summary.hasPrefix("Spidey (Spider plant) is wet after its watering; all else that has limits is"))
        #expect(advice.tips.contains { $0.contains("some of it still drains off") })
        #expect(advice.watering.frequency.contains("once more within the last day") == (text == "rise"))
        // Wet for longer than a day it needs help.
        plant.waterings = [1.1]
        plant.patient.hours["soil_moisture"] = { _ in 82 }
        #expect(plant.facts["plant.status"]?.text == "warning")
        #expect(plant.advice.alerts.count == 1)
    }

    @Test func `just watered by hand, without a sensor`() {
        var plant = CarePatient.measured
        plant.patient.latest = [:]
        plant.patient.hours = [:]
        plant.days = [:]
        plant.waterings = [0.001]
        #expect(plant.advice.watering.amount.hasPrefix("None now: it was watered 21 Nov 13:58."))
    }
}
