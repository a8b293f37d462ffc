import MQTT

/// What the simulated fleet is to do.
struct SimulatorPlan: Sendable {
    enum Pace: Equatable, Sendable {
        /// Each device sends every so many seconds.
        case interval(seconds: Double)
        /// So many messages a second, over all devices.
        case rate(perSecond: Double)
        /// As fast as the broker acknowledges.
        case flood
    }

    var devices: Int
    var pace: Pace
    var readingsPerMessage: Int
    var heartbeatSeconds: Double
    /// Most messages of one device under way, not acknowledged, as asked for; see `windowPerDevice`.
    var window: Int
    /// Stop when so many messages are acknowledged.
    var count: Int?
    /// Stop after so many seconds.
    var durationSeconds: Double?
    var backfillHours: Double
    var quiet: Bool
    /// Shown to a broker that asks for one; all devices have the same.
    var clientCertificate: MQTTOptions.ClientCertificate?

    /// Firmware as the devices announce it.
    static let firmwareVersion = "sim-1.0.0"
    static let sensorTypes = ["soil_moisture", "temperature", "humidity", "light_level"]
    /// Readings of a device that was offline lie this far apart.
    static let backfillStepSeconds = 300.0

    /// From one message of a device to the next, in seconds; nil when it is as fast as possible.
    var messageInterval: Double? {
        switch pace {
        case .interval(let seconds): seconds
        case .rate(let perSecond): Double(devices) / perSecond
        case .flood: nil
        }
    }

    /// What a fleet may have under way when it sends as fast as possible. A window for each of a thousand devices would
    /// be seconds of work for the broker, and waited for at the end.
    private static let mostUnderWay = 20_000

    /// Most messages of one device under way, not acknowledged.
    var windowPerDevice: Int {
        pace == .flood ? max(1, min(window, Self.mostUnderWay / devices)) : window
    }

    /// What a device declares at enrollment: a whole number of seconds, 1 at least.
    var declaredInterval: Int { max(1, Int((messageInterval ?? 1).rounded())) }
}

/// Why the simulation cannot do what was asked, and how to mend it.
struct SimulatorError: Error, CustomStringConvertible {
    enum Code: String, Sendable {
        /// The options contradict each other or the machine.
        case usage
        /// The state file cannot be read or written.
        case state
        /// The backend does not answer.
        case backendUnreachable = "backend_unreachable"
        /// The backend answered with a refusal.
        case backendRefused = "backend_refused"
        /// The backend says that there is no such thing.
        case notFound = "not_found"
        /// The broker cannot be reached, is not trusted, or refuses the devices.
        case broker
        /// Not everything that was sent has been acknowledged, or not as much as asked for.
        case incomplete
    }

    let code: Code
    let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
