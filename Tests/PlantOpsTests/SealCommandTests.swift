import PlantStore
import Postgres
import Sealing
import Testing

@testable import plantops

@Suite struct SealCommandTests {
    private let content = Array("a private key, and \0 bytes that are no text \u{FF}".utf8)
    private let first = String(repeating: "0f", count: 32)
    private let second = String(repeating: "a1", count: 32)

    private func sealer(_ key: String, old: String = "") throws -> Sealer {
        try SealedFile.sealer(["ENCRYPTION_KEY": key, "ENCRYPTION_KEYS_OLD": old])
    }

    @Test func `what was sealed opens again, also as the old key`() throws {
        let sealed = try SealedFile.seal(content, with: sealer(first))
        for keys in [try sealer(first), try sealer(second, old: "\(String(repeating: "77", count: 32)), \(first)")] {
            #expect(try SealedFile.open(sealed, with: keys).withBytes(Array.init) == content)
        }
        #expect(try SealedFile.open(SealedFile.seal([], with: sealer(first)), with: sealer(first)).isEmpty)
    }

    @Test func `another key is a matter of configuration, a changed byte one of the file`() throws {
        let sealed = try SealedFile.seal(content, with: sealer(first))
        let other = #expect(throws: SealedFile.Failure.self) { try SealedFile.open(sealed, with: sealer(second)) }
        #expect(other?.status == 78)
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            let failure = #expect(throws: SealedFile.Failure.self) {
                try SealedFile.open(changed, with: sealer(first))
            }
            // The key's id stands after the version.
            #expect(failure?.status == ((1...8).contains(index) ? 78 : 65), "byte \(index)")
        }
        for length in 0..<sealed.count {
            let failure = #expect(throws: SealedFile.Failure.self) {
                try SealedFile.open(Array(sealed.prefix(length)), with: sealer(first))
            }
            #expect(failure?.status == 65, "the first \(length) bytes")
        }
    }

    @Test func `a secret of the database is not one of a backup`() throws {
        let column = SealedColumn.all[0]
        let place = Sealer.Place(table: column.table, column: column.column, row: "secrets")
        let sealed = try sealer(first).seal(Secret("hush"), for: place)
        let failure = #expect(throws: SealedFile.Failure.self) { try SealedFile.open(sealed, with: sealer(first)) }
        #expect(failure?.status == 65)
    }

    @Test func `more than fits into memory comfortably is refused`() throws {
        let large = [UInt8](repeating: 7, count: SealedFile.limit)
        let sealed = try SealedFile.seal(large, with: sealer(first))
        #expect(try SealedFile.open(sealed, with: sealer(first)).withBytes { $0.count } == large.count)
        let failure = #expect(throws: SealedFile.Failure.self) {
            try SealedFile.seal(large + [7], with: sealer(first))
        }
        #expect(failure?.status == 65)
        #expect(failure?.description.contains("16777216") == true)
    }

    @Test func `keys that are none are named without being shown`() {
        let error = #expect(throws: SettingsError.self) {
            try SealedFile.sealer(["ENCRYPTION_KEY": "hush", "ENCRYPTION_KEYS_OLD": "\(first),hush"])
        }
        #expect(error?.problems.count == 2)
        #expect(error.map { !"\($0)".contains("hush") } == true)
        #expect(throws: SettingsError.self) { try SealedFile.sealer([:]) }
    }

    @Test func `the facts name every key at hand, the newest schema and every sealed column`() throws {
        let facts = BackupFactsCommand.lines(try sealer(second, old: first))
        let keys = try [second, first].map { "key " + (try sealer($0).currentKeyID) }
        #expect(facts.filter { $0.hasPrefix("key ") } == keys)
        #expect(facts.contains("schema \(Schema.migrator(.timescale).migrations.count)"))
        #expect(facts.filter { $0.hasPrefix("sealed ") }.count == SealedColumn.all.count)
        #expect(facts.contains("sealed channels.url"))
    }
}
