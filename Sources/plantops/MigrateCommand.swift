import ArgumentParser
import Foundation
import PlantDomain
import PlantStore
import Postgres

struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the database to the newest schema.",
        discussion: "Safe to run again, and while another one runs: they take turns.")

    @Flag(help: "Say what the database has and lacks, and change nothing.")
    var status = false

    func run() throws {
        let settings = Settings.loadOrExit()
        let logger = Log.bootstrap(settings.logFormat, level: settings.logLevel)
        do {
            if status {
                let (kind, applied, pending) = try Schema.status(settings.database, logger: logger)
                print("time series: \(kind.rawValue)")
                for step in applied {
                    print("applied \(step.version) \(step.name) at \(Timestamp(microseconds: step.appliedAt))")
                }
                for step in pending { print("pending \(step.version) \(step.name)") }
            } else {
                let applied = try Schema.migrate(settings.database, logger: logger)
                for step in applied { print("applied \(step)") }
                if applied.isEmpty { print("the schema is up to date") }
            }
        } catch let error as PostgresError {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ExitCode.failure
        }
    }
}
