import PlantDomain
import Testing

@Suite struct ConditionTableTests {
    private typealias Change = ConditionState.Change

    /// Seconds after an arbitrary instant.
    private static func at(_ seconds: Double) -> Timestamp { arrival.adding(seconds: seconds) }

    /// Soil moisture from 25 to 75 %: well again from 26.25, critical below 15.
    private static let dry = LimitRule(direction: .min, limit: 25, recovery: 26.25, criticalAt: 15)
    private static let wet = LimitRule(direction: .max, limit: 75, recovery: 72.5, criticalAt: 85)

    private struct Step: CustomStringConvertible {
        let seconds: Double
        let value: Double
        let change: ConditionState.Change?

        init(_ seconds: Double, _ value: Double, _ change: ConditionState.Change? = nil) {
            self.seconds = seconds
            self.value = value
            self.change = change
        }

        var description: String { "\(seconds) s: \(value)" }
    }

    private func check(
        _ steps: [Step], rule: LimitRule = dry, forSeconds: Double = 120, location: SourceLocation = #_sourceLocation
    ) {
        var state = ConditionState()
        for step in steps {
            let change = state.judge(step.value, at: Self.at(step.seconds), by: rule, forSeconds: forSeconds)
            #expect(change == step.change, "\(step)", sourceLocation: location)
        }
    }

    private func began(_ seconds: Double) -> Change { .began(since: Self.at(seconds)) }
    private func fired(_ seconds: Double, _ severity: AlertSeverity = .warning) -> Change {
        .fired(since: Self.at(seconds), severity)
    }
    private func escalated(_ seconds: Double) -> Change { .escalated(since: Self.at(seconds)) }
    private func resolved(_ seconds: Double) -> Change { .resolved(since: Self.at(seconds)) }

    // MARK: Limits

    private struct Vector: CustomStringConvertible, Sendable {
        let metric: String
        let low: Double?
        let high: Double?
        let percent: Double
        let direction: LimitDirection
        let recovery: Double
        let criticalAt: Double

        init(
            _ metric: String, _ low: Double?, _ high: Double?, percent: Double = 5, _ direction: LimitDirection,
            recovery: Double, criticalAt: Double
        ) {
            self.metric = metric
            self.low = low
            self.high = high
            self.percent = percent
            self.direction = direction
            self.recovery = recovery
            self.criticalAt = criticalAt
        }

        var description: String {
            "\(metric) \(low as Double?)…\(high as Double?), \(direction), \(percent) %".replacing("Optional", with: "")
        }
    }

    @Test(arguments: [
        // Percent of the limit, at most of the span.
        Vector("soil_moisture", 25, 75, .min, recovery: 26.25, criticalAt: 15),
        Vector("soil_moisture", 25, 75, .max, recovery: 72.5, criticalAt: 85),
        Vector("soil_moisture", 60, 75, .min, recovery: 61, criticalAt: 57),
        Vector("humidity", 40, nil, .min, recovery: 42, criticalAt: 32),
        Vector("humidity", nil, 70, .max, recovery: 66.5, criticalAt: 84),
        Vector("co2", nil, 1000, .max, recovery: 950, criticalAt: 1200),
        Vector("temperature", 15, 30, .min, recovery: 15.75, criticalAt: 12),
        Vector("temperature", 15, 30, .max, recovery: 29.25, criticalAt: 33),
        Vector("temperature", -10, nil, .min, recovery: -9.5, criticalAt: -12),
        Vector("temperature", nil, -10, .max, recovery: -10.5, criticalAt: -8),
        Vector("soil_moisture", 25, 75, percent: 10, .min, recovery: 27.5, criticalAt: 15),
        // At least the noise floor.
        Vector("soil_moisture", 10, nil, .min, recovery: 11, criticalAt: 8),
        Vector("soil_moisture", 25, 75, percent: 0, .min, recovery: 26, criticalAt: 15),
        Vector("temperature", 0, nil, .min, recovery: 0.3, criticalAt: -0.3),
        Vector("temperature", nil, 0, .max, recovery: -0.3, criticalAt: 0.3),
        Vector("soil_moisture", 3, nil, .min, recovery: 4, criticalAt: 2),
        Vector("temperature", 20, 22, .min, recovery: 20.3, criticalAt: 19.6),
        Vector("pressure", 1000, 1000.5, .min, recovery: 1000.2, criticalAt: 999.8),
        // Never beyond reach: half the span, the physical range.
        Vector("temperature", 20, 20.4, .min, recovery: 20.2, criticalAt: 19.7),
        Vector("temperature", 20, 20.4, .max, recovery: 20.2, criticalAt: 20.7),
        Vector("temperature", 20, 20, .min, recovery: 20, criticalAt: 19.7),
        Vector("soil_moisture", 25, 75, percent: 50, .min, recovery: 37.5, criticalAt: 15),
        Vector("soil_moisture", 25, 75, percent: 50, .max, recovery: 50, criticalAt: 85),
        Vector("humidity", 99.8, nil, .min, recovery: 100, criticalAt: 79.84),
        Vector("humidity", 100, nil, .min, recovery: 100, criticalAt: 80),
        Vector("soil_moisture", nil, 0.5, .max, recovery: 0, criticalAt: 1.5),
        Vector("rssi", nil, -125, .max, recovery: -127, criticalAt: -100),
        // Extra metrics have neither.
        Vector("par", 10, nil, .min, recovery: 10.5, criticalAt: 8),
        Vector("par", 0, nil, .min, recovery: 0, criticalAt: 0),
        Vector("par", -1, 1, .min, recovery: -0.95, criticalAt: -1.4),
    ])
    private func `a limit has a band to come back by and a distance that is critical`(vector: Vector) throws {
        let threshold = Threshold(min: vector.low, max: vector.high)
        let rule = try #require(
            LimitRule(
                vector.direction, of: threshold, metric: Metric.named(vector.metric),
                hysteresisPercent: vector.percent))
        #expect(rule.limit == (vector.direction == .min ? vector.low : vector.high))
        #expect(abs(rule.recovery - vector.recovery) < 1e-9, "\(rule.recovery)")
        #expect(abs(rule.criticalAt - vector.criticalAt) < 1e-9, "\(rule.criticalAt)")
    }

    @Test func `there is no rule for a limit that is not there`() {
        #expect(LimitRule(.min, of: Threshold(max: 75), metric: .soilMoisture, hysteresisPercent: 5) == nil)
        #expect(LimitRule(.max, of: Threshold(min: 25), metric: .soilMoisture, hysteresisPercent: 5) == nil)
    }

    @Test func `any limits can be recovered from, at a value the metric can have`() throws {
        var generator = SeededGenerator(seed: 21)
        for _ in 0..<5000 {
            let metric = try #require(Metric.allCases.randomElement(using: &generator))
            let (a, b) = (
                Double.random(in: metric.range, using: &generator), Double.random(in: metric.range, using: &generator)
            )
            let threshold = Threshold(
                min: Bool.random(using: &generator) ? min(a, b) : nil,
                max: Bool.random(using: &generator) ? max(a, b) : nil)
            let percent = Double.random(in: AlertSettings.hysteresisPercentRange, using: &generator)
            for direction in LimitDirection.allCases {
                guard let rule = LimitRule(direction, of: threshold, metric: metric, hysteresisPercent: percent) else {
                    continue
                }
                #expect(metric.range.contains(rule.recovery))
                var state = ConditionState()
                let far = direction == .min ? rule.criticalAt - 1 : rule.criticalAt + 1
                #expect(
                    state.judge(far, at: Self.at(0), by: rule, forSeconds: 0) == .fired(since: Self.at(0), .critical))
                #expect(
                    state.judge(rule.recovery, at: Self.at(1), by: rule, forSeconds: 0) == .resolved(since: Self.at(0)))
                // What is well at one limit is not beyond the other.
                if let low = threshold.min { #expect(rule.recovery >= low) }
                if let high = threshold.max { #expect(rule.recovery <= high) }
            }
        }
    }

    // MARK: From clear

    @Test(arguments: [25.0, 25.000001, 26, 26.25, 50, 75, 100])
    func `at the limit and within it nothing begins`(value: Double) {
        check([Step(0, value), Step(120, value), Step(86_400, value)])
        check([Step(0, value), Step(120, value)], forSeconds: 0)
    }

    @Test func `the first reading beyond the limit begins it`() {
        check([Step(0, 30), Step(60, 24.999999, began(60))])
        check([Step(0, 75), Step(60, 75.000001, began(60))], rule: Self.wet)
    }

    @Test func `with no time to wait the first reading fires`() {
        check([Step(0, 30), Step(60, 24.9, fired(60)), Step(61, 24.9)], forSeconds: 0)
        check([Step(0, 14.9, fired(0, .critical))], forSeconds: 0)
        check([Step(0, 75.1, fired(0))], rule: Self.wet, forSeconds: 0)
    }

    // MARK: From pending

    @Test func `what has been beyond for long enough fires at that reading, not before`() {
        check([Step(0, 24, began(0)), Step(60, 24), Step(119.999999, 24), Step(120, 24, fired(0)), Step(180, 24)])
        check([Step(0, 24, began(0)), Step(600, 24, fired(0))])
        check([Step(0, 24, began(0)), Step(1, 24, fired(0))], forSeconds: 1)
    }

    @Test func `what recovers before leaves no trace`() {
        check([Step(0, 24, began(0)), Step(60, 26.25, .lapsed), Step(120, 24, began(120)), Step(180, 24)])
        check([Step(0, 24, began(0)), Step(120, 26.25, .lapsed), Step(121, 50)])
        check([Step(0, 76, began(0)), Step(60, 72.5, .lapsed)], rule: Self.wet)
    }

    @Test func `the band between limit and recovery neither fires nor lapses`() {
        check([
            Step(0, 24, began(0)), Step(60, 25), Step(120, 25), Step(240, 26.249999), Step(300, 24.9, fired(0)),
        ])
        check([Step(0, 76, began(0)), Step(120, 75), Step(240, 72.500001), Step(300, 75.1, fired(0))], rule: Self.wet)
    }

    @Test(arguments: [120.0, 3600, 21_600, 43_200, 43_201, 86_400])
    func `a device that reports rarely fires at the second reading`(interval: Double) {
        // Devices may report once a day.
        check([Step(0, 24, began(0)), Step(interval, 24, fired(0)), Step(2 * interval, 24)])
    }

    @Test func `a day is the longest that may be waited`() {
        check(
            [Step(0, 24, began(0)), Step(43_200, 24), Step(86_399, 24), Step(86_400, 24, fired(0))], forSeconds: 86_400)
    }

    // MARK: Severity

    @Test(arguments: [
        (24.9, AlertSeverity.warning), (15, .warning), (14.999999, .critical), (0, .critical),
    ])
    func `the reading that fires decides how bad it is`(value: Double, severity: AlertSeverity) {
        check([Step(0, 24, began(0)), Step(120, value, fired(0, severity))])
        check([Step(0, 5, began(0)), Step(60, 5), Step(120, value, fired(0, severity))])
        check([Step(0, value, fired(0, severity))], forSeconds: 0)
    }

    @Test func `it becomes critical when it has been for long enough`() {
        let firing = [Step(0, 24, began(0)), Step(120, 24, fired(0))]
        check(firing + [Step(180, 14), Step(240, 14), Step(299.999999, 14), Step(300, 14, escalated(0)), Step(360, 1)])
        check(firing + [Step(180, 14), Step(400, 14, escalated(0))])
        // Only without a break.
        check(firing + [Step(180, 14), Step(240, 15), Step(300, 14), Step(360, 14), Step(420, 14, escalated(0))])
        check(firing + [Step(180, 14), Step(240, 25.5), Step(300, 14), Step(419, 14), Step(420, 14, escalated(0))])
        check(firing + [Step(180, 14), Step(240, 30), Step(300, 14), Step(360, 14), Step(420, 14, escalated(0))])
        check(
            [Step(0, 24, fired(0)), Step(10, 15), Step(20, 14.9, escalated(0)), Step(30, 14)], forSeconds: 0)
    }

    @Test func `it never becomes less bad while it is open, and is told once`() {
        check([
            Step(0, 14, began(0)), Step(120, 14, fired(0, .critical)), Step(180, 24), Step(600, 24), Step(660, 14),
            Step(900, 14), Step(960, 24), Step(1020, 30), Step(1140, 30, resolved(0)), Step(1200, 24, began(1200)),
            Step(1320, 24, fired(1200)),
        ])
    }

    // MARK: From firing

    @Test func `what has recovered for long enough is over at that reading, not before`() {
        let firing = [Step(0, 24, began(0)), Step(120, 24, fired(0))]
        check(firing + [Step(180, 26.25), Step(299.999999, 26.25), Step(300, 26.25, resolved(0)), Step(360, 30)])
        check(firing + [Step(180, 26.249999), Step(86_400, 26.249999), Step(90_000, 25)])
        check(firing + [Step(180, 30), Step(40_000, 30, resolved(0))])
        check(
            [Step(0, 76, began(0)), Step(120, 76, fired(0)), Step(180, 72.5), Step(300, 72.5, resolved(0))],
            rule: Self.wet)
    }

    @Test func `what falls back begins to recover anew`() {
        let firing = [Step(0, 24, began(0)), Step(120, 24, fired(0))]
        check(firing + [Step(180, 30), Step(240, 24), Step(300, 30), Step(419, 30), Step(420, 30, resolved(0))])
        check(firing + [Step(180, 30), Step(240, 26), Step(300, 30), Step(419, 30), Step(420, 30, resolved(0))])
    }

    @Test func `with no time to wait the first reading that has recovered ends it`() {
        check(
            [
                Step(0, 24, fired(0)), Step(1, 26.249999), Step(2, 26.25, resolved(0)), Step(3, 25),
                Step(4, 24, fired(4)), Step(5, 99, resolved(4)),
            ], forSeconds: 0)
    }

    @Test func `without readings nothing changes`() {
        check([Step(0, 24, began(0)), Step(120, 24, fired(0)), Step(30 * 86_400, 24), Step(30 * 86_400 + 60, 24)])
        check([Step(0, 24, began(0)), Step(120, 24, fired(0)), Step(30 * 86_400, 30)])
    }

    @Test func `noise at the limit for an hour is one alert`() {
        for rule in [Self.dry, Self.wet] {
            var generator = SeededGenerator(seed: 3)
            var state = ConditionState()
            var changes: [Change] = []
            let far = rule.direction == .min ? 1.0 : -1
            for second in stride(from: 0.0, to: 7200, by: 10) {
                // Around the limit for an hour, well inside for the next.
                let value =
                    second < 3600
                    ? rule.limit + far * Double.random(in: -1.2...1.2, using: &generator) : rule.limit + far * 10
                if let change = state.judge(value, at: Self.at(second), by: rule, forSeconds: 120) {
                    changes.append(change)
                }
            }
            #expect(changes.count == 3, "\(changes)")
            guard changes.count == 3, case .began(let since) = changes[0] else { continue }
            #expect(changes[1] == .fired(since: since, .warning))
            #expect(changes[2] == .resolved(since: since))
        }
    }

    // MARK: Ending

    @Test func `when there is nothing left to judge by, what is open is over`() {
        var state = ConditionState()
        #expect(state.end() == nil)
        _ = state.judge(24, at: Self.at(0), by: Self.dry, forSeconds: 120)
        #expect(state.end() == .lapsed)
        #expect(state == ConditionState())
        _ = state.judge(24, at: Self.at(10), by: Self.dry, forSeconds: 0)
        #expect(state.end() == resolved(10))
        #expect(state == ConditionState())
    }

    // MARK: Against a history

    /// Judges by all readings so far, as the decisions say it, without a state of its own but what was told.
    private struct Historian {
        let rule: LimitRule
        let forSeconds: Double
        var history: [(value: Double, time: Timestamp)] = []
        var told: Change?

        private func isBeyond(_ value: Double) -> Bool {
            rule.direction == .min ? value < rule.limit : value > rule.limit
        }
        private func isRecovered(_ value: Double) -> Bool {
            rule.direction == .min ? value >= rule.recovery : value <= rule.recovery
        }
        private func isCritical(_ value: Double) -> Bool {
            rule.direction == .min ? value < rule.criticalAt : value > rule.criticalAt
        }

        /// How long the newest readings have been so without a break; nil: the newest is not.
        private func lasts(_ isSo: (Double) -> Bool, after start: Timestamp) -> Double? {
            let run = history.reversed().prefix { isSo($0.value) && $0.time > start }
            guard let newest = run.first, let oldest = run.last else { return nil }
            return newest.time.seconds(since: oldest.time)
        }

        private var firedAt = Timestamp(microseconds: 0)
        private var isCriticalNow = false

        init(rule: LimitRule, forSeconds: Double) {
            self.rule = rule
            self.forSeconds = forSeconds
        }

        mutating func judge(_ value: Double, at time: Timestamp) -> Change? {
            history.append((value, time))
            let change: Change?
            switch told {
            case nil, .lapsed, .resolved:
                guard isBeyond(value) else { return nil }
                change =
                    forSeconds > 0 ? .began(since: time) : .fired(since: time, isCritical(value) ? .critical : .warning)
            case .began(let since):
                if isRecovered(value) {
                    change = .lapsed
                } else if isBeyond(value), time.seconds(since: since) >= forSeconds {
                    change = .fired(since: since, isCritical(value) ? .critical : .warning)
                } else {
                    return nil
                }
            case .fired(let since, _), .escalated(let since):
                if let seconds = lasts(isRecovered, after: firedAt), seconds >= forSeconds {
                    change = .resolved(since: since)
                } else if !isCriticalNow, let seconds = lasts(isCritical, after: firedAt), seconds >= forSeconds {
                    change = .escalated(since: since)
                } else {
                    return nil
                }
            }
            if case .fired(_, let severity) = change {
                firedAt = time
                isCriticalNow = severity == .critical
            }
            if case .escalated = change { isCriticalNow = true }
            told = change
            return change
        }
    }

    @Test(arguments: [0.0, 30, 120, 600])
    func `random series are judged as their history says`(forSeconds: Double) {
        var generator = SeededGenerator(seed: 99)
        var mistakes: [String] = []
        var changes = 0
        for series in 0..<1500 {
            let rule = series.isMultiple(of: 2) ? Self.dry : Self.wet
            var state = ConditionState()
            var historian = Historian(rule: rule, forSeconds: forSeconds)
            var seconds = 0.0
            // The limits themselves are among the values.
            let special = [rule.limit, rule.recovery, rule.criticalAt, rule.limit - 1e-9, rule.limit + 1e-9]
            var level = rule.limit
            for _ in 0..<60 {
                seconds += Double([1, 10, 30, 60, 120, 900].randomElement(using: &generator) ?? 1)
                level += Double.random(in: -6...6, using: &generator)
                if abs(level - rule.limit) > 20 { level = rule.limit }
                let value =
                    Int.random(in: 0..<5, using: &generator) == 0 ? special.randomElement(using: &generator)! : level
                let change = state.judge(value, at: Self.at(seconds), by: rule, forSeconds: forSeconds)
                let expected = historian.judge(value, at: Self.at(seconds))
                if change != nil { changes += 1 }
                if change != expected {
                    mistakes.append("\(series), \(seconds) s: \(change as Any), not \(expected as Any)")
                }
            }
        }
        #expect(mistakes.isEmpty, "\(mistakes.prefix(3))")
        #expect(changes > 3000)
    }
}
