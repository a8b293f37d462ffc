import Testing

@testable import PlantDomain

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite struct DryingOutlookTests {
    private static let device = EntityID(high: 1, low: 1)
    private let now = Timestamp(microseconds: 1_795_219_200_000_000)
    private static let day = 86_400.0

    /// Every hour of the last ones, by how many hours ago.
    private func hours(_ count: Int, _ value: (Double) -> Double?) -> [LatestTelemetry.Value] {
        (0..<count).reversed().compactMap { back in
            let ago = Double(back) + 0.5
            return value(ago).map { LatestTelemetry.Value(value: $0, time: now.adding(seconds: -ago * 3600)) }
        }
    }

    private func series(
        _ hours: [LatestTelemetry.Value], newest: Double? = nil, age: Double = 60, silence: Double = 180,
        device: EntityID = device
    ) -> DryingOutlook.Series {
        let value = newest ?? hours.last?.value
        return DryingOutlook.Series(
            device: device, hours: hours,
            newest: value.map { LatestTelemetry.Value(value: $0, time: now.adding(seconds: -age)) },
            silenceAllowed: silence)
    }

    private func outlook(
        _ series: [DryingOutlook.Series], minimum: Double? = 25, waterings: [Timestamp] = []
    ) -> DryingOutlook {
        DryingOutlook(series, waterings: waterings, minimum: minimum, at: now)
    }

    /// Days from now.
    private func days(_ time: Timestamp?) -> Double? { time.map { $0.seconds(since: now) / Self.day } }

    /// θ(t), so many days after it was `from`.
    private func drying(_ days: Double, from: Double, residual: Double = 5, timeConstant: Double) -> Double {
        residual + (from - residual) * exp(-days / timeConstant)
    }

    // MARK: the curve

    @Test func `a time constant of 5 days, from 70 to 25 with 10 that never dry, is 6_93 days`() throws {
        let points = (0..<48).map { hour in
            DryingFit.Point(
                time: now.adding(seconds: Double(hour) * 3600),
                value: drying(Double(hour) / 24, from: 70, residual: 10, timeConstant: 5))
        }
        let fit = try #require(DryingFit(points, residual: 10))
        #expect(abs(fit.timeConstant / Self.day - 5) < 1e-9)
        let seconds = PlantScience.dryingTime(from: 70, to: 25, residual: 10, timeConstant: fit.timeConstant)
        #expect(abs((seconds ?? 0) / Self.day - 6.93) < 0.005)
        #expect(abs(fit.fastest / fit.timeConstant - 1) < 1e-6 && abs(fit.slowest / fit.timeConstant - 1) < 1e-6)
        #expect(fit.spread < 1e-9)
        #expect(abs(fit.fall - (70 - points[47].value)) < 1e-9)
    }

    @Test(arguments: 0..<40)
    func `from noisy values the time constant is found again, and the truth is between the bounds`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed) + 7)
        let timeConstant = Double.random(in: 2...15, using: &random)
        let from = Double.random(in: 55...90, using: &random)
        let count = Int.random(in: 60...240, using: &random)
        let values = hours(count) { ago in
            let value = drying((Double(count) - ago) / 24, from: from, timeConstant: timeConstant)
            // One hour in 15 is far off.
            let isOdd = Int.random(in: 0..<15, using: &random) == 0
            return min(100, value + .random(in: -0.6...0.6, using: &random) + (isOdd ? 4 : 0))
        }
        let level = drying(Double(count) / 24, from: from, timeConstant: timeConstant)
        let minimum = max(8, level * 0.7)
        let found = outlook([series(values, newest: level, age: 0)], minimum: minimum)
        let prediction = try #require(found.prediction, "\(found)")
        let basis = try #require(found.basis)
        #expect(abs(basis.timeConstantDays / timeConstant - 1) < 0.15)
        let truth = timeConstant * log((level - 5) / (minimum - 5))
        #expect(days(prediction.low)! <= truth && truth <= days(prediction.high)!)
        #expect(prediction.low <= prediction.reachesMinimumAt && prediction.reachesMinimumAt <= prediction.high)
    }

    @Test(arguments: [0.0, 3, 8, 12])
    func `whatever truly never dries, the forecast is about right`(residual: Double) throws {
        // 70 → 50 was seen, 50 → 30 is to come.
        let seen = 5 * log((70 - residual) / (50 - residual))
        let values = hours(Int(seen * 24)) { ago in
            drying(seen - ago / 24, from: 70, residual: residual, timeConstant: 5)
        }
        let prediction = try #require(outlook([series(values, newest: 50, age: 0)], minimum: 30).prediction)
        let truth = 5 * log((50 - residual) / (30 - residual))
        #expect(abs(days(prediction.reachesMinimumAt)! / truth - 1) < 0.15)
        #expect(days(prediction.low)! <= truth && truth <= days(prediction.high)!)
    }

    @Test func `a straight line is between the bounds, too`() throws {
        let values = hours(72) { 50 + 0.2 * $0 }
        let prediction = try #require(outlook([series(values, newest: 50, age: 0)], minimum: 25).prediction)
        let straight = 25 / 0.2 / 24
        #expect(days(prediction.low)! <= straight + 0.3)
        #expect(straight <= days(prediction.high)!)
    }

    // MARK: why not

    /// 30 points lost in three days: not dry yet.
    private var usual: [LatestTelemetry.Value] {
        hours(72) { drying(3 - $0 / 24, from: 70, timeConstant: 5) }
    }

    @Test func `why it cannot be told is said`() {
        let short = hours(4) { 40 + $0 / 2 }
        let still = hours(96) { _ in 40 }
        let slow = hours(24 * 14) { 60 + $0 / 24 / 4 }
        let table: [(DryingOutlook.Reason, [DryingOutlook.Series], Double?)] = [
            (.noData, [], 25), (.noData, [], nil),
            (.noData, [DryingOutlook.Series(device: Self.device, hours: usual, newest: nil, silenceAllowed: 180)], 25),
            (.noLimit, [series(usual)], nil),
            (.stale, [series(usual, age: 3601)], 25), (.stale, [series(short, age: 7200)], 25),
            (.stale, [series(usual, newest: 10, age: 7200)], 25),
            (.alreadyDry, [series(usual, newest: 25)], 25), (.alreadyDry, [series(usual, newest: 20)], 25),
            (.alreadyDry, [series([], newest: 20)], 25),
            (.tooShort, [series(short)], 25), (.tooShort, [series([], newest: 40)], 25),
            (.tooShort, [series(hours(40) { _ in 40 })], 25),
            (.notDrying, [series(still)], 25), (.notDrying, [series(hours(96) { 60 - $0 / 24 })], 25),
            (.beyondHorizon, [series(slow)], 10), (.beyondHorizon, [series(usual)], 0),
        ]
        for (index, (reason, series, minimum)) in table.enumerated() {
            let found = outlook(series, minimum: minimum)
            #expect(found.reason == reason, "\(index): \(found)")
            #expect(found.prediction == nil)
            #expect(found.reasonText?.hasSuffix(".") == true)
            #expect(found.minimum == minimum)
            #expect(found.value == series.first?.newest?.value)
        }
    }

    @Test func `what is known is said even without a limit`() throws {
        let found = outlook([series(usual)], minimum: nil)
        #expect(found.reason == .noLimit)
        #expect(abs(try #require(found.basis).timeConstantDays - 5) < 0.01)
    }

    @Test func `a device that reports every six hours is not stale after five`() {
        #expect(outlook([series(usual, age: 5 * 3600, silence: 18 * 3600)]).prediction != nil)
    }

    @Test func `what should have been reached by now is reached now`() throws {
        let fast = hours(12) { drying((12 - $0) / 24, from: 80, timeConstant: 0.3) }
        let level = try #require(fast.last).value
        let prediction = try #require(
            outlook([series(fast, newest: level, age: 3500)], minimum: level - 0.2).prediction)
        #expect(prediction.reachesMinimumAt == now && prediction.low == now && prediction.high >= now)
    }

    // MARK: waterings

    @Test func `only what came after the last watering counts`() throws {
        // It dried slowly, was watered two days ago, and dries fast since.
        let values = hours(200) { ago in
            ago > 48
                ? drying((200 - ago) / 24, from: 60, timeConstant: 20) : drying(2 - ago / 24, from: 80, timeConstant: 3)
        }
        let found = outlook([series(values)])
        let basis = try #require(found.basis)
        #expect(basis.kind == .currentCycle && basis.cycles == 1)
        #expect(abs(basis.timeConstantDays - 3) < 0.05)
        #expect(basis.since == now.adding(seconds: -47.5 * 3600))
        #expect(basis.text.contains("since the last watering"))
    }

    @Test func `shortly after a watering it is taken to dry as it did before`() throws {
        let values = hours(24 * 20) { ago in
            let since = (Double(24 * 20) - ago) / 24
            if ago < 3 { return 70 }
            // Three times from 70, with time constants of 4, 6 and 5 days.
            let cycle = min(2, Int(since / 6.625))
            return drying(since - Double(cycle) * 6.625, from: 70, timeConstant: [4, 6, 5][cycle])
        }
        let found = outlook([series(values)])
        let basis = try #require(found.basis, "\(found)")
        #expect(basis.kind == .earlierCycles && basis.cycles == 3)
        #expect(abs(basis.timeConstantDays - 5) < 0.2)
        let prediction = try #require(found.prediction)
        #expect(abs(days(prediction.reachesMinimumAt)! - 5 * log(65.0 / 20)) < 0.3)
        #expect(days(prediction.low)! < 4.1 * log(65.0 / 20) && days(prediction.high)! > 5.9 * log(65.0 / 20))
        // The same of a device that has just come into the pot, by what the one before it saw.
        let before = DryingOutlook.Series(device: Self.device, hours: values, newest: nil, silenceAllowed: 0)
        let after = series([], newest: 70, device: EntityID(high: 2, low: 2))
        let replaced = outlook([before, after])
        #expect(replaced.basis?.kind == .earlierCycles)
        #expect(replaced.device == EntityID(high: 2, low: 2))
    }

    @Test func `a small watering that is known counts as one`() throws {
        // By three points only, which no rise tells.
        let at = now.adding(seconds: -30.5 * 3600)
        let values = hours(120) { ago in 50 - (120 - ago) * 0.2 + (ago < 30.5 ? 3 : 0) }
        #expect(outlook([series(values)], minimum: 20).basis?.since == values.first?.time)
        let found = outlook([series(values)], minimum: 20, waterings: [at])
        #expect(found.basis?.since == now.adding(seconds: -29.5 * 3600))
        // It does not matter how many of the past there are, and in which order.
        let many = [at.adding(seconds: -1e6), now.adding(seconds: 60), at]
        #expect(outlook([series(values)], minimum: 20, waterings: many).basis?.since == found.basis?.since)
    }

    @Test func `however long nothing was measured, what is higher than before was watered`() {
        let values = hours(200) { ago in
            ago > 150 ? 40 - (200 - ago) * 0.1 : ago > 40 ? nil : drying((40 - ago) / 24, from: 70, timeConstant: 4)
        }
        let found = outlook([series(values)])
        #expect(abs((found.basis?.timeConstantDays ?? 0) - 4) < 0.05)
    }

    @Test func `water that drains at first is no drying`() {
        let values = hours(12) { ago in
            ago > 9 ? 30 : drying((9 - ago) / 24, from: 60, timeConstant: 5) + (ago > 7 ? 15 : 0)
        }
        let found = outlook([series(values)], minimum: 25)
        #expect(abs((found.basis?.timeConstantDays ?? 0) - 5) < 1.5, "\(found)")
    }

    // MARK: several devices

    @Test func `of several devices the one counts that will say first that it is too dry`() {
        let second = EntityID(high: 2, low: 2)
        let slow = series(hours(72) { drying(3 - $0 / 24, from: 70, timeConstant: 12) }, device: second)
        #expect(outlook([slow, series(usual)]).device == Self.device)
        #expect(outlook([series(usual), slow]).device == Self.device)
        // One that is silent says nothing while another speaks.
        #expect(outlook([series(usual, age: 1e5), slow]).device == second)
        // One that is dry already needs no forecast.
        let dry = outlook([series(usual), series(usual, newest: 12, device: second)])
        #expect(dry.reason == .alreadyDry && dry.device == second)
        #expect(outlook([series(hours(96) { _ in 40 }, device: second), series(usual)]).device == Self.device)
    }

    @Test(arguments: 0..<30)
    func `whatever is measured, what is said is in order`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed) + 99)
        var level = 50.0
        let values = hours(Int.random(in: 0...300, using: &random)) { _ in
            level = max(0, min(100, level + .random(in: -3...2.8, using: &random)))
            if Int.random(in: 0..<60, using: &random) == 0 { level = .random(in: 0...100, using: &random) }
            return Int.random(in: 0..<10, using: &random) == 0 ? nil : level
        }
        let found = outlook([series(values)], minimum: .random(in: 0...60, using: &random))
        #expect((found.prediction == nil) == (found.reason != nil))
        #expect((found.reason == nil) == (found.reasonText == nil))
        guard let prediction = found.prediction else { return }
        #expect(found.basis != nil)
        #expect(prediction.low >= now && prediction.low <= prediction.reachesMinimumAt)
        #expect(prediction.reachesMinimumAt <= prediction.high)
        #expect(days(prediction.high)! <= 60)
    }
}
