import Testing

@testable import Sealing

@Suite struct PasswordHashTests {
    /// "Grüße" by Python's hashlib.scrypt, with the salt 0, 1, … 15.
    private static let fixed =
        "$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$JZb75ycFHmC79WA3OKWqPJYRKG62gYp6Vcp6g0vdf1M"

    @Test(arguments: [
        (
            "", "", Cost(ln: 4, r: 1, p: 1),
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
        ),
        (
            "password", "NaCl", Cost(ln: 10, r: 8, p: 16),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
        ),
        (
            "pleaseletmein", "SodiumChloride", Cost(ln: 14, r: 8, p: 1),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
        ),
    ])
    func `scrypt agrees with RFC 7914, section 12`(
        password: String, salt: String, cost: Cost, expected: String
    ) throws {
        let key = try PasswordHash.derive(Secret(password), salt: Array(salt.utf8), cost: cost, length: 64)
        #expect(Crypto.hex(key) == expected)
    }

    @Test func `a password verifies against its hash, and no other does`() throws {
        let hash = try PasswordHash.make(Secret("correct horse"))
        #expect(hash.wholeMatch(of: /\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+\/]{22}\$[A-Za-z0-9+\/]{43}/) != nil)
        #expect(PasswordHash.verify(Secret("correct horse"), against: hash))
        #expect(!PasswordHash.verify(Secret("correct horsf"), against: hash))
        #expect(!PasswordHash.verify(Secret("correct horse "), against: hash))
        #expect(!PasswordHash.verify(Secret(""), against: hash))
        #expect(!PasswordHash.needsRehash(hash))
    }

    @Test func `the same password is never hashed the same`() throws {
        #expect(try PasswordHash.make(Secret("hush")) != PasswordHash.make(Secret("hush")))
    }

    @Test func `an empty password is a password`() throws {
        let hash = try PasswordHash.make(Secret(""))
        #expect(PasswordHash.verify(Secret(""), against: hash))
        #expect(!PasswordHash.verify(Secret(" "), against: hash))
    }

    @Test func `a hash made elsewhere verifies, however the accents were typed`() {
        #expect(PasswordHash.verify(Secret("Grüße"), against: Self.fixed))
        #expect(PasswordHash.verify(Secret("Gru\u{308}ße"), against: Self.fixed))
        #expect(!PasswordHash.verify(Secret("Gruße"), against: Self.fixed))
        #expect(!PasswordHash.verify(Secret("Grüsse"), against: Self.fixed))
    }

    @Test func `characters that only look alike are different passwords`() throws {
        let cost = Cost(ln: 4, r: 1, p: 1)
        let two = try PasswordHash.derive(Secret("2"), salt: [], cost: cost, length: 32)
        #expect(try PasswordHash.derive(Secret("²"), salt: [], cost: cost, length: 32) != two)
        let broken = try PasswordHash.derive(Secret(bytes: [0xff]), salt: [], cost: cost, length: 32)
        #expect(try PasswordHash.derive(Secret(bytes: [0xfe]), salt: [], cost: cost, length: 32) != broken)
    }

    @Test func `the decoy is a current hash that nothing verifies against`() {
        #expect(!PasswordHash.needsRehash(PasswordHash.decoy))
        for guess in ["", "plantops decoy hash", "plantops decoy salt"] {
            #expect(!PasswordHash.verify(Secret(guess), against: PasswordHash.decoy))
        }
    }

    @Test(arguments: [
        "", "$", "$$$$", "plain text", "$scrypt$", "$2b$12$abcdefghijklmnopqrstuv",
        fixed + "$", fixed + "=", fixed + "\n", " " + fixed, String(fixed.dropLast()), String(fixed.dropFirst()),
        fixed.replacing("scrypt", with: "Scrypt"), fixed.replacing("scrypt", with: "argon2id"),
        fixed.replacing("ln=15,r=8", with: "r=8,ln=15"), fixed.replacing("ln=15", with: "ln=+15"),
        fixed.replacing("ln=15", with: "ln=015"), fixed.replacing("ln=15", with: "ln="),
        fixed.replacing("ln=15", with: "15"), fixed.replacing("ln=15", with: "N=15"),
        fixed.replacing("ln=15", with: "ln=-15"), fixed.replacing("ln=15", with: "ln=0"),
        fixed.replacing("ln=15", with: "ln=21"), fixed.replacing("ln=15", with: "ln=64"),
        fixed.replacing("ln=15", with: "ln=99999999999999999999"), fixed.replacing("r=8", with: "r=0"),
        fixed.replacing("r=8", with: "r=33"), fixed.replacing("p=3", with: "p=0"), fixed.replacing("p=3", with: "p=17"),
        fixed.replacing(",p=3", with: ""), fixed.replacing("p=3", with: "p=3,x=1"),
        fixed.replacing("AAECAwQFBgcICQoLDA0ODw", with: ""), fixed.replacing("AAECAwQFBgcICQoLDA0ODw", with: "AAEC"),
        fixed.replacing("AAECAwQFBgcICQoLDA0ODw", with: "AAECAwQFBgcICQoLDA0ODx"),
        fixed.replacing("AAECAwQFBgcICQoLDA0ODw", with: "AAECAwQFBgcICQoLDA0-_w"),
        "$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$", "$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$AAAA",
        "$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw", "$scrypt$ln=15,r=8,p=3$é$ü",
        String(repeating: "$", count: 1_000_000), fixed + String(repeating: "A", count: 1_000_000),
    ])
    func `a malformed hash verifies nothing and wants to be made again`(hash: String) {
        #expect(!PasswordHash.verify(Secret("Grüße"), against: hash))
        #expect(PasswordHash.needsRehash(hash))
    }

    @Test(arguments: [(20, 8, 1), (20, 32, 16), (18, 8, 1)])
    func `a hash that asks for too much memory verifies nothing`(ln: Int, r: Int, p: Int) {
        let hash = Self.fixed.replacing("ln=15,r=8,p=3", with: "ln=\(ln),r=\(r),p=\(p)")
        #expect(!PasswordHash.verify(Secret("Grüße"), against: hash))
        #expect(PasswordHash.needsRehash(hash))
        // It is refused, and not worked through to find that the password is another.
        #expect(throws: SealingError.self) {
            try PasswordHash.derive(Secret("Grüße"), salt: Array(0..<16), cost: Cost(ln: ln, r: r, p: p), length: 32)
        }
    }

    @Test(arguments: ["ln=14,r=8,p=3", "ln=15,r=7,p=3", "ln=15,r=8,p=2", "ln=17,r=8,p=1"])
    func `a hash of other parameters wants to be made again`(cost: String) {
        #expect(PasswordHash.needsRehash(Self.fixed.replacing("ln=15,r=8,p=3", with: cost)))
    }

    @Test func `a hash of the most memory allowed verifies`() throws {
        let cost = Cost(ln: 17, r: 8, p: 1)
        let hash = try PasswordHash.derive(Secret("hush"), salt: Array(0..<16), cost: cost, length: 32)
        let text =
            "$scrypt$ln=17,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$" + Crypto.base64(hash).replacing("=", with: "")
        #expect(PasswordHash.verify(Secret("hush"), against: text))
    }
}
