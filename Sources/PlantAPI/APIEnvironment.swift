import Foundation
package import PlantDomain
package import PlantStore
package import Sealing

/// What the handlers need from the rest of the program.
package struct APIEnvironment: Sendable {
    /// How a device reaches the broker from outside.
    package struct DeviceAccess: Sendable {
        let host: String
        let port: Int
        /// PEM, or nil when the broker has a public certificate.
        let caCertificate: String?

        package init(host: String, port: Int, caCertificate: String?) {
            self.host = host
            self.port = port
            self.caCertificate = caCertificate
        }
    }

    /// Who is let in, and how.
    package struct Policy: Sendable {
        /// False: everybody may do everything.
        let requiresSignIn: Bool
        let enrollment: EnrollmentMode
        /// Origins whose pages may use the API.
        let corsOrigins: [String]
        /// The dashboard's own origin, if it is known.
        let publicOrigin: String?
        /// Peers whose `X-Forwarded-…` headers are believed.
        let trustedProxies: [AddressBlock]

        package init(
            requiresSignIn: Bool, enrollment: EnrollmentMode, corsOrigins: [String] = [], publicOrigin: String? = nil,
            trustedProxies: [AddressBlock] = []
        ) {
            self.requiresSignIn = requiresSignIn
            self.enrollment = enrollment
            self.corsOrigins = corsOrigins
            self.publicOrigin = publicOrigin
            self.trustedProxies = trustedProxies
        }
    }

    /// What can be asked of the broker.
    package struct Broker: Sendable {
        /// Waits a moment for it. Throws `Unavailable`.
        let reach: @Sendable () async throws -> Void
        /// Tells it of new credentials. Throws `Unavailable`.
        let grant: @Sendable (CredentialsOffer) async throws -> Void
        /// Makes it agree on a device that was changed: now, or as soon as it is reached.
        let settle: @Sendable (EntityID) async -> Void
        /// Hands it a command for a device. Throws `Unavailable`.
        let send: @Sendable (DeviceCommand) async throws -> Void

        package init(
            reach: @escaping @Sendable () async throws -> Void,
            grant: @escaping @Sendable (CredentialsOffer) async throws -> Void,
            settle: @escaping @Sendable (EntityID) async -> Void,
            send: @escaping @Sendable (DeviceCommand) async throws -> Void
        ) {
            self.reach = reach
            self.grant = grant
            self.settle = settle
            self.send = send
        }
    }

    /// What became of a test message.
    package struct ChannelTest: Sendable {
        let status: Int?
        /// Why it did not arrive; nil: it did.
        let problem: String?

        package init(status: Int? = nil, problem: String? = nil) {
            self.status = status
            self.problem = problem
        }
    }

    /// What can be asked of those who send notifications.
    package struct Channels: Sendable {
        let allowedHosts: AllowedHosts
        /// What is wrong with an address, going by where its name leads; nil: nothing that can be told now.
        let check: @Sendable (Secret) async -> String?
        let test: @Sendable (ChannelTarget) async -> ChannelTest

        package init(
            allowedHosts: AllowedHosts, check: @escaping @Sendable (Secret) async -> String?,
            test: @escaping @Sendable (ChannelTarget) async -> ChannelTest
        ) {
            self.allowedHosts = allowedHosts
            self.check = check
            self.test = test
        }
    }

    /// What became of a request for a care plan.
    package enum CareOutcome: Sendable {
        case plan(CarePlan, isCached: Bool)
        case noSuchPlant
        /// Another process makes one of this plant just now.
        case busy(retryAfterSeconds: Int)
        /// The program is told to stop.
        case stopping
    }

    /// What became of a question to the language model.
    package enum LLMTest: Sendable {
        case answered(model: String, milliseconds: Int)
        /// Why not, and how to mend it.
        case failed(String)
        /// There is none that could be asked.
        case notConfigured
        /// The program is told to stop.
        case stopping
    }

    /// What can be asked of those who know about care.
    package struct Advisor: Sendable {
        let servers: LLMServers
        /// Makes a plan of this plant; in any case a new one if the second value is true. Stops when it is cancelled.
        let analyze: @Sendable (EntityID, Bool) async throws -> CareOutcome
        let test: @Sendable () async throws -> LLMTest
        /// What is wrong with an address, going by where its name leads; nil: nothing that can be told now.
        let check: @Sendable (LLMAddress) async -> String?

        package init(
            servers: LLMServers, analyze: @escaping @Sendable (EntityID, Bool) async throws -> CareOutcome,
            test: @escaping @Sendable () async throws -> LLMTest,
            check: @escaping @Sendable (LLMAddress) async -> String?
        ) {
            self.servers = servers
            self.analyze = analyze
            self.test = test
            self.check = check
        }

        /// Knows nothing, where nobody asks.
        package static let idle = Advisor(
            servers: LLMServers(), analyze: { _, _ in .noSuchPlant }, test: { .notConfigured }, check: { _ in nil })
    }

    /// What is left on the disk that must not fill up.
    package struct Disk: Sendable {
        let path: String
        let totalBytes: Double
        let freeBytes: Double

        package init(path: String, totalBytes: Double, freeBytes: Double) {
            self.path = path
            self.totalBytes = totalBytes
            self.freeBytes = freeBytes
        }
    }

    let store: Store
    let accounts: Accounts
    let sealer: Sealer
    let policy: Policy
    let access: DeviceAccess
    let broker: Broker
    let channels: Channels
    let advisor: Advisor
    /// What happens, for those who watch.
    let events: EventHub
    /// False until the schema is ready; requests that need it are asked to come again.
    let isOpen: @Sendable () -> Bool
    /// Whether the program was told to stop.
    let isStopping: @Sendable () -> Bool
    let health: @Sendable () -> HealthReport
    /// What is measured, in Prometheus' text format; nil when that is switched off.
    let metrics: (@Sendable () -> String)?
    /// nil when it cannot be looked at.
    let disk: @Sendable () -> Disk?
    /// How long every single reading is kept; nil: for ever.
    let retentionDays: Int?
    let version: String
    let now: @Sendable () -> Timestamp

    package init(
        store: Store, accounts: Accounts, sealer: Sealer, policy: Policy, access: DeviceAccess, broker: Broker,
        channels: Channels, advisor: Advisor, events: EventHub, isOpen: @escaping @Sendable () -> Bool,
        isStopping: @escaping @Sendable () -> Bool = { false },
        health: @escaping @Sendable () -> HealthReport,
        metrics: (@Sendable () -> String)? = nil, disk: @escaping @Sendable () -> Disk? = { nil },
        retentionDays: Int? = nil, version: String,
        now: @escaping @Sendable () -> Timestamp = { .now() }
    ) {
        self.store = store
        self.accounts = accounts
        self.sealer = sealer
        self.policy = policy
        self.access = access
        self.broker = broker
        self.channels = channels
        self.advisor = advisor
        self.events = events
        self.isOpen = isOpen
        self.isStopping = isStopping
        self.health = health
        self.metrics = metrics
        self.disk = disk
        self.retentionDays = retentionDays
        self.version = version
        self.now = now
    }
}

/// How the program is, as far as it can be told without asking anybody.
package struct HealthReport: Sendable {
    package var databaseConnected: Bool
    package var mqttConnected: Bool
    package var lastCommitAt: Timestamp?
    /// How far storing is behind taking in, in seconds.
    package var lagSeconds: Double
    package var uptimeSeconds: Double
    package var memoryBytes: Int
    /// When the certificate expires that the broker shows; nil when that is not known.
    package var certificateExpiry: Timestamp?
    /// Why the broker or the database is not connected, for whoever is signed in.
    package var problem: String?
    /// The program was told to stop: whoever sends it work should look for another.
    package var isStopping: Bool
    /// Whether a message could be taken in and stored now.
    package var isReady: Bool { databaseConnected && mqttConnected && !isStopping }

    package init(
        databaseConnected: Bool, mqttConnected: Bool, lastCommitAt: Timestamp?, lagSeconds: Double,
        uptimeSeconds: Double, memoryBytes: Int, certificateExpiry: Timestamp? = nil, problem: String? = nil,
        isStopping: Bool = false
    ) {
        self.isStopping = isStopping
        self.certificateExpiry = certificateExpiry
        self.problem = problem
        self.databaseConnected = databaseConnected
        self.mqttConnected = mqttConnected
        self.lastCommitAt = lastCommitAt
        self.lagSeconds = lagSeconds
        self.uptimeSeconds = uptimeSeconds
        self.memoryBytes = memoryBytes
    }
}
