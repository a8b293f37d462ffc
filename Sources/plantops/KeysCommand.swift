import ArgumentParser
import PlantStore
import Sealing

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Replace the encryption key.", subcommands: [Rotate.self])

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seal every secret in the database under the current ENCRYPTION_KEY.",
            discussion: """
                To replace the key: make a new one (openssl rand -hex 32), set it as ENCRYPTION_KEY and the one before \
                as ENCRYPTION_KEYS_OLD, restart the backend, run this, then remove ENCRYPTION_KEYS_OLD. The backend may \
                run meanwhile. Killed half-way it has lost nothing; run it again.
                """)

        func run() async throws {
            try await CommandLineStore.run { store, settings in
                var lost: [String] = []
                for column in SealedColumn.all {
                    let outcome = try await store.reseal(column, sealer: settings.sealer)
                    print(
                        "\(column.table).\(column.column): \(outcome.resealed) sealed anew, \(outcome.current) were "
                            + "under the current key, \(outcome.lost.count) cannot be opened")
                    lost += outcome.lost
                }
                guard lost.isEmpty else {
                    for line in lost { CommandLineStore.fail(line) }
                    CommandLineStore.fail(
                        "put the key they were sealed under into ENCRYPTION_KEYS_OLD and run this again")
                    throw ExitCode.failure
                }
            }
        }
    }
}
