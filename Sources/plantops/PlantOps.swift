import ArgumentParser
import Foundation
import Sealing

/// The version of the program; the changelog says what is in it.
let programVersion = "0.1.0"

@main
enum Main {
    static func main() async {
        // Before any secret is read.
        SecureMemory.prepare()
        await PlantOps.main()
    }
}

struct PlantOps: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plantops",
        abstract: "Takes in what plants' sensors measure, keeps it, and shows it.",
        discussion: "Settings come from the environment; `plantops doctor` checks them.",
        version: programVersion,
        subcommands: [
            ServeCommand.self, MigrateCommand.self, SimulateCommand.self, DoctorCommand.self, ReadyCommand.self,
            OpenAPICommand.self, UserCommand.self, EnrollmentTokenCommand.self, KeysCommand.self,
            BrokerInitCommand.self,
            SealCommand.self, UnsealCommand.self, BackupFactsCommand.self,
        ])
}

extension Settings {
    /// The settings of this process, or its end with status 78 and all that is wrong with them.
    static func loadOrExit() -> Settings {
        do {
            return try Settings(environment: ProcessInfo.processInfo.environment)
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            Foundation.exit(SettingsError.exitStatus)
        }
    }
}
