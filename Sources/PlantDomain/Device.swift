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
    /// Registered, never heard of.
    case provisioning
    case online
    case offline
}

extension Device {
    /// Expected when a device declared nothing, in seconds.
    package static let defaultReportingInterval = 60

    /// How long a device may be silent before it counts as offline: three times what is expected of it, never less
    /// than three minutes, in seconds.
    package static func silenceAllowed(reportingInterval: Int?) -> Double {
        max(180, 3 * Double(reportingInterval ?? defaultReportingInterval))
    }

    package func status(now: Timestamp) -> DeviceStatus {
        guard let lastSeenAt else { return .provisioning }
        if announcedOnline == false { return .offline }
        return now.seconds(since: lastSeenAt) > Self.silenceAllowed(reportingInterval: reportingIntervalSeconds)
            ? .offline : .online
    }
}
