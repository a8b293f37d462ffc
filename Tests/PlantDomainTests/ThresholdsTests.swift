import Foundation
import PlantDomain
import Testing

@Suite("A plant's status")
struct ThresholdsTests {
    private func status(
        _ thresholds: Thresholds, _ latest: [String: Double], ages: [String: Double] = [:]
    ) -> PlantStatus {
        var timed: [String: (value: Double, time: Timestamp)] = [:]
        for (name, value) in latest { timed[name] = (value, arrival.adding(seconds: -(ages[name] ?? 0))) }
        return PlantStatusRule.status(thresholds: thresholds, latest: timed, now: arrival, staleAfterSeconds: 600)
    }

    @Test(
        "with both limits grows critical 20 % of the span beyond either",
        arguments: [
            (50, .ok), (30, .ok), (70, .ok), (29.9, .warning), (22, .warning), (21.9, .critical), (70.1, .warning),
            (78, .warning), (78.1, .critical),
        ] as [(Double, PlantStatus)])
    func twoSided(value: Double, expected: PlantStatus) {
        #expect(status(["soil_moisture": Threshold(min: 30, max: 70)], ["soil_moisture": value]) == expected)
    }

    @Test(
        "with one limit grows critical 20 % of its magnitude beyond it",
        arguments: [(30, .ok), (29, .warning), (24, .warning), (23.9, .critical)] as [(Double, PlantStatus)])
    func oneSided(value: Double, expected: PlantStatus) {
        #expect(status(["soil_moisture": Threshold(min: 30)], ["soil_moisture": value]) == expected)
        #expect(status(["lead": Threshold(max: -30)], ["lead": -value]) == expected)
    }

    @Test("is not critical within the noise of the sensor")
    func noiseFloor() {
        #expect(status(["temperature": Threshold(min: 0)], ["temperature": -0.2]) == .warning)
        #expect(status(["temperature": Threshold(min: 0)], ["temperature": -0.4]) == .critical)
        #expect(status(["temperature": Threshold(min: 20, max: 20)], ["temperature": 20.2]) == .warning)
    }

    @Test("is unknown without limits or without any reading")
    func unknown() {
        #expect(status([:], ["temperature": 20]) == .unknown)
        #expect(status(["temperature": Threshold()], ["temperature": 20]) == .unknown)
        #expect(status(["temperature": Threshold(min: 10)], [:]) == .unknown)
    }

    @Test("says nothing of a limited metric that nobody measures, and nothing at all if there is no other")
    func neverMeasured() {
        let limits: Thresholds = ["temperature": Threshold(min: 10), "humidity": Threshold(min: 40)]
        #expect(status(limits, ["temperature": 20]) == .ok)
        #expect(status(limits, ["temperature": 5]) == .critical)
        #expect(status(limits, ["temperature": 20], ages: ["temperature": 601]) == .stale)
        #expect(status(limits, ["co2": 600]) == .unknown)
    }

    @Test("is stale, never ok, when a limited metric is old or not a number")
    func stale() {
        let limits: Thresholds = ["temperature": Threshold(min: 10), "humidity": Threshold(min: 40)]
        #expect(status(limits, ["temperature": 20, "humidity": 50], ages: ["humidity": 601]) == .stale)
        #expect(status(limits, ["temperature": 20, "humidity": .nan]) == .stale)
        #expect(status(limits, ["temperature": 20, "humidity": 50], ages: ["humidity": 600]) == .ok)
    }

    @Test("is the worst of all: critical, warning, stale, ok")
    func worstWins() {
        let limits: Thresholds = [
            "temperature": Threshold(min: 10), "humidity": Threshold(min: 40), "co2": Threshold(max: 1000),
        ]
        #expect(status(limits, ["temperature": 9.5]) == .warning)
        #expect(status(limits, ["temperature": 9.5, "humidity": 10]) == .critical)
        #expect(status(limits, ["temperature": 20, "humidity": 50, "co2": 1001]) == .warning)
        #expect(status(limits, ["temperature": 20, "humidity": 50, "co2": 800]) == .ok)
    }

    @Test("is not judged by a value that is too old")
    func oldValueIsNotJudged() {
        #expect(status(["temperature": Threshold(min: 10)], ["temperature": -20], ages: ["temperature": 601]) == .stale)
    }

    @Test("has limits that travel as JSON")
    func codes() throws {
        let limits = try JSONDecoder().decode(
            Thresholds.self, from: Data(#"{"co2":{"max":900},"ph":{"min":null}}"#.utf8))
        #expect(limits == ["co2": Threshold(max: 900), "ph": Threshold()])
        #expect(try JSONEncoder().encode(["co2": Threshold(max: 900)]) == Data(#"{"co2":{"max":900}}"#.utf8))
    }
}
