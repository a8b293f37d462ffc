import MQTT
import PlantDomain

/// Connecting, and coming back.
extension SimulatedDevice {
    private static let connectTimeout = 15.0
    private static let longestPause = 10.0
    /// A password may take a moment to reach the broker; after so many refusals a person has to look.
    private static let mostRefusals = 6
    private static let mostTLSFailures = 3
    /// 1 h: as long as a device may be without power and still be told what it missed.
    private static let sessionExpirySeconds: UInt32 = 3600

    /// Opens the connection; the answer is met by `advance`.
    func connect(now: Double) throws(MQTTError) {
        if client == nil { client = try makeClient() }
        try client?.begin()
        link = .connecting(deadline: now + Self.connectTimeout)
    }

    private func makeClient() throws(MQTTError) -> MQTTClient {
        var options = MQTTOptions(
            host: identity.host, port: identity.port,
            security: identity.caFile.map { .tls(caFile: $0) } ?? .tlsSystemCAs,
            clientID: identity.clientID)
        options.clientCertificate = plan.clientCertificate
        options.username = identity.username
        options.password = identity.password
        options.cleanStart = false
        options.sessionExpirySeconds = Self.sessionExpirySeconds
        // Status, heartbeat and answers travel beside the window.
        options.sendMaximum = min(65_535, plan.window + 20)
        options.keepAliveSeconds = 60
        options.will = MQTTOptions.Will(topic: topics.status, payload: "offline", retain: true)
        let client = try MQTTClient(options)
        client.onPublished = { [unowned self] packetID, accepted in answered(packetID: packetID, accepted: accepted) }
        client.onMessage = { [unowned self] message in received(message) }
        return client
    }

    /// Looks whether the broker has answered; announces the device when it has.
    func finishConnecting(now: Double) throws(MQTTError) {
        guard case .connecting(let deadline) = link, let client else { return }
        guard let hadSession = try client.connected() else {
            guard now < deadline else {
                throw MQTTError(.timeout, operation: "connect", detail: "no answer within \(Self.connectTimeout) s")
            }
            return
        }
        link = .online
        failures = 0
        refusals = 0
        // The library sends these again by itself, in the same order and with the same packet ids.
        counters.summary.resent += outbox.unacknowledged
        try client.publish(topic: topics.status, payload: "online", retain: true)
        if !hadSession || !hasSubscribed {
            try client.subscribe(topics.commands)
            hasSubscribed = true
        }
        hasEverConnected = true
        passwordWorked = true
    }

    /// What to do about a connection that failed.
    enum Consequence {
        case tryAgain
        case enrollAgain
        /// No attempt will help until somebody has done something.
        case giveUp(String)
    }

    func lost(_ error: MQTTError, now: Double) -> Consequence {
        failures += 1
        let pause = min(Self.longestPause, 0.25 * Double(1 << min(failures, 8)))
        link = .waiting(until: now + pause * Double.random(in: 0.5...1))
        switch error.code {
        case .configuration:
            return giveUp("\(error). Give --ca the CA certificate of the broker.")
        case .tls where !hasEverConnected:
            // A broker that ends in the middle of a handshake looks the same, once or twice.
            tlsFailures += 1
            guard tlsFailures >= Self.mostTLSFailures else { return .tryAgain }
            return giveUp(
                """
                the broker at \(identity.host):\(identity.port) is not trusted (\(error.detail)). Its certificate must \
                come from the CA in \(identity.caFile ?? "the system's store") (--ca) and name \(identity.host) \
                (--mqtt-host).
                """)
        case .refused where isAboutCredentials(error):
            refusals += 1
            if !identity.isFresh || passwordWorked { return enrollAgain() }
            guard refusals >= Self.mostRefusals else { return .tryAgain }
            return giveUp(
                """
                the broker refuses a device that has just been enrolled (\(error.detail)). If devices need approval, \
                approve it; otherwise look whether the backend manages this broker's accounts.
                """)
        default:
            return .tryAgain
        }
    }

    private func enrollAgain() -> Consequence {
        link = .enrolling
        return .enrollAgain
    }

    private func giveUp(_ reason: String) -> Consequence {
        link = .failed(reason)
        client = nil
        return .giveUp(reason)
    }

    /// The broker's refusal, if that is why the connection ended: it ends at once, and the end may be what was met first.
    func refusal() -> MQTTError? {
        guard case .connecting = link else { return nil }
        do {
            _ = try client?.connected()
            return nil
        } catch {
            return error
        }
    }

    private func isAboutCredentials(_ error: MQTTError) -> Bool {
        let text = error.detail.lowercased()
        return text.contains("authori") || text.contains("password") || text.contains("client identifier")
    }

    /// Takes up a new identity. The old client goes with all it knew, so what was under way is sent from here.
    func take(_ new: DeviceIdentity, now: Timestamp) {
        let isAnother = new.deviceID != identity.deviceID
        identity = new
        if isAnother { prepareBackfill(now: now) }
        topics = DeviceTopics(deviceID: new.deviceID)
        client = nil
        hasSubscribed = false
        let again = outbox.takeBack()
        counters.summary.published -= again
        counters.summary.resent += again
        (refusals, tlsFailures, passwordWorked) = (0, 0, false)
        link = .waiting(until: 0)
    }
}
