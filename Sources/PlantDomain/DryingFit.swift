#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// How fast soil dries: θ(t) = θr + (θ0−θr)·exp(−t/τ), fitted to what was measured. ln(θ−θr) falls along a straight
/// line, whose slope is −1/τ; it is the median of the slopes between any two points (Theil–Sen), which a few odd values
/// do not move.
struct DryingFit: Equatable {
    /// Mean soil moisture around an instant.
    struct Point: Equatable {
        let time: Timestamp
        /// %
        let value: Double
    }

    /// What never dries, %.
    let residual: Double
    /// τ in seconds.
    let timeConstant: Double
    /// τ if it dries as fast, or as slowly, as the values may just mean; 80 % of the time it is between. Infinity: they
    /// may mean that it does not dry.
    let fastest: Double
    let slowest: Double
    /// How far values are from the curve, 80 % of them, in points.
    let spread: Double
    /// In points, along the curve.
    let fall: Double
    /// Of a straight line through the values instead, in points per second.
    let pace: Double
    let seconds: Double

    /// More points than this are joined by means: the work grows with the square.
    private static let most = 60
    /// Of a normal distribution, 80 % is within so many standard deviations.
    private static let z = 1.2816
    /// Hours that follow each other are off the curve together, by day and by night, so that they tell less than their
    /// number says.
    private static let dependence = 2.0

    /// - Parameter points: in the order of time.
    /// - Returns: nil when it does not dry, or there are not two points.
    init?(_ points: [Point], residual: Double) {
        guard let first = points.first, let last = points.last, last.time > first.time else { return nil }
        let joined = Self.joined(points, from: first.time, seconds: last.time.seconds(since: first.time))
        let line = joined.map { (x: $0.x, y: Self.logarithm($0.y, residual)) }
        let slopes = Self.slopes(line)
        guard let slope = TheilSen.median(slopes), slope < 0,
            let intercept = TheilSen.median(line.map { $0.y - slope * $0.x })
        else { return nil }
        self.residual = residual
        seconds = last.time.seconds(since: first.time)
        timeConstant = -1 / slope
        pace = -(TheilSen.median(Self.slopes(joined)) ?? 0)
        let interval = Self.interval(slopes, points: line.count)
        fastest = -1 / interval.low
        slowest = interval.high < 0 ? -1 / interval.high : .infinity
        fall = exp(intercept) * (1 - exp(slope * seconds))
        let distances = joined.map { abs($0.y - residual - exp(intercept + slope * $0.x)) }.sorted()
        spread = distances[min(distances.count - 1, distances.count * 4 / 5)]
    }

    /// θ may be measured below θr; there is no logarithm of that.
    private static func logarithm(_ value: Double, _ residual: Double) -> Double { log(max(value - residual, 0.5)) }

    /// Seconds since the first, and means.
    private static func joined(_ points: [Point], from first: Timestamp, seconds: Double) -> [(x: Double, y: Double)] {
        let all = points.map { (x: $0.time.seconds(since: first), y: $0.value) }
        guard all.count > most else { return all }
        let width = seconds / Double(most)
        return Dictionary(grouping: all) { Int($0.x / width) }.sorted { $0.key < $1.key }.map { _, group in
            let count = Double(group.count)
            return (group.map(\.x).reduce(0, +) / count, group.map(\.y).reduce(0, +) / count)
        }
    }

    /// In ascending order.
    private static func slopes(_ line: [(x: Double, y: Double)]) -> [Double] {
        var slopes: [Double] = []
        for (index, one) in line.enumerated() {
            for other in line[(index + 1)...] where other.x > one.x {
                slopes.append((other.y - one.y) / (other.x - one.x))
            }
        }
        return slopes.sorted()
    }

    /// Sen's interval of the slope (1968), by the distribution of Kendall's rank correlation.
    private static func interval(_ slopes: [Double], points: Int) -> (low: Double, high: Double) {
        let (count, number) = (Double(slopes.count), Double(points))
        let width = dependence * z * (number * (number - 1) * (2 * number + 5) / 18).squareRoot()
        let low = Int(max(0, (count - width) / 2).rounded(.down))
        let high = Int(min(count - 1, (count + width) / 2).rounded(.up))
        return (slopes[min(low, slopes.count - 1)], slopes[max(0, high)])
    }
}
