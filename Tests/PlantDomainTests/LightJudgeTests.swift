import PlantDomain
import Testing

@Suite struct LightJudgeTests {
    /// At least 1000 lx, well again from 1050, critical below 800.
    private static let dark: Thresholds = ["light_level": Threshold(min: 1000)]
    /// At most 1000 lx, well again from 950, critical above 1200.
    private static let bright: Thresholds = ["light_level": Threshold(max: 1000)]

    private let first: LocalDay

    init() throws {
        let berlin = try #require(KnownTimeZone("Europe/Berlin"))
        // Across the change of the clocks.
        first = try #require(LocalDay("2026-10-23", in: berlin))
    }

    /// What each day brings, by its number from 1; `nil` is a day of which too little was measured.
    private func judge(
        _ levels: [Double?], by thresholds: Thresholds = dark, hysteresis: Double = 5
    ) -> [String] {
        var judge = LightJudge(PlantRules(thresholds, hysteresisPercent: hysteresis))
        var day = first
        var number: [Timestamp: Int] = [:]
        var lines: [String] = []
        for (index, level) in levels.enumerated() {
            number[day.start] = index + 1
            for finding in judge.judge(day, level: level) {
                let what =
                    switch finding.change {
                    case .fired(let since, let severity): "fired \(severity) since \(number[since] ?? 0)"
                    case .escalated(let since): "escalated since \(number[since] ?? 0)"
                    case .resolved(let since): "resolved since \(number[since] ?? 0)"
                    case .began, .lapsed: "\(finding.change)"
                    }
                lines.append("\(index + 1): \(finding.direction) \(what)")
            }
            day = day.next
        }
        return lines
    }

    @Test(arguments: [
        ([900, 900], ["2: min fired warning since 1"]),
        // One gloomy day is weather.
        ([900, 2000, 900, 1050, 900], []),
        // The limit itself is still good.
        ([1000, 1000, 1000], []),
        ([2000, 999.9, 999.9, 999.9], ["3: min fired warning since 2"]),
        ([900, 900, 1050, 1050], ["2: min fired warning since 1", "4: min resolved since 1"]),
        // One good day does not end it, and between limit and recovery nothing does.
        ([900, 900, 2000, 900, 2000, 900], ["2: min fired warning since 1"]),
        ([900, 900, 1049, 1049, 1049], ["2: min fired warning since 1"]),
        ([900, 900, 2000, 1049, 2000], ["2: min fired warning since 1"]),
        // As bad as on the day that fires; worse takes two days as well.
        ([900, 799], ["2: min fired critical since 1"]),
        ([799, 900, 799, 900, 799], ["2: min fired warning since 1"]),
        ([900, 900, 799, 799, 799], ["2: min fired warning since 1", "4: min escalated since 1"]),
        (
            [900, 900, 2000, 2000, 900, 900],
            [
                "2: min fired warning since 1", "4: min resolved since 1", "6: min fired warning since 5",
            ]
        ),
    ])
    func `two days in a row fire, and two good ones end it`(levels: [Double], findings: [String]) {
        #expect(judge(levels) == findings)
    }

    @Test(arguments: [
        ([900, nil, 900, 2000], []),
        ([900, nil, 900, 900], ["4: min fired warning since 3"]),
        ([nil, nil, 900, 900], ["4: min fired warning since 3"]),
        ([900, 900, nil, nil, nil, 900], ["2: min fired warning since 1"]),
        ([900, 900, nil, 2000, 2000], ["2: min fired warning since 1", "5: min resolved since 1"]),
    ])
    func `a day of which too little is known neither begins nor ends anything`(levels: [Double?], findings: [String]) {
        #expect(judge(levels) == findings)
    }

    @Test func `days on both sides of one that is not known are not in a row`() {
        #expect(judge([900, 900, 2000, nil, 2000]) == ["2: min fired warning since 1"])
        #expect(judge([900, 900, 2000, nil, 2000, 2000]).last == "6: min resolved since 1")
        #expect(judge([900, 900, 799, nil, 799]) == ["2: min fired warning since 1"])
    }

    @Test func `too much light is judged likewise, and both ends at once`() {
        #expect(judge([1001, 1201], by: Self.bright) == ["2: max fired critical since 1"])
        #expect(judge([1001, 1001, 951, 950, 950], by: Self.bright).last == "5: max resolved since 1")
        let both: Thresholds = ["light_level": Threshold(min: 1000, max: 2000)]
        let findings = judge([900, 900, 2100, 2100], by: both)
        #expect(
            findings == ["2: min fired warning since 1", "4: min resolved since 1", "4: max fired warning since 3"])
    }

    @Test func `without a limit of light there is nothing to find`() {
        #expect(judge([0, 0, 200_000, 200_000], by: ["soil_moisture": Threshold(min: 30)]).isEmpty)
        #expect(judge([0, 0, 0], by: ["light_level": Threshold()]).isEmpty)
    }

    @Test func `what fires already goes on until two good days in a row, and what is not known ends nothing`() {
        let since = first.start.adding(seconds: -30 * 86_400)
        func told(_ levels: [Double?]) -> [ConditionState.Change] {
            var judge = LightJudge(PlantRules(Self.dark, hysteresisPercent: 5), firing: [(.min, since)])
            var day = first
            return levels.flatMap { level in
                defer { day = day.next }
                return judge.judge(day, level: level).map(\.change)
            }
        }
        #expect(told([nil, nil, nil]).isEmpty)
        #expect(told([900, 900]).isEmpty)
        #expect(told([2000, nil, 2000]).isEmpty)
        #expect(told([2000, 2000]) == [.resolved(since: since)])
    }
}
