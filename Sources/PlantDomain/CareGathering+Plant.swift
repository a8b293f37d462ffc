extension CareGathering {
    mutating func gatherPlant() {
        state("plant.name", .plant, HealthWords.name(plant.name, else: "The plant"))
        state("plant.species", .plant, plant.species.map { HealthWords.name($0, else: "") })
        state("plant.room", .plant, plant.room.map { HealthWords.name($0, else: "") })
        state("plant.light_source", .light, plant.lightSource.rawValue)
        state("plant.status", .plant, plant.status(now: now).rawValue)
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
        for issue in HealthCheck(subject.health, at: now).issues.prefix(Self.mostIssues) {
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
