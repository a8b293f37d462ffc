/// What a device's readings have shown of its conditions, and what is needed to go on judging them. Kept in the
/// database beside the device's newest values, so that any backend can go on where another stopped.
package struct SensorMemory: Equatable, Sendable {
    /// Readings up to this time of the device's own clock have been judged. Kept in a column of its own.
    package var judgedUntil: Timestamp?
    /// The plant whose limits the conditions speak of.
    var plant: EntityID?
    var clock = ClockOffset()
    var battery = ConditionState()
    var watering = WateringTrace()
    /// By name.
    var traces: [MetricTrace] = []

    package init() {}

    /// What is judged by.
    package struct Context: Sendable {
        package var device: EntityID
        /// The plant the device stands in; nil: none.
        package var plant: EntityID?
        /// Of that plant.
        package var rules: PlantRules
        package var forSeconds: Double

        package init(device: EntityID, plant: EntityID?, rules: PlantRules, forSeconds: Double) {
            self.device = device
            self.plant = plant
            self.rules = rules
            self.forSeconds = forSeconds
        }
    }

    /// Metrics of which a sensor that says the very same for long is broken. Light is dark all night, and batteries
    /// and radios are coarse.
    private static let stuckMetrics: [Metric] = [
        .soilMoisture, .temperature, .humidity, .soilTemperature, .soilEC, .co2, .pressure,
    ]

    /// So long without a reading, a sensor has said nothing, rather than the same, in seconds.
    private static let silenceSeconds = 43_200.0

    /// Older when they arrive, readings are no news, in seconds.
    static let liveSeconds = 300.0

    /// Judges the readings of one message.
    /// - Parameters:
    ///   - readings: in any order.
    ///   - plantAt: the plant the device stood in at the time of a reading.
    package mutating func judge(
        _ readings: some Collection<Reading>, receivedAt: Timestamp, in context: Context,
        plantAt: (Timestamp) -> EntityID?, findings: inout [AlertFinding]
    ) {
        guard let newest = readings.max(by: { $0.time < $1.time }) else { return }
        settle(in: context.plant)
        if let judgedUntil, judgedUntil > receivedAt.adding(seconds: Self.liveSeconds) {
            // Our clock was ahead when that was judged. No reading is accepted that is so far ahead of ours.
            restart(context, at: receivedAt, &findings)
        }
        // A device that has no clock is timed by us, and what was delivered before says nothing about its clock now.
        if newest.timeSource == .device, judgedUntil.map({ newest.time > $0 }) ?? true {
            clock.note(age: receivedAt.seconds(since: newest.time), at: receivedAt)
        }
        let inOrder = readings.count > 1 ? readings.sorted { $0.time < $1.time } : Array(readings)
        for reading in inOrder {
            if let judgedUntil, reading.time <= judgedUntil { continue }
            // From the device's clock to ours: a clock that is ahead is at least so much ahead.
            let offset =
                reading.time > receivedAt
                ? receivedAt.seconds(since: reading.time) : reading.timeSource == .device ? clock.granted : 0
            guard receivedAt.seconds(since: reading.time.adding(seconds: offset)) <= Self.liveSeconds else { continue }
            if let judgedUntil, reading.time.seconds(since: judgedUntil) > Self.silenceSeconds {
                for index in traces.indices { traces[index].run.interrupt() }
            }
            judgedUntil = reading.time
            let before = findings.count
            judge(reading, at: reading.time, context, isAtPlant: plantAt(reading.time) == context.plant, &findings)
            // Durations are those of the device's own clock, which runs evenly; what is told is in ours.
            for index in before..<findings.count { findings[index].move(by: offset, latest: receivedAt) }
        }
    }

    /// Judges what a heartbeat says of the battery.
    package mutating func judge(
        battery percent: Double, at time: Timestamp, in context: Context, findings: inout [AlertFinding]
    ) {
        settle(in: context.plant)
        judgeBattery(percent, at: time, context, &findings)
    }

    /// Goes on from the alerts that are open, where nothing is remembered.
    /// - Parameter alerts: that are open because of this device.
    package init(resuming alerts: [Alert], in plant: EntityID?) {
        self.plant = plant
        for alert in alerts {
            let state = ConditionState(alert)
            switch alert.subject.kind {
            case .threshold where alert.subject.plant == plant:
                guard let metric = alert.subject.metric else { continue }
                let index = trace(MetricKey(metric))
                if alert.subject.direction == .min { traces[index].low = state } else { traces[index].high = state }
            case .batteryLow: battery = state
            case .sensorStuck:
                guard let metric = alert.subject.metric else { continue }
                traces[trace(MetricKey(metric))].run.hold()
            default: continue
            }
        }
    }

    /// Forgets what was found by limits that are gone. Whoever removed them has ended the alerts.
    package mutating func forget(_ limits: [(metric: String, direction: LimitDirection)]) {
        for limit in limits {
            guard let index = traces.firstIndex(where: { $0.key == MetricKey(limit.metric) }) else { continue }
            switch limit.direction {
            case .min: traces[index].low = ConditionState()
            case .max: traces[index].high = ConditionState()
            }
        }
    }

    /// The device stands nowhere now.
    package mutating func leavePlant() { settle(in: nil) }

    private mutating func settle(in plant: EntityID?) {
        guard plant != self.plant else { return }
        // Another pot: its conditions have not been seen yet. Whoever moved the device has ended the old ones.
        self.plant = plant
        watering = WateringTrace()
        for index in traces.indices {
            traces[index].low = ConditionState()
            traces[index].high = ConditionState()
            traces[index].filter = SpikeFilter()
        }
    }

    private mutating func judge(
        _ reading: Reading, at time: Timestamp, _ context: Context, isAtPlant: Bool, _ findings: inout [AlertFinding]
    ) {
        for metric in Self.stuckMetrics {
            guard let value = reading.values[metric] else { continue }
            let index = trace(.metric(metric))
            let since = traces[index].run.start
            guard let change = traces[index].run.note(value, at: time) else { continue }
            let subject = AlertSubject(
                .sensorStuck, plant: context.plant, device: context.device, metric: metric.name)
            findings.append(
                AlertFinding(
                    subject, change == .stuck ? .fired(since: since, .warning) : .resolved(since: since),
                    value: value, limit: nil, at: time))
        }
        if let percent = reading.values[.battery] { judgeBattery(percent, at: time, context, &findings) }
        guard isAtPlant, context.plant != nil else { return }
        endUnlimited(context, at: time, &findings)
        forgetUnlimited(context.rules)
        for entry in context.rules.live {
            let value: Double? =
                switch entry.key {
                case .metric(let metric): reading.values[metric]
                case .extra(let name): reading.extras.first { $0.name == name }?.value
                }
            guard let value else { continue }
            let index = trace(entry.key)
            let noise = entry.key.metric?.noiseFloor ?? 0
            guard context.forSeconds > 0 else {
                traces[index].filter.trust()
                traces[index].filter.push(value)
                judge(value, at: time, entry, index, context, &findings)
                continue
            }
            let (earlier, isAdmitted) = traces[index].filter.admit(value, at: time, noiseFloor: noise)
            if let earlier { judge(earlier.value, at: earlier.time, entry, index, context, &findings) }
            if isAdmitted { judge(value, at: time, entry, index, context, &findings) }
        }
    }

    private mutating func judge(
        _ value: Double, at time: Timestamp, _ entry: PlantRules.Entry, _ index: Int, _ context: Context,
        _ findings: inout [AlertFinding]
    ) {
        let seconds = context.forSeconds
        if let rule = entry.min, let change = traces[index].low.judge(value, at: time, by: rule, forSeconds: seconds) {
            findings.append(limitFinding(entry.key, .min, change, value: value, rule: rule, at: time, context))
        }
        if entry.key == .metric(.soilMoisture) {
            watering.note(value, at: time, deviation: traces[index].filter.deviation)
            // Wet is what watering is for. What fires already goes on.
            if watering.isGrace(at: time), traces[index].high.phase != .firing {
                if let change = traces[index].high.end() {
                    findings.append(
                        limitFinding(entry.key, .max, change, value: value, rule: entry.max, at: time, context))
                }
                return
            }
        }
        if let rule = entry.max, let change = traces[index].high.judge(value, at: time, by: rule, forSeconds: seconds) {
            findings.append(limitFinding(entry.key, .max, change, value: value, rule: rule, at: time, context))
        }
    }

    /// Ends the conditions whose limits are gone.
    private mutating func endUnlimited(_ context: Context, at time: Timestamp, _ findings: inout [AlertFinding]) {
        for index in traces.indices where traces[index].low.phase != .clear || traces[index].high.phase != .clear {
            let key = traces[index].key
            let entry = context.rules.live.first { $0.key == key }
            if entry?.min == nil, let change = traces[index].low.end() {
                findings.append(limitFinding(key, .min, change, value: nil, rule: nil, at: time, context))
            }
            if entry?.max == nil, let change = traces[index].high.end() {
                findings.append(limitFinding(key, .max, change, value: nil, rule: nil, at: time, context))
            }
        }
    }

    /// Goes on with what fires, and forgets all that is a time: it was another clock's.
    private mutating func restart(_ context: Context, at time: Timestamp, _ findings: inout [AlertFinding]) {
        judgedUntil = nil
        clock = ClockOffset()
        watering = WateringTrace()
        if battery.phase == .pending, let change = battery.end() {
            let subject = AlertSubject(
                .batteryLow, plant: context.plant, device: context.device, metric: Metric.battery.name, direction: .min)
            findings.append(AlertFinding(subject, change, value: nil, limit: nil, at: time))
        }
        battery.interrupt()
        for index in traces.indices {
            let key = traces[index].key
            if traces[index].low.phase == .pending, let change = traces[index].low.end() {
                findings.append(limitFinding(key, .min, change, value: nil, rule: nil, at: time, context))
            }
            if traces[index].high.phase == .pending, let change = traces[index].high.end() {
                findings.append(limitFinding(key, .max, change, value: nil, rule: nil, at: time, context))
            }
            traces[index].low.interrupt()
            traces[index].high.interrupt()
            traces[index].filter = SpikeFilter()
            traces[index].run.interrupt()
        }
    }

    private mutating func judgeBattery(
        _ percent: Double, at time: Timestamp, _ context: Context, _ findings: inout [AlertFinding]
    ) {
        let rule = LimitRule.battery
        guard let change = battery.judge(percent, at: time, by: rule, forSeconds: context.forSeconds) else { return }
        let subject = AlertSubject(
            .batteryLow, plant: context.plant, device: context.device, metric: Metric.battery.name, direction: .min)
        findings.append(AlertFinding(subject, change, value: percent, limit: rule.limit, at: time))
    }

    private func limitFinding(
        _ key: MetricKey, _ direction: LimitDirection, _ change: ConditionState.Change, value: Double?,
        rule: LimitRule?, at time: Timestamp, _ context: Context
    ) -> AlertFinding {
        let subject = AlertSubject(
            .threshold, plant: context.plant, device: context.device, metric: key.name, direction: direction)
        return AlertFinding(
            subject, change, value: value, limit: rule?.limit, at: time,
            resolution: rule == nil ? .limitRemoved : .recovered)
    }

    /// Names of extra metrics come and go; what has no limit any more is not remembered for ever.
    private static let mostTraces = 96

    private mutating func forgetUnlimited(_ rules: PlantRules) {
        guard traces.count > Self.mostTraces else { return }
        let limited = Set(rules.live.map(\.key))
        traces.removeAll { $0.key.metric == nil && !limited.contains($0.key) }
    }

    /// Index of the trace of a metric, made if there is none.
    private mutating func trace(_ key: MetricKey) -> Int {
        if let index = traces.firstIndex(where: { $0.key == key }) { return index }
        traces.append(MetricTrace(key))
        return traces.count - 1
    }
}

/// A change of a condition that a reading brought about.
package struct AlertFinding: Sendable, Equatable {
    package let subject: AlertSubject
    package private(set) var change: ConditionState.Change
    package let value: Double?
    package let limit: Double?
    /// By our clock.
    package private(set) var at: Timestamp
    /// If it is over, why.
    package let resolution: AlertResolution

    package init(
        _ subject: AlertSubject, _ change: ConditionState.Change, value: Double?, limit: Double?, at time: Timestamp,
        resolution: AlertResolution = .recovered
    ) {
        self.subject = subject
        self.change = change
        self.value = value
        self.limit = limit
        at = time
        self.resolution = resolution
    }

    /// From the device's clock to ours.
    mutating func move(by seconds: Double, latest: Timestamp) {
        at = min(at.adding(seconds: seconds), latest)
        change = change.moved { min($0.adding(seconds: seconds), latest) }
    }
}

extension ConditionState.Change {
    fileprivate func moved(_ move: (Timestamp) -> Timestamp) -> Self {
        switch self {
        case .began(let since): .began(since: move(since))
        case .fired(let since, let severity): .fired(since: move(since), severity)
        case .escalated(let since): .escalated(since: move(since))
        case .resolved(let since): .resolved(since: move(since))
        case .lapsed: .lapsed
        }
    }
}
