/// How finely a history is drawn.
package enum HistoryResolution: String, Sendable, CaseIterable {
    /// Every reading.
    case raw
    case fiveMinutes = "5m"
    case oneHour = "1h"
    case oneDay = "1d"

    /// Width of a bucket in seconds; nil for every reading.
    package var seconds: Int? {
        switch self {
        case .raw: nil
        case .fiveMinutes: 300
        case .oneHour: 3600
        case .oneDay: 86_400
        }
    }

    /// The finest bucket that draws a span in at most `points` points; the coarsest when none does.
    package static func fitting(seconds span: Double, points: Int) -> HistoryResolution {
        allCases.first { resolution in
            resolution.seconds.map { span / Double($0) <= Double(points) } ?? false
        } ?? .oneDay
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
    }

    package let resolution: HistoryResolution
    /// Start of each bucket, or the instant of each reading.
    package var time: [Timestamp] = []
    package var series: [Series]

    package init(resolution: HistoryResolution, series: [Series]) {
        self.resolution = resolution
        self.series = series
    }
}
