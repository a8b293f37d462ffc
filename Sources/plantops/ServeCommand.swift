import ArgumentParser
import Logging

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
