/// Looks for everything about a plant that is wrong or worth knowing.
struct HealthInspection {
    /// In kPa. Within them most house plants do well; beyond, leaves lose water faster than roots bring it, or hardly
    /// any (docs/science.md).
    static let comfortableVPD = 0.4...1.6
    /// A value this close to its limit is said to be, in percent as hysteresis is counted.
    static let nearPercent = 10.0

    let subject: HealthSubject
    let now: Timestamp

    var plant: Plant { subject.plant }

    init(_ subject: HealthSubject, now: Timestamp) {
        self.subject = subject
        self.now = now
    }

    /// The worst first; of equal ones in the order of their kinds, then of their metrics.
    func issues() -> [HealthIssue] {
        let found = presence() + limits() + light() + devices() + stuckSensors() + air()
        let rank = { (issue: HealthIssue) in
            (
                HealthIssue.Severity.allCases.firstIndex(of: issue.severity) ?? 0,
                HealthIssue.Kind.allCases.firstIndex(of: issue.kind) ?? 0, issue.metric ?? "", issue.text
            )
        }
        return found.sorted { rank($0) < rank($1) }
    }

    // MARK: Whether there is anything to go by

    private func presence() -> [HealthIssue] {
        var issues: [HealthIssue] = []
        if subject.members.isEmpty {
            issues.append(
                HealthIssue(
                    kind: .noDevice, severity: .warning,
                    text: "No device stands in this pot, so nothing is measured."))
        }
        if !plant.thresholds.values.contains(where: \.isLimited) {
            issues.append(
                HealthIssue(
                    kind: .noLimits, severity: .info,
                    text: "No limits are set for this plant, so nothing can be too high or too low."))
        }
        return issues
    }

    // MARK: Limits

    private func limits() -> [HealthIssue] {
        plant.thresholds.filter { $0.value.isLimited }.flatMap { name, threshold -> [HealthIssue] in
            guard let known = plant.latest?.values[name], !known.value.isNaN else { return missing(name) }
            guard plant.fresh(name, at: now) != nil else { return [stale(name, known)] }
            // Light is judged by the day.
            if name == Metric.lightLevel.name { return [] }
            let key = MetricKey(name)
            let rules = LimitDirection.allCases.compactMap {
                LimitRule($0, of: threshold, metric: key.metric, hysteresisPercent: Self.nearPercent)
            }
            let issues = rules.compactMap { judge(known.value, of: name, by: $0) }
            return issues + (name == Metric.soilMoisture.name ? drying(known.value, threshold) : [])
        }
    }

    private func judge(_ value: Double, of name: String, by rule: LimitRule) -> HealthIssue? {
        let alert = alert(.threshold) { $0.metric == name && $0.direction == rule.direction }
        let (side, end) = rule.direction == .min ? ("below", "minimum") : ("above", "maximum")
        let beginning = "\(HealthWords.metric(name)) is \(Wording.number(value, of: name, apartFrom: rule.limit))"
        let limit = "its \(end) of \(Wording.number(rule.limit, of: name, apartFrom: value))"
        if rule.isBeyond(value) {
            let lasting = alert.map { ", for \(HealthWords.span(now.seconds(since: $0.startedAt)))" } ?? ""
            return HealthIssue(
                kind: .limitExceeded, metric: name, severity: rule.isCritical(value) ? .critical : .warning,
                text: beginning
                    + ", \(HealthWords.difference(value - rule.limit, of: name)) \(side) \(limit)\(lasting).",
                value: value, unit: Metric.named(name)?.unit, limit: rule.limit, since: alert?.startedAt)
        }
        let firing = alert?.state == .firing ? alert : nil
        guard !rule.isRecovered(value) || firing != nil else { return nil }
        let open = firing.map { " The alert of \(ago($0.startedAt)) is not over yet." } ?? ""
        return HealthIssue(
            kind: .limitNear, metric: name, severity: .info,
            text: beginning + (rule.isRecovered(value) ? ", well within \(limit)." : ", close to \(limit).") + open,
            value: value, unit: Metric.named(name)?.unit, limit: rule.limit, since: firing?.startedAt)
    }

    private func drying(_ value: Double, _ threshold: Threshold) -> [HealthIssue] {
        let name = Metric.soilMoisture.name
        guard let minimum = threshold.min,
            let forecast = DryingForecast(subject.hours[name] ?? [], newest: value, minimum: minimum, at: now)
        else { return [] }
        let pace = Wording.rounded(forecast.pace, decimals: forecast.pace < 0.1 ? 2 : 1)
        return [
            HealthIssue(
                kind: .drying, metric: name, severity: .info,
                text:
                    "Soil moisture falls by about \(pace) \(pace == "1" ? "point" : "points") an hour. Should it go on like this, it reaches its "
                    + "minimum of \(Wording.number(minimum, of: name)) in about "
                    + "\(HealthWords.span(max(60, forecast.hours * 3600))); this is an estimate.",
                value: value, unit: Metric.soilMoisture.unit, limit: minimum)
        ]
    }

    private func missing(_ name: String) -> [HealthIssue] {
        // Without a device that goes without saying.
        guard !subject.members.isEmpty else { return [] }
        return [
            HealthIssue(
                kind: .missingData, metric: name, severity: .info,
                text: "\(HealthWords.metric(name)) has limits, but no device in this pot has measured it yet.",
                unit: Metric.named(name)?.unit)
        ]
    }

    private func stale(_ name: String, _ known: LatestTelemetry.Value) -> HealthIssue {
        let source = subject.members.first { $0.latest?.values[name]?.time == known.time }
        let by = source.map { " by \(self.name($0.device))" } ?? ""
        let isFiring = alert(.threshold) { $0.metric == name }?.state == .firing
        let open = isFiring ? " Its alert stays open until it is measured again." : ""
        return HealthIssue(
            kind: .staleData, metric: name, severity: .warning,
            text: "\(HealthWords.metric(name)) was last measured \(ago(known.time))\(by), as "
                + "\(Wording.number(known.value, of: name)); what it is now is not known.\(open)",
            value: known.value, unit: Metric.named(name)?.unit, since: known.time)
    }

    // MARK: Light

    private func light() -> [HealthIssue] {
        let name = Metric.lightLevel.name
        guard let threshold = plant.thresholds[name], threshold.isLimited, plant.latest?.values[name] != nil
        else { return [] }
        guard let level = plant.lightOfYesterday?.level else { return [unknownLight()] }
        return LimitDirection.allCases.compactMap { direction in
            LimitRule(direction, of: threshold, metric: .lightLevel, hysteresisPercent: 0).flatMap {
                judgeLight(level, by: $0)
            }
        }
    }

    private func judgeLight(_ level: Double, by rule: LimitRule) -> HealthIssue? {
        let name = Metric.lightLevel.name
        let firing = alert(.threshold) { $0.metric == name && $0.direction == rule.direction }
            .flatMap { $0.state == .firing ? $0 : nil }
        let isBeyond = rule.isBeyond(level)
        guard isBeyond || firing != nil else { return nil }
        let (side, end) = rule.direction == .min ? ("below", "minimum") : ("above", "maximum")
        let limit = "the \(end) of \(Wording.number(rule.limit, of: name, apartFrom: level))"
        let yesterday =
            "Yesterday's light was \(Wording.number(level, of: name, apartFrom: rule.limit)) spread over 12 hours"
        let text =
            switch (firing, isBeyond) {
            case (let alert?, true):
                "\(yesterday), \(side) \(limit). It has been so for \(HealthWords.span(now.seconds(since: alert.startedAt)))."
            case (_?, false):
                "\(yesterday), which is enough after days \(side) \(limit). Two such days in a row end the alert."
            case (nil, _): "\(yesterday), \(side) \(limit). One such day alone is no alert."
            }
        return HealthIssue(
            kind: .lightOfDay, metric: name, severity: firing.map { .init($0.severity) } ?? .info, text: text,
            value: level, unit: Metric.lightLevel.unit, limit: rule.limit,
            since: firing?.startedAt ?? subject.yesterday.start)
    }

    private func unknownLight() -> HealthIssue {
        let percent = Wording.rounded((plant.lightOfYesterday?.coverage ?? 0) * 100, decimals: 0)
        let firing = alert(.threshold) { $0.metric == Metric.lightLevel.name }
            .flatMap { $0.state == .firing ? $0 : nil }
        let open = firing.map { " The alert of \(ago($0.startedAt)) stays open." } ?? ""
        return HealthIssue(
            kind: .lightUnknown, metric: Metric.lightLevel.name, severity: firing.map { .init($0.severity) } ?? .info,
            text: "Light was measured for \(percent) % of yesterday, too little to judge that day by.\(open)",
            since: firing?.startedAt)
    }

    // MARK: Air

    private func air() -> [HealthIssue] {
        guard let vpd = plant.derived(now: now)[.vpd], !Self.comfortableVPD.contains(vpd) else { return [] }
        let isDry = vpd > Self.comfortableVPD.upperBound
        let limit = isDry ? Self.comfortableVPD.upperBound : Self.comfortableVPD.lowerBound
        let value = Wording.rounded(vpd, decimals: 3)
        let text =
            isDry
            ? "The air is dry for its temperature: its vapour pressure deficit is \(value) kPa, above \(limit) kPa, so "
                + "leaves lose water fast."
            : "The air is humid for its temperature: its vapour pressure deficit is \(value) kPa, below \(limit) kPa, "
                + "so leaves dry slowly and mould likes it."
        return [
            HealthIssue(
                kind: isDry ? .airTooDry : .airTooHumid, metric: DerivedMetric.vpd.name, severity: .info, text: text,
                value: vpd, unit: DerivedMetric.vpd.unit, limit: limit)
        ]
    }

    // MARK: Parts

    /// The open alert of a kind that fits.
    func alert(_ kind: AlertKind, _ fits: (AlertSubject) -> Bool) -> Alert? {
        subject.alerts.first { $0.subject.kind == kind && $0.state != .resolved && fits($0.subject) }
    }

    func name(_ device: Device) -> String { HealthWords.name(device.name, else: "A device") }
    func ago(_ time: Timestamp) -> String { HealthWords.span(now.seconds(since: time)) + " ago" }
}
