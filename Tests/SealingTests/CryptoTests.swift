import Foundation
import Sealing
import Testing

@Suite struct CryptoTests {
    @Test func `SHA-256 agrees with FIPS 180-2, appendix B`() {
        #expect(
            Crypto.hex(Crypto.sha256(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func `HMAC-SHA256 agrees with RFC 4231, test case 2`() {
        #expect(
            Crypto.hex(Crypto.hmacSHA256(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test func `PBKDF2 with HMAC-SHA512 agrees with a known vector`() throws {
        let key = try Crypto.pbkdf2SHA512(
            password: Secret("password"), salt: Array("salt".utf8), iterations: 2, length: 64)
        #expect(
            Crypto.hex(key)
                == "e1d9c16aa681708a45f5c7c4e215ceb66e011a2e9f0040713f18aefdb866d53c"
                + "f76cab2868a39b9f7840edce4fef5a82be67335c77a6068e04112754f27ccf4e")
    }

    @Test(arguments: ["", "f", "fo", "foo", "foob", "fooba", "foobar"])
    func `base64 agrees with Foundation`(text: String) {
        #expect(Crypto.base64(Array(text.utf8)) == Data(text.utf8).base64EncodedString())
    }

    @Test func `tokens are long, different, and safe in a URL`() throws {
        let tokens = try (0..<100).map { _ in try Crypto.randomToken() }
        #expect(Set(tokens).count == 100)
        #expect(
            tokens.allSatisfy { $0.count == 43 && $0.allSatisfy { $0.isLetter || $0.isNumber || "-_".contains($0) } })
    }

    @Test func `HMAC-SHA256 takes an empty key`() {
        #expect(
            Crypto.hex(Crypto.hmacSHA256(key: [], []))
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test func `bytes are equal when they and their number are`() {
        #expect(Crypto.areEqual([], []))
        #expect(Crypto.areEqual([1, 2, 3], [1, 2, 3]))
        #expect(!Crypto.areEqual([1, 2, 3], [1, 2, 4]))
        #expect(!Crypto.areEqual([1, 2, 3], [0, 2, 3]))
        #expect(!Crypto.areEqual([1, 2, 3], [1, 2]))
        #expect(!Crypto.areEqual([1, 2], [1, 2, 0]))
        #expect(!Crypto.areEqual([], [0]))
    }

    @Test func `hexadecimal digits are read as they are written`() {
        let all = Array(UInt8.min...UInt8.max)
        #expect(Crypto.hexBytes(Crypto.hex(all)) == all)
        #expect(Crypto.hexBytes(Crypto.hex(all).uppercased()) == all)
        #expect(Crypto.hexBytes("") == [])
    }

    @Test(arguments: ["0", "0g", "g0", "0x00", "00 ", " 0", "+1", "-1", "０0", "é", "/0", ":0", "@0", "`0", "G0", "0\0"])
    func `what is not pairs of hexadecimal digits is refused`(text: String) {
        #expect(Crypto.hexBytes(text) == nil)
    }
}
