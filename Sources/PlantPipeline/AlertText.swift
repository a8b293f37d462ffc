package import PlantDomain

/// What happened, in words. A function of the notice alone, so that a message sent again says the same.
package enum AlertText {
    /// The longest line, in UTF-16 units.
    package static let longestLine = 300
    /// The longest name of a plant, a room or a device within a line.
    static let longestName = Wording.longestName

    /// One sentence on one line: `Fern: soil moisture is 12 %, below 25 % for 3 h`.
    package static func line(_ notice: AlertNotice) -> String {
        let sentence =
            switch notice.kind {
            case .threshold: threshold(notice)
            case .deviceOffline: offline(notice)
            case .batteryLow: battery(notice)
            case .sensorStuck: stuck(notice)
            // What is known of these is a sentence by itself, but for the disk.
            case .certificateExpiring:
                system(
                    notice, detail(notice) ?? "the broker's certificate expires soon",
                    over: "The broker's certificate does not expire soon any more")
            case .diskFilling:
                system(
                    notice, "the disk is filling up" + (detail(notice).map { ": " + $0 } ?? ""),
                    over: "The disk has room again")
            case .ingestStalled:
                system(
                    notice, detail(notice) ?? "readings are not being taken in",
                    over: "Readings are being taken in again")
            case .deadLetters:
                system(
                    notice, detail(notice) ?? "many messages cannot be stored", over: "Messages can be stored again")
            }
        return Wording.cut(sentence, to: longestLine)
    }

    private static func threshold(_ notice: AlertNotice) -> String {
        let metric = metricName(notice.metric)
        let beginning = "\(plant(notice)): \(metric)"
        if notice.event == .resolved {
            guard hasRecovered(notice) else { return ended(notice, of: plant(notice), about: metric) }
            return beginning
                + (notice.value.map { " is back at " + number($0, of: notice) } ?? " is back in its limits")
                + lasting(notice, ", after")
        }
        let side = notice.direction == .max ? "above" : "below"
        let limit =
            notice.limit.map { side + " " + number($0, of: notice, apartFrom: notice.value) }
            ?? "too " + (notice.direction == .max ? "high" : "low")
        // Light is judged by the sum of a day.
        let average = notice.metric == Metric.lightLevel.name ? " on average" : ""
        let value = notice.value.map { number($0, of: notice, apartFrom: notice.limit) + average + ", " } ?? ""
        let verb =
            switch notice.event {
            case .escalated: " has become critical: "
            case .reminder: " is still "
            default: " is "
            }
        return beginning + verb + value + limit + lasting(notice, " for")
    }

    private static func offline(_ notice: AlertNotice) -> String {
        let name = device(notice)
        return switch notice.event {
        case .resolved where !hasRecovered(notice): ended(notice, of: name, about: "its silence")
        case .resolved: "\(name) is heard of again" + lasting(notice, ", after")
        case .reminder: "\(name) has still not been heard of" + lasting(notice, " for")
        case .escalated: "\(name) has not been heard of" + lasting(notice, " for") + ": critical by now"
        case .fired: "\(name) has not been heard of" + lasting(notice, " for")
        }
    }

    private static func battery(_ notice: AlertNotice) -> String {
        let beginning = "\(device(notice)): the battery"
        let value = notice.value.map { Wording.rounded($0, decimals: 0) + " %" }
        return switch notice.event {
        case .resolved where !hasRecovered(notice): ended(notice, of: device(notice), about: "its battery")
        case .resolved: beginning + (value.map { " is back at \($0)" } ?? " is no longer low")
        case .reminder: beginning + (value.map { " is still at \($0)" } ?? " is still low")
        case .escalated: beginning + " has become critical" + (value.map { ": \($0)" } ?? "")
        case .fired: beginning + (value.map { " is at \($0)" } ?? " is low")
        }
    }

    private static func stuck(_ notice: AlertNotice) -> String {
        let beginning = "\(device(notice)): \(metricName(notice.metric))"
        if notice.event == .resolved {
            return hasRecovered(notice)
                ? beginning + " changes again"
                : ended(notice, of: device(notice), about: metricName(notice.metric))
        }
        let value = notice.value.map { " from " + number($0, of: notice) } ?? ""
        let verb = notice.event == .reminder ? " has still not changed" : " has not changed"
        return beginning + verb + value + lasting(notice, " for")
    }

    private static func system(_ notice: AlertNotice, _ what: String, over: String) -> String {
        switch notice.event {
        case .resolved: over
        case .reminder: "Still: " + what
        case .escalated: "Critical by now: " + what
        case .fired: what.prefix(1).uppercased() + what.dropFirst()
        }
    }

    /// An alert that is over although nothing got better.
    private static func ended(_ notice: AlertNotice, of whom: String, about what: String) -> String {
        let reason =
            switch notice.resolution {
            case .limitRemoved: ": there is no such limit any more"
            case .deviceRemoved: ": the sensor was taken away"
            case .plantDeleted: ": the plant was deleted"
            case .recovered, nil: lasting(notice, ", after")
            }
        return "\(whom): the alert about \(what) is over" + reason
    }

    /// Whether an alert ended because things are as they should be again.
    static func hasRecovered(_ notice: AlertNotice) -> Bool {
        if let resolution = notice.resolution { return resolution == .recovered }
        // It does not say: then the value it ended with tells.
        guard notice.kind == .threshold else { return true }
        guard let value = notice.value else { return false }
        guard let limit = notice.limit, let direction = notice.direction else { return true }
        return direction == .max ? value <= limit : value >= limit
    }

    // MARK: Parts

    static func plant(_ notice: AlertNotice) -> String { name(notice.plantName) ?? "A plant" }

    static func device(_ notice: AlertNotice) -> String {
        let device = name(notice.deviceName) ?? "A sensor"
        return name(notice.plantName).map { "\(device) (\($0))" } ?? device
    }

    /// On one line and bounded; nil when there is none.
    static func name(_ name: String?) -> String? {
        name.map { Wording.cut(Wording.oneLine($0), to: longestName) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func detail(_ notice: AlertNotice) -> String? {
        notice.detail.map { Wording.oneLine($0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    static func metricName(_ metric: String?) -> String { metric.map { Wording.metric($0) } ?? "a value" }

    /// ` for 3 h`; nothing when that is less than a minute.
    private static func lasting(_ notice: AlertNotice, _ word: String) -> String {
        let seconds = (notice.resolvedAt ?? notice.at).seconds(since: notice.startedAt)
        return seconds < 60 ? "" : word + " " + duration(seconds)
    }

    /// To the nearest unit that people would say: `90 min`, `35 h`, `3 days`.
    static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<99.5: "\(Int(max(0, seconds).rounded())) s"
        case ..<5970: "\(Int((seconds / 60).rounded())) min"
        case ..<171_000: "\(Int((seconds / 3600).rounded())) h"
        // The cap keeps Int from trapping; no alert lasts for a million years.
        default: "\(Int((min(seconds, 1e13) / 86_400).rounded())) days"
        }
    }

    /// With the unit, in as many digits as the sensor is good for.
    /// - Parameter other: a number it is compared with. If it is another, the two do not look the same.
    static func number(_ value: Double, of notice: AlertNotice, apartFrom other: Double? = nil) -> String {
        Wording.number(value, of: notice.metric ?? "", apartFrom: other)
    }
}
