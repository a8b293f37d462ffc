/// The trend of a few values: the median of the slopes between any two of them (Theil 1950, Sen 1968). Up to 29 % of
/// them may be outliers without moving it far.
enum TheilSen {
    /// - Parameter points: a few dozen at most; the work grows with the square.
    /// - Returns: change of y per unit of x; nil unless two points differ in x.
    static func slope(_ points: [(x: Double, y: Double)]) -> Double? {
        var slopes: [Double] = []
        slopes.reserveCapacity(points.count * points.count / 2)
        for (index, first) in points.enumerated() {
            for second in points[(index + 1)...] where second.x != first.x {
                slopes.append((second.y - first.y) / (second.x - first.x))
            }
        }
        return median(slopes)
    }

    /// nil of nothing.
    static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
