package import PlantDomain
package import PlantStore
package import Sealing

/// Who does what tests do.
package let testOrigin = Origin(.system, name: "test")

/// Any key will do.
package func testSealer(_ digit: String = "5", old: [String] = []) throws -> Sealer {
    try Sealer(
        current: Secret(String(repeating: digit, count: 64)),
        old: old.map { Secret(String(repeating: $0, count: 64)) })
}

/// The store's changes, made by the test.
extension Store {
    /// Registers a device as if the broker had been told.
    @discardableResult
    package func register(
        _ device: Device, rule: EnrollmentRule = .open, sealer: Sealer? = nil, at now: Timestamp = .now()
    ) async throws -> CredentialsOffer {
        let sealer = try sealer ?? testSealer()
        let offer = try await offerCredentials(
            registering: device, rule: rule, sealer: sealer, from: testOrigin, at: now
        ).get()
        guard try await accept(offer, action: "device.register", sealer: sealer, by: testOrigin, at: now) != nil else {
            throw TestSetupError(description: "the offer was not accepted")
        }
        return offer
    }

    package func createPlant(_ plant: Plant) async throws { try await createPlant(plant, by: testOrigin) }

    package func updatePlant(
        _ id: EntityID, at now: Timestamp, _ change: @Sendable (inout Plant) throws -> Void
    ) async throws -> Plant? { try await updatePlant(id, by: testOrigin, at: now, change) }

    package func deletePlant(_ id: EntityID) async throws -> Bool {
        try await deletePlant(id, by: testOrigin, at: .now())
    }

    package func assign(_ device: EntityID, to plant: EntityID, at now: Timestamp) async throws -> AssignOutcome {
        try await assign(device, to: plant, by: testOrigin, at: now)
    }

    package func unassign(_ device: EntityID, at now: Timestamp) async throws -> Bool {
        try await unassign(device, by: testOrigin, at: now)
    }

    package func deleteDevice(_ id: EntityID) async throws -> Bool {
        try await deleteDevice(id, by: testOrigin, at: .now())
    }
}

extension Device {
    /// A device with an address of its own.
    package static func sample(interval: Int? = nil, at now: Timestamp = .now()) throws -> Device {
        let id = EntityID.make(at: now)
        let digits = String(id.low & 0xFF_FFFF_FFFF, radix: 16)
        guard let mac = MACAddress("02" + String(repeating: "0", count: 10 - digits.count) + digits) else {
            throw TestSetupError(description: "no MAC address from \(digits)")
        }
        return Device(
            id: id, macAddress: mac, name: "Sensor", firmwareVersion: nil, sensorTypes: [],
            reportingIntervalSeconds: interval, plantID: nil, createdAt: now, lastSeenAt: nil, announcedOnline: nil,
            battery: nil, rssi: nil)
    }
}
