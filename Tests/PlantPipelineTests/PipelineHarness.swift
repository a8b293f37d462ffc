import Logging
import MQTT
import PlantDomain
import PlantPipeline
import PlantStore
import Postgres
import Sealing
import ServiceLifecycle
import TestSupport

/// A whole intake of a test's own: database, session at the broker, and the service between them.
///
/// Other tests' devices publish on the same broker; their messages become dead letters of unknown devices here, and
/// are told apart by device.
struct PipelineHarness {
    let database: TestDatabase
    let options: IngestOptions
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init(_ kind: TimeSeriesKind = .native) throws {
        database = try TestDatabase(kind)
        options = IngestOptions(mqtt: try TestBroker.backend(), database: database.options, sharedGroup: nil)
    }

    init(_ database: TestDatabase, _ options: IngestOptions) {
        self.database = database
        self.options = options
    }

    /// Takes readings in while `body` runs, and ends as on SIGTERM.
    func running<T: Sendable>(_ body: @escaping @Sendable (IngestStatus) async throws -> T) async throws -> T {
        let status = IngestStatus()
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [IngestService(options, status: status, logger: logger)], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await eventually("the intake is connected") { status.snapshot.mqttConnected }
            let value = try await body(status)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return value
        }
    }

    /// Grants and revokes while `body` runs.
    @discardableResult
    func controlling<T: Sendable>(
        _ options: MQTTOptions? = nil, _ body: @escaping @Sendable (BrokerControl) async throws -> T
    ) async throws -> T {
        let control = BrokerControl(try options ?? TestBroker.backend(), logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [control], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let value = try await body(control)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return value
        }
    }

    /// A device the database and the broker know.
    func device(_ control: BrokerControl) async throws -> (id: EntityID, client: MQTTOptions) {
        let id = EntityID.make()
        let octets = String(id.low & 0xFFFF_FFFF | 0x1_0000_0000_00, radix: 16).suffix(10)
        guard let mac = MACAddress("02" + octets) else { throw TestSetupError(description: "no MAC address") }
        _ = try await database.store().registerDevice(
            Device(
                id: id, macAddress: mac, name: "Sensor", firmwareVersion: nil, sensorTypes: [],
                reportingIntervalSeconds: nil, plantID: nil, createdAt: .now(), lastSeenAt: nil, announcedOnline: nil,
                battery: nil, rssi: nil))
        return (id, try TestBroker.device(id, password: try await control.grant(id).reveal()))
    }
}

/// One device's visit to the broker: connects, publishes, each acknowledged, and leaves.
func send(_ options: MQTTOptions, topic: String, _ payloads: [String]) throws {
    let client = try MQTTClient(options)
    try client.connect()
    for payload in payloads {
        guard try client.publishAndWait(topic: topic, payload) else {
            throw TestSetupError(description: "the broker refused \(topic)")
        }
    }
    try client.disconnect()
}
