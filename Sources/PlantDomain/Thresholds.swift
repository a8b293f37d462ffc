/// The limits of one metric for one plant, in the metric's unit. Both ends are still good; nil is no limit.
package struct Threshold: Equatable, Codable, Sendable {
    package var min: Double?
    package var max: Double?

    package init(min: Double? = nil, max: Double? = nil) {
        self.min = min
        self.max = max
    }

    var isLimited: Bool { min != nil || max != nil }

    /// Between min and max; nil unless there are both.
    var span: Double? {
        guard let min, let max else { return nil }
        return max - min
    }

    /// How far beyond a limit is critical, as a part of the span between the limits or of the one limit there is.
    static let criticalPart = 0.2

    /// Further beyond a limit than this is critical: 20 % of the span between min and max; with one limit only, 20 % of
    /// its magnitude. Never less than the metric's noise floor, so that a limit of 0 or a narrow span does not make
    /// every flicker critical.
    func criticalDistance(noiseFloor: Double) -> Double {
        Swift.max((span ?? abs(min ?? max ?? 0)) * Self.criticalPart, noiseFloor)
    }
}

/// By name of a ``Metric`` or of an extra metric.
package typealias Thresholds = [String: Threshold]

/// How a plant is, in the words of the API.
package enum PlantStatus: String, Sendable, CaseIterable {
    case ok, warning, critical, stale, unknown
}

/// Judges a plant by its limits and the latest values.
package enum PlantStatusRule {
    /// The worst of what its limited metrics say: critical, warning, stale, ok.
    ///
    /// - *unknown*: there is no limit to judge by, or what is limited was never measured.
    /// - *critical*: beyond the limit by more than ``Threshold/criticalDistance(noiseFloor:)``.
    /// - *warning*: beyond the limit.
    /// - *stale*: a value that is no number, or one older than `staleAfterSeconds`. What is stale is not judged:
    ///   yesterday's drought may have been watered since.
    /// - *ok*: every limited metric that is measured has a recent value within its limits.
    ///
    /// A limited metric that was never measured says nothing: a species brings limits for more than many a sensor measures.
    /// The health check tells of it.
    ///
    /// - Parameter latest: the latest value by name of metric, with its time.
    package static func status(
        thresholds: Thresholds,
        latest: [String: (value: Double, time: Timestamp)],
        now: Timestamp,
        staleAfterSeconds: Double
    ) -> PlantStatus {
        let limited = thresholds.filter { $0.value.isLimited && latest[$0.key] != nil }
        guard !limited.isEmpty else { return .unknown }
        var worst = PlantStatus.ok
        for (name, threshold) in limited {
            let status: PlantStatus
            // At night every plant is in the dark. How its light was is known when the day is over.
            let isLight = name == Metric.lightLevel.name
            if let (value, time) = latest[name], !value.isNaN, now.seconds(since: time) <= staleAfterSeconds {
                status = isLight ? .ok : judge(value, by: threshold, noiseFloor: Metric.named(name)?.noiseFloor ?? 0)
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
        return beyond > threshold.criticalDistance(noiseFloor: noiseFloor) ? .critical : .warning
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
