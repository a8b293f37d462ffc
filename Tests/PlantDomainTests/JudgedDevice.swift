import PlantDomain

/// A device, what is remembered of it, and what was found.
struct JudgedDevice {
    static let id = EntityID(high: 1, low: 1)
    static let plant = EntityID(high: 2, low: 2)

    var memory = SensorMemory()
    var plant: EntityID? = JudgedDevice.plant
    var rules: PlantRules
    var forSeconds = 120.0
    /// How far its clock is behind.
    var clockIsBehind = 0.0
    var findings: [AlertFinding] = []

    init(_ thresholds: Thresholds, hysteresisPercent: Double = 5, forSeconds: Double = 120) {
        rules = PlantRules(thresholds, hysteresisPercent: hysteresisPercent)
        self.forSeconds = forSeconds
    }

    static func at(_ seconds: Double) -> Timestamp { arrival.adding(seconds: seconds) }

    mutating func receive(
        _ readings: [Reading], at seconds: Double, plantAt: (Timestamp) -> EntityID?
    ) {
        memory.judge(
            readings, receivedAt: Self.at(seconds),
            in: SensorMemory.Context(device: Self.id, plant: plant, rules: rules, forSeconds: forSeconds),
            plantAt: plantAt, findings: &findings)
    }

    mutating func receive(_ readings: [Reading], at seconds: Double) {
        let plant = plant
        receive(readings, at: seconds, plantAt: { _ in plant })
    }

    func reading(_ seconds: Double, _ pairs: KeyValuePairs<Metric, Double>, extras: [ExtraValue] = []) -> Reading {
        Reading(
            time: Self.at(seconds - clockIsBehind), timeSource: .device, values: PlantDomainTests.values(pairs),
            extras: extras)
    }

    /// A reading that arrives at once.
    mutating func says(_ seconds: Double, _ pairs: KeyValuePairs<Metric, Double>, extras: [ExtraValue] = []) {
        receive([reading(seconds, pairs, extras: extras)], at: seconds)
    }

    /// The same value every so often.
    mutating func says(_ metric: Metric, _ value: Double, from start: Double, to end: Double, every step: Double = 60) {
        for second in stride(from: start, through: end, by: step) { says(second, [metric: value]) }
    }

    mutating func heartbeat(_ seconds: Double, battery: Double) {
        memory.judge(
            battery: battery, at: Self.at(seconds),
            in: SensorMemory.Context(device: Self.id, plant: plant, rules: rules, forSeconds: forSeconds),
            findings: &findings)
    }

    /// What was found, in words: `130 soil_moisture min fired warning since 10`.
    var story: [String] { findings.map(Self.words) }

    /// Without what was only pending.
    var told: [String] {
        findings.filter {
            if case .began = $0.change { return false }
            return $0.change != .lapsed
        }.map(Self.words)
    }

    static func words(_ finding: AlertFinding) -> String {
        func plain(_ time: Timestamp) -> String {
            let seconds = time.seconds(since: arrival)
            return seconds == seconds.rounded() ? String(Int(seconds)) : String(seconds)
        }
        let subject =
            switch finding.subject.kind {
            case .threshold: "\(finding.subject.metric ?? "?") \(finding.subject.direction?.rawValue ?? "?")"
            case .sensorStuck: "sensor_stuck \(finding.subject.metric ?? "?")"
            default: finding.subject.kind.rawValue
            }
        let change =
            switch finding.change {
            case .began(let since): "began since \(plain(since))"
            case .fired(let since, let severity): "fired \(severity.rawValue) since \(plain(since))"
            case .escalated(let since): "escalated since \(plain(since))"
            case .resolved(let since): "resolved since \(plain(since))"
            case .lapsed: "lapsed"
            }
        return "\(plain(finding.at)) \(subject) \(change)"
    }
}
