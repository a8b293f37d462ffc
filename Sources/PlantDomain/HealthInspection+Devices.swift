extension HealthInspection {
    /// What is wrong with the devices themselves.
    func devices() -> [HealthIssue] {
        subject.members.flatMap { member in [silence(member.device), battery(member)].compactMap { $0 } }
    }

    private func silence(_ device: Device) -> HealthIssue? {
        let name = name(device)
        switch device.status(now: now) {
        case .online: return nil
        case .disabled:
            return HealthIssue(
                kind: .deviceDisabled, severity: .info, text: "\(name) has been shut out; what it sends is refused.")
        case .provisioning where !device.isApproved:
            return HealthIssue(
                kind: .deviceOffline, severity: .warning, text: "\(name) waits to be approved.",
                since: device.requestedAt
            )
        case .provisioning:
            return HealthIssue(
                kind: .deviceOffline, severity: .warning, text: "\(name) has not been heard of yet.",
                since: device.createdAt)
        case .offline:
            let words = device.announcedOnline == false ? "is offline and was last heard of" : "was last heard of"
            return HealthIssue(
                kind: .deviceOffline, severity: .warning,
                text: "\(name) \(words) \(device.lastSeenAt.map(ago) ?? "long ago").", since: device.lastSeenAt)
        }
    }

    private func battery(_ member: HealthSubject.Member) -> HealthIssue? {
        let rule = LimitRule.battery
        let firing = alert(.batteryLow) { $0.device == member.device.id }.flatMap { $0.state == .firing ? $0 : nil }
        // Charged since, for all we know.
        if let value = member.battery?.value, rule.isRecovered(value) { return nil }
        let isLow = member.battery.map { rule.isBeyond($0.value) } ?? false
        guard isLow || firing != nil else { return nil }
        let isCritical = member.battery.map { rule.isCritical($0.value) } ?? false
        let text: String
        if let battery = member.battery {
            let allowed = Device.silenceAllowed(expectedInterval: member.device.expectedIntervalSeconds)
            let age = now.seconds(since: battery.time) > allowed ? ", as it said \(ago(battery.time))" : ""
            let value = Wording.number(battery.value, of: Metric.battery.name, apartFrom: rule.limit)
            text = "The battery of \(name(member.device)) is at \(value)\(age)."
        } else {
            text = "The battery of \(name(member.device)) is low."
        }
        return HealthIssue(
            kind: .batteryLow, metric: Metric.battery.name,
            severity: isCritical || firing?.severity == .critical ? .critical : .warning, text: text,
            value: member.battery?.value, unit: Metric.battery.unit, limit: rule.limit, since: firing?.startedAt)
    }

    /// What the rules of alerts found: it takes days of readings to tell a stuck sensor from a calm room.
    func stuckSensors() -> [HealthIssue] {
        subject.alerts.filter { $0.subject.kind == .sensorStuck && $0.state == .firing }.map { alert in
            let member = subject.members.first { $0.device.id == alert.subject.device }
            let device = member.map { name($0.device) } ?? HealthWords.name(alert.deviceName ?? "", else: "A device")
            let metric = alert.subject.metric ?? ""
            let value = alert.value.map { " (\(Wording.number($0, of: metric)))" } ?? ""
            return HealthIssue(
                kind: .sensorStuck, metric: alert.subject.metric, severity: .init(alert.severity),
                text: "\(device) has said the same \(Wording.metric(metric))\(value) for "
                    + "\(HealthWords.span(now.seconds(since: alert.startedAt))): the sensor may be stuck.",
                value: alert.value, unit: Metric.named(metric)?.unit, since: alert.startedAt)
        }
    }
}
