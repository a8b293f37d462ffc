package import PlantDomain

extension AlertText {
    /// The longest summary, in UTF-16 units.
    package static let longestSummary = 500

    /// A whole message in one line: the line of its only notice, `3 plants in Living room are too dry: Fern, Ficus,
    /// Palm`, or `12 alerts: 9 began, 3 ended`.
    package static func summary(_ message: AlertMessage) -> String {
        let content = content(message)
        return Wording.cut(message.kind == .digest ? "During the quiet hours: " + content : content, to: longestSummary)
    }

    private static func content(_ message: AlertMessage) -> String {
        if message.kind == .test { return "This is a test: what PlantOps has to tell arrives here" }
        let notices = message.notices
        guard let first = notices.first else { return "nothing happened" }
        let groups = NoticeGroup.groups(of: notices)
        if message.omitted == 0 {
            if notices.count == 1 { return line(first) }
            if groups.count == 1 { return groups[0].sentence }
        }
        let alerts = Set(notices.map(\.alertID)).count
        let parts: [(AlertEvent, String)] = [
            (.fired, "began"), (.escalated, "grew worse"), (.reminder, "still going on"), (.resolved, "ended"),
        ]
        let counts = parts.compactMap { event, words in
            let count = notices.count { $0.event == event }
            return count == 0 ? nil : "\(count) \(words)"
        }
        let rest = message.omitted == 0 ? "" : "; \(message.omitted) more left out"
        return "\(alerts) \(alerts == 1 ? "alert" : "alerts"): " + counts.joined(separator: ", ") + rest
    }
}

/// Notices that say the same of several plants or sensors.
struct NoticeGroup {
    private struct Key: Hashable {
        let kind: AlertKind
        let metric: String?
        let direction: LimitDirection?
        let end: End?
    }

    private enum End {
        case recovered
        /// The limit or the sensor is gone.
        case void
    }

    private let key: Key
    private(set) var notices: [AlertNotice]

    /// In the order in which they first appear; never empty ones.
    static func groups(of notices: [AlertNotice]) -> [NoticeGroup] {
        var groups: [NoticeGroup] = []
        var places: [Key: Int] = [:]
        for notice in notices {
            // A sensor that is stuck is stuck, whatever it measures.
            let key = Key(
                kind: notice.kind, metric: notice.kind == .threshold ? notice.metric : nil,
                direction: notice.direction, end: end(of: notice))
            if let place = places[key] {
                groups[place].notices.append(notice)
            } else {
                places[key] = groups.count
                groups.append(NoticeGroup(key: key, notices: [notice]))
            }
        }
        return groups
    }

    private static func end(of notice: AlertNotice) -> End? {
        guard notice.event == .resolved else { return nil }
        return AlertText.hasRecovered(notice) ? .recovered : .void
    }

    /// `3 plants in Living room are too dry: Fern, Ficus, Palm`.
    var sentence: String {
        let names = names
        if key.end == .void, notices.count == 1, let notice = notices.first { return AlertText.line(notice) }
        switch key.kind {
        case .threshold: return threshold(names)
        case .deviceOffline: return devices(names, isOver ? "heard of again" : "not heard of")
        case .batteryLow: return devices(names, isOver ? "no longer low on battery" : "low on battery")
        case .sensorStuck: return devices(names, isOver ? "changing again" : "stuck at one value")
        case .certificateExpiring, .diskFilling, .ingestStalled, .deadLetters:
            // There is hardly more than one at a time, and the latest knows best.
            return notices.last.map(AlertText.line) ?? ""
        }
    }

    private func threshold(_ names: [String]) -> String {
        let who = names.count == 1 ? names[0] : "\(names.count) plants\(room)"
        let list = names.count == 1 ? "" : ": " + Self.list(names)
        if key.end == .void { return "\(AlertText.metricName(key.metric)) is no longer watched for \(who)\(list)" }
        let verb = (names.count == 1 ? "is" : "are") + (isOver ? " no longer" : "")
        if let state { return "\(who) \(verb) \(state)\(list)" }
        let metric = AlertText.metricName(key.metric)
        let extent = key.direction == .max ? "too high" : "too low"
        return "\(metric) is\(isOver ? " no longer" : "") \(extent) for \(who)\(list)"
    }

    private func devices(_ names: [String], _ state: String) -> String {
        let state = key.end == .void ? "no longer watched" : state
        return names.count == 1
            ? "\(names[0]) is \(state)" : "\(names.count) sensors are \(state): " + Self.list(names)
    }

    /// What a plant is when the value is beyond its limit; nil for what is not said that way.
    private var state: String? {
        let metric = key.metric.flatMap { Metric.named($0) }
        return switch (metric, key.direction) {
        case (.soilMoisture, .min): "too dry"
        case (.soilMoisture, .max): "too wet"
        case (.temperature, .min): "too cold"
        case (.temperature, .max): "too warm"
        case (.lightLevel, .min): "too dark"
        case (.lightLevel, .max): "too bright"
        default: nil
        }
    }

    /// ` in Living room`, if all are there.
    private var room: String {
        let rooms = Set(notices.map(\.room))
        guard rooms.count == 1, let room = AlertText.name(rooms.first ?? nil) else { return "" }
        return " in " + room
    }

    /// Of each plant or device once, in order.
    private var names: [String] {
        var seen: Set<EntityID> = []
        return notices.compactMap { notice in
            let isPlant = notice.kind == .threshold
            // One without an id is counted by itself.
            guard seen.insert((isPlant ? notice.plantID : notice.deviceID) ?? notice.alertID).inserted else {
                return nil
            }
            return isPlant ? AlertText.plant(notice) : AlertText.device(notice)
        }
    }

    private var isOver: Bool { key.end != nil }

    private static func list(_ names: [String]) -> String {
        let most = 5
        // A sixth takes no more room than saying that there is one.
        guard names.count > most + 1 else { return names.joined(separator: ", ") }
        return names.prefix(most).joined(separator: ", ") + " and \(names.count - most) more"
    }
}
