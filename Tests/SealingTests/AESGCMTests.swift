import Testing

@testable import Sealing

@Suite struct AESGCMTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let name: String
        var key = String(repeating: "00", count: 32)
        var nonce = String(repeating: "00", count: 12)
        var plain = ""
        var associated = ""
        let sealed: String
        var testDescription: String { name }
    }

    /// "The Galois/Counter Mode of Operation" (McGrew, Viega), appendix B, which NIST takes its vectors from.
    static let vectors = [
        Vector(name: "test case 13", sealed: "530f8afbc74536b9a963b4f1c4cb738b"),
        Vector(
            name: "test case 14", plain: "00000000000000000000000000000000",
            sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
        Vector(
            name: "test case 16", key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            nonce: "cafebabefacedbaddecaf888",
            plain: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            associated: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"),
    ]

    @Test(arguments: vectors) func `AES-256-GCM agrees with its published vectors`(vector: Vector) throws {
        let key = Secret(bytes: try #require(Crypto.hexBytes(vector.key)))
        let nonce = try #require(Crypto.hexBytes(vector.nonce))
        let associated = try #require(Crypto.hexBytes(vector.associated))
        let plain = try #require(Crypto.hexBytes(vector.plain))
        let sealed = try AESGCM.encrypt(Secret(bytes: plain), key: key, nonce: nonce, associated: associated)
        #expect(Crypto.hex(sealed) == vector.sealed)
        let opened = try #require(AESGCM.decrypt(sealed[...], key: key, nonce: nonce, associated: associated))
        #expect(opened.withBytes { Array($0) } == plain)
    }

    @Test func `another key, another nonce and other associated data decrypt nothing`() throws {
        let key = Secret(bytes: [UInt8](repeating: 1, count: 32))
        let nonce = [UInt8](repeating: 2, count: 12)
        let sealed = try AESGCM.encrypt(Secret("hush"), key: key, nonce: nonce, associated: [3])
        let otherKey = Secret(bytes: [UInt8](repeating: 9, count: 32))
        let otherNonce = [UInt8](repeating: 9, count: 12)
        #expect(AESGCM.decrypt(sealed[...], key: otherKey, nonce: nonce, associated: [3]) == nil)
        #expect(AESGCM.decrypt(sealed[...], key: key, nonce: otherNonce, associated: [3]) == nil)
        #expect(AESGCM.decrypt(sealed[...], key: key, nonce: nonce, associated: []) == nil)
        #expect(AESGCM.decrypt([], key: key, nonce: nonce, associated: [3]) == nil)
    }
}
