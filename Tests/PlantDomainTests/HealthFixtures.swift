import PlantDomain

/// A plant put together for a health check. Times are seconds before `now`.
struct Patient {
    var now = Timestamp(seconds: 1_795_269_600)  // 2026-11-21 14:00 UTC
    var name = "Fern"
    var thresholds: Thresholds = ["soil_moisture": Threshold(min: 25, max: 70)]
    /// Value and age.
    var latest: [String: (Double, Double)] = ["soil_moisture": (45, 60)]
    var interval = 600
    var silentFor: Double? = 60
    var battery: (Double, Double)?
    var hasDevice = true
    var change: (inout Device) -> Void = { _ in }
    var alerts: [Alert] = []
    var light: LightSum?
    /// Means of hours by their distance from the hour that is running: 0, -1, …
    var hours: [String: (Int) -> Double?] = [:]

    let device = EntityID(high: 7, low: 1)
    let plant = EntityID(high: 8, low: 1)

    func ago(_ seconds: Double) -> Timestamp { now.adding(seconds: -seconds) }

    func alert(
        _ kind: AlertKind, metric: String? = nil, _ direction: LimitDirection? = nil, state: AlertState = .firing,
        severity: AlertSeverity = .warning, value: Double? = nil, since: Double
    ) -> Alert {
        Alert(
            id: EntityID(high: 9, low: UInt64(since)),
            subject: AlertSubject(kind, plant: plant, device: device, metric: metric, direction: direction),
            deviceName: "Pod", severity: severity, state: state, value: value, startedAt: ago(since))
    }

    var subject: HealthSubject {
        let values = latest.mapValues { LatestTelemetry.Value(value: $0.0, time: ago($0.1)) }
        let known =
            values.isEmpty
            ? nil
            : LatestTelemetry(
                time: values.values.map(\.time).max() ?? now, receivedAt: now, timeSource: .device, values: values)
        var plant = Plant(
            id: plant, name: name, species: nil, room: nil, position: nil, thresholds: thresholds,
            createdAt: ago(1e7), updatedAt: ago(1e7), deviceCount: hasDevice ? 1 : 0, latest: known,
            silenceAllowedSeconds: Device.silenceAllowed(expectedInterval: Double(interval)))
        plant.lightOfYesterday = light
        plant.lightAlert = alerts.first { $0.subject.metric == "light_level" && $0.state == .firing }?.severity
        var device = Device(
            id: device, macAddress: MACAddress("020000000001")!, name: "Pod", firmwareVersion: nil, sensorTypes: [],
            reportingIntervalSeconds: interval, plantID: plant.id, createdAt: ago(1e7),
            lastSeenAt: silentFor.map(ago), announcedOnline: true, battery: battery?.0, rssi: nil)
        change(&device)
        let member = HealthSubject.Member(
            device: device, latest: known, battery: battery.map { LatestTelemetry.Value(value: $0.0, time: ago($0.1)) })
        let running = (now.seconds / 3600).rounded(.down) * 3600
        return HealthSubject(
            plant: plant, members: hasDevice ? [member] : [], alerts: alerts,
            hours: hours.mapValues { mean in
                (-49...0).compactMap { hour in
                    mean(hour).map {
                        let start = Timestamp(seconds: running + Double(hour) * 3600)
                        return HealthSubject.Hour(start: start, mean: $0, min: $0 - 1, max: $0 + 1)
                    }
                }
            }, yesterday: LocalDay.containing(now, in: .utc).previous)
    }

    var check: HealthCheck { HealthCheck(subject, at: now) }

    /// As `warning limit_exceeded soil_moisture`.
    var found: [String] {
        check.issues.map { issue in
            ([issue.severity.rawValue, issue.kind.rawValue] + (issue.metric.map { [$0] } ?? [])).joined(separator: " ")
        }
    }

    func issue(_ kind: HealthIssue.Kind) -> HealthIssue? { check.issues.first { $0.kind == kind } }
    func text(_ kind: HealthIssue.Kind) -> String? { issue(kind)?.text }
}
