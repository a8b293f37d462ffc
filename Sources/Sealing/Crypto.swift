internal import COpenSSL

/// What OpenSSL refused, or this module for it. OpenSSL's error queue is never shown: it can name files and keys.
package struct SealingError: Error, CustomStringConvertible, Sendable {
    package let operation: String
    package var description: String { "the cryptography refused to \(operation)" }
}

/// Thin, total wrappers over libcrypto.
package enum Crypto {
    /// Bytes from OpenSSL's generator, fit for keys.
    package static func randomBytes(_ count: Int) throws(SealingError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&bytes, Int32(count)) == 1 else { throw SealingError(operation: "make random bytes") }
        return bytes
    }

    /// A token of `bytes` random bytes as unpadded base64url: safe in URLs, headers and shells.
    package static func randomToken(bytes: Int = 32) throws(SealingError) -> String {
        base64(try randomBytes(bytes)).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    package static func sha256(_ data: some Sequence<UInt8>) -> [UInt8] {
        let bytes = [UInt8](data)
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
        return digest
    }

    /// HMAC-SHA256 (RFC 2104).
    package static func hmacSHA256(key: [UInt8], _ message: some Sequence<UInt8>) -> [UInt8] {
        key.withUnsafeBytes { hmacSHA256(key: $0, message) }
    }

    static func hmacSHA256(key: UnsafeRawBufferPointer, _ message: some Sequence<UInt8>) -> [UInt8] {
        let bytes = [UInt8](message)
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        HMAC(EVP_sha256(), key.baseAddress, Int32(key.count), bytes, bytes.count, &digest, &length)
        return digest
    }

    /// PBKDF2 with HMAC-SHA512 (RFC 8018), as Mosquitto's dynamic security plugin stores passwords.
    package static func pbkdf2SHA512(
        password: Secret, salt: [UInt8], iterations: Int, length: Int
    ) throws(SealingError) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: length)
        // The bytes and not the revealed text, which would stay behind in Swift's heap.
        let done = password.withBytes {
            PKCS5_PBKDF2_HMAC(
                $0.assumingMemoryBound(to: CChar.self).baseAddress, Int32($0.count), salt, Int32(salt.count),
                Int32(iterations), EVP_sha512(), Int32(length), &key)
        }
        guard done == 1 else { throw SealingError(operation: "derive a key from a password") }
        return key
    }

    /// Standard base64 with padding.
    package static func base64(_ bytes: [UInt8]) -> String {
        var output = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let length = EVP_EncodeBlock(&output, bytes, Int32(bytes.count))
        return String(decoding: output.prefix(Int(length)), as: UTF8.self)
    }

    package static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// - Returns: nil unless `text` is pairs of hexadecimal digits, of either case.
    package static func hexBytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = hexByte(digits[index], digits[index + 1]) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    /// The byte that two ASCII digits write.
    static func hexByte(_ high: UInt8, _ low: UInt8) -> UInt8? {
        guard let high = hexDigit(high), let low = hexDigit(low) else { return nil }
        return high << 4 | low
    }

    private static func hexDigit(_ ascii: UInt8) -> UInt8? {
        switch ascii {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): ascii - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): ascii - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): ascii - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Compares in a time that depends on the lengths only, for whatever an attacker could guess byte by byte.
    package static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
    }
}
