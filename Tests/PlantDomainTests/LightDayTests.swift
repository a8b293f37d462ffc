import PlantDomain
import Testing

@Suite struct LightDayTests {
    private let day: LocalDay

    init() throws {
        let berlin = try #require(KnownTimeZone("Europe/Berlin"))
        day = try #require(LocalDay("2026-06-21", in: berlin))
    }

    /// - Parameter readings: hours from the start of the day, and lx.
    private func light(_ readings: [(Double, Double)], maximumGap: Double = 3600, on day: LocalDay? = nil) -> LightSum {
        let day = day ?? self.day
        var light = LightDay(day, maximumGap: maximumGap)
        for (hour, lux) in readings { light.add(day.start.adding(seconds: hour * 3600), lux: lux) }
        return light.finish()
    }

    private func every(_ minutes: Double, from start: Double = 0, to end: Double = 24, lux: (Double) -> Double)
        -> [(Double, Double)]
    {
        stride(from: start, through: end, by: minutes / 60).map { ($0, lux($0)) }
    }

    private func isClose(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-6) -> Bool {
        a.map { abs($0 - b) <= tolerance } ?? false
    }

    @Test func `5000 lx of sun for 10 hours are 3.33 mol`() {
        // Up and down at once, 07:00 to 17:00.
        let sun = light([(0, 0), (7 - 1e-6, 0), (7, 5000), (17, 5000), (17 + 1e-6, 0), (24, 0)], maximumGap: 36_000)
        #expect(isClose(sun.luxHours, 50_000, 0.1))
        #expect(isClose(sun.dailyLightIntegral(of: .sun), 3.33, 0.0001))
        #expect(isClose(PlantScience.dailyLightIntegral(luxHours: 50_000, ppfdPerLux: 0.0185), 3.33))
        #expect(isClose(sun.level, 50_000 / 12, 0.01))
        #expect(sun.coverage == 1)
    }

    @Test func `a lamp that burns all day is twice its light over 12 hours`() {
        let lamp = light(every(5) { _ in 300 })
        #expect(isClose(lamp.luxHours, 7200))
        #expect(isClose(lamp.level, 600))
        #expect(isClose(lamp.coverage, 1))
    }

    @Test func `light is taken to change evenly between readings`() {
        #expect(isClose(light([(6, 0), (7, 1000)]).luxHours, 500))
        #expect(isClose(light([(6, 1000), (6.5, 0), (7, 1000)]).luxHours, 500))
        // A triangle of 12 hours and 12 000 lx, however often it is read.
        for minutes in [1.0, 10, 60] {
            let sun = light(every(minutes) { max(0, 12_000 - abs($0 - 13) * 2000) })
            #expect(isClose(sun.luxHours, 72_000, 1))
            #expect(isClose(sun.level, 6000, 0.1))
        }
    }

    @Test func `only what is in the day counts of what reaches over its ends`() {
        #expect(isClose(light([(-0.5, 0), (0.5, 1000)]).luxHours, 375))
        #expect(isClose(light([(-0.5, 0), (0.5, 1000)]).coverage, 0.5 / 24))
        #expect(isClose(light([(23.5, 1000), (24.5, 0)]).luxHours, 375))
        #expect(isClose(light([(-1, 100), (25, 100)], maximumGap: 100_000).luxHours, 2400))
        #expect(light([(-1, 100), (25, 100)], maximumGap: 100_000).coverage == 1)
        #expect(light([(-2, 1000), (-1, 1000), (25, 1000), (25.5, 1000)]) == LightSum(luxHours: 0, coverage: 0))
        #expect(light([(-1, 1000), (0, 1000)]) == LightSum(luxHours: 0, coverage: 0))
        #expect(light([(24, 1000), (25, 1000)]) == LightSum(luxHours: 0, coverage: 0))
    }

    @Test func `gaps are not bridged, and not covered`() {
        let bridged = light([(6, 1000), (7, 1000), (8, 1000)])
        #expect(isClose(bridged.luxHours, 2000))
        #expect(isClose(bridged.coverage, 2.0 / 24))
        let gap = light([(6, 1000), (7, 1000), (8.001, 1000), (9, 1000)])
        #expect(isClose(gap.luxHours, 1999))
        #expect(isClose(gap.coverage, 1.999 / 24))
    }

    @Test(arguments: [(1440, true), (1081, true), (1080, true), (1079, false), (0, false)])
    func `a day is judged when three quarters of it are known`(minutes: Int, isJudged: Bool) {
        let hours = Double(minutes) / 60
        let sum = light(every(1, to: hours) { _ in 1000 })
        #expect(isClose(sum.coverage, hours / 24))
        #expect((sum.level != nil) == isJudged)
        if isJudged { #expect(isClose(sum.level, hours * 1000 / 12)) }
    }

    @Test(
        arguments: [(1, 900, 75), (0.75, 900, 75), (0.7499999, 900, nil), (0, 0, nil), (1, 0, 0)]
            as [(Double, Double, Double?)])
    func `the level is the light spread over 12 hours`(coverage: Double, luxHours: Double, level: Double?) {
        #expect(LightSum(luxHours: luxHours, coverage: coverage).level == level)
    }

    @Test func `no reading and one reading say nothing`() {
        #expect(light([]) == LightSum(luxHours: 0, coverage: 0))
        #expect(light([(12, 5000)]) == LightSum(luxHours: 0, coverage: 0))
        #expect(light([(12, 5000)]).level == nil)
    }

    @Test func `readings out of order or repeated count once`() {
        let plain = light([(6, 1000), (6.5, 2000), (7, 1000)])
        #expect(light([(6, 1000), (6.5, 2000), (6.5, 9000), (6.2, 9000), (6, 9000), (7, 1000)]) == plain)
    }

    @Test(arguments: [-1.0, -.infinity, .infinity, .nan])
    func `what is no light is left out`(lux: Double) {
        let plain = light([(6, 1000), (7, 1000)])
        #expect(light([(5.9, lux), (6, 1000), (6.5, lux), (7, 1000), (7.1, lux)]) == plain)
    }

    @Test func `a day of 23 or 25 hours is covered by as many`() throws {
        let berlin = try #require(KnownTimeZone("Europe/Berlin"))
        for (text, hours) in [("2026-03-29", 23.0), ("2026-10-25", 25)] {
            let day = try #require(LocalDay(text, in: berlin))
            let sum = light(every(10, to: hours) { _ in 120 }, on: day)
            #expect(isClose(sum.coverage, 1))
            #expect(isClose(sum.luxHours, hours * 120))
            #expect(isClose(light(every(10, to: 18) { _ in 120 }, on: day).coverage, 18 / hours))
        }
    }

    @Test func `what was taken so far can be asked at any time`() {
        var light = LightDay(day, maximumGap: 3600)
        var sums: [LightSum] = []
        for (hour, lux) in every(30, lux: { _ in 240 }) {
            light.add(day.start.adding(seconds: hour * 3600), lux: lux)
            #expect(light.finish() == light.finish())
            sums.append(light.finish())
        }
        #expect(sums.map(\.luxHours) == sums.map(\.luxHours).sorted())
        #expect(isClose(sums.last?.level, 480))
    }

    @Test func `splitting a day's light in parts adds up, whatever the times`() {
        var generator = SeededGenerator(seed: 12)
        for _ in 0..<200 {
            var hour = Double.random(in: -2...0, using: &generator)
            var readings: [(Double, Double)] = []
            while hour < 26 {
                readings.append((hour, Double.random(in: 0...100_000, using: &generator)))
                hour += Double.random(in: 0.001...1.2, using: &generator)
            }
            let sum = light(readings)
            #expect((0...1).contains(sum.coverage))
            #expect((0...2_400_000).contains(sum.luxHours))
            // The same day cut at an hour by a reading between two others changes nothing.
            let cut = Int.random(in: 1..<readings.count, using: &generator)
            let (a, b) = (readings[cut - 1], readings[cut])
            readings.insert(((a.0 + b.0) / 2, (a.1 + b.1) / 2), at: cut)
            let again = light(readings)
            if (b.0 - a.0) * 3600 <= 3599 {
                #expect(isClose(again.luxHours, sum.luxHours, 0.1))
                #expect(isClose(again.coverage, sum.coverage, 1e-9))
            }
        }
    }
}
