/// A pot drying, from one watering to the next.
struct DryingCycle: Equatable {
    /// In the order of time, without those in which water was still draining.
    private(set) var points: [DryingFit.Point]
    /// When it began; of the first cycle: when measuring did.
    let start: Timestamp
    /// Whether it began with a watering.
    let isWatered: Bool

    /// Right after a watering water drains, which is faster than drying, for so long, in seconds.
    static let drainSeconds = 2 * 3600.0
    /// A rise by so many points above the lowest of the last hours is a watering, at whatever time it was measured.
    private static let rise = WateringRule.leastRise
    private static let riseSeconds = 3 * 3600.0

    /// The cycles there were, oldest first; the last is going on.
    /// - Parameters:
    ///   - points: means of hours, in the order of time.
    ///   - waterings: those that are known, in any order.
    static func all(_ points: [DryingFit.Point], waterings: [Timestamp]) -> [DryingCycle] {
        var cycles: [DryingCycle] = []
        var begins = 0
        var isWatered = false
        func end(before index: Int) {
            guard index > begins else { return }
            cycles.append(DryingCycle(points[begins..<index], isWatered: isWatered))
        }
        let waterings = waterings.sorted()
        var next = 0
        for index in points.indices {
            var isWatering = false
            while next < waterings.count, waterings[next] <= points[index].time {
                // One before the first point says only when this cycle began to be measured.
                isWatering = true
                next += 1
            }
            if index > begins, !isWatering {
                let earlier = points[begins..<index].suffix(while: {
                    points[index].time.seconds(since: $0.time) <= riseSeconds
                })
                // However long nothing was measured, what is higher than the last value was watered.
                let low = (earlier.isEmpty ? points[(index - 1)..<index] : earlier).map(\.value).min() ?? .infinity
                isWatering = points[index].value - low >= rise
            }
            // While it goes on rising, the cycle has not begun.
            let isRising =
                isWatered && index == begins + 1
                && points[index].value > points[begins].value + Metric.soilMoisture.noiseFloor / 2
            if isWatering {
                end(before: index)
                (begins, isWatered) = (index, true)
            } else if isRising {
                begins = index
            }
        }
        end(before: points.count)
        return cycles
    }

    private init(_ points: ArraySlice<DryingFit.Point>, isWatered: Bool) {
        let first = points[points.startIndex].time
        start = first
        self.isWatered = isWatered
        self.points = points.filter {
            !isWatered || $0.time.seconds(since: first) >= Self.drainSeconds
        }
    }

    /// From the first to the last point, in seconds.
    var seconds: Double {
        guard let first = points.first, let last = points.last else { return 0 }
        return last.time.seconds(since: first.time)
    }
}

extension ArraySlice {
    /// The last elements for which it holds.
    fileprivate func suffix(while holds: (Element) -> Bool) -> ArraySlice {
        var start = endIndex
        while start > startIndex, holds(self[start - 1]) { start -= 1 }
        return self[start...]
    }
}
