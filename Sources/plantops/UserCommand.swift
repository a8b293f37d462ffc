import ArgumentParser
import Foundation
import PlantDomain
import PlantStore

extension UserRole: ExpressibleByArgument {}

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Make and list users, and set passwords.",
        subcommands: [Create.self, List.self, SetPassword.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a user.", discussion: "Asks for the password, or reads a line of standard input.")

        @Argument(help: "The email address to sign in with.")
        var email: String
        @Option(help: "viewer (reads), member (changes plants and devices, too) or admin.")
        var role = UserRole.member
        @Option(help: ArgumentHelp("Read the password from this file.", valueName: "file"))
        var passwordFile: String?

        func run() async throws {
            guard let email = User.email(email) else { throw ValidationError("\(email) is no email address") }
            let password = try PasswordInput.read(file: passwordFile)
            try await CommandLineStore.run { store, _ in
                let hash = try await Accounts(store: store).hash(password)
                let now = Timestamp.now()
                let user = User(id: .make(at: now), email: email, role: role, createdAt: now, updatedAt: now)
                switch try await store.createUser(user, passwordHash: hash, by: CommandLineStore.origin) {
                case .done: print("made \(role.rawValue) \(email)")
                case .emailTaken, .noSuchUser, .lastAdmin:
                    CommandLineStore.fail("there is a user \(email) already; see `plantops user set-password`")
                    throw ExitCode.failure
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all users.")

        func run() async throws {
            try await CommandLineStore.run { store, _ in
                var offset = 0
                while true {
                    let page = try await store.users(limit: 500, offset: offset)
                    for user in page.items {
                        let last = user.lastSignInAt.map { "last signed in \($0)" } ?? "never signed in"
                        let role = user.role.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0)
                        print("\(role) \(user.email)  \(last)")
                    }
                    offset += page.items.count
                    guard offset < page.total, !page.items.isEmpty else { return }
                }
            }
        }
    }

    struct SetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-password",
            abstract: "Give a user a new password; ends the user's sessions and API tokens.",
            discussion: "Asks for the password, or reads a line of standard input.")

        @Argument(help: "The user's email address.")
        var email: String
        @Option(help: ArgumentHelp("Read the password from this file.", valueName: "file"))
        var passwordFile: String?

        func run() async throws {
            let password = try PasswordInput.read(file: passwordFile)
            try await CommandLineStore.run { store, _ in
                guard let found = try await store.user(email: User.email(email) ?? email) else {
                    CommandLineStore.fail("there is no user \(email); see `plantops user list`")
                    throw ExitCode.failure
                }
                let hash = try await Accounts(store: store).hash(password)
                _ = try await store.setPassword(
                    of: found.user.id, hash: hash, verified: nil, keeping: nil, by: CommandLineStore.origin,
                    at: .now())
                print("\(found.user.email) has a new password; all sessions and API tokens have ended")
            }
        }
    }
}
