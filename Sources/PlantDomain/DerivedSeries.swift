extension History {
    /// Adds series that are calculated from the ones there are, point by point; a series of the same name gives way.
    ///
    /// Of a reading, mean, least and most are the value itself. Of a bucket the value is that of the means of its
    /// inputs, which is close to the mean of the values while they change little within it; its least and most are
    /// null, since the extremes of the inputs need not have coincided. Where an input is null, so is the value: of two
    /// devices in a pot of which one measures temperature and the other humidity, only buckets have both.
    ///
    /// ``DerivedMetric/dli`` is all null here; ``addDailyLight(_:lightSource:)`` fills it in.
    package mutating func addDerived(_ metrics: [DerivedMetric], lightSource: LightSource) {
        for metric in metrics {
            let inputs = Dictionary(
                metric.inputs.compactMap { input in
                    series.first { $0.name == input.name }.map { (input, $0.avg) }
                }
            ) { first, _ in first }
            let values = time.indices.map { index in
                metric.value(of: { inputs[$0]?[index] }, lightSource: lightSource).map(metric.rounded)
            }
            put(metric, values)
        }
    }

    /// Sets the daily light integral at every point where one of these days begins; the others are null.
    /// - Parameter days: completed local days; a history in buckets of local days has a point for each.
    package mutating func addDailyLight(_ days: [(day: LocalDay, light: LightSum)], lightSource: LightSource) {
        let byStart = Dictionary(days.map { ($0.day.start, $0.light) }) { first, _ in first }
        put(.dli, time.map { byStart[$0]?.dailyLightIntegral(of: lightSource).map(DerivedMetric.dli.rounded) })
    }

    private mutating func put(_ metric: DerivedMetric, _ values: [Double?]) {
        var added = Series(name: metric.name, unit: metric.unit)
        added.avg = values
        let isRaw = resolution == .raw
        added.min = isRaw ? values : values.map { _ in nil }
        added.max = added.min
        if let index = series.firstIndex(where: { $0.name == metric.name }) {
            series[index] = added
        } else {
            series.append(added)
        }
    }
}
