import PlantDomain
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite struct HealthTrendTests {
    private func trend(
        _ metric: String = "soil_moisture", latest: (Double, Double)? = nil, _ mean: @escaping (Int) -> Double?
    ) -> HealthTrend? {
        var patient = Patient()
        patient.latest = latest.map { [metric: $0] } ?? [:]
        patient.hours = [metric: mean]
        return patient.check.trends.first
    }

    @Test func `a trend compares each hour with the same one of the day before`() throws {
        let falling = try #require(trend(latest: (41, 60)) { 41 - 6 * Double($0) / 24 })
        #expect(falling.direction == .falling)
        #expect(falling.change.map { ($0 * 1e6).rounded() / 1e6 } == -6)
        #expect(falling.changeHours == 24)
        #expect(falling.unit == "%")
        #expect(falling.now == 41)
        #expect(falling.min == 40)
        #expect(falling.text == "Soil moisture fell by about 6 points compared with the day before; it is 41 % now.")
        #expect(falling.max > 46 && falling.mean > 43 && falling.mean < 45)
    }

    @Test(arguments: Array(0..<24))
    func `warm days and cold nights are no trend, whatever the hour`(phase: Int) throws {
        let day = try #require(trend("temperature") { 21 + 3 * sin(Double($0 + phase) / 24 * 2 * .pi) })
        #expect(day.direction == .steady)
        #expect(abs(day.change ?? 1) < 1e-9)
    }

    @Test(
        arguments: [(2, "steady"), (2.01, "rising"), (-2, "steady"), (-2.01, "falling"), (0, "steady")]
            as [(Double, String)])
    func `steady is what changes by no more than twice the noise`(change: Double, expected: String) throws {
        let trend = try #require(trend { $0 > -24 ? 40 + change : 40 })
        #expect(trend.direction.rawValue == expected)
        if expected == "steady" {
            #expect(trend.text.hasPrefix("Soil moisture is steady at about "))
        }
    }

    @Test func `a few odd hours do not make a trend`() throws {
        let trend = try #require(trend { [-3, -9, -11].contains($0) ? 95 : 40 })
        #expect(trend.direction == .steady)
        #expect(trend.change == 0)
        #expect(trend.max == 96)
    }

    @Test func `without a day before, the hours there are tell`() throws {
        let rising = try #require(trend { $0 > -9 ? 40 + Double($0 + 9) : nil })
        #expect(rising.direction == .rising)
        // Until 14:00 sharp: the hour that is running has only begun.
        #expect(rising.changeHours == 8)
        #expect(rising.text == "Soil moisture rose by about 8 points over the last 8 hours.")
        #expect(try #require(trend { $0 > -7 ? 40 : nil }).direction == .steady)
        let short = try #require(trend { $0 > -6 ? 40 + Double($0) * 3 : nil })
        #expect(short.direction == .unknown)
        #expect(short.change == nil)
        #expect(short.changeHours == nil)
        #expect(short.text == "Soil moisture was 33 % on average; too few hours are known to see a trend.")
        #expect(try #require(trend { [0, -12].contains($0) ? 40 : nil }).direction == .unknown)
    }

    @Test(arguments: [(5, false), (6, true)])
    func `it takes six hours that both days have`(pairs: Int, isCompared: Bool) throws {
        let trend = try #require(trend { hour in hour <= -24 - pairs ? nil : hour > -24 ? 50 : 40 })
        #expect((trend.changeHours == 24 && trend.change == 10) == isCompared)
    }

    @Test func `what was not measured in the last day has no trend`() {
        #expect(trend { $0 < -24 ? 40 : nil } == nil)
        #expect(trend { $0 == -23 ? 40 : nil } != nil)
        #expect(trend { _ in nil } == nil)
    }

    @Test func `a value that is too old is not the one of now`() throws {
        #expect(try #require(trend(latest: (41, 7200)) { _ in 41 }).now == nil)
    }

    @Test func `light is compared by its sum, if most of both days is known`() throws {
        func sun(_ height: Double, _ hour: Int) -> Double { (-20 ... -12).contains(hour) ? height : 0 }
        let brighter = try #require(trend("light_level") { $0 > -24 ? sun(8000, $0) : sun(2000, $0 + 24) })
        #expect(brighter.direction == .rising)
        #expect(brighter.change.map { $0.rounded() } == 2250)
        let alone = try #require(trend("light_level") { $0 > -24 ? sun(8000, $0) : nil })
        #expect(alone.direction == .unknown)
        #expect(alone.text == "Light level was 3000 lx on average; there is no whole day before to compare it with.")
    }

    @Test func `metrics come in their order, extra ones after them by name`() {
        var patient = Patient()
        patient.hours = [
            "zinc": { _ in 1 }, "co2": { _ in 600 }, "ph": { $0 > -24 ? 6.6 : 6.5 }, "humidity": { _ in 50 },
        ]
        let trends = patient.check.trends
        #expect(trends.map(\.metric) == ["humidity", "co2", "ph", "zinc"])
        #expect(trends[2].unit == nil)
        // 0.1 is less than 2 % of 6.6.
        #expect(trends[2].direction == .steady)
    }

    // MARK: Drying

    private func drying(_ latest: Double, minimum: Double = 25, _ mean: @escaping (Int) -> Double?) -> HealthIssue? {
        var patient = Patient()
        patient.thresholds = ["soil_moisture": Threshold(min: minimum)]
        patient.latest = ["soil_moisture": (latest, 0)]
        patient.hours = ["soil_moisture": mean]
        return patient.issue(.drying)
    }

    @Test func `a pot that dries is told of before it is dry`() throws {
        let issue = try #require(drying(35) { 35 - Double($0) / 2 })
        #expect(issue.severity == .info)
        #expect(issue.limit == 25)
        #expect(
            issue.text == "Soil moisture falls by about 0.5 points an hour. Should it go on like this, it reaches its "
                + "minimum of 25 % in about 20 hours; this is an estimate.")
    }

    @Test func `what is far away, below already, or no trend at all is not foretold`() {
        #expect(drying(48.9) { 48.9 - Double($0) / 2 } != nil)
        #expect(drying(49.1) { 49.1 - Double($0) / 2 } == nil)
        #expect(drying(25) { 25 - Double($0) / 2 } != nil)
        #expect(drying(24.9) { 24.9 - Double($0) / 2 } == nil)
        #expect(drying(26) { _ in 26 } == nil)
        #expect(drying(26) { 26 + Double($0) / 2 } == nil)
        // Two points in a day are noise.
        #expect(drying(26) { 26 - Double($0) / 24 * 1.9 } == nil)
        #expect(drying(26) { 26 - Double($0) / 24 * 2.2 } != nil)
        #expect(drying(30) { $0 > -5 ? 30 - Double($0) * 2 : nil } == nil)
        #expect(drying(30) { $0 > -6 ? 30 - Double($0) * 2 : nil } != nil)
    }

    @Test func `what was before a watering does not count`() throws {
        // Slow before, watered ten hours ago, fast since.
        let issue = try #require(drying(50) { $0 >= -10 ? 50 - Double($0) : 30 - Double($0) / 10 })
        #expect(issue.text.hasPrefix("Soil moisture falls by about 1 point an hour."))
        #expect(issue.text.contains("in about 25 hours"))
        // Watered just now: nothing is known yet.
        #expect(drying(50) { $0 >= -2 ? 50 : 30 - Double($0) } == nil)
    }
}
