import ArgumentParser
import Foundation
import Logging
import PlantDomain
import PlantStore
import Postgres
import Sealing

/// What subcommands that work on the database have in common.
enum CommandLineStore {
    /// Runs a command's work, turning what goes wrong into a line on standard error and exit status 1.
    static func run(_ work: (Store, Settings) async throws -> Void) async throws {
        let settings = Settings.loadOrExit()
        let logger = Logger(label: "plantops") { _ in SwiftLogNoOpLogHandler() }
        let store = Store(pool: PostgresPool(settings.database, size: 1, logger: logger))
        do {
            try await work(store, settings)
        } catch let error as PostgresError {
            // 42P01, 42703: a table or column that is not there.
            let isOld = error.sqlState == "42P01" || error.sqlState == "42703"
            fail(isOld ? "the schema is not up to date: run plantops migrate" : "\(error)")
            throw ExitCode.failure
        } catch let error as Unavailable {
            fail("\(error)")
            throw ExitCode.failure
        }
    }

    static func fail(_ text: String) { FileHandle.standardError.write(Data("error: \(text)\n".utf8)) }

    /// For the audit log: whoever runs commands on this machine.
    static var origin: Origin { Origin(.commandLine, name: NSUserName()) }
}

/// Reads a password from a file, the terminal or standard input; never from the command line, which every user of the
/// machine can read.
enum PasswordInput {
    static func read(file: String?) throws -> Secret {
        let text: String
        if let file {
            guard let content = try? String(contentsOfFile: file, encoding: .utf8) else {
                throw ValidationError("\(file) cannot be read")
            }
            text = content.trimmingCharacters(in: .newlines)
        } else if isatty(STDIN_FILENO) == 1 {
            text = try ask("Password: ")
            guard try ask("Once more: ") == text else { throw ValidationError("the two are not the same") }
        } else {
            text = readLine(strippingNewline: true) ?? ""
        }
        guard User.passwordLength.contains(text.unicodeScalars.count) else {
            let (least, most) = (User.passwordLength.lowerBound, User.passwordLength.upperBound)
            throw ValidationError("a password has \(least) to \(most) characters")
        }
        return Secret(text)
    }

    private static func ask(_ prompt: String) throws -> String {
        // It asks the terminal itself and does not echo.
        guard let typed = getpass(prompt) else { throw ValidationError("no password was typed") }
        let length = strlen(typed)
        defer { explicit_bzero(typed, length) }
        return String(cString: typed)
    }
}
