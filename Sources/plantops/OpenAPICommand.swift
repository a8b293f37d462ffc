import ArgumentParser
import Logging
import PlantAPI
import PlantDomain
import PlantStore
import Postgres
import Sealing

struct OpenAPICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi", abstract: "Print the OpenAPI 3.1 description of the HTTP API.")

    func run() throws {
        // The table of routes names its handlers, and they their surroundings; none of them is called here.
        let logger = Logger(label: "openapi")
        let store = Store(pool: PostgresPool(PostgresOptions(url: ""), size: 1, logger: logger))
        let environment = APIEnvironment(
            store: store, accounts: Accounts(store: store),
            sealer: try Sealer(current: Secret(String(repeating: "0", count: 64))),
            policy: APIEnvironment.Policy(requiresSignIn: true, enrollment: .token),
            access: APIEnvironment.DeviceAccess(host: "", port: 0, caCertificate: nil),
            broker: APIEnvironment.Broker(reach: {}, grant: { _ in }, settle: { _ in }, send: { _ in }),
            channels: APIEnvironment.Channels(
                allowedHosts: .none, check: { _ in nil }, test: { _ in APIEnvironment.ChannelTest() }),
            advisor: .idle,
            events: EventHub(),
            isOpen: { false },
            health: {
                HealthReport(
                    databaseConnected: false, mqttConnected: false, lastCommitAt: nil, lagSeconds: 0,
                    uptimeSeconds: 0, memoryBytes: 0)
            }, version: programVersion)
        print(try APIServer.openAPI(environment))
    }
}
