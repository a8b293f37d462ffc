/// Where a value of a plant is going.
package struct HealthTrend: Sendable, Equatable {
    package enum Direction: String, CaseIterable, Sendable { case rising, falling, steady, unknown }

    package let metric: String
    /// nil for an extra metric, whose unit only its device knows.
    package let unit: String?
    /// The newest value; nil when it is too old to be of now.
    package let now: Double?
    /// Of the hours of the last 24, each counting the same.
    package let mean: Double
    package let min: Double
    package let max: Double
    /// In ``unit``; nil when too little is known.
    package let change: Double?
    /// Over how many hours ``change`` came about.
    package let changeHours: Double?
    package let direction: Direction
    package let text: String

    static let daySeconds = 86_400.0
    /// Least hours to be compared with the same hours of the day before.
    static let leastPairs = 6
    /// Light is compared by its sum, so that most of the day must be there.
    static let leastPairsOfLight = 18
    /// Of a device that has been there for less than a day: least hours, and least time they span, in hours.
    static let leastPoints = 4
    static let leastSpan = 6.0

    static func all(_ subject: HealthSubject, at now: Timestamp) -> [HealthTrend] {
        let known = Metric.allCases.map(\.name).filter { subject.hours[$0] != nil }
        let extras = subject.hours.keys.filter { Metric.named($0) == nil }.sorted()
        return (known + extras).compactMap { name in
            trend(of: name, subject.hours[name] ?? [], newest: subject.plant.fresh(name, at: now)?.value, at: now)
        }
    }

    private static func trend(
        of name: String, _ hours: [HealthSubject.Hour], newest: Double?, at now: Timestamp
    ) -> HealthTrend? {
        let day = hours.filter { $0.start > now.adding(seconds: -daySeconds) && $0.start <= now }
        guard let min = day.map(\.min).min(), let max = day.map(\.max).max() else { return nil }
        let mean = day.map(\.mean).reduce(0, +) / Double(day.count)
        let change = againstTheDayBefore(day, hours, of: name) ?? sinceTheFirst(day, of: name, at: now)
        let direction = change.map { self.direction($0.value, mean: mean, of: name) } ?? .unknown
        return HealthTrend(
            metric: name, unit: Metric.named(name)?.unit, now: newest, mean: mean, min: min, max: max,
            change: change?.value, changeHours: change?.hours, direction: direction,
            text: text(of: name, direction, change, mean: mean, newest: newest))
    }

    /// The median of how each hour differs from the same hour of the day before: warm days and cold nights cancel, and
    /// a few odd hours do not count. Of light it is the mean, for at night nothing ever differs.
    private static func againstTheDayBefore(
        _ day: [HealthSubject.Hour], _ hours: [HealthSubject.Hour], of name: String
    ) -> (value: Double, hours: Double)? {
        let means = Dictionary(hours.map { ($0.start, $0.mean) }) { first, _ in first }
        let differences = day.compactMap { hour in
            means[hour.start.adding(seconds: -daySeconds)].map { hour.mean - $0 }
        }
        if name == Metric.lightLevel.name {
            guard differences.count >= leastPairsOfLight else { return nil }
            return (differences.reduce(0, +) / Double(differences.count), 24)
        }
        guard differences.count >= leastPairs else { return nil }
        return TheilSen.median(differences).map { ($0, 24) }
    }

    /// Without a day before to compare with: the slope of the hours there are. It says nothing of light, which comes and
    /// goes.
    private static func sinceTheFirst(
        _ day: [HealthSubject.Hour], of name: String, at now: Timestamp
    ) -> (value: Double, hours: Double)? {
        guard name != Metric.lightLevel.name, let first = day.first, let last = day.last, day.count >= leastPoints
        else { return nil }
        let span = last.end(at: now).seconds(since: first.start) / 3600
        guard span >= leastSpan else { return nil }
        return TheilSen.slope(day.map { $0.point(since: first.start, at: now) }).map { ($0 * span, span) }
    }

    /// Steady is what changes by no more than twice the noise of the sensor. That of an extra metric is not known and
    /// taken to be 1 % of its mean.
    static func direction(_ change: Double, mean: Double, of name: String) -> Direction {
        let noise = Metric.named(name)?.noiseFloor ?? abs(mean) * 0.01
        if abs(change) <= 2 * noise { return .steady }
        return change > 0 ? .rising : .falling
    }

    private static func text(
        of name: String, _ direction: Direction, _ change: (value: Double, hours: Double)?, mean: Double,
        newest: Double?
    ) -> String {
        let metric = HealthWords.metric(name)
        let average = Wording.number(mean, of: name)
        guard let change else {
            let reason =
                name == Metric.lightLevel.name
                ? "there is no whole day before to compare it with" : "too few hours are known to see a trend"
            return "\(metric) was \(average) on average; \(reason)."
        }
        if direction == .steady { return "\(metric) is steady at about \(average)." }
        let verb = direction == .rising ? "rose" : "fell"
        let span =
            change.hours == 24
            ? "compared with the day before" : "over the last \(HealthWords.span(change.hours * 3600))"
        let end = newest.map { "; it is \(Wording.number($0, of: name)) now" } ?? ""
        return "\(metric) \(verb) by about \(HealthWords.difference(change.value, of: name)) \(span)\(end)."
    }
}

extension HealthSubject.Hour {
    /// Of the hour that is not over yet: now.
    fileprivate func end(at now: Timestamp) -> Timestamp { Swift.min(start.adding(seconds: 3600), now) }

    /// The middle of the hour, in hours.
    func point(since origin: Timestamp, at now: Timestamp) -> (x: Double, y: Double) {
        let seconds = start.seconds(since: origin) + end(at: now).seconds(since: start) / 2
        return (seconds / 3600, mean)
    }
}

/// How soon a pot will be too dry, if it goes on drying as it does.
struct DryingForecast: Equatable {
    /// In points per hour, above 0.
    let pace: Double
    /// Until the limit is reached.
    let hours: Double

    /// A rise from one hour to the next by so many points is a watering: what was before does not count.
    static let watering = 5.0
    static let leastPoints = 6
    /// What is further away than this is not foretold.
    static let horizon = 48.0

    /// - Returns: nil when it does not dry, does not dry fast enough to be told from noise, is below the limit already,
    ///   or will not be soon.
    init?(_ hours: [HealthSubject.Hour], newest: Double, minimum: Double, at now: Timestamp) {
        var since = hours.filter { $0.start > now.adding(seconds: -HealthTrend.daySeconds) && $0.start <= now }
        if let last = since.indices.dropFirst().last(where: { since[$0].mean - since[$0 - 1].mean >= Self.watering }) {
            since.removeFirst(last)
        }
        guard newest >= minimum, since.count >= Self.leastPoints, let first = since.first else { return nil }
        let points = since.map { $0.point(since: first.start, at: now) }
        let span = (points.last?.x ?? 0) - (points.first?.x ?? 0)
        guard let slope = TheilSen.slope(points), slope * span < -2 * Metric.soilMoisture.noiseFloor else { return nil }
        pace = -slope
        self.hours = (newest - minimum) / pace
        if self.hours > Self.horizon { return nil }
    }
}
