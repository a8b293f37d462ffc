package import Logging
package import PlantDomain
package import PlantStore
package import Sealing

/// Keeps the broker's accounts as the database says they should be. The database is right; the broker is told.
package struct BrokerAccess: Sendable {
    private let store: Store
    private let sealer: Sealer
    private let control: BrokerControl
    private let logger: Logger
    /// How often one device is looked at again because it changed meanwhile.
    private static let attempts = 5
    /// Accounts asked for at a time.
    private static let listPage = 500

    package init(store: Store, sealer: Sealer, control: BrokerControl, logger: Logger) {
        self.store = store
        self.sealer = sealer
        self.control = control
        self.logger = logger
    }

    /// Gives the broker credentials that are on offer; the old ones, and a session under them, end at once.
    /// - Throws: `Unavailable` when the broker does not confirm in time.
    package func grant(_ offer: CredentialsOffer) async throws {
        _ = try await control.execute(
            DynamicSecurity.grant(
                offer.device, password: offer.password, credentials: offer.id, mayConnect: offer.mayConnect))
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
    package func reconcile() async throws -> Int {
        // The broker first: a device that is made meanwhile is then in the database's list, and looked at again alone.
        var told: [EntityID: DynamicSecurity.ClientEntry] = [:]
        for entry in try await accounts() {
            if let device = entry.device { told[device] = entry }
        }
        let wanted = Dictionary(
            try await store.brokerEntries(at: .now()).map { ($0.device, $0) }, uniquingKeysWith: { $1 })
        var mended = 0
        for device in Set(told.keys).union(wanted.keys).sorted() {
            guard Correction(wanted: wanted[device], told: told[device]) != .nothing else { continue }
            if try await agree(on: device) { mended += 1 }
        }
        return mended
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
            let wanted = try await store.brokerEntry(of: device, at: .now())
            let told = try await account(of: device)
            let correction = Correction(wanted: wanted, told: told)
            guard correction != .nothing else { break }
            guard try await carryOut(correction, on: device, wanted) else { break }
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
        _ correction: Correction, on device: EntityID, _ wanted: BrokerEntry?
    ) async throws -> Bool {
        if wanted?.needsEnrollment == true, !canOpen(wanted) { return false }
        logger.notice(
            "correcting the broker", metadata: ["device_id": "\(device)", "correction": "\(correction.rawValue)"])
        switch correction {
        case .nothing: return false
        case .revoke: _ = try await control.execute(DynamicSecurity.revoke(device))
        case .enable: _ = try await control.execute(DynamicSecurity.setEnabled(device, true))
        case .disable: _ = try await control.execute(DynamicSecurity.setEnabled(device, false))
        case .markLost: try await store.markNeedsEnrollment(device, true)
        case .grant:
            guard let wanted, let credentials = wanted.credentialsID else { return false }
            let password: Secret?
            do {
                password = try Store.password(of: wanted, sealer: sealer)
            } catch let error as SealedValueError {
                // Whatever the broker has is not what was given out last.
                logger.error(
                    "a device's password cannot be opened; it has to be enrolled again",
                    metadata: ["device_id": "\(device)", "reason": "\(error)"])
                _ = try await control.execute(DynamicSecurity.revoke(device))
                try await store.markNeedsEnrollment(device, true)
                return false
            }
            guard let password else { return false }
            _ = try await control.execute(
                DynamicSecurity.grant(
                    device, password: password, credentials: credentials, mayConnect: wanted.mayConnect))
            try await store.markNeedsEnrollment(device, false)
        }
        return true
    }

    /// A key that was lost may have been brought back.
    private func canOpen(_ entry: BrokerEntry?) -> Bool {
        guard let entry else { return false }
        return (try? Store.password(of: entry, sealer: sealer)) != nil
    }
}

/// What has to be done so that the broker agrees with the database on one device.
enum Correction: String, Equatable {
    case nothing, grant, revoke, enable, disable
    /// Neither side can say the password.
    case markLost

    init(wanted: BrokerEntry?, told: DynamicSecurity.ClientEntry?) {
        if let underWay = wanted?.underWay, told?.textdescription == DynamicSecurity.marker(of: underWay) {
            // Somebody is giving it these credentials right now, and will write that down in a moment.
            self = .nothing
            return
        }
        guard let wanted, wanted.isRegistered else {
            self = told == nil ? .nothing : .revoke
            return
        }
        if let credentials = wanted.credentialsID {
            guard let told, told.textdescription == DynamicSecurity.marker(of: credentials) else {
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
        default: self = .nothing
        }
    }
}
