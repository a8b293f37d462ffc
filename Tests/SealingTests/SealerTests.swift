import Sealing
import Testing

@Suite struct SealerTests {
    /// The bytes 0 to 31.
    private static let firstKey = Crypto.hex(Array(0..<32))
    private static let secondKey = Crypto.hex(Array(100..<132))
    private static let place = Sealer.Place(table: "broker", column: "password", row: "7")

    /// "Grüße, 🌱" under `firstKey` at `place`, made by a Python program that follows the format and not this code.
    private static let fixed =
        "0193df793f9b0ec45ba0a1a2a3a4a5a6a7a8a9aaaba16abf91865467934295185fb6a05594fb5f5aa143be66a900140e071a"

    private let sealer: Sealer

    init() throws { sealer = try Sealer(current: Secret(Self.firstKey)) }

    @Test func `a value sealed long ago still opens`() throws {
        let sealed = try #require(Crypto.hexBytes(Self.fixed))
        #expect(try sealer.open(sealed, for: Self.place).reveal() == "Grüße, 🌱")
        #expect(sealer.isCurrent(sealed))
        #expect(sealer.currentKeyID == "93df793f9b0ec45b")
    }

    @Test(arguments: ["", "x", "hush-hush", "with\0null", String(repeating: "x", count: 1_000_000)])
    func `what is sealed opens`(text: String) throws {
        let sealed = try sealer.seal(Secret(text), for: Self.place)
        #expect(sealed.count == 1 + 8 + 12 + text.utf8.count + 16)
        #expect(sealed.starts(with: [1] + (Crypto.hexBytes(sealer.currentKeyID) ?? [])))
        #expect(try sealer.open(sealed, for: Self.place).reveal() == text)
        // A slice's indices do not begin at 0.
        #expect(try sealer.open(([0] + sealed).dropFirst(), for: Self.place).reveal() == text)
    }

    @Test func `a sealed value does not hold the text`() throws {
        let sealed = try sealer.seal(Secret("hush-hush"), for: Self.place)
        #expect(!String(decoding: sealed, as: UTF8.self).contains("hush"))
    }

    @Test func `the same secret is never sealed the same`() throws {
        let nonces = try (0..<1000).map { _ in
            Array(try sealer.seal(Secret("hush"), for: Self.place)[9..<21])
        }
        #expect(Set(nonces).count == 1000)
    }

    @Test func `a value with any one bit changed does not open`() throws {
        let sealed = try sealer.seal(Secret("hush-hush"), for: Self.place)
        for index in sealed.indices {
            let expected: SealedValueError = index == 0 ? .malformed : index <= 8 ? .unknownKey : .tampered
            for bit in 0..<8 {
                var changed = sealed
                changed[index] ^= 1 << bit
                #expect(throws: expected, "bit \(bit) of byte \(index)") {
                    try sealer.open(changed, for: Self.place)
                }
            }
        }
    }

    @Test func `a value with bytes missing or added does not open`() throws {
        let sealed = try sealer.seal(Secret("hush-hush"), for: Self.place)
        for count in sealed.indices {
            let expected: SealedValueError = count < 1 + 8 + 12 + 16 ? .malformed : .tampered
            #expect(throws: expected, "\(count) bytes") { try sealer.open(sealed.prefix(count), for: Self.place) }
        }
        #expect(throws: SealedValueError.tampered) { try sealer.open(sealed + [0], for: Self.place) }
    }

    @Test(arguments: [
        Sealer.Place(table: "broker", column: "password", row: "8"),
        Sealer.Place(table: "broker", column: "token", row: "7"),
        Sealer.Place(table: "mailer", column: "password", row: "7"),
        Sealer.Place(table: "brokerp", column: "assword", row: "7"),
        Sealer.Place(table: "broker", column: "password7", row: ""),
        Sealer.Place(table: "broker", column: "password\0", row: "7"),
        Sealer.Place(table: "", column: "", row: ""),
    ])
    func `a value moved to another place does not open`(other: Sealer.Place) throws {
        let sealed = try sealer.seal(Secret("hush-hush"), for: Self.place)
        #expect(other != Self.place)
        #expect(throws: SealedValueError.tampered) { try sealer.open(sealed, for: other) }
    }

    @Test func `an old key opens, and its values are not current`() throws {
        let sealed = try sealer.seal(Secret("hush-hush"), for: Self.place)
        let next = try Sealer(current: Secret(Self.secondKey), old: [Secret(Self.firstKey)])
        #expect(try next.open(sealed, for: Self.place).reveal() == "hush-hush")
        #expect(!next.isCurrent(sealed))

        let again = try next.seal(try next.open(sealed, for: Self.place), for: Self.place)
        #expect(next.isCurrent(again))
        #expect(next.currentKeyID != sealer.currentKeyID)
        #expect(throws: SealedValueError.unknownKey) { try sealer.open(again, for: Self.place) }
    }

    @Test func `the key that is current may be among the old ones too`() throws {
        let both = try Sealer(current: Secret(Self.firstKey), old: [Secret(Self.firstKey), Secret(Self.secondKey)])
        let sealed = try both.seal(Secret("hush"), for: Self.place)
        #expect(try both.open(sealed, for: Self.place).reveal() == "hush")
    }

    @Test func `a value of another version is not current`() throws {
        var sealed = try sealer.seal(Secret("hush-hush"), for: Self.place)
        sealed[0] = 2
        #expect(!sealer.isCurrent(sealed))
        #expect(!sealer.isCurrent([]))
        #expect(!sealer.isCurrent([1]))
    }

    @Test func `upper case digits are the same key`() throws {
        let upper = try Sealer(current: Secret(Self.secondKey.uppercased()))
        #expect(upper.currentKeyID == (try Sealer(current: Secret(Self.secondKey)).currentKeyID))
    }

    @Test(arguments: [
        "", "00", String(repeating: "0", count: 63), String(repeating: "0", count: 65),
        String(repeating: "0", count: 63) + "g", String(repeating: "0", count: 64) + "\n",
        String(repeating: "é", count: 32),
    ])
    func `a key that is not 64 hexadecimal digits is refused`(text: String) throws {
        #expect(throws: SealingError.self) { try Sealer(current: Secret(text)) }
        #expect(throws: SealingError.self) { try Sealer(current: Secret(Self.firstKey), old: [Secret(text)]) }
    }

    @Test func `a sealer does not show its keys`() throws {
        var dumped = ""
        dump(sealer, to: &dumped)
        let shown = dumped + "\(sealer)" + String(reflecting: sealer)
        #expect(!shown.contains(Self.firstKey))
        #expect(!shown.contains("30, 31"))
    }

    @Test func `errors say what to do in plain words`() {
        #expect(
            "\(SealedValueError.unknownKey)"
                == "sealed under a key that is not here any more; it needs to be entered again")
    }
}
