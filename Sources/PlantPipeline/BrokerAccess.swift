package import Logging
import Metrics
package import PlantDomain
package import PlantStore
package import Sealing

/// Keeps the broker's accounts as the database says they should be. The database is right; the broker is told.
package struct BrokerAccess: Sendable {
    private let store: Store
    private let sealer: Sealer
    private let control: BrokerControl
    /// Names this database. Entries of another one at the same broker are left alone.
    private let installation: @Sendable () -> String
    private let logger: Logger
    /// What the database had is compared with what the broker has, and then the broker is told: in between nobody of this
    /// program may tell it something newer.
    private let turns = DeviceTurns()
    private let corrections = Dictionary(
        uniqueKeysWithValues: Correction.allCases.filter { $0 != .nothing }.map { correction in
            let dimensions = [("correction", correction.rawValue)]
            return (correction, Counter(label: "plantops_broker_corrections_total", dimensions: dimensions))
        })
    /// How often one device is looked at again because it changed meanwhile.
    private static let attempts = 5
    /// Accounts asked for at a time.
    private static let listPage = 500

    package init(
        store: Store, sealer: Sealer, control: BrokerControl, installation: @escaping @Sendable () -> String,
        logger: Logger
    ) {
        self.store = store
        self.sealer = sealer
        self.control = control
        self.installation = installation
        self.logger = logger
    }

    /// Waits a moment for the broker, before anything is begun that needs it.
    /// - Throws: `Unavailable`.
    package func reach() async throws { try await control.waitUntilConnected() }

    /// Gives the broker credentials that are on offer; the old ones, and a session under them, end at once.
    /// - Throws: `Unavailable` when the broker does not confirm in time.
    package func grant(_ offer: CredentialsOffer) async throws {
        do {
            try await turns.alone(with: offer.device) {
                _ = try await control.execute(
                    DynamicSecurity.grant(
                        offer.device, password: offer.password, marker: marker(offer.id), mayConnect: offer.mayConnect))
            }
        } catch let error as BrokerRefusal {
            throw Unavailable("the MQTT broker", reason: "\(error)", mayHaveHappened: true)
        }
    }

    /// Hands a command to the broker.
    /// - Throws: `Unavailable` when the broker does not take it in time.
    package func send(_ command: DeviceCommand) async throws {
        try await control.publish(
            topic: "devices/\(command.deviceID)/commands", payload: command.payload,
            expirySeconds: DeviceCommand.expirySeconds)
    }

    /// Makes the broker agree on one device that was just changed. What cannot be done now is done when the broker is
    /// reached again.
    package func settle(_ device: EntityID) async {
        do {
            // Whoever waits for this must not wait for a broker that is away.
            guard control.isConnected else { throw Unavailable("the MQTT broker", reason: "no connection") }
            try await agree(on: device)
        } catch {
            logger.warning(
                "the broker will be told later",
                metadata: ["device_id": "\(device)", "reason": "\(error)"])
        }
    }

    /// Compares all of the broker's accounts with the database and mends what differs.
    /// - Returns: how many devices differed.
    /// - Throws: `Unavailable`, `CancellationError`, what the database says.
    package func reconcile() async throws -> Int {
        // The broker first: a device that is made meanwhile is then in the database's list, and looked at again alone.
        var told: [EntityID: DynamicSecurity.ClientEntry] = [:]
        for entry in try await accounts() {
            if let device = entry.device { told[device] = entry }
        }
        let wanted = Dictionary(try await store.brokerEntries().map { ($0.device, $0) }, uniquingKeysWith: { $1 })
        var mended = 0
        for device in Set(told.keys).union(wanted.keys).sorted() {
            try Task.checkCancellation()
            guard Correction(wanted[device], told[device], installation()) != .nothing else { continue }
            do {
                if try await agree(on: device) { mended += 1 }
            } catch let error as BrokerRefusal {
                // One that cannot be mended must not keep the others from it.
                logger.error(
                    "a device cannot be put right", metadata: ["device_id": "\(device)", "reason": "\(error)"])
            }
        }
        return mended
    }

    private func marker(_ credentials: EntityID) -> DynamicSecurity.Marker {
        DynamicSecurity.Marker(installation: installation(), credentials: credentials)
    }

    private func accounts() async throws -> [DynamicSecurity.ClientEntry] {
        var entries: [DynamicSecurity.ClientEntry] = []
        while true {
            var command = DynamicSecurity.Command(command: "listClients")
            (command.verbose, command.count, command.offset) = (true, Self.listPage, entries.count)
            let data = try await control.execute([command]).first?.data
            let page = data?.clients ?? []
            entries += page
            // Accounts that come and go meanwhile shift the pages; what is missed so is seen the next time.
            if page.count < Self.listPage { return entries }
        }
    }

    /// - Returns: whether something had to be mended.
    @discardableResult
    private func agree(on device: EntityID) async throws -> Bool {
        var didChange = false
        for _ in 0..<Self.attempts {
            let isMended = try await turns.alone(with: device) {
                let wanted = try await store.brokerEntry(of: device)
                let told = try await account(of: device)
                let correction = Correction(wanted, told, installation())
                guard correction != .nothing else { return false }
                return try await carryOut(correction, on: device, wanted, told)
            }
            guard isMended else { break }
            didChange = true
            // The database may have been changed, and the broker told of it, before our commands: look again.
        }
        return didChange
    }

    private func account(of device: EntityID) async throws -> DynamicSecurity.ClientEntry? {
        var command = DynamicSecurity.Command(command: "getClient", username: device.description)
        command.tolerates = ["Client not found"]
        return try await control.execute([command]).first?.data?.client
    }

    /// - Returns: false when nothing can be done.
    private func carryOut(
        _ correction: Correction, on device: EntityID, _ wanted: BrokerEntry?, _ told: DynamicSecurity.ClientEntry?
    ) async throws -> Bool {
        switch correction {
        case .nothing: return false
        case .revoke: _ = try await control.execute(DynamicSecurity.revoke(device))
        case .enable: _ = try await control.execute(DynamicSecurity.setEnabled(device, true))
        case .disable: _ = try await control.execute(DynamicSecurity.setEnabled(device, false))
        case .markLost: try await store.markNeedsEnrollment(device, true)
        case .markFound: try await store.markNeedsEnrollment(device, false)
        case .grant:
            guard let wanted, let credentials = wanted.credentialsID else { return false }
            guard let password = try await password(of: wanted, told) else { return false }
            _ = try await control.execute(
                DynamicSecurity.grant(
                    device, password: password, marker: marker(credentials), mayConnect: wanted.mayConnect))
            try await store.markNeedsEnrollment(device, false)
        }
        corrections[correction]?.increment()
        logger.notice(
            "corrected the broker", metadata: ["device_id": "\(device)", "correction": "\(correction.rawValue)"])
        return true
    }

    /// - Returns: nil when no key at hand opens it. What the broker has instead stays only if it is the same password.
    private func password(of wanted: BrokerEntry, _ told: DynamicSecurity.ClientEntry?) async throws -> Secret? {
        do {
            return try Store.password(of: wanted, sealer: sealer)
        } catch let error as SealedValueError {
            if let told, told.marker?.credentials == wanted.credentialsID { return nil }
            if told != nil { _ = try await control.execute(DynamicSecurity.revoke(wanted.device)) }
            guard !wanted.needsEnrollment else { return nil }
            logger.error(
                "a device's password cannot be opened; it has to be enrolled again",
                metadata: ["device_id": "\(wanted.device)", "reason": "\(error)"])
            try await store.markNeedsEnrollment(wanted.device, true)
            return nil
        }
    }
}

/// What has to be done so that the broker agrees with the database on one device.
enum Correction: String, Equatable, CaseIterable {
    case nothing, grant, revoke, enable, disable
    /// Neither side can say the password.
    case markLost
    /// The broker can again.
    case markFound

    init(_ wanted: BrokerEntry?, _ told: DynamicSecurity.ClientEntry?, _ installation: String) {
        let marker = told?.marker
        if let underWay = wanted?.underWay, marker?.credentials == underWay {
            // Somebody is giving it these credentials right now, and will write that down in a moment.
            self = .nothing
            return
        }
        guard let wanted, wanted.isRegistered else {
            // Accounts that somebody else made are somebody else's, or those of another installation.
            self = marker?.installation == installation ? .revoke : .nothing
            return
        }
        if let credentials = wanted.credentialsID {
            guard marker == DynamicSecurity.Marker(installation: installation, credentials: credentials) else {
                self = .grant
                return
            }
        }
        guard let told else {
            self = wanted.needsEnrollment ? .nothing : .markLost
            return
        }
        switch (wanted.mayConnect, told.disabled ?? false) {
        case (true, true): self = .enable
        case (false, false): self = .disable
        default: self = wanted.needsEnrollment ? .markFound : .nothing
        }
    }
}
