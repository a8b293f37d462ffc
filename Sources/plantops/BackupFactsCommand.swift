import ArgumentParser
import PlantStore
import Postgres
import Sealing

/// What deploy/backup has to know of this program to judge a backup by, one fact per line: `schema 5` (the newest it
/// makes), `version 0.1.0`, `key 1f2e…` (each key at hand by its id, the current one first) and `sealed table.column`.
struct BackupFactsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup-facts", abstract: "Say what deploy/backup has to know of this program.",
        shouldDisplay: false)

    func run() throws {
        try SealedFile.run { sealer in
            for line in Self.lines(sealer) { print(line) }
        }
    }

    static func lines(_ sealer: Sealer) -> [String] {
        let newest = Schema.migrator(.native).migrations.last?.version ?? 0
        return ["version \(programVersion)", "schema \(newest)"]
            + sealer.keyIDs.map { "key \($0)" }
            + SealedColumn.all.map { "sealed \($0.table).\($0.column)" }
    }
}
