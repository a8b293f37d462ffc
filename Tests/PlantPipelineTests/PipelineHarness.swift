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

    /// Tells the broker of devices while `body` runs.
    @discardableResult
    func controlling<T: Sendable>(
        _ options: MQTTOptions? = nil, _ body: @escaping @Sendable (TestAccess) async throws -> T
    ) async throws -> T {
        let control = BrokerControl(try options ?? TestBroker.backend(), logger: logger)
        let access = TestAccess(
            control: control, store: database.store(), sealer: try testSealer(), logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [control], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let value = try await body(access)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return value
        }
    }

    /// A device the database and the broker know.
    func device(_ access: TestAccess) async throws -> (id: EntityID, client: MQTTOptions) {
        let offer = try await access.store.offerCredentials(
            registering: try .sample(), rule: .open, sealer: access.sealer, from: testOrigin, at: .now()
        ).get()
        return (offer.device, try await access.put(offer))
    }
}

/// The broker's accounts as a test changes them.
struct TestAccess: Sendable {
    let control: BrokerControl
    let store: Store
    let sealer: Sealer
    let broker: BrokerAccess

    init(control: BrokerControl, store: Store, sealer: Sealer, logger: Logger) {
        self.control = control
        self.store = store
        self.sealer = sealer
        broker = BrokerAccess(
            store: store, sealer: sealer, control: control, installation: { "test" }, logger: logger)
    }

    /// Tells the broker of new credentials and makes them the device's.
    func put(_ offer: CredentialsOffer) async throws -> MQTTOptions {
        try await broker.grant(offer)
        guard
            try await store.accept(offer, action: "device.register", sealer: sealer, by: testOrigin, at: .now()) != nil
        else { throw TestSetupError(description: "the offer was not accepted") }
        return try TestBroker.device(offer.device, password: offer.password.reveal())
    }

    /// Gives a known device new credentials.
    func rotate(_ device: EntityID) async throws -> MQTTOptions {
        guard case .offered(let offer) = try await store.offerCredentials(to: device, sealer: sealer, at: .now())
        else { throw TestSetupError(description: "no such device") }
        return try await put(offer)
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
