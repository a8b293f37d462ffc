/// When a value is beyond a limit, when it is back, and from where it is critical. In the metric's unit.
package struct LimitRule: Equatable, Sendable {
    package let direction: LimitDirection
    /// Still good.
    package let limit: Double
    /// From here on it is well again: the limit and the hysteresis band.
    package let recovery: Double
    /// Still a warning; beyond it is critical.
    package let criticalAt: Double

    package init(direction: LimitDirection, limit: Double, recovery: Double, criticalAt: Double) {
        self.direction = direction
        self.limit = limit
        self.recovery = recovery
        self.criticalAt = criticalAt
    }

    /// The rule of one end of a threshold; nil when there is no such limit.
    ///
    /// Hysteresis (docs/alerts.md): so many percent of the crossed limit, at most as many percent of the span between
    /// min and max, at least the metric's noise floor; and never so much that no value could bring it back.
    package init?(_ direction: LimitDirection, of threshold: Threshold, metric: Metric?, hysteresisPercent: Double) {
        guard let limit = direction == .min ? threshold.min : threshold.max else { return nil }
        let noise = metric?.noiseFloor ?? 0
        var band = abs(limit) * hysteresisPercent / 100
        if let span = threshold.span { band = Swift.min(band, span * hysteresisPercent / 100) }
        band = Swift.max(band, noise)
        if let span = threshold.span { band = Swift.min(band, span / 2) }
        let critical = threshold.criticalDistance(noiseFloor: noise)
        self.direction = direction
        self.limit = limit
        switch direction {
        case .min:
            recovery = Swift.max(limit, Swift.min(limit + band, metric?.range.upperBound ?? .infinity))
            criticalAt = limit - critical
        case .max:
            recovery = Swift.min(limit, Swift.max(limit - band, metric?.range.lowerBound ?? -.infinity))
            criticalAt = limit + critical
        }
    }

    func isBeyond(_ value: Double) -> Bool { direction == .min ? value < limit : value > limit }
    func isRecovered(_ value: Double) -> Bool { direction == .min ? value >= recovery : value <= recovery }
    func isCritical(_ value: Double) -> Bool { direction == .min ? value < criticalAt : value > criticalAt }

    /// Of a battery in percent. Not a person's choice: cells give out below, and a charged one is well above.
    static let battery = LimitRule(direction: .min, limit: 20, recovery: 30, criticalAt: 10)
}

/// A metric, or an extra one by its name.
package enum MetricKey: Hashable, Sendable {
    case metric(Metric)
    case extra(String)

    package init(_ name: String) { self = Metric.named(name).map { .metric($0) } ?? .extra(name) }

    package var name: String {
        switch self {
        case .metric(let metric): metric.name
        case .extra(let name): name
        }
    }

    var metric: Metric? { if case .metric(let metric) = self { metric } else { nil } }
}

/// The limits of one plant, ready to be judged by at every reading.
package struct PlantRules: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        let key: MetricKey
        let min: LimitRule?
        let max: LimitRule?
    }

    /// By name. Light is not among them: at night every plant would be in the dark, so it is judged by the day.
    let live: [Entry]
    /// The limits of light, judged by completed days.
    package let light: (min: LimitRule?, max: LimitRule?)

    package static let none = PlantRules([:], hysteresisPercent: 0)

    package init(_ thresholds: Thresholds, hysteresisPercent: Double) {
        var live: [Entry] = []
        var light: (LimitRule?, LimitRule?) = (nil, nil)
        for (name, threshold) in thresholds.sorted(by: { $0.key < $1.key }) where threshold.isLimited {
            let key = MetricKey(name)
            let rule = { LimitRule($0, of: threshold, metric: key.metric, hysteresisPercent: hysteresisPercent) }
            if key == .metric(.lightLevel) {
                light = (rule(.min), rule(.max))
            } else {
                live.append(Entry(key: key, min: rule(.min), max: rule(.max)))
            }
        }
        self.live = live
        self.light = light
    }

    /// Those of light alone.
    package var lightOnly: PlantRules { PlantRules(live: [], light: light) }

    private init(live: [Entry], light: (min: LimitRule?, max: LimitRule?)) {
        self.live = live
        self.light = light
    }

    package static func == (left: PlantRules, right: PlantRules) -> Bool {
        left.live == right.live && left.light == right.light
    }
}
