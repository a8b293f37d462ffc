internal import COpenSSL

/// What OpenSSL refused. Its error queue is never shown: it can name files and keys.
package struct SealingError: Error, CustomStringConvertible, Sendable {
    package let operation: String
    package var description: String { "OpenSSL refused to \(operation)" }
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
        let bytes = [UInt8](message)
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, &digest, &length)
        return digest
    }

    /// PBKDF2 with HMAC-SHA512 (RFC 8018), as Mosquitto's dynamic security plugin stores passwords.
    package static func pbkdf2SHA512(
        password: Secret, salt: [UInt8], iterations: Int, length: Int
    ) throws(SealingError) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: length)
        let text = password.reveal()
        let done = PKCS5_PBKDF2_HMAC(
            text, Int32(text.utf8.count), salt, Int32(salt.count), Int32(iterations), EVP_sha512(), Int32(length), &key)
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
}
