/// A sensor node: one radio, one MQTT identity.
package struct Device: Sendable, Equatable {
    package let id: EntityID
    package let macAddress: MACAddress
    package var name: String
    package var firmwareVersion: String?
    /// What the device says it measures; free text, shown to people.
    package var sensorTypes: [String]
    /// Declared by the device, in seconds; nil when it said nothing.
    package var reportingIntervalSeconds: Int?
    package var plantID: EntityID?
    package let createdAt: Timestamp
    /// Received, not measured: the last telemetry, heartbeat or status.
    package var lastSeenAt: Timestamp?
    /// What the device, or its last will, said of itself last.
    package var announcedOnline: Bool?
    /// %
    package var battery: Double?
    /// dBm
    package var rssi: Double?
    /// Seconds between its readings as they come, smoothed; nil while there are too few.
    package var learnedIntervalSeconds: Double?
    /// Since it last started, in seconds.
    package var uptimeSeconds: Double?
    package var freeHeapBytes: Double?
    /// False while a member has to let it, or its new credentials, in.
    package var isApproved = true
    /// When approval was asked for that is still awaited, and from which address.
    package var requestedAt: Timestamp?
    package var requestedFrom: String?
    /// False when a member has shut it out.
    package var isEnabled = true
    /// Only enrolling again helps: neither the broker nor the database can say its password any more.
    package var needsEnrollment = false

    package init(
        id: EntityID, macAddress: MACAddress, name: String, firmwareVersion: String?, sensorTypes: [String],
        reportingIntervalSeconds: Int?, plantID: EntityID?, createdAt: Timestamp, lastSeenAt: Timestamp?,
        announcedOnline: Bool?, battery: Double?, rssi: Double?
    ) {
        self.id = id
        self.macAddress = macAddress
        self.name = name
        self.firmwareVersion = firmwareVersion
        self.sensorTypes = sensorTypes
        self.reportingIntervalSeconds = reportingIntervalSeconds
        self.plantID = plantID
        self.createdAt = createdAt
        self.lastSeenAt = lastSeenAt
        self.announcedOnline = announcedOnline
        self.battery = battery
        self.rssi = rssi
    }
}

package enum DeviceStatus: String, Sendable, CaseIterable {
    /// Shut out by a member.
    case disabled
    /// Registered, never heard of.
    case provisioning
    case online
    case offline
}

extension Device {
    /// Expected when a device declared nothing and has sent too little to learn from, in seconds.
    package static let defaultReportingInterval = 60.0

    /// How often it is expected to be heard of, in seconds: as it declared, else as was learned.
    package var expectedIntervalSeconds: Double {
        Self.expectedInterval(declared: reportingIntervalSeconds, learned: learnedIntervalSeconds)
    }

    package static func expectedInterval(declared: Int?, learned: Double?) -> Double {
        declared.map(Double.init) ?? learned ?? defaultReportingInterval
    }

    /// How long a device may be silent before it counts as offline: three times what is expected of it, never less
    /// than three minutes, in seconds.
    package static func silenceAllowed(expectedInterval: Double) -> Double { max(180, 3 * expectedInterval) }

    package func status(now: Timestamp) -> DeviceStatus {
        guard isEnabled else { return .disabled }
        guard let lastSeenAt else { return .provisioning }
        if announcedOnline == false { return .offline }
        return now.seconds(since: lastSeenAt) > Self.silenceAllowed(expectedInterval: expectedIntervalSeconds)
            ? .offline : .online
    }
}
