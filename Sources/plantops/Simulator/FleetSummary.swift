import Foundation

/// What became of the telemetry of a fleet.
struct FleetSummary: Equatable, Sendable {
    var devices = 0
    /// Telemetry messages, each counted when it was first sent.
    var published = 0
    /// Telemetry messages the broker answered with success.
    var acknowledged = 0
    var readingsAcknowledged = 0
    /// Messages sent once more after the connection had gone.
    var resent = 0
    /// Readings that did not fit into a device's buffer or were still in it at the end, and those of messages the
    /// broker refused.
    var dropped = 0
    /// Telemetry messages the broker answered with a refusal.
    var refused = 0
    /// Sent at the end, and not answered.
    var unacknowledged = 0
    /// From the beginning of live telemetry (the first attempt to connect, if it is by interval) to the end.
    var seconds = 0.0

    /// Acknowledged messages per second.
    var rate: Double { seconds > 0 ? Double(acknowledged) / seconds : 0 }

    var text: String {
        """
        devices            \(devices)
        published          \(published)
        acknowledged       \(acknowledged) (\(readingsAcknowledged) readings)
        unacknowledged     \(unacknowledged)
        resent             \(resent)
        dropped readings   \(dropped)
        refused            \(refused)
        seconds            \(Self.rounded(seconds))
        acknowledged/s     \(Self.rounded(rate))
        """
    }

    /// One line.
    var json: String {
        """
        {"devices":\(devices),"published":\(published),"acknowledged":\(acknowledged),\
        "readings_acknowledged":\(readingsAcknowledged),"resent":\(resent),"dropped":\(dropped),\
        "refused":\(refused),"seconds":\(Self.rounded(seconds)),"rate":\(Self.rounded(rate)),\
        "unacknowledged":\(unacknowledged)}
        """
    }

    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
