/// The limits of one metric for one plant, in the metric's unit. Both ends are still good; nil is no limit.
package struct Threshold: Equatable, Codable, Sendable {
    package var min: Double?
    package var max: Double?

    package init(min: Double? = nil, max: Double? = nil) {
        self.min = min
        self.max = max
    }

    var isLimited: Bool { min != nil || max != nil }
}

/// By name of a ``Metric`` or of an extra metric.
package typealias Thresholds = [String: Threshold]

/// How a plant is, in the words of the API.
package enum PlantStatus: String, Sendable, CaseIterable {
    case ok, warning, critical, stale, unknown
}

/// Judges a plant by its limits and the latest values.
package enum PlantStatusRule {
    /// How far beyond a limit is critical, as a part of the span between the limits or of the one limit there is.
    static let criticalPart = 0.2

    /// The worst of what its limited metrics say: critical, warning, stale, ok.
    ///
    /// - *unknown*: there is no limit to judge by, or there never was a reading.
    /// - *critical*: beyond the limit by more than 20 % of the span between min and max; with one limit only, by more
    ///   than 20 % of its magnitude. Never by less than the metric's noise floor, so that a limit of 0 or a narrow
    ///   span does not make every flicker critical.
    /// - *warning*: beyond the limit.
    /// - *stale*: no value, none that is a number, or one older than `staleAfterSeconds`. What is stale is not judged:
    ///   yesterday's drought may have been watered since.
    /// - *ok*: every limited metric has a recent value within its limits.
    ///
    /// - Parameter latest: the latest value by name of metric, with its time.
    package static func status(
        thresholds: Thresholds,
        latest: [String: (value: Double, time: Timestamp)],
        now: Timestamp,
        staleAfterSeconds: Double
    ) -> PlantStatus {
        let limited = thresholds.filter { $0.value.isLimited }
        guard !limited.isEmpty, !latest.isEmpty else { return .unknown }
        var worst = PlantStatus.ok
        for (name, threshold) in limited {
            let status: PlantStatus
            if let (value, time) = latest[name], !value.isNaN, now.seconds(since: time) <= staleAfterSeconds {
                status = judge(value, by: threshold, noiseFloor: Metric.named(name)?.noiseFloor ?? 0)
            } else {
                status = .stale
            }
            if severity(status) > severity(worst) { worst = status }
        }
        return worst
    }

    private static func judge(_ value: Double, by threshold: Threshold, noiseFloor: Double) -> PlantStatus {
        let beyond = Swift.max(
            threshold.min.map { $0 - value } ?? 0,
            threshold.max.map { value - $0 } ?? 0)
        guard beyond > 0 else { return .ok }
        let reference =
            if let low = threshold.min, let high = threshold.max { high - low } else {
                abs(threshold.min ?? threshold.max ?? 0)
            }
        return beyond > Swift.max(reference * criticalPart, noiseFloor) ? .critical : .warning
    }

    private static func severity(_ status: PlantStatus) -> Int {
        switch status {
        case .critical: 3
        case .warning: 2
        case .stale: 1
        case .ok, .unknown: 0
        }
    }
}
