/// Tells what limits would have found in the past, by the very machine that judges live readings.
package struct LimitReplay: Sendable {
    /// A time in which an alert would have fired.
    package struct Episode: Sendable, Equatable {
        package let metric: String
        package let direction: LimitDirection
        package var severity: AlertSeverity
        /// The first reading beyond the limit.
        package let from: Timestamp
        /// nil: it has not ended.
        package var to: Timestamp?
    }

    private struct Key: Hashable {
        let metric: String
        let direction: LimitDirection
    }

    /// In the order they fired.
    package private(set) var episodes: [Episode] = []

    /// Light of the newest day of which enough was measured, in lx.
    package private(set) var lastLightLevel: Double?

    private let plant: EntityID
    private let rules: PlantRules
    private let forSeconds: Double
    private let zone: KnownTimeZone
    private let longestGap: Double
    private var memories: [EntityID: SensorMemory] = [:]
    /// Index of the open episode, and the devices that say so.
    private var open: [Key: (index: Int, devices: Set<EntityID>)] = [:]
    private var light: LightJudge
    private var day: LightDay?
    private var lastLight: (time: Timestamp, lux: Double)?

    /// - Parameters:
    ///   - longestGap: between two readings of light that the light in between is taken from, in seconds.
    ///   - firing: limits of light that fire before the first reading: episodes that are open already.
    package init(
        plant: EntityID, rules: PlantRules, forSeconds: Double, zone: KnownTimeZone, longestGap: Double,
        firing: [(direction: LimitDirection, since: Timestamp)] = []
    ) {
        self.plant = plant
        self.rules = rules
        self.forSeconds = forSeconds
        self.zone = zone
        self.longestGap = longestGap
        light = LightJudge(rules, firing: firing)
        for (direction, since) in firing {
            let key = Key(metric: Metric.lightLevel.name, direction: direction)
            note(.fired(since: since, .warning), key, plant, at: since)
        }
    }

    /// Readings come in the order of their time.
    package mutating func add(_ reading: Reading, of device: EntityID) {
        let context = SensorMemory.Context(device: device, plant: plant, rules: rules, forSeconds: forSeconds)
        var findings: [AlertFinding] = []
        memories[device, default: SensorMemory()].judge(
            CollectionOfOne(reading), receivedAt: reading.time, in: context, plantAt: { _ in plant },
            findings: &findings)
        for finding in findings where finding.subject.kind == .threshold {
            guard let metric = finding.subject.metric, let direction = finding.subject.direction else { continue }
            note(finding.change, Key(metric: metric, direction: direction), device, at: finding.at)
        }
        if let lux = reading.values[.lightLevel], rules.judgesLight { add(lux: lux, at: reading.time) }
    }

    /// Judges the last day if it is over by then.
    package mutating func finish(at end: Timestamp) {
        if let day, day.day.end <= end { judgeDay(day) }
        day = nil
    }

    private mutating func add(lux: Double, at time: Timestamp) {
        var current = day ?? LightDay(.containing(time, in: zone), maximumGap: longestGap)
        while time >= current.day.end {
            // Of the time between two readings each day gets its part.
            current.add(time, lux: lux)
            judgeDay(current)
            current = LightDay(current.day.next, maximumGap: longestGap)
            if let lastLight { current.add(lastLight.time, lux: lastLight.lux) }
        }
        current.add(time, lux: lux)
        day = current
        lastLight = (time, lux)
    }

    private mutating func judgeDay(_ day: LightDay) {
        let level = day.finish().level
        lastLightLevel = level ?? lastLightLevel
        for finding in light.judge(day.day, level: level) {
            let key = Key(metric: Metric.lightLevel.name, direction: finding.direction)
            note(finding.change, key, plant, at: day.day.end)
        }
    }

    private mutating func note(
        _ change: ConditionState.Change, _ key: Key, _ device: EntityID, at time: Timestamp
    ) {
        switch change {
        case .began, .lapsed: return
        case .fired(let since, let severity):
            if let index = open[key]?.index {
                open[key]?.devices.insert(device)
                episodes[index].severity = max(episodes[index].severity, severity)
            } else {
                open[key] = (episodes.count, [device])
                episodes.append(
                    Episode(metric: key.metric, direction: key.direction, severity: severity, from: since, to: nil))
            }
        case .escalated:
            if let index = open[key]?.index { episodes[index].severity = .critical }
        case .resolved:
            open[key]?.devices.remove(device)
            guard let (index, devices) = open[key], devices.isEmpty else { return }
            episodes[index].to = time
            open[key] = nil
        }
    }
}

extension PlantRules {
    package var judgesLight: Bool { light.min != nil || light.max != nil }
    package var isEmpty: Bool { live.isEmpty && !judgesLight }
    /// Names of the metrics it judges by.
    package var metrics: [String] { live.map(\.key.name) + (judgesLight ? [Metric.lightLevel.name] : []) }
}
