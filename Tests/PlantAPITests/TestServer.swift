import Hummingbird
import Logging
import NIOCore
import PlantDomain
import PlantStore
import ServiceLifecycle
import TestSupport

@testable import PlantAPI

/// What handlers need, where nobody is behind them but a database.
func testEnvironment(
    _ store: Store, signIn: Bool = true, advisor: APIEnvironment.Advisor = .idle, events: EventHub = EventHub()
) throws -> APIEnvironment {
    APIEnvironment(
        store: store, accounts: Accounts(store: store), sealer: try testSealer(),
        policy: APIEnvironment.Policy(requiresSignIn: signIn, enrollment: .token),
        access: APIEnvironment.DeviceAccess(host: "", port: 0, caCertificate: nil),
        broker: APIEnvironment.Broker(reach: {}, grant: { _ in }, settle: { _ in }, send: { _ in }),
        channels: APIEnvironment.Channels(
            allowedHosts: .none, check: { _ in nil }, test: { _ in APIEnvironment.ChannelTest() }),
        advisor: advisor, events: events, isOpen: { true },
        health: {
            HealthReport(
                databaseConnected: true, mqttConnected: true, lastCommitAt: nil, lagSeconds: 0, uptimeSeconds: 0,
                memoryBytes: 0)
        }, version: "test")
}

/// Runs a server on a port of its own.
/// - Returns: how long it took to stop.
@discardableResult
func withServer(
    _ router: Router<PlantContext>, idleTimeout: TimeAmount = .seconds(75), _ body: (_ port: Int) async throws -> Void
) async throws -> Duration {
    let (ports, port) = AsyncStream<Int>.makeStream()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let server = Application(
        router: router, server: .http1(configuration: .init(idleTimeout: idleTimeout)),
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { port.yield($0.localAddress?.port ?? 0) }, logger: logger)
    var configuration = ServiceGroupConfiguration(services: [server], logger: logger)
    // As in the program: whoever holds it up for longer is cancelled.
    configuration.maximumGracefulShutdownDuration = .seconds(8)
    let group = ServiceGroup(configuration: configuration)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        for await port in ports {
            try await body(port)
            break
        }
        let start = ContinuousClock.now
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return .now - start
    }
}
