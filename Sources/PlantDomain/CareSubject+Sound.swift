extension CareSubject {
    /// Without what no sensor could have said, what has no proper name, what was not yet or is too long ago.
    func sound(at now: Timestamp) -> CareSubject {
        let today = LocalDay.containing(now, in: zone)
        // Half a day of room: days are 23 or 25 hours long at times.
        let first = today.start.adding(seconds: -13.5 * HealthTrend.daySeconds)
        let yesterday = today.previous
        var plant = health.plant
        let values = (plant.latest?.values ?? [:]).filter { Self.isSound($0.value.value, of: $0.key) }
        plant.latest?.values = values
        plant.thresholds = plant.thresholds.filter { Self.isName($0.key) }.mapValues {
            Threshold(min: $0.min.flatMap(Self.limit), max: $0.max.flatMap(Self.limit))
        }
        plant.thresholds = plant.thresholds.filter { $0.value.isLimited }
        if let light = plant.lightOfYesterday, !light.isSound { plant.lightOfYesterday = nil }
        let hours = health.hours.mapValues { hours in hours.filter { $0.start <= now } }
            .map { name, hours in
                (name, hours.filter { [$0.mean, $0.min, $0.max].allSatisfy { Self.isSound($0, of: name) } })
            }.filter { !$0.1.isEmpty }
        let days = days.map { name, days in
            (
                name,
                days.filter { day in
                    [day.mean, day.min, day.max].allSatisfy { Self.isSound($0, of: name) } && day.hours > 0
                        && day.hours <= 26 && day.day.start >= first && day.day.start <= now
                }.sorted { $0.day.start < $1.day.start }
            )
        }.filter { !$0.1.isEmpty }
        let alerts = health.alerts.map { alert in
            var alert = alert
            alert.value = alert.value.flatMap { $0.isFinite ? $0 : nil }
            return alert
        }
        let members = health.members.map { member in
            HealthSubject.Member(
                device: member.device, latest: member.latest,
                battery: member.battery.flatMap { Self.isSound($0.value, of: Metric.battery.name) ? $0 : nil })
        }
        let health = HealthSubject(
            plant: plant, members: members, alerts: alerts,
            hours: Dictionary(hours) { first, _ in first }, yesterday: health.yesterday)
        return CareSubject(
            health: health, species: species, zone: zone, days: Dictionary(days) { first, _ in first },
            light: light.filter { $0.light.isSound && $0.day.start <= yesterday.start }
                .sorted { $0.day.start < $1.day.start }.suffix(14).map { $0 },
            waterings: waterings.filter { $0 <= now && now.seconds(since: $0) <= Self.wateringDays * 86_400 }.sorted(),
            feedback: feedback, drying: drying)
    }

    /// How far back waterings count, in days.
    static let wateringDays = 60.0

    private static func isName(_ name: String) -> Bool {
        Metric.named(name) != nil || ExtraMetric.isValidName(name) && DerivedMetric.named(name) == nil
    }

    private static func isSound(_ value: Double, of name: String) -> Bool {
        guard isName(name), value.isFinite else { return false }
        // Means of values at the end of a range may be a hair beyond it.
        guard let range = Metric.named(name)?.range else { return abs(value) <= ExtraMetric.largest }
        return value >= range.lowerBound - 1e-6 && value <= range.upperBound + 1e-6
    }

    private static func limit(_ value: Double) -> Double? {
        value.isFinite && abs(value) <= ExtraMetric.largest ? value : nil
    }
}

extension LightSum {
    fileprivate var isSound: Bool {
        luxHours >= 0 && luxHours <= Metric.lightLevel.range.upperBound * 26 && (0...1).contains(coverage)
    }
}
