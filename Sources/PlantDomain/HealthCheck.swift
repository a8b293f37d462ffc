/// How a plant is, in plain words: what is wrong, what soon may be, and where its values are going. It follows from
/// stored values by fixed rules (docs/science.md), so the same values always say the same.
package struct HealthCheck: Sendable, Equatable {
    package let status: PlantStatus
    /// The most important thing, in a sentence or two.
    package let summary: String
    /// The worst first.
    package let issues: [HealthIssue]
    /// Of everything that was measured in the last 24 hours.
    package let trends: [HealthTrend]
    package let checkedAt: Timestamp

    package init(_ subject: HealthSubject, at now: Timestamp) {
        status = subject.plant.status(now: now)
        trends = HealthTrend.all(subject, at: now)
        issues = HealthInspection(subject, now: now).issues()
        summary = Self.summary(subject.plant, status, issues)
        checkedAt = now
    }

    private static func summary(_ plant: Plant, _ status: PlantStatus, _ issues: [HealthIssue]) -> String {
        let name = HealthWords.name(plant.name, else: "The plant")
        let serious = issues.filter { $0.severity != .info }
        let beginning =
            switch status {
            case .critical: "\(name) needs help now."
            case .warning: "\(name) needs attention."
            case .stale: "How \(name) is now is not known."
            case .unknown: "How \(name) is cannot be judged."
            case .ok where serious.isEmpty: "\(name) is fine: all that has limits is within them."
            case .ok: "\(name) is within its limits, but something needs attention."
            }
        var sentences = [beginning]
        if let first = serious.first ?? (status == .unknown ? issues.first : nil) { sentences.append(first.text) }
        switch serious.count - 1 {
        case ..<1: break
        case 1: sentences.append("There is 1 more thing to see to.")
        case let more: sentences.append("There are \(more) more things to see to.")
        }
        return sentences.joined(separator: " ")
    }
}

/// Everything a health check goes by.
package struct HealthSubject: Sendable {
    /// A device that stands in the pot.
    package struct Member: Sendable {
        package let device: Device
        /// What it measured in this pot.
        package let latest: LatestTelemetry?
        /// In %, wherever it was told.
        package let battery: LatestTelemetry.Value?

        package init(device: Device, latest: LatestTelemetry?, battery: LatestTelemetry.Value?) {
            self.device = device
            self.latest = latest
            self.battery = battery
        }
    }

    /// What was measured in an hour.
    package struct Hour: Sendable {
        package let start: Timestamp
        package let mean: Double
        package let min: Double
        package let max: Double

        package init(start: Timestamp, mean: Double, min: Double, max: Double) {
            self.start = start
            self.mean = mean
            self.min = min
            self.max = max
        }
    }

    /// With ``Plant/lightOfYesterday``.
    package let plant: Plant
    package let members: [Member]
    /// Of the plant and its devices, those that are not over.
    package let alerts: [Alert]
    /// Of the last 48 hours, by name of metric, each in the order of time.
    package let hours: [String: [Hour]]
    /// The last completed local day.
    package let yesterday: LocalDay

    package init(
        plant: Plant, members: [Member], alerts: [Alert], hours: [String: [Hour]], yesterday: LocalDay
    ) {
        self.plant = plant
        self.members = members
        self.alerts = alerts
        self.hours = hours
        self.yesterday = yesterday
    }
}

/// Something about a plant that is wrong, or worth knowing.
package struct HealthIssue: Sendable, Equatable {
    /// Of issues that are equally bad, the first here comes first.
    package enum Kind: String, CaseIterable, Sendable {
        /// A fresh value is beyond its limit.
        case limitExceeded = "limit_exceeded"
        /// The light of yesterday, or of the days before it, is beyond its limit.
        case lightOfDay = "light_of_day"
        case noDevice = "no_device"
        case deviceOffline = "device_offline"
        case staleData = "stale_data"
        /// Has a limit and was never measured.
        case missingData = "missing_data"
        case batteryLow = "battery_low"
        case sensorStuck = "sensor_stuck"
        /// At this pace soil moisture falls below its limit soon.
        case drying
        case limitNear = "limit_near"
        case lightUnknown = "light_unknown"
        case airTooHumid = "air_too_humid"
        case airTooDry = "air_too_dry"
        case deviceDisabled = "device_disabled"
        case noLimits = "no_limits"
    }

    package enum Severity: String, CaseIterable, Sendable {
        case critical, warning, info

        init(_ severity: AlertSeverity) { self = severity == .critical ? .critical : .warning }
    }

    package let kind: Kind
    /// Of a metric, an extra one, or a ``DerivedMetric``.
    package var metric: String?
    package let severity: Severity
    /// Whole sentences.
    package let text: String
    package var value: Double?
    /// Of value and limit.
    package var unit: String?
    package var limit: Double?
    package var since: Timestamp?
}

/// How people are told of spans and amounts.
enum HealthWords {
    /// On one line and bounded.
    static func name(_ name: String, else fallback: String) -> String {
        let line = Wording.cut(Wording.oneLine(name), to: Wording.longestName)
        return line.isEmpty ? fallback : line
    }

    /// `Soil moisture`, to begin a sentence with.
    static func metric(_ name: String) -> String {
        let words = Wording.metric(name)
        return words.prefix(1).uppercased() + words.dropFirst()
    }

    /// A difference: `3 points` of what is in percent, otherwise with the unit. Never a zero that is none.
    static func difference(_ value: Double, of name: String) -> String {
        let value = abs(value)
        let text = Wording.number(value, of: name, apartFrom: value == 0 ? nil : 0)
        guard let unit = Metric.named(name)?.unit, unit.hasPrefix("%") else { return text }
        let number = text.dropLast(unit.count + 1)
        return number == "1" ? "1 point" : "\(number) points"
    }

    /// `3 hours`, to the nearest unit that people would say.
    static func span(_ seconds: Double) -> String {
        switch seconds {
        case ..<45: "a moment"
        case ..<90: "a minute"
        case ..<5400: "\(Int((seconds / 60).rounded())) minutes"
        case ..<129_600: "\(Int((seconds / 3600).rounded())) hours"
        // The cap keeps Int from trapping.
        default: "\(Int((min(seconds, 1e13) / 86_400).rounded())) days"
        }
    }
}
