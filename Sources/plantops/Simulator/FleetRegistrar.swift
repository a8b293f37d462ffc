import Foundation

/// Who a device is towards the broker.
struct DeviceIdentity: Sendable {
    let index: Int
    let macAddress: String
    let deviceID: String
    let username: String
    let password: String
    let host: String
    let port: Int
    /// nil: the system's CAs.
    let caFile: String?
    /// True when it was enrolled in this run, false when it was remembered.
    let isFresh: Bool
    let backfillHours: Double
    /// What it calls itself at the broker: as the backend said, or as most firmware does.
    let clientID: String
}

/// Gives every device its identity: from the state file, or by enrolling it at the backend.
actor FleetRegistrar {
    struct Settings: Sendable {
        var devices: Int
        var seed: UInt64
        var stateFile: String?
        var caFile: String?
        var mqttHost: String?
        var mqttPort: Int?
        var enrollmentToken: String?
        var declaredInterval: Int
        var backfillHours: Double
    }

    private static let atOnce = 8

    private let settings: Settings
    private let backend: BackendClient
    private let certificates: CertificateFiles
    private var state: SimulatorState
    private var lastSave = ContinuousClock.now

    init(_ settings: Settings, state: SimulatorState, backend: BackendClient) throws(SimulatorError) {
        self.settings = settings
        self.state = state
        self.backend = backend
        certificates = CertificateFiles(besides: settings.stateFile)
        // The seed first: with it, a run that ends early finds the same addresses again.
        if let file = settings.stateFile { try state.write(file) }
    }

    /// All identities, enrolling at most eight devices at a time.
    func identities() async throws -> [DeviceIdentity] {
        let found = try await inParallel { index in
            if try await self.isStillKnown(index), let identity = try await self.remembered(index) { return identity }
            return try await self.enroll(index)
        }
        try save()
        return found
    }

    /// Enrolls a device (again: same device, new password).
    func enroll(_ index: Int) async throws -> DeviceIdentity {
        let mac = macAddress(index)
        let plant = HousePlant.of(device: index)
        let request = Registration(
            macAddress: mac, enrollmentToken: settings.enrollmentToken,
            firmwareVersion: SimulatorPlan.firmwareVersion, sensorTypes: SimulatorPlan.sensorTypes,
            name: "\(plant.name(device: index))'s sensor", reportingIntervalSeconds: settings.declaredInterval)
        let answer = try await backend.post("/devices/register", request, signedIn: false)
        let granted: Enrollment
        do {
            granted = try JSONDecoder().decode(Enrollment.self, from: answer)
        } catch {
            throw SimulatorError(.backendRefused, "POST /devices/register: the answer is not an enrollment (\(error)).")
        }
        let known = state.devices[mac]
        let isNew = known?.deviceID != granted.deviceID
        state.devices[mac] = SimulatorState.Entry(
            deviceID: granted.deviceID, username: granted.username, password: granted.password, host: granted.host,
            port: granted.port, certificate: number(of: granted.caCertificate),
            plantID: isNew ? nil : known?.plantID,
            backfillHours: isNew ? settings.backfillHours : known?.backfillHours, clientID: granted.clientID)
        try saveNowAndThen()
        return try identity(index, fresh: true)
    }

    func finishedBackfill(_ index: Int) throws {
        state.devices[macAddress(index)]?.backfillHours = nil
        try saveNowAndThen()
    }

    func save() throws(SimulatorError) {
        lastSave = .now
        if let file = settings.stateFile { try state.write(file) }
    }

    /// Removes what was written only for this run.
    func cleanUp() { certificates.cleanUp() }

    /// False when the backend says that a remembered device is gone. Without the right to ask, the broker will tell.
    private func isStillKnown(_ index: Int) async throws -> Bool {
        guard let entry = state.devices[macAddress(index)] else { return false }
        do {
            _ = try await backend.get("/devices/\(entry.deviceID)")
            return true
        } catch let error as SimulatorError where error.code == .notFound {
            state.devices[macAddress(index)] = nil
            return false
        } catch let error as SimulatorError where error.code == .backendRefused {
            return true
        }
    }

    private func remembered(_ index: Int) throws -> DeviceIdentity? {
        state.devices[macAddress(index)] == nil ? nil : try identity(index, fresh: false)
    }

    private func identity(_ index: Int, fresh: Bool) throws -> DeviceIdentity {
        let mac = macAddress(index)
        guard let entry = state.devices[mac] else {
            throw SimulatorError(.state, "the state knows no device \(mac)")
        }
        let pem = entry.certificate.flatMap { state.certificates.indices.contains($0) ? state.certificates[$0] : nil }
        return DeviceIdentity(
            index: index, macAddress: mac, deviceID: entry.deviceID, username: entry.username,
            password: entry.password, host: settings.mqttHost ?? entry.host, port: settings.mqttPort ?? entry.port,
            caFile: try settings.caFile ?? pem.map { try certificates.path(of: $0) }, isFresh: fresh,
            backfillHours: entry.backfillHours ?? 0,
            clientID: entry.clientID ?? "esp32-" + mac.filter { $0 != ":" }.lowercased())
    }

    private func number(of certificate: String?) -> Int? {
        guard let certificate, !certificate.isEmpty else { return nil }
        if let number = state.certificates.firstIndex(of: certificate) { return number }
        state.certificates.append(certificate)
        return state.certificates.count - 1
    }

    private func macAddress(_ index: Int) -> String {
        SimulatorState.macAddress(seed: settings.seed, device: index)
    }

    /// Not after each of a thousand enrollments: what a crash forgets is enrolled again under the same address.
    private func saveNowAndThen() throws(SimulatorError) {
        if ContinuousClock.now - lastSave > .seconds(1) { try save() }
    }

    private func inParallel<Value: Sendable>(_ work: @escaping @Sendable (Int) async throws -> Value) async throws
        -> [Value]
    {
        let count = settings.devices
        return try await withThrowingTaskGroup(of: (Int, Value).self) { group in
            var results: [Value?] = Array(repeating: nil, count: count)
            var started = 0
            func startNext() {
                guard started < count else { return }
                let index = started
                started += 1
                group.addTask { (index, try await work(index)) }
            }
            for _ in 0..<Self.atOnce { startNext() }
            while let (index, value) = try await group.next() {
                results[index] = value
                startNext()
            }
            return results.compactMap(\.self)
        }
    }
}

// MARK: plants

extension FleetRegistrar {
    /// Puts each device that stands in no pot into one of its own.
    func giveEachAPlant() async throws {
        _ = try await inParallel { try await self.givePlant($0) }
        try save()
    }

    private func givePlant(_ index: Int) async throws {
        let mac = macAddress(index)
        guard let entry = state.devices[mac] else { return }
        let device = try await backend.get("/devices/\(entry.deviceID)")
        if let plant = try JSONDecoder().decode(DeviceAnswer.self, from: device).plantID {
            state.devices[mac]?.plantID = plant
            return
        }
        // A run that ended between the two steps, or somebody who took the device out: the plant may still be there.
        if let plant = entry.plantID {
            do {
                try await provision(entry.deviceID, plant)
                return
            } catch let error as SimulatorError where error.code == .notFound {}
        }
        let plant = try await makePlant(index)
        state.devices[mac]?.plantID = plant
        try saveNowAndThen()
        try await provision(entry.deviceID, plant)
    }

    private func makePlant(_ index: Int) async throws -> String {
        let kind = HousePlant.of(device: index)
        let limits = kind.thresholds.map {
            ($0.metric, NewPlant.Limits(min: $0.limits.lowerBound, max: $0.limits.upperBound))
        }
        let plant = NewPlant(
            name: kind.name(device: index), species: kind.species, room: kind.room,
            position: .init(x: kind.position.x, y: kind.position.y),
            thresholds: Dictionary(uniqueKeysWithValues: limits))
        let answer = try await backend.post("/plants", plant)
        return try JSONDecoder().decode(PlantAnswer.self, from: answer).id
    }

    private func provision(_ device: String, _ plant: String) async throws {
        _ = try await backend.post("/devices/\(device)/provision", ["plant_id": plant])
    }
}
