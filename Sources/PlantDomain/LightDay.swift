/// Adds up the light of one day at a place, from readings in the order of their time, in constant memory.
///
/// Between two readings the light is taken to change evenly (trapezoids). Give it the last reading before the day and
/// the first one after it as well, if there are any: of the time between readings only what is in the day counts.
package struct LightDay: Sendable {
    package let day: LocalDay
    /// In seconds. Readings that are farther apart say nothing of the time between them.
    package let maximumGap: Double

    /// What is used everywhere for ``maximumGap``: some devices wake every two hours.
    package static let longestGap = 3 * 3600.0

    private var last: (time: Timestamp, lux: Double)?
    private var luxSeconds = 0.0
    private var coveredSeconds = 0.0

    package init(_ day: LocalDay, maximumGap: Double) {
        self.day = day
        self.maximumGap = maximumGap
    }

    /// Takes the next reading. One that is not later than the one before is left out, and so is what no light meter
    /// says: less than 0, infinite, or no number.
    package mutating func add(_ time: Timestamp, lux: Double) {
        guard lux >= 0, lux.isFinite, last.map({ time > $0.time }) ?? true else { return }
        if let last, time.seconds(since: last.time) <= maximumGap {
            bridge(from: last, to: (time, lux))
        }
        last = (time, lux)
    }

    /// The light of what was taken so far.
    package func finish() -> LightSum {
        let length = day.length
        return LightSum(
            luxHours: luxSeconds / 3600,
            // Parts that are added up may come to a hair more than the whole.
            coverage: length > 0 ? min(1, coveredSeconds / length) : 0)
    }

    private mutating func bridge(from a: (time: Timestamp, lux: Double), to b: (time: Timestamp, lux: Double)) {
        let start = max(a.time, day.start)
        let end = min(b.time, day.end)
        guard start < end else { return }
        let slope = (b.lux - a.lux) / b.time.seconds(since: a.time)
        let first = a.lux + slope * start.seconds(since: a.time)
        let last = b.lux - slope * b.time.seconds(since: end)
        let seconds = end.seconds(since: start)
        luxSeconds += (first + last) / 2 * seconds
        coveredSeconds += seconds
    }
}

/// How much light a day had.
package struct LightSum: Sendable, Equatable {
    /// In lx·h, of the part of the day that is known. What is not known is not made up for.
    package let luxHours: Double
    /// Which part of the day is known, 0…1.
    package let coverage: Double

    /// Below it a day is not judged: a gap may have been the sunny hours.
    package static let leastCoverage = 0.75
    /// Over how many hours the light of a day is spread to compare it with limits in lx: about what a day has, so that
    /// limits mean the light of the day and not the mean over the night.
    package static let hoursOfDay = 12.0
    /// Of a day without readings.
    package static let unknown = LightSum(luxHours: 0, coverage: 0)

    package init(luxHours: Double, coverage: Double) {
        self.luxHours = luxHours
        self.coverage = coverage
    }

    /// In lx, as limits of `light_level` mean it; nil when too little of the day is known.
    package var level: Double? { coverage < Self.leastCoverage ? nil : luxHours / Self.hoursOfDay }

    /// Daily light integral in mol m⁻² d⁻¹, of the part of the day that is known; nil when that is too little.
    package func dailyLightIntegral(of source: LightSource) -> Double? {
        coverage < Self.leastCoverage
            ? nil : PlantScience.dailyLightIntegral(luxHours: luxHours, ppfdPerLux: source.ppfdPerLux)
    }
}
