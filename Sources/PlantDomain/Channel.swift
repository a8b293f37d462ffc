package enum ChannelKind: String, Sendable, CaseIterable {
    case discord, webhook
}

/// Where notifications go. Its address and its secret are sealed and not part of it.
package struct Channel: Sendable, Equatable {
    package let id: EntityID
    package let kind: ChannelKind
    package var name: String
    /// `https://discord.com/…wxyz`: enough to tell addresses apart.
    package var urlHint: String
    /// `…wxyz`; nil when messages are not signed.
    package var secretHint: String?
    package var minSeverity: AlertSeverity
    /// Only alerts of these plants, and of plants in these rooms; nil for both: all, those of the system among them.
    package var plantIDs: [EntityID]?
    package var rooms: [String]?
    package var isEnabled: Bool
    /// Its own; nil: those of the settings if `inheritsQuietHours`, else none.
    package var quietHours: QuietHours?
    package var inheritsQuietHours: Bool
    /// nil: as in the settings.
    package var digest: Bool?
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
    package var delivery = Delivery()

    /// How it goes with sending.
    package struct Delivery: Sendable, Equatable {
        /// Notifications and messages not sent yet.
        package var waiting = 0
        /// Messages given up within the last 7 days.
        package var failed = 0
        package var lastDeliveredAt: Timestamp?
        /// nil once a message has got through.
        package var lastError: String?
        package var lastErrorAt: Timestamp?

        package init() {}
    }

    package init(
        id: EntityID, kind: ChannelKind, name: String, urlHint: String, secretHint: String? = nil,
        minSeverity: AlertSeverity = .warning, plantIDs: [EntityID]? = nil, rooms: [String]? = nil,
        isEnabled: Bool = true, quietHours: QuietHours? = nil, inheritsQuietHours: Bool = true, digest: Bool? = nil,
        createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.kind = kind
        self.name = name
        self.urlHint = urlHint
        self.secretHint = secretHint
        self.minSeverity = minSeverity
        self.plantIDs = plantIDs
        self.rooms = rooms
        self.isEnabled = isEnabled
        self.quietHours = quietHours
        self.inheritsQuietHours = inheritsQuietHours
        self.digest = digest
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// A secret as it is shown: its last four characters, if that leaves enough unsaid.
    package static func hint(ofSecret secret: String) -> String {
        secret.count >= 12 ? "…" + secret.suffix(4) : "…"
    }
}
