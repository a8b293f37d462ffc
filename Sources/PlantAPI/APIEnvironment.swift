import Foundation
package import PlantDomain
package import PlantStore

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

    let store: Store
    let access: DeviceAccess
    /// Makes broker credentials for a device and returns its password. Throws `Unavailable`.
    let grant: @Sendable (EntityID) async throws -> String
    /// Takes them away. Throws `Unavailable`.
    let revoke: @Sendable (EntityID) async throws -> Void
    /// False until the schema is ready; requests that need it are asked to come again.
    let isOpen: @Sendable () -> Bool
    let health: @Sendable () -> HealthReport
    let version: String
    let now: @Sendable () -> Timestamp

    package init(
        store: Store, access: DeviceAccess, grant: @escaping @Sendable (EntityID) async throws -> String,
        revoke: @escaping @Sendable (EntityID) async throws -> Void, isOpen: @escaping @Sendable () -> Bool,
        health: @escaping @Sendable () -> HealthReport,
        version: String, now: @escaping @Sendable () -> Timestamp = { .now() }
    ) {
        self.store = store
        self.access = access
        self.grant = grant
        self.revoke = revoke
        self.isOpen = isOpen
        self.health = health
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

    package init(
        databaseConnected: Bool, mqttConnected: Bool, lastCommitAt: Timestamp?, lagSeconds: Double,
        uptimeSeconds: Double, memoryBytes: Int
    ) {
        self.databaseConnected = databaseConnected
        self.mqttConnected = mqttConnected
        self.lastCommitAt = lastCommitAt
        self.lagSeconds = lagSeconds
        self.uptimeSeconds = uptimeSeconds
        self.memoryBytes = memoryBytes
    }
}
