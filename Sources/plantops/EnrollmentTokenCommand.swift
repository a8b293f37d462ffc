import ArgumentParser
import Foundation
import PlantDomain
import PlantStore
import Sealing

struct EnrollmentTokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrollment-token", abstract: "Make tokens that let devices in.", subcommands: [Create.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token and print it.",
            discussion: """
                With --token-file the token is not made but read, and its validity made sure of: for scripts that \
                provision devices. Running that again changes nothing but the label and the bounds.
                """)
        private static let shortest = 32

        @Option(help: "What it is for.")
        var label: String
        @Option(help: ArgumentHelp("How many devices it lets in.", valueName: "n"))
        var maxUses = 1
        @Option(help: ArgumentHelp("How long it is valid.", valueName: "hours"))
        var expiresInHours = 24
        @Option(help: ArgumentHelp("A file with the token, at least 32 characters.", valueName: "file"))
        var tokenFile: String?

        func validate() throws {
            let problems = [
                ((1...100).contains(label.unicodeScalars.count), "--label has to have 1 to 100 characters"),
                (EnrollmentToken.usesRange.contains(maxUses), "--max-uses has to be from 1 to 1000000"),
                (EnrollmentToken.hoursRange.contains(expiresInHours), "--expires-in-hours has to be from 1 to 87600"),
            ].filter { !$0.0 }.map(\.1)
            guard problems.isEmpty else { throw ValidationError(problems.joined(separator: "; ")) }
        }

        func run() async throws {
            let given = try tokenFile.map { try Self.token(in: $0) }
            try await CommandLineStore.run { store, _ in
                let token = EnrollmentToken(label: label, maxUses: maxUses, hours: expiresInHours, at: .now())
                let origin = CommandLineStore.origin
                if let given {
                    try await store.ensureEnrollmentToken(token, hash: Accounts.hash(given), by: origin)
                } else {
                    let secret = Secret(try Crypto.randomToken(bytes: 24))
                    try await store.createEnrollmentToken(token, hash: Accounts.hash(secret), by: origin)
                    print(secret.reveal())
                }
            }
        }

        private static func token(in file: String) throws -> Secret {
            guard let content = try? String(contentsOfFile: file, encoding: .utf8) else {
                throw ValidationError("\(file) cannot be read")
            }
            let text = content.trimmingCharacters(in: .whitespacesAndNewlines)
            guard (shortest...200).contains(text.utf8.count) else {
                throw ValidationError("the token in \(file) has to have \(shortest) to 200 characters")
            }
            return Secret(text)
        }
    }
}
