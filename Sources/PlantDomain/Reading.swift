/// Whose clock a reading's time comes from.
package enum TimeSource: String, Sendable {
    /// The device said it, and it was plausible.
    case device
    /// The backend's, at the moment the reading arrived.
    case server
}

/// A value under a name that is no ``Metric``; see ``ExtraMetric`` for the name.
package struct ExtraValue: Equatable, Sendable {
    package var name: String
    /// Finite, of unknown unit.
    package var value: Double

    package init(name: String, value: Double) {
        self.name = name
        self.value = value
    }
}

/// What a device measured at one instant.
package struct Reading: Equatable, Sendable {
    package var time: Timestamp
    package var timeSource: TimeSource
    /// Each within its metric's physical range.
    package var values: MetricValues
    /// At most ``TelemetryDecoder/maximumExtras``, each name once, in the order they came.
    package var extras: [ExtraValue]

    package init(time: Timestamp, timeSource: TimeSource, values: MetricValues, extras: [ExtraValue] = []) {
        self.time = time
        self.timeSource = timeSource
        self.values = values
        self.extras = extras
    }
}
