extension CareGathering {
    /// More hours of a lamp than this are no longer a day: plants want nights.
    static let longestLampDay = 16.0
    /// An hour counts as lit from this part of the brightest one on.
    private static let litPart = 0.5

    private var name: String { Metric.lightLevel.name }
    private var dli: DerivedMetric { .dli }

    mutating func gatherLight() {
        gatherYesterday()
        gatherFourteenDays()
        gatherTargets()
        gatherNeed()
    }

    /// In lx over twelve hours, as limits mean it.
    private func level(_ value: Double) -> Double { rounded(value, of: name, id: name) }

    private mutating func gatherYesterday() {
        let day = today.previous
        let light = subject.light.last { $0.day == day }?.light ?? plant.lightOfYesterday
        guard let light else { return }
        let hours = Self.rounded(light.coverage * day.length / 3600, decimals: 0)
        guard let level = light.level else {
            guard light.coverage >= 0.005 else { return }
            add(
                CareFact(
                    id: "light.yesterday_known", topic: .light, kind: .computed, metric: name,
                    value: Self.rounded(light.coverage * 100, decimals: 0), unit: "%", time: day.start))
            return
        }
        add(
            CareFact(
                id: "light.yesterday", topic: .light, kind: .computed, metric: name, value: self.level(level),
                unit: Metric.lightLevel.unit, time: day.start, hours: hours))
        addDLI("light.dli_yesterday", light.dailyLightIntegral(of: plant.lightSource), .computed, day.start, hours)
    }

    private mutating func addDLI(
        _ id: String, _ value: Double?, _ kind: CareFact.Kind, _ time: Timestamp?, _ hours: Double?
    ) {
        guard let value, value.isFinite, value < 1e6 else { return }
        add(
            CareFact(
                id: id, topic: .light, kind: kind, metric: dli.name, value: dli.rounded(value), unit: dli.unit,
                time: time, hours: hours))
    }

    private mutating func gatherFourteenDays() {
        let days = subject.light.filter { $0.day.start > today.start.adding(seconds: -14.5 * HealthTrend.daySeconds) }
            .compactMap { day in day.light.level.map { (day: day.day, value: $0) } }
        guard !days.isEmpty else { return }
        let count = Double(days.count)
        let mean = days.map(\.value).reduce(0, +) / count
        add(
            CareFact(
                id: "light.mean_14d", topic: .light, kind: .computed, metric: name, value: level(mean),
                unit: Metric.lightLevel.unit, hours: count * 24))
        add(CareFact(id: "light.days_14d", topic: .light, kind: .computed, value: count, unit: "days"))
        addDLI("light.dli_14d", integral(mean), .computed, nil, count * 24)
        guard let change = Self.change(days, until: today.previous) else { return }
        add(
            CareFact(
                id: "light.change_14d", topic: .light, kind: .computed, metric: name,
                value: Self.rounded(change, decimals: 0), unit: Metric.lightLevel.unit, hours: 14 * 24))
    }

    /// Of lx over twelve hours.
    private func integral(_ level: Double) -> Double {
        PlantScience.dailyLightIntegral(
            luxHours: level * LightSum.hoursOfDay, ppfdPerLux: plant.lightSource.ppfdPerLux)
    }

    /// The limits as daily light integrals, by the light there is.
    private mutating func gatherTargets() {
        let limits = limits(of: name)
        for (end, limit) in [("min", limits.min), ("max", limits.max)] {
            guard let limit, let value = limit.value, value >= 0 else { continue }
            addDLI("light.dli_\(end)", integral(value), limit.kind, nil, nil)
        }
    }

    /// How much light is missing, and how much longer a lamp would have to burn to make up for it.
    private mutating func gatherNeed() {
        guard let base = self["light.mean_14d"] ?? self["light.yesterday"], let level = base.value,
            let minimum = limits(of: name).min?.value, level < minimum
        else { return }
        if level > 0, minimum / level < 1000 {
            add(
                CareFact(
                    id: "light.needed_factor", topic: .light, kind: .computed,
                    value: Self.rounded(minimum / level, decimals: 1)))
        }
        guard plant.lightSource != .sun else { return }
        let hours = lastDay(of: name)
        guard hours.count >= 18, let brightest = hours.map(\.mean).max(), brightest > 0 else { return }
        let ppfd = brightest * plant.lightSource.ppfdPerLux
        let lit = Double(hours.filter { $0.mean >= Self.litPart * brightest }.count)
        guard let more = PlantScience.lampHours(deficit: integral(minimum) - integral(level), ppfd: ppfd) else {
            return
        }
        add(
            CareFact(
                id: "light.lamp_ppfd", topic: .light, kind: .computed, metric: DerivedMetric.ppfd.name,
                value: DerivedMetric.ppfd.rounded(ppfd), unit: DerivedMetric.ppfd.unit, hours: Double(hours.count)))
        add(
            CareFact(
                id: "light.lamp_lit_24h", topic: .light, kind: .computed, value: lit, unit: "h",
                hours: Double(hours.count)))
        add(
            CareFact(
                id: "light.lamp_more", topic: .light, kind: .computed,
                value: Self.rounded(min(more, 1000), decimals: 1),
                unit: "h"))
    }
}
