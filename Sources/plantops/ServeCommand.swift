import ArgumentParser
import Foundation
import Logging
import PlantAPI
import PlantDomain
import PlantPipeline
import PlantStore
import Postgres
import Sealing
import ServiceLifecycle
import UnixSignals

/// What one process does; a large installation spreads the roles over several.
enum Role: String, CaseIterable {
    /// Answers HTTP.
    case api
    /// Takes readings in.
    case ingest
    /// Looks after the database.
    case worker
}

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Run the backend.")

    @Option(help: "What this process does, separated by commas: api, ingest, worker.")
    var roles = Role.allCases.map(\.rawValue).joined(separator: ",")

    func validate() throws {
        let unknown = roles.split(separator: ",").filter { Role(rawValue: String($0)) == nil }
        guard unknown.isEmpty, !roles.isEmpty else {
            throw ValidationError("--roles takes api, ingest and worker, separated by commas")
        }
    }

    func run() async throws {
        let settings = Settings.loadOrExit()
        let logger = Log.bootstrap(settings.logFormat, level: settings.logLevel)
        for warning in settings.warnings { logger.warning("configuration: \(warning)") }
        let roles = Set(roles.split(separator: ",").compactMap { Role(rawValue: String($0)) })
        do {
            try await Backend(settings, roles: roles, logger: logger).run()
        } catch {
            logger.critical("the backend cannot run", metadata: ["reason": "\(error)"])
            throw ExitCode.failure
        }
    }
}

/// The running program: its parts, and how they find each other.
struct Backend {
    private let settings: Settings
    private let roles: Set<Role>
    private let logger: Logger

    init(_ settings: Settings, roles: Set<Role>, logger: Logger) {
        self.settings = settings
        self.roles = roles
        self.logger = logger
    }

    /// Returns when the program was told to stop and everything under way is done.
    func run() async throws {
        logger.warning("there is no sign-in yet: whoever reaches the HTTP port may read and change everything")
        let store = Store(pool: PostgresPool(settings.database, size: settings.databasePoolSize, logger: logger))
        let schema = SchemaService(settings.database, logger: logger)
        let watch = DatabaseWatch(settings.database, logger: logger)
        let control = BrokerControl(settings.mqtt, logger: logger)
        let ingest = IngestStatus()

        // They end in the reverse order: the intake first, which is quick and must not be cut off, then the API, which
        // may have a slow client.
        var services: [any Service] = [schema, watch]
        if roles.contains(.api) {
            services.append(control)
            services.append(
                APIServer.make(
                    environment(store, schema, watch, control, ingest), host: settings.httpHost,
                    port: settings.httpPort, logger: logger))
        }
        if roles.contains(.worker) { services.append(Gated(schema, Housekeeping(store: store, logger: logger))) }
        if roles.contains(.ingest) {
            let options = IngestOptions(
                mqtt: settings.mqtt, database: settings.database, sharedGroup: settings.mqttSharedGroup)
            services.append(Gated(schema, IngestService(options, status: ingest, logger: logger)))
        }
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(8)
        try await ServiceGroup(configuration: configuration).run()
        logger.info("stopped")
    }

    private func environment(
        _ store: Store, _ schema: SchemaService, _ watch: DatabaseWatch, _ control: BrokerControl,
        _ ingest: IngestStatus
    ) -> APIEnvironment {
        let started = Timestamp.now()
        let ingestsHere = roles.contains(.ingest)
        return APIEnvironment(
            store: store,
            access: APIEnvironment.DeviceAccess(
                host: settings.publicMQTTHost, port: settings.publicMQTTPort,
                caCertificate: settings.caFile.flatMap { Certificate.certificates(pemFile: $0) }),
            grant: { try await control.grant($0).reveal() },
            revoke: { try await control.revoke($0) },
            isOpen: { schema.isReady },
            health: {
                let state = ingest.snapshot
                // A batch that waits this long for its commit says more than a ping that passes.
                let isStoring = state.databaseConnected && state.lag(now: .now()) < 30
                let database = schema.isReady && watch.isAnswering && (!ingestsHere || isStoring)
                return HealthReport(
                    databaseConnected: database, mqttConnected: ingestsHere ? state.mqttConnected : control.isConnected,
                    lastCommitAt: state.lastCommitAt, lagSeconds: state.lag(now: .now()),
                    uptimeSeconds: Timestamp.now().seconds(since: started), memoryBytes: residentBytes())
            },
            version: programVersion)
    }
}

/// Memory this process holds now, in bytes: the second field of /proc/self/statm counts pages.
private func residentBytes() -> Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
}
