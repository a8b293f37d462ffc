extension Plant {
    /// How far apart in time values may have been measured that are put into one formula, in seconds: two devices in a
    /// pot report when each of them wakes, and the air of a room changes little in half an hour.
    static let longestApart = 1800.0

    /// What follows from the newest values, rounded, in the units of ``DerivedMetric``.
    ///
    /// As with ``status(now:)``, what is older than ``silenceAllowedSeconds`` says nothing of now and is left out.
    /// ``DerivedMetric/dli`` is of yesterday, and there whenever enough of that day was measured.
    package func derived(now: Timestamp) -> [DerivedMetric: Double] {
        var derived: [DerivedMetric: Double] = [:]
        for metric in DerivedMetric.allCases {
            let value = metric == .dli ? lightOfYesterday?.dailyLightIntegral(of: lightSource) : current(metric, now)
            derived[metric] = value.map(metric.rounded)
        }
        return derived
    }

    private func current(_ metric: DerivedMetric, _ now: Timestamp) -> Double? {
        let values = metric.inputs.compactMap { latest?.values[$0.name] }
        guard let oldest = values.map(\.time).min(), let newest = values.map(\.time).max(),
            now.seconds(since: oldest) <= silenceAllowedSeconds, newest.seconds(since: oldest) <= Self.longestApart
        else { return nil }
        return metric.value(of: { latest?.values[$0.name]?.value }, lightSource: lightSource)
    }
}

extension Plant {
    /// The newest value of a metric unless it is too old to be of now.
    func fresh(_ metric: String, at now: Timestamp) -> LatestTelemetry.Value? {
        guard let value = latest?.values[metric], now.seconds(since: value.time) <= silenceAllowedSeconds else {
            return nil
        }
        return value
    }
}
