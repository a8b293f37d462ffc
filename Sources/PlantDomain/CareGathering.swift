/// Puts together the facts of a plant. What no sensor could have said and limits that are no numbers are left out, so
/// that all facts are finite.
struct CareGathering {
    /// More extra metrics than this are left out, those without limits first: a prompt has to end somewhere.
    static let mostExtras = 8
    static let mostIssues = 16
    /// What house plants stand, in °C.
    static let leastTemperature = 5.0
    static let mostDevices = 8

    let subject: CareSubject
    let now: Timestamp
    let zone: KnownTimeZone
    let today: LocalDay
    private(set) var facts: [CareFact] = []
    private var byID: [String: Int] = [:]

    init(_ subject: CareSubject, at now: Timestamp) {
        self.subject = subject.sound(at: now)
        self.now = now
        zone = subject.zone
        today = LocalDay.containing(now, in: subject.zone)
    }

    var plant: Plant { subject.health.plant }

    mutating func gather() {
        gatherPlant()
        gatherLimits()
        for metric in Self.plantMetrics { gather(metric.name, id: metric.name, topic: Self.topic(of: metric.name)) }
        for name in extras { gather(name, id: "extra.\(name)", topic: .other) }
        gatherTrends()
        gatherAir()
        gatherLight()
        gatherWatering()
        gatherIssues()
        gatherDevices()
        gatherFeedback()
    }

    subscript(id: String) -> CareFact? { byID[id].map { facts[$0] } }

    mutating func add(_ fact: CareFact) {
        guard fact.value?.isFinite ?? true, fact.hours?.isFinite ?? true, byID[fact.id] == nil else { return }
        var fact = fact
        // Adding zero turns −0 into 0, which JSON would tell apart.
        fact.value = fact.value.map { $0 + 0 }
        byID[fact.id] = facts.count
        facts.append(fact)
    }

    func limits(of id: String) -> CareLimits { CareLimits(of: id) { self[$0] } }

    // MARK: Metrics

    /// What is about the plant, not about the device beside it.
    static let plantMetrics = Species.limitedMetrics

    static func topic(of metric: String) -> CareTopic {
        switch Metric.named(metric) {
        case .soilMoisture, .soilEC: .watering
        case .lightLevel: .light
        case .humidity: .humidity
        case .temperature, .soilTemperature: .temperature
        case .battery, .batteryVoltage, .rssi: .device
        case .co2, .pressure, nil: .other
        }
    }

    private var extras: [String] {
        let names = Set(plant.latest?.values.keys.map { $0 } ?? []).union(subject.health.hours.keys)
            .union(subject.days.keys).union(plant.thresholds.keys)
        return names.filter { Metric.named($0) == nil }
            .sorted { (plant.thresholds[$0] == nil ? 1 : 0, $0) < (plant.thresholds[$1] == nil ? 1 : 0, $1) }
            .prefix(Self.mostExtras).map { $0 }
    }

    mutating func gatherLimits() {
        let known = Self.plantMetrics.map { ($0.name, $0.name) } + extras.map { ($0, "extra.\($0)") }
        for (name, id) in known {
            add(plant.thresholds[name], of: name, id: id, "limit", .limit)
        }
        if let species = subject.species {
            for (name, threshold) in species.suggestedThresholds.sorted(by: { $0.key < $1.key })
            where Metric.named(name) != nil {
                add(threshold, of: name, id: name, "species", .species)
            }
        } else {
            let humidity = Metric.humidity.name
            add(PlantGroup.ordinaryHumidity, of: humidity, id: humidity, "usual", .species)
        }
        // Whatever it is, frost and what is near to it harm it.
        let temperature = Metric.temperature.name
        if self["\(temperature).species_min"] == nil {
            add(Threshold(min: Self.leastTemperature), of: temperature, id: temperature, "usual", .species)
        }
    }

    private mutating func add(
        _ threshold: Threshold?, of name: String, id: String, _ what: String, _ kind: CareFact.Kind
    ) {
        for (end, value) in [("min", threshold?.min), ("max", threshold?.max)] {
            guard let value, value.isFinite, abs(value) <= ExtraMetric.largest else { continue }
            add(
                CareFact(
                    id: "\(id).\(what)_\(end)", topic: Self.topic(of: name), kind: kind, metric: name, value: value,
                    unit: Metric.named(name)?.unit))
        }
    }

    private mutating func gather(_ name: String, id: String, topic: CareTopic) {
        let add = {
            (
                facts: inout CareGathering, what: String, kind: CareFact.Kind, value: Double, time: Timestamp?,
                hours: Double?
            ) in
            facts.add(
                CareFact(
                    id: "\(id).\(what)", topic: topic, kind: kind, metric: name,
                    value: facts.rounded(value, of: name, id: id),
                    unit: Metric.named(name)?.unit, time: time, hours: hours))
        }
        if let known = plant.latest?.values[name] {
            add(&self, plant.fresh(name, at: now) == nil ? "last" : "now", .measured, known.value, known.time, nil)
        }
        // Light is told by the day: a mean with the night in it means nothing.
        guard name != Metric.lightLevel.name else { return }
        let isExtra = Metric.named(name) == nil
        let day = lastDay(of: name)
        if !day.isEmpty {
            let hours = Double(day.count)
            add(&self, "mean_24h", .computed, day.map(\.mean).reduce(0, +) / hours, nil, hours)
            if !isExtra, let least = day.map(\.min).min(), let most = day.map(\.max).max() {
                add(&self, "min_24h", .computed, least, nil, hours)
                add(&self, "max_24h", .computed, most, nil, hours)
            }
        }
        let days = subject.days[name] ?? []
        let hours = days.map(\.hours).reduce(0, +)
        guard hours > 0 else { return }
        add(&self, "mean_14d", .computed, days.map { $0.mean * $0.hours }.reduce(0, +) / hours, nil, hours)
        guard !isExtra, let least = days.map(\.min).min(), let most = days.map(\.max).max() else { return }
        add(&self, "min_14d", .computed, least, nil, hours)
        add(&self, "max_14d", .computed, most, nil, hours)
        if let change = CareGathering.change(days.map { ($0.day, $0.mean) }, until: today) {
            add(&self, "change_14d", .computed, change, nil, 14 * 24)
        }
    }

    /// Hours of the last 24.
    func lastDay(of name: String) -> [HealthSubject.Hour] {
        (subject.health.hours[name] ?? []).filter { $0.start > now.adding(seconds: -HealthTrend.daySeconds) }
    }

    /// How the mean of the last seven days differs from that of the seven before; nil unless three of each are known.
    static func change(_ days: [(day: LocalDay, value: Double)], until today: LocalDay) -> Double? {
        let boundary = today.start.adding(seconds: -6.5 * HealthTrend.daySeconds)
        let late = days.filter { $0.day.start > boundary }.map(\.value)
        let early = days.filter { $0.day.start <= boundary }.map(\.value)
        guard late.count >= 3, early.count >= 3 else { return nil }
        return late.reduce(0, +) / Double(late.count) - early.reduce(0, +) / Double(early.count)
    }

    /// As people are shown it, or a little finer where rounding would move it to or across a limit.
    func rounded(_ value: Double, of name: String, id: String) -> Double {
        let ends = ["limit", "species", "usual"].flatMap { [self["\(id).\($0)_min"], self["\(id).\($0)_max"]] }
            .compactMap { $0?.value }
        let side = { (value: Double, end: Double) in value < end ? -1 : value > end ? 1 : 0 }
        let decimals = Wording.decimals(of: value, Metric.named(name))
        for more in 0...3 {
            let rounded = Self.rounded(value, decimals: decimals + more)
            if ends.allSatisfy({ side(rounded, $0) == side(value, $0) }) { return rounded }
        }
        return value
    }

    static func rounded(_ value: Double, decimals: Int) -> Double {
        guard abs(value) < 1e12 else { return value }
        var factor = 1.0
        for _ in 0..<decimals { factor *= 10 }
        // Plus zero turns -0 into 0.
        return (value * factor).rounded() / factor + 0
    }

    // MARK: Trends and air

    private mutating func gatherTrends() {
        for trend in HealthTrend.all(subject.health, at: now) {
            // Of light the days tell.
            guard let metric = Metric.named(trend.metric), Self.plantMetrics.contains(metric), metric != .lightLevel,
                let change = trend.change, let hours = trend.changeHours
            else { continue }
            add(
                CareFact(
                    id: "\(metric.name).change_24h", topic: Self.topic(of: metric.name), kind: .computed,
                    metric: metric.name,
                    value: Self.rounded(change, decimals: Wording.decimals(of: change, metric)), unit: metric.unit,
                    hours: Self.rounded(hours, decimals: 0)))
        }
    }

    private mutating func gatherAir() {
        let vpd = DerivedMetric.vpd
        let times = vpd.inputs.compactMap { plant.latest?.values[$0.name]?.time }
        if let value = plant.derived(now: now)[vpd], let time = times.min() {
            add(
                CareFact(
                    id: "\(vpd.name).now", topic: .humidity, kind: .computed, metric: vpd.name,
                    value: Self.rounded(value, decimals: 2), unit: vpd.unit, time: time))
        }
        let humidity = Dictionary(lastDay(of: Metric.humidity.name).map { ($0.start, $0.mean) }) { first, _ in first }
        let values = lastDay(of: Metric.temperature.name).compactMap { hour in
            humidity[hour.start].map { PlantScience.airVPD(temperature: hour.mean, humidity: $0) }
        }
        guard !values.isEmpty else { return }
        let count = Double(values.count)
        add(
            CareFact(
                id: "\(vpd.name).mean_24h", topic: .humidity, kind: .computed, metric: vpd.name,
                value: Self.rounded(values.reduce(0, +) / count, decimals: 2), unit: vpd.unit, hours: count))
    }
}
