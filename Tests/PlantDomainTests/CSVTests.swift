import Testing

@testable import PlantDomain

@Suite struct CSVTests {
    @Test(arguments: [
        ("", []), ("\n\r\n\n", []), ("a", [["a"]]), ("a,b\r\nc,d\r\n", [["a", "b"], ["c", "d"]]),
        ("a,b\nc,d", [["a", "b"], ["c", "d"]]), ("\u{FEFF}a\n", [["a"]]), ("\u{FEFF}", []), (",", [["", ""]]),
        ("\"\"\n", [[""]]), ("\"a\"\"b\",\"c,d\"", [["a\"b", "c,d"]]), ("\"a\r\nb\nc\",d\n", [["a\r\nb\nc", "d"]]),
        ("a\n\nb", [["a"], ["b"]]), (" a , b ", [[" a ", " b "]]), ("\"\u{FEFF}a\"", [["\u{FEFF}a"]]),
        ("a,\r\n,b", [["a", ""], ["", "b"]]), ("ä,漢\r\n", [["ä", "漢"]]), ("\"\"\"\"", [["\""]]),
    ])
    func `records are read`(text: String, records: [[String]]) {
        let (read, mistakes) = CSV.read(Array(text.utf8))
        #expect(read.map { $0.fields.map { Array($0.utf8) } } == records.map { $0.map { Array($0.utf8) } })
        #expect(mistakes.isEmpty)
    }

    @Test(arguments: [
        ("a\"b", 1, "quotes"), ("a\n\"b", 2, "never ends"), ("a\n\"b\nc\nd", 2, "never ends"),
        ("\"a\"b,c\n", 1, "closing quote"),
        ("a\rb", 1, "carriage return"), ("a\n\nb\"", 3, "quotes"), ("\"a\nb\"x", 2, "closing quote"),
    ])
    func `what could be meant in two ways is a mistake with its line`(text: String, line: Int, word: String) {
        let (_, mistakes) = CSV.read(Array(text.utf8))
        #expect(mistakes.map(\.line) == [line])
        #expect(mistakes.first?.detail.contains(word) == true)
    }

    @Test func `what is no UTF-8 is a mistake, and reading goes on after one`() {
        let (records, mistakes) = CSV.read(Array("a\n".utf8) + [0xFC, 0x0A] + Array("b\nc\"\nd".utf8))
        #expect(records.map(\.fields) == [["a"], ["b"], ["d"]])
        #expect(records.map(\.line) == [1, 3, 5])
        #expect(mistakes.map(\.line) == [2, 4])
        let (_, many) = CSV.read(Array(String(repeating: "\"a\"b\n", count: 5000).utf8))
        #expect(many.count == CSV.mistakesLimit)
    }

    /// Fields that are likely to break something.
    private static func field(_ generator: inout SeededGenerator) -> String {
        let pieces = [
            "\"", ",", "\r\n", "\n", "\r", "a", " ", "'", "=", "\u{FEFF}", "é", "\u{301}", "🌱", "\t", "-", "\u{0}",
        ]
        return (0..<Int.random(in: 0...6, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }
            .joined()
    }

    @Test func `what was written is read again, whatever it is`() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<3000 {
            let records = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                (0..<Int.random(in: 1...4, using: &generator)).map { _ in Self.field(&generator) }
            }
            let text = CSV.write(records)
            let (read, mistakes) = CSV.read(Array(text.utf8))
            #expect(mistakes.isEmpty)
            #expect(
                read.map { $0.fields.map { Array($0.utf8) } } == records.map { $0.map { Array($0.utf8) } }, "\(records)"
            )
        }
    }

    @Test func `any bytes are read without harm`() {
        var generator = SeededGenerator(seed: 2)
        let bytes = Array("\",\r\na\u{FEFF}".utf8) + [0xFF]
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                bytes.randomElement(using: &generator) ?? 0
            }
            let (records, mistakes) = CSV.read(text)
            let lines = text.count { $0 == UInt8(ascii: "\n") } + 1
            #expect(records.allSatisfy { (1...lines).contains($0.line) && !$0.fields.isEmpty })
            #expect(mistakes.allSatisfy { (1...lines).contains($0.line) })
        }
    }

    @Test(arguments: [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM", "'@SUM"), ("\t=1", "'\t=1"), ("Fern", "Fern"),
        ("", ""),
        ("'=1", "''=1"), ("''-", "'''-"), ("'t Hart", "'t Hart"), ("a=b", "a=b"), ("'", "'"),
    ])
    func `a text is no formula, and comes back as it was`(text: String, guarded: String) {
        #expect(CSV.guarded(text) == guarded)
        #expect(CSV.unguarded(guarded) == text)
    }

    @Test func `guarding can be undone for every text`() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<3000 {
            let text = Self.field(&generator)
            let guarded = CSV.guarded(text)
            #expect(Array(CSV.unguarded(guarded).utf8) == Array(text.utf8))
            #expect(!"=+-@\t\r".unicodeScalars.contains(guarded.unicodeScalars.first ?? "x"))
        }
    }
}
