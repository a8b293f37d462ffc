import ArgumentParser
import Foundation
import PlantDomain
import PlantStore
import Postgres

struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the database to the newest schema.",
        discussion: "Safe to run again, and while another one runs: they take turns. It never goes back: what a newer "
            + "version has added stays.")

    @Flag(help: "Say what the database has and lacks, and change nothing.")
    var status = false

    func run() throws {
        let settings = Settings.loadOrExit()
        let logger = Log.bootstrap(settings.logFormat, level: settings.logLevel)
        do {
            if status {
                let (kind, applied, comparison) = try Schema.status(settings.database, logger: logger)
                print("time series: \(kind.rawValue)")
                let newer = Set(comparison.newer.map(\.version))
                for step in applied {
                    print(
                        "applied \(step.version) \(step.name) at \(Timestamp(microseconds: step.appliedAt))"
                            + (newer.contains(step.version) ? " by a newer program" : ""))
                }
                for step in comparison.pending { print("pending \(step.version) \(step.name)") }
            } else {
                let outcome = try Schema.migrate(settings.database, logger: logger)
                for step in outcome.applied { print("applied \(step)") }
                if !outcome.newer.isEmpty {
                    print(
                        "the schema is newer than this program and stays as it is; added by a newer one: "
                            + outcome.newer.joined(separator: ", "))
                } else if outcome.applied.isEmpty {
                    print("the schema is up to date")
                }
            }
        } catch let error as PostgresError {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ExitCode.failure
        }
    }
}
