import PlantDomain

@testable import PlantPipeline

/// Notices with names that sort, at 2026-11-21T12:00:00Z.
enum Fixture {
    static let start = Timestamp(rfc3339: "2026-11-21T12:00:00Z") ?? .now()

    static func id(_ number: Int) -> EntityID { EntityID(high: 0x0000_0000_0000_7000, low: UInt64(number)) }

    /// - Parameter minutes: from when it began to when this is told.
    static func notice(
        _ event: AlertEvent = .fired, _ kind: AlertKind = .threshold, number: Int = 1, plant: String? = "Fern",
        room: String? = nil, device: String? = nil, metric: String? = "soil_moisture",
        direction: LimitDirection? = .min, severity: AlertSeverity = .warning, value: Double? = 12,
        limit: Double? = 25, detail: String? = nil, resolution: AlertResolution? = nil,
        minutes: Double = 180
    ) -> AlertNotice {
        let isLimit = kind == .threshold
        let time = start.adding(seconds: minutes * 60)
        let subject = AlertSubject(
            kind, plant: plant.map { _ in id(1000 + number) }, device: device.map { _ in id(2000 + number) },
            metric: isLimit || kind == .sensorStuck ? metric : nil, direction: isLimit ? direction : nil)
        let alert = Alert(
            id: id(number), subject: subject, plantName: plant, deviceName: device, severity: severity,
            state: event == .resolved ? .resolved : .firing, value: value, limit: isLimit ? limit : nil,
            detail: detail, startedAt: start, firedAt: start.adding(seconds: 120),
            resolvedAt: event == .resolved ? time : nil, resolution: resolution)
        return AlertNotice(event, at: time, of: alert, room: room)
    }

    static func message(_ notices: [AlertNotice], kind: AlertMessage.Kind = .alerts) -> AlertMessage {
        AlertMessage(id: id(1), kind: kind, createdAt: start, notices: notices)
    }
}
