/// The mean light of a short span at a place, as it is kept when the readings are gone.
package struct LightBucket: Sendable, Equatable {
    package let start: Timestamp
    /// In seconds.
    package let width: Double
    package let lux: Double

    package init(start: Timestamp, width: Double, lux: Double) {
        self.start = start
        self.width = width
        self.lux = lux
    }

    var end: Timestamp { start.adding(seconds: width) }
}

/// The light of whole days from means of hours or of minutes.
package enum DailyLight {
    /// A mean is taken as the light in the middle of its span and light to change evenly from one middle to the next,
    /// so that hours that begin in one day and end in the next (zones half an hour off) count for both.
    /// - Parameters:
    ///   - days: in any order.
    ///   - buckets: in the order of their time. Those just before and after a day fill its first and last minutes.
    /// - Returns: for each of the days its light, in their order; see ``LightSum/coverage`` for how much is known of it.
    package static func sums(of days: [LocalDay], from buckets: [LightBucket]) -> [(day: LocalDay, light: LightSum)] {
        days.map { day in
            // Beyond the longest gap nothing can reach into the day.
            let first = day.start.adding(seconds: -LightDay.longestGap)
            let last = day.end.adding(seconds: LightDay.longestGap)
            var light = LightDay(day, maximumGap: LightDay.longestGap)
            // Ten years have 3653 days and 87 672 hours: each day looks at its own only.
            for bucket in buckets[firstIndex(of: buckets, endingAfter: first)...].prefix(while: { $0.start < last }) {
                light.add(bucket.start.adding(seconds: bucket.width / 2), lux: bucket.lux)
            }
            return (day, light.finish())
        }
    }

    /// By halves.
    private static func firstIndex(of buckets: [LightBucket], endingAfter time: Timestamp) -> Int {
        var range = 0..<buckets.count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range = buckets[middle].end > time ? range.lowerBound..<middle : middle + 1..<range.upperBound
        }
        return range.lowerBound
    }
}
