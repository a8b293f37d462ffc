extension CareGathering {
    /// So few points of a straight line from hours or days say nothing.
    private static let leastDays = 3
    /// Hours of a day that must be known for its mean to count.
    private static let leastHours = 12.0
    /// A straight line is not drawn on for longer, in days: soil dries slower and slower.
    private static let paceHorizon = 14.0
    /// Devices in a pot that differ by more disagree, in points.
    private static let mostDifference = 10.0
    /// The longest cycle from one watering to the next that is told, in days.
    private static let longestCycle = 60.0
    /// Gaps between waterings that count, the newest: in winter plants drink less than in summer.
    private static let countedGaps = 8

    private var name: String { Metric.soilMoisture.name }
    private var current: CareFact? { self["\(name).now"] }
    /// Of a limit that is not gone by, the outlook says nothing.
    private var drying: CareDrying? {
        subject.drying.flatMap { $0.minimum == limits(of: name).min?.value ? $0 : nil }
    }

    mutating func gatherWatering() {
        gatherEvents()
        let limits = limits(of: name)
        if let target = limits.target {
            add(
                CareFact(
                    id: "watering.target", topic: .watering, kind: .computed, metric: name,
                    value: Self.rounded(target, decimals: 1), unit: Metric.soilMoisture.unit))
        }
        gatherPace(limits)
        gatherCycle(limits)
        gatherDriest(limits)
        gatherSuspicion(limits)
        gatherNext(limits)
    }

    // MARK: Waterings

    /// Two waterings on a day are one.
    private var wateringDays: [(day: LocalDayText, last: Timestamp)] {
        var days: [(day: LocalDayText, last: Timestamp)] = []
        for time in subject.waterings {
            let day = LocalDayText(LocalDay.containing(time, in: zone))
            if days.last?.day == day { days.removeLast() }
            days.append((day, time))
        }
        return days
    }

    private mutating func gatherEvents() {
        let days = wateringDays
        guard let last = days.last else { return }
        // The day is what counts.
        add(CareFact(id: "watering.last", topic: .watering, kind: .event, text: last.day.text, time: last.last))
        add(
            CareFact(
                id: "watering.count_60d", topic: .watering, kind: .computed, value: Double(days.count),
                hours: CareSubject.wateringDays * 24))
        let gaps = zip(days, days.dropFirst()).map { Double($1.day.days(since: $0.day)) }.suffix(Self.countedGaps)
        if gaps.count == 1 {
            add(
                CareFact(
                    id: "watering.gap", topic: .watering, kind: .computed, value: gaps[gaps.startIndex], unit: "days"))
        }
        guard gaps.count >= 2, let median = TheilSen.median(Array(gaps)) else { return }
        add(
            CareFact(
                id: "watering.interval", topic: .watering, kind: .computed, value: median, unit: "days",
                hours: gaps.reduce(0, +) * 24))
    }

    // MARK: Drying

    private mutating func gatherPace(_ limits: CareLimits) {
        guard let pace = paceOfDays() ?? paceOfHours() else { return }
        let value = Self.rounded(pace.perDay, decimals: pace.perDay < 1 ? 2 : 1)
        guard value > 0 else { return }
        // Of its last point: it says nothing of what came after.
        let end = Swift.min(pace.end, now)
        add(
            CareFact(
                id: "\(name).drying", topic: .watering, kind: .computed, metric: name, value: value,
                unit: "points a day", time: end, hours: Self.rounded(pace.hours, decimals: 0)))
        // What the outlook does not foretell, a straight line knows no better.
        guard subject.drying == nil, let min = limits.min?.value, let current, let now = current.value,
            let time = current.time, now >= min, (now - min) / value <= Self.paceHorizon
        else { return }
        let seconds = (now - min) / value * HealthTrend.daySeconds
        addReaching(time.adding(seconds: seconds))
    }

    /// How long from one watering to the next: along the curve, else along the straight line.
    private mutating func gatherCycle(_ limits: CareLimits) {
        let pace = self["\(name).drying"]
        var hours = pace?.hours
        guard let min = limits.min?.value, let target = limits.target else { return }
        var days = pace?.value.map { (target - min) / $0 }
        if let drying, let curve = drying.days(from: target, to: min), let timeConstant = drying.timeConstant {
            let constant = Self.rounded(timeConstant / HealthTrend.daySeconds, decimals: 1)
            guard curve <= Self.longestCycle, constant > 0 else { return }
            (days, hours) = (curve, nil)
            add(
                CareFact(
                    id: "\(name).time_constant", topic: .watering, kind: .computed, metric: name, value: constant,
                    unit: "days"))
        }
        guard let days, days <= Self.longestCycle else { return }
        add(
            CareFact(
                id: "watering.cycle", topic: .watering, kind: .computed, value: Swift.max(1, days.rounded()),
                unit: "days", hours: hours))
    }

    /// Where one of several devices finds the soil too dry, and what is shown of the pot is another's value.
    private mutating func gatherDriest(_ limits: CareLimits) {
        let fresh = subject.health.members.compactMap { member -> (name: String, value: LatestTelemetry.Value)? in
            guard let value = member.latest?.values[name], Metric.soilMoisture.range.contains(value.value),
                now.seconds(since: value.time)
                    <= Device.silenceAllowed(expectedInterval: member.device.expectedIntervalSeconds)
            else { return nil }
            return (HealthWords.name(member.device.name, else: "A device"), value)
        }
        let driest = fresh.min { ($0.value.value, $0.name) < ($1.value.value, $1.name) }
        let wettest = fresh.max { ($0.value.value, $1.name) < ($1.value.value, $0.name) }
        if let driest, let wettest, wettest.value.value - driest.value.value > Self.mostDifference {
            for (id, one) in [("driest", driest), ("wettest", wettest)] { addDevice(id, one.name, one.value) }
        }
        guard self["\(name).driest"] == nil, drying?.reason == .alreadyDry, let value = drying?.value,
            Metric.soilMoisture.range.contains(value.value), let min = limits.min?.value, value.value < min,
            current?.value.map({ $0 >= min }) ?? true
        else { return }
        addDevice("driest", nil, value)
    }

    private mutating func addDevice(_ id: String, _ device: String?, _ value: LatestTelemetry.Value) {
        add(
            CareFact(
                id: "\(name).\(id)", topic: .watering, kind: .measured, metric: name,
                value: rounded(value.value, of: name, id: name), text: device, unit: Metric.soilMoisture.unit,
                time: value.time))
    }

    private mutating func addReaching(_ time: Timestamp) {
        add(
            CareFact(
                id: "\(name).reaches_min_at", topic: .watering, kind: .computed, metric: name,
                time: Swift.max(time, now).wholeMinute))
    }

    /// From the means of the completed days since the last watering, in points per day: night and day cancel.
    private func paceOfDays() -> (perDay: Double, hours: Double, end: Timestamp)? {
        var days = (subject.days[name] ?? []).filter { $0.hours >= Self.leastHours && $0.day != today }
        if let watered = subject.waterings.last { days.removeAll { $0.day.start <= watered } }
        // The day on which it rose is half a dry one.
        let rise = days.indices.dropFirst().last { days[$0].mean - days[$0 - 1].mean >= DryingForecast.watering }
        if let rise { days.removeFirst(rise + 1) }
        guard days.count >= Self.leastDays, let first = days.first?.day, let last = days.last?.day else { return nil }
        let points = days.map { (x: $0.day.start.seconds(since: first.start) / HealthTrend.daySeconds, y: $0.mean) }
        return pace(points, hours: last.end.seconds(since: first.start) / 3600, end: last.end)
    }

    /// From the hours since the last watering.
    private func paceOfHours() -> (perDay: Double, hours: Double, end: Timestamp)? {
        var hours = subject.health.hours[name] ?? []
        if let watered = subject.waterings.last { hours.removeAll { $0.start <= watered } }
        let rise = hours.indices.dropFirst().last { hours[$0].mean - hours[$0 - 1].mean >= DryingForecast.watering }
        if let rise { hours.removeFirst(rise) }
        guard hours.count >= 2 * DryingForecast.leastPoints, let first = hours.first?.start else { return nil }
        let points = hours.map { hour -> (x: Double, y: Double) in
            let point = hour.point(since: first, at: now)
            return (point.x / 24, point.y)
        }
        let span = ((points.last?.x ?? 0) - (points.first?.x ?? 0)) * 24
        return pace(points, hours: span, end: (hours.last?.start ?? now).adding(seconds: 3600))
    }

    /// nil when it does not dry, or not fast enough to be told from noise.
    private func pace(
        _ points: [(x: Double, y: Double)], hours: Double, end: Timestamp
    ) -> (perDay: Double, hours: Double, end: Timestamp)? {
        let span = (points.last?.x ?? 0) - (points.first?.x ?? 0)
        guard let slope = TheilSen.slope(points), slope * span < -2 * Metric.soilMoisture.noiseFloor else { return nil }
        return (-slope, hours, end)
    }

    // MARK: Sensors that are not to be believed

    private mutating func gatherSuspicion(_ limits: CareLimits) {
        let leastHours = 6.0
        let text: String? =
            if let most = self["\(name).max_24h"], most.hours ?? 0 >= leastHours, most.value ?? 100 <= 2 {
                "stays_at_0"
            } else if let least = self["\(name).min_24h"], least.hours ?? 0 >= leastHours, least.value ?? 0 >= 98 {
                "stays_at_100"
            } else if let most = self["\(name).max_14d"]?.value, let min = limits.min?.value, most < min,
                wateringDays.filter({ now.seconds(since: $0.last) < 13 * HealthTrend.daySeconds }).count >= 2
            {
                "stays_below_minimum"
            } else {
                nil
            }
        guard let text else { return }
        add(CareFact(id: "\(name).suspect", topic: .watering, kind: .state, metric: name, text: text))
    }

    // MARK: When to water next

    /// Text says by what: `below_minimum`, `forecast`, `pace` or `interval`.
    private mutating func gatherNext(_ limits: CareLimits) {
        if let drying {
            if let time = drying.reachesMinimumAt {
                addReaching(time)
            } else if drying.reason == .alreadyDry {
                addReaching(now)
            }
        }
        let dryness = [current, self["\(name).driest"]].compactMap { $0?.value }.min()
        let isBelow = dryness.flatMap { value in limits.min?.value.map { value < $0 } } ?? false
        // A probe that is not to be believed is not gone by.
        let isSuspect = self["\(name).suspect"] != nil
        if isBelow, !isSuspect { return addNext(now, "below_minimum") }
        if let time = self["\(name).reaches_min_at"]?.time, !isSuspect {
            return addNext(time, drying == nil ? "pace" : "forecast")
        }
        guard let last = self["watering.last"]?.text.flatMap({ LocalDayText($0) }),
            let interval = self["watering.interval"]?.value,
            let day = last.adding(days: Int(interval.rounded())).flatMap({ LocalDay($0.text, in: zone) })
        else { return }
        if day.start > today.start { return addNext(day.start, "interval") }
        // Habit says today or before; moist soil says not yet, and nothing says when.
        let isMoist = current != nil && limits.min != nil && !isSuspect
        guard !isMoist else { return }
        if day.start < today.start {
            add(
                CareFact(
                    id: "watering.due", topic: .watering, kind: .computed, text: "interval", time: day.start))
        }
        addNext(now, "interval")
    }

    private mutating func addNext(_ time: Timestamp, _ basis: String) {
        guard time.seconds(since: now) <= Double(CareAdvice.longestAhead) * HealthTrend.daySeconds else { return }
        add(CareFact(id: "watering.next", topic: .watering, kind: .computed, text: basis, time: Swift.max(time, now)))
    }
}

extension Timestamp {
    /// Rounded down.
    fileprivate var wholeMinute: Timestamp {
        let rest = microseconds % 60_000_000
        return adding(microseconds: rest < 0 ? -rest - 60_000_000 : -rest)
    }
}
