extension CareGathering {
    mutating func gatherPlant() {
        state("plant.name", .plant, HealthWords.name(plant.name, else: "The plant"))
        state("plant.species", .plant, plant.species.map { HealthWords.name($0, else: "") })
        state("plant.room", .plant, plant.room.map { HealthWords.name($0, else: "") })
        state("plant.light_source", .light, plant.lightSource.rawValue)
        guard let species = subject.species else { return }
        let name = HealthWords.name(species.scientificName, else: "")
        state("species.name", .plant, name, .species)
        state("species.common_name", .plant, species.commonName.map { HealthWords.name($0, else: "") }, .species)
        state("species.light", .light, species.light?.rawValue, .species)
        state("species.water", .watering, species.water?.rawValue, .species)
        state("species.group", .humidity, PlantGroup(scientificName: species.scientificName)?.word, .species)
    }

    private mutating func state(
        _ id: String, _ topic: CareTopic, _ text: String?, _ kind: CareFact.Kind = .state
    ) {
        guard let text, !text.isEmpty else { return }
        add(CareFact(id: id, topic: topic, kind: kind, text: text))
    }

    // MARK: What is wrong

    /// `issue.critical.limit_exceeded.soil_moisture`; of several that are alike the second ends in `.2`.
    mutating func gatherIssues() {
        gatherGrace()
        gatherAlerts()
        for issue in HealthCheck(subject.health, at: now).issues.prefix(Self.mostIssues).map(settled) {
            var parts = ["issue", issue.severity.rawValue, issue.kind.rawValue]
            if let metric = issue.metric { parts.append(metric) }
            let id = parts.joined(separator: ".")
            let number = (1...Self.mostIssues).first { self[$0 == 1 ? id : "\(id).\($0)"] == nil } ?? 1
            let isSound = issue.value.map(\.isFinite) ?? false
            add(
                CareFact(
                    id: number == 1 ? id : "\(id).\(number)", topic: Self.topic(of: issue), kind: .state,
                    metric: issue.metric,
                    value: isSound
                        ? issue.value.map { Self.rounded($0, decimals: Wording.decimals(of: $0, issue.knownMetric)) }
                        : nil,
                    text: issue.text, unit: isSound ? issue.unit : nil, time: time(of: issue)))
        }
    }

    /// Right after a watering soil is wet, and nobody is alerted.
    private mutating func gatherGrace() {
        let name = Metric.soilMoisture.name
        var plant = plant
        let isWet =
            self["\(name).now"]?.value.flatMap { value in limits(of: name).max?.value.map { value > $0 } } ?? false
        let isTold = subject.waterings.last.map { now.seconds(since: $0) < WateringTrace.graceSeconds } ?? false
        // What is higher now than it was within the day has risen since.
        let rise = (self["\(name).now"]?.value ?? 0) - (self["\(name).min_24h"]?.value ?? 100)
        if isWet, isTold || rise >= WateringRule.leastRise {
            add(
                CareFact(
                    id: "watering.grace", topic: .watering, kind: .state, metric: name, text: isTold ? "event" : "rise")
            )
            plant.thresholds[name]?.max = nil
        }
        state("plant.status", .plant, plant.status(now: now).rawValue)
    }

    /// Those that go on, whatever the value of now is: `alert.soil_moisture.min`.
    private mutating func gatherAlerts() {
        for alert in subject.health.alerts where alert.state == .firing && alert.subject.kind == .threshold {
            guard let metric = alert.subject.metric, let direction = alert.subject.direction,
                self["\(metric).now"] != nil || self["extra.\(metric).now"] != nil
            else { continue }
            add(
                CareFact(
                    id: "alert.\(metric).\(direction.rawValue)", topic: Self.topic(of: metric), kind: .state,
                    metric: metric, text: alert.state.rawValue, time: alert.startedAt))
        }
    }

    /// As it is said in a plan, which is shown for days: without how long it has been so, and softer after a watering.
    private func settled(_ issue: HealthIssue) -> HealthIssue {
        if issue.kind == .airTooDry || issue.kind == .airTooHumid, let value = issue.value {
            // In as many digits as elsewhere in the plan, if that leaves it beyond the limit.
            let fine = Wording.rounded(value, decimals: 3)
            let rough = Wording.rounded(value, decimals: 2)
            guard rough != issue.limit.map({ Wording.rounded($0, decimals: 2) }) else { return issue }
            return HealthIssue(
                kind: issue.kind, metric: issue.metric, severity: issue.severity,
                text: issue.text.replacing("\(fine) kPa", with: "\(rough) kPa", maxReplacements: 1), value: value,
                unit: issue.unit, limit: issue.limit, since: issue.since)
        }
        guard issue.kind == .limitExceeded else { return issue }
        let lasting = issue.since.map { ", for \(HealthWords.span(now.seconds(since: $0)))." } ?? ""
        let text =
            !lasting.isEmpty && issue.text.hasSuffix(lasting) ? issue.text.dropLast(lasting.count) + "." : issue.text
        let isGraced =
            issue.metric == Metric.soilMoisture.name && self["watering.grace"] != nil
            && (issue.value ?? 0) > (issue.limit ?? 100)
        return HealthIssue(
            kind: issue.kind, metric: issue.metric, severity: isGraced ? .info : issue.severity,
            text: isGraced
                ? text.dropLast() + ": it was watered within the day, so some of it still drains off." : text,
            value: issue.value, unit: issue.unit, limit: issue.limit, since: issue.since)
    }

    private static func topic(of issue: HealthIssue) -> CareTopic {
        switch issue.kind {
        case .noDevice, .deviceOffline, .batteryLow, .deviceDisabled: .device
        case .lightOfDay, .lightUnknown: .light
        case .airTooDry, .airTooHumid: .humidity
        case .noLimits: .plant
        case .limitExceeded, .limitNear, .staleData, .missingData, .sensorStuck, .drying:
            issue.metric.map { topic(of: $0) } ?? .other
        }
    }

    /// When what it says was so: of a value that was measured then, of all others now.
    private func time(of issue: HealthIssue) -> Timestamp {
        switch issue.kind {
        case .limitExceeded, .limitNear, .drying, .staleData:
            issue.metric.flatMap { plant.latest?.values[$0]?.time } ?? now
        case .airTooDry, .airTooHumid: self["\(DerivedMetric.vpd.name).now"]?.time ?? now
        default: now
        }
    }

    // MARK: Devices

    /// By their ids, so that they do not change places.
    mutating func gatherDevices() {
        let members = subject.health.members.sorted { $0.device.id < $1.device.id }
        add(CareFact(id: "device.count", topic: .device, kind: .state, value: Double(members.count)))
        for (index, member) in members.prefix(Self.mostDevices).enumerated() {
            let id = "device.\(index + 1)"
            state("\(id).name", .device, HealthWords.name(member.device.name, else: "A device"))
            state("\(id).status", .device, member.device.status(now: now).rawValue)
            guard let battery = member.battery else { continue }
            add(
                CareFact(
                    id: "\(id).battery", topic: .device, kind: .measured, metric: Metric.battery.name,
                    value: Self.rounded(battery.value, decimals: 0), unit: Metric.battery.unit, time: battery.time))
        }
    }

    // MARK: Feedback

    /// That advice was followed shows in what is measured; that it did not help has to be said.
    mutating func gatherFeedback() {
        for feedback in subject.feedback where feedback.verdict == .notHelpful {
            add(
                CareFact(
                    id: "feedback.\(feedback.item.rawValue)", topic: .init(feedback.item), kind: .event,
                    text: feedback.verdict.rawValue, time: feedback.at))
        }
    }
}

extension CareTopic {
    init(_ item: CareItem) {
        self =
            switch item {
            case .plan: .plant
            case .watering: .watering
            case .light: .light
            case .humidity: .humidity
            case .temperature: .temperature
            }
    }
}

extension PlantGroup {
    var word: String {
        switch self {
        case .fern: "fern"
        case .marantaceae: "prayer plant"
        case .succulent: "succulent"
        }
    }
}

extension HealthIssue {
    fileprivate var knownMetric: Metric? { metric.flatMap { Metric.named($0) } }
}
