/// How finely a history is drawn.
package enum HistoryResolution: String, Sendable, CaseIterable {
    /// Every reading.
    case raw
    case fiveMinutes = "5m"
    case oneHour = "1h"
    /// Days of the instance's time zone.
    case oneDay = "1d"

    /// Width of a bucket in seconds, of a day the usual one; nil for every reading.
    package var seconds: Int? {
        switch self {
        case .raw: nil
        case .fiveMinutes: 300
        case .oneHour: 3600
        case .oneDay: 86_400
        }
    }

    /// In seconds; nil where there is none: days have 23 hours, or 25, when clocks are changed.
    package var fixedWidth: Int? { self == .oneDay ? nil : seconds }

    /// The finest bucket that draws a span in at most so many points; the coarsest when none does.
    package static func fitting(from: Timestamp, to: Timestamp, points: Int) -> HistoryResolution {
        allCases.first { resolution in
            guard let width = resolution.fixedWidth else { return false }
            let (start, end) = (from.rounded(downTo: resolution), to.rounded(upTo: resolution))
            return end.seconds(since: start) / Double(width) <= Double(points)
        } ?? .oneDay
    }
}

extension Timestamp {
    /// The start of the bucket it is in; buckets are counted from 1970 in UTC.
    package func rounded(downTo resolution: HistoryResolution) -> Timestamp {
        guard let width = resolution.seconds.map({ Int64($0) * 1_000_000 }) else { return self }
        let remainder = microseconds % width
        return Timestamp(microseconds: microseconds - (remainder < 0 ? remainder + width : remainder))
    }

    /// The end of the bucket it is in, or itself where one ends.
    package func rounded(upTo resolution: HistoryResolution) -> Timestamp {
        let down = rounded(downTo: resolution)
        return down == self ? self : down.adding(seconds: Double(resolution.seconds ?? 0))
    }
}

/// What was measured over a span, by columns: `time[i]` belongs to the i-th value of every series.
package struct History: Sendable, Equatable {
    package struct Series: Sendable, Equatable {
        package let name: String
        /// nil for an extra metric, whose unit only its device knows.
        package let unit: String?
        package var avg: [Double?] = []
        package var min: [Double?] = []
        package var max: [Double?] = []

        package init(name: String, unit: String?) {
            self.name = name
            self.unit = unit
        }

        package var isEmpty: Bool { avg.allSatisfy { $0 == nil } }

        fileprivate mutating func insertNull(at index: Int) {
            avg.insert(nil, at: index)
            min.insert(nil, at: index)
            max.insert(nil, at: index)
        }
    }

    package let resolution: HistoryResolution
    /// How many days a point stands for where one for each would be too many.
    package private(set) var daysPerPoint = 1
    /// Start of each bucket, or the instant of each reading.
    package var time: [Timestamp] = []
    package var series: [Series]

    package init(resolution: HistoryResolution, series: [Series]) {
        self.resolution = resolution
        self.series = series
    }

    /// `raw`, `5m`, `1h`, `1d`, or `4d` where a point stands for four days.
    package var resolutionName: String { daysPerPoint > 1 ? "\(daysPerPoint)d" : resolution.rawValue }

    package mutating func reserve(_ points: Int) {
        time.reserveCapacity(points)
        for index in series.indices {
            series[index].avg.reserveCapacity(points)
            series[index].min.reserveCapacity(points)
            series[index].max.reserveCapacity(points)
        }
    }

    // MARK: gaps

    /// Readings that are so much farther apart than usual have a gap between them,
    private static let unusual = 3.0
    /// but not below so many seconds: a device is not silent before.
    private static let leastGap = 180.0

    /// Puts one null point into each gap, enough for a chart to break its line there: between buckets where at least one
    /// is missing, and between readings three times as far apart as is usual (the median), at least three minutes.
    package mutating func breakLines() {
        guard time.count > 1 else { return }
        let spacing = (1..<time.count).map { time[$0].seconds(since: time[$0 - 1]) }
        let usual: Double
        let longest: Double
        if let width = resolution.seconds {
            usual = Double(width * daysPerPoint)
            longest = usual * 1.5
        } else {
            usual = spacing.sorted()[(spacing.count - 1) / 2]
            longest = Swift.max(usual * Self.unusual, Self.leastGap)
        }
        for index in (1..<time.count).reversed() where spacing[index - 1] > longest {
            time.insert(time[index - 1].adding(seconds: usual), at: index)
            for column in series.indices { series[column].insertNull(at: index) }
        }
    }
}

extension History {
    /// Joins days, so many that at most `points` points are left; what fits stays as it is. A point's mean is the mean of
    /// its days' means. Other resolutions are not changed.
    /// - Parameters:
    ///   - start: of the first day of the span; the points are counted from it.
    ///   - zone: the days' own.
    package func joiningDays(from start: Timestamp, zone: KnownTimeZone, points: Int) -> History {
        guard resolution == .oneDay, let last = time.last else { return self }
        let days = dayNumber(last, from: start) + 1
        guard days > points else { return self }
        let joined = (days + points - 1) / points
        var result = History(
            resolution: resolution, series: series.map { Series(name: $0.name, unit: $0.unit) })
        result.daysPerPoint = joined
        let groups = Dictionary(grouping: time.indices) { dayNumber(time[$0], from: start) / joined }
        for group in groups.keys.sorted() {
            let indices = groups[group] ?? []
            // The middle of the group's first day is in that day, however clocks were changed before it.
            let noon = start.adding(seconds: Double(group * joined) * 86_400 + 43_200)
            result.time.append(LocalDay.containing(noon, in: zone).start)
            for column in series.indices {
                let means = indices.compactMap { series[column].avg[$0] }
                result.series[column].avg.append(
                    means.isEmpty ? nil : means.reduce(0, +) / Double(means.count))
                result.series[column].min.append(indices.compactMap { series[column].min[$0] }.min())
                result.series[column].max.append(indices.compactMap { series[column].max[$0] }.max())
            }
        }
        result.breakLines()
        return result
    }

    private func dayNumber(_ time: Timestamp, from start: Timestamp) -> Int {
        Int((time.seconds(since: start) / 86_400).rounded())
    }
}
