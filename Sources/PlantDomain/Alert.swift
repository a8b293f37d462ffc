/// How bad it is. `critical` is told at any hour.
package enum AlertSeverity: String, Sendable, CaseIterable, Comparable, Codable {
    case warning, critical

    package static func < (left: AlertSeverity, right: AlertSeverity) -> Bool {
        left == .warning && right == .critical
    }
}

package enum AlertKind: String, Sendable, CaseIterable, Codable {
    /// A metric of a plant is beyond one of its limits.
    case threshold
    /// A device has been silent for longer than it may.
    case deviceOffline = "device_offline"
    case batteryLow = "battery_low"
    /// A sensor says the same for far longer than it ever did.
    case sensorStuck = "sensor_stuck"
    case certificateExpiring = "certificate_expiring"
    case diskFilling = "disk_filling"
    /// Readings are not being taken in, or not stored.
    case ingestStalled = "ingest_stalled"
    /// Many messages of late could not be stored.
    case deadLetters = "dead_letters"
}

/// Which end of the limits.
package enum LimitDirection: String, Sendable, CaseIterable, Codable {
    case min, max
}

package enum AlertState: String, Sendable, CaseIterable, Codable {
    /// Seen, but not yet for as long as it takes.
    case pending
    case firing
    case resolved
}

/// Why an alert is over.
package enum AlertResolution: String, Sendable, CaseIterable, Codable {
    /// It is as it should be again.
    case recovered
    /// The limit it was judged by is gone.
    case limitRemoved = "limit_removed"
    /// The device that told of it was taken out of the plant, disabled or deleted.
    case deviceRemoved = "device_removed"
    case plantDeleted = "plant_deleted"
}

/// What an alert is about. Of each there is at most one open alert.
package struct AlertSubject: Hashable, Sendable {
    package let kind: AlertKind
    package var plant: EntityID?
    package var device: EntityID?
    /// Name of the metric.
    package var metric: String?
    package var direction: LimitDirection?
    /// Of several machines or backends, the one that found it; part of the key alone.
    package var instance: String?

    package init(
        _ kind: AlertKind, plant: EntityID? = nil, device: EntityID? = nil, metric: String? = nil,
        direction: LimitDirection? = nil, instance: String? = nil
    ) {
        self.kind = kind
        self.plant = plant
        self.device = device
        self.metric = metric
        self.direction = direction
        self.instance = instance
    }

    /// Names it in the database. A plant's limit is the plant's, whichever of its devices told of it.
    package var key: String {
        switch kind {
        case .threshold: "threshold:\(id(plant)):\(metric ?? ""):\(direction?.rawValue ?? "")"
        case .deviceOffline, .batteryLow: "\(kind.rawValue):\(id(device))"
        case .sensorStuck: "\(kind.rawValue):\(id(device)):\(metric ?? "")"
        case .certificateExpiring, .diskFilling, .ingestStalled, .deadLetters:
            instance.map { "\(kind.rawValue):\($0)" } ?? kind.rawValue
        }
    }

    private func id(_ id: EntityID?) -> String { id?.description ?? "" }
}

/// A condition with a life: pending, firing, resolved.
package struct Alert: Sendable, Equatable {
    package let id: EntityID
    package let subject: AlertSubject
    package var plantName: String?
    package var deviceName: String?
    package var severity: AlertSeverity
    package var state: AlertState
    /// In the metric's unit, as it was judged last: when it began, fired, grew worse or was resolved.
    package var value: Double?
    package var limit: Double?
    /// What a number does not say, for alerts of the system.
    package var detail: String?
    package var startedAt: Timestamp
    package var firedAt: Timestamp?
    package var resolvedAt: Timestamp?
    package var resolution: AlertResolution?
    package var acknowledgedAt: Timestamp?
    package var acknowledgedBy: String?

    package init(
        id: EntityID, subject: AlertSubject, plantName: String? = nil, deviceName: String? = nil,
        severity: AlertSeverity, state: AlertState, value: Double? = nil, limit: Double? = nil, detail: String? = nil,
        startedAt: Timestamp, firedAt: Timestamp? = nil, resolvedAt: Timestamp? = nil,
        resolution: AlertResolution? = nil, acknowledgedAt: Timestamp? = nil, acknowledgedBy: String? = nil
    ) {
        self.id = id
        self.subject = subject
        self.plantName = plantName
        self.deviceName = deviceName
        self.severity = severity
        self.state = state
        self.value = value
        self.limit = limit
        self.detail = detail
        self.startedAt = startedAt
        self.firedAt = firedAt
        self.resolvedAt = resolvedAt
        self.resolution = resolution
        self.acknowledgedAt = acknowledgedAt
        self.acknowledgedBy = acknowledgedBy
    }

    /// How long it has lasted, in seconds.
    package func duration(now: Timestamp) -> Double { max(0, (resolvedAt ?? now).seconds(since: startedAt)) }
}

/// Something about an alert that people are told.
package enum AlertEvent: String, Sendable, CaseIterable, Codable {
    case fired
    /// From warning to critical.
    case escalated
    /// It still is, and nobody has acknowledged it.
    case reminder
    case resolved
}

/// What is told of an alert, as it was when it happened: later changes of names or limits do not rewrite it. Kept as
/// JSON in the database, so fields may be added but not renamed.
package struct AlertNotice: Sendable, Equatable, Codable {
    package var event: AlertEvent
    /// When it happened.
    package var at: Timestamp
    package var alertID: EntityID
    package var kind: AlertKind
    package var severity: AlertSeverity
    package var plantID: EntityID?
    package var plantName: String?
    package var room: String?
    package var deviceID: EntityID?
    package var deviceName: String?
    package var metric: String?
    package var direction: LimitDirection?
    package var value: Double?
    package var limit: Double?
    package var detail: String?
    package var startedAt: Timestamp
    package var firedAt: Timestamp?
    package var resolvedAt: Timestamp?
    package var resolution: AlertResolution?

    enum CodingKeys: String, CodingKey {
        case event, at, kind, severity, room, metric, direction, value, limit, detail, resolution
        case alertID = "alert_id"
        case plantID = "plant_id"
        case plantName = "plant_name"
        case deviceID = "device_id"
        case deviceName = "device_name"
        case startedAt = "started_at"
        case firedAt = "fired_at"
        case resolvedAt = "resolved_at"
    }

    package init(_ event: AlertEvent, at time: Timestamp, of alert: Alert, room: String? = nil) {
        self.event = event
        at = time
        alertID = alert.id
        kind = alert.subject.kind
        severity = alert.severity
        plantID = alert.subject.plant
        plantName = alert.plantName
        self.room = room
        deviceID = alert.subject.device
        deviceName = alert.deviceName
        metric = alert.subject.metric
        direction = alert.subject.direction
        value = alert.value
        limit = alert.limit
        detail = alert.detail
        startedAt = alert.startedAt
        firedAt = alert.firedAt
        resolvedAt = alert.resolvedAt
        resolution = alert.resolution
    }

    /// The metric's unit; nil for an extra metric, whose unit only its device knows.
    package var unit: String? { metric.flatMap { Metric.named($0) }?.unit }
}

/// One message to one channel: what happened, put together so that a storm is one message.
package struct AlertMessage: Sendable, Equatable, Codable {
    package enum Kind: String, Sendable, Codable {
        case alerts
        /// What came during quiet hours.
        case digest
        /// Somebody tries the channel.
        case test
    }

    /// Stays the same however often it is sent: whoever gets it twice can tell.
    package let id: EntityID
    package let kind: Kind
    package let createdAt: Timestamp
    /// Oldest first. At most ``mostNotices``.
    package let notices: [AlertNotice]
    /// How many more there were.
    package let omitted: Int

    package static let mostNotices = 100

    enum CodingKeys: String, CodingKey {
        case id, kind, notices, omitted
        case createdAt = "created_at"
    }

    package init(id: EntityID, kind: Kind, createdAt: Timestamp, notices: [AlertNotice]) {
        self.id = id
        self.kind = kind
        self.createdAt = createdAt
        self.notices = Array(notices.prefix(Self.mostNotices))
        omitted = max(0, notices.count - Self.mostNotices)
    }
}
