/// How large the database was at a time.
package struct StorageSample: Sendable, Equatable {
    package let takenAt: Timestamp
    package let bytes: Int64

    package init(takenAt: Timestamp, bytes: Int64) {
        self.takenAt = takenAt
        self.bytes = bytes
    }
}

/// How fast a database grows, and how long its disk will do.
package enum StorageForecast {
    /// Samples older than this say nothing of today.
    package static let windowDays = 7.0
    /// From a shorter span, one large batch or one clean-up would be taken for what every day brings.
    package static let leastHours = 24.0

    /// Growth in bytes per day over the last week; negative when it shrinks. nil when the samples span less than a day.
    ///
    /// The median of the slopes between any two samples (Theil 1950, Sen 1968): a month's readings that are compressed
    /// or dropped in one night are one step, which does not turn it as it would turn a least-squares line.
    package static func growthPerDay(_ samples: [StorageSample], at now: Timestamp) -> Double? {
        let recent = samples.filter { sample in
            let age = now.seconds(since: sample.takenAt)
            return age >= 0 && age <= windowDays * 86_400
        }.sorted { $0.takenAt < $1.takenAt }
        guard let first = recent.first, let last = recent.last,
            last.takenAt.seconds(since: first.takenAt) >= leastHours * 3600
        else { return nil }
        var slopes: [Double] = []
        slopes.reserveCapacity(recent.count * (recent.count - 1) / 2)
        for (index, earlier) in recent.enumerated() {
            for later in recent[(index + 1)...] {
                let days = later.takenAt.seconds(since: earlier.takenAt) / 86_400
                if days > 0 { slopes.append(Double(later.bytes - earlier.bytes) / days) }
            }
        }
        slopes.sort()
        let middle = slopes.count / 2
        return slopes.count.isMultiple(of: 2) ? (slopes[middle - 1] + slopes[middle]) / 2 : slopes[middle]
    }

    /// Days until so many free bytes are used up. nil when it does not grow, or not within a hundred years.
    package static func daysUntilFull(freeBytes: Double, growthPerDay: Double) -> Double? {
        guard growthPerDay > 0 else { return nil }
        let days = max(0, freeBytes) / growthPerDay
        return days <= 36_525 ? days : nil
    }
}
