/// Why a sealed value gives no secret.
package enum SealedValueError: Error, Equatable, CustomStringConvertible {
    /// It was sealed under a key that this sealer was not given.
    case unknownKey
    /// It, or the place it stands in, is not as it was when it was sealed.
    case tampered
    /// It is too short, or of a version that this program does not know.
    case malformed

    package var description: String {
        switch self {
        case .unknownKey: "sealed under a key that is not here any more; it needs to be entered again"
        case .tampered: "changed since it was sealed, or moved here from somewhere else"
        case .malformed: "not a sealed value that this version can read"
        }
    }
}

/// Encrypts secrets for the database, so that a copy of it, a backup or a SQL injection does not give them away.
///
/// A sealed value is `version (1 byte) | key id (8) | nonce (12) | ciphertext | tag (16)`, AES-256-GCM with the first
/// two fields and the place as associated data. The nonces are random, which is good for 2³² values under one key
/// (NIST SP 800-38D, 8.3).
///
/// To change the key, make the new one current and keep the old one until every value for which `isCurrent` says no
/// has been opened and sealed again.
package struct Sealer: Sendable {
    private static let version: UInt8 = 1
    private static let keyIDLength = 8
    private static let headerLength = 1 + keyIDLength + AESGCM.nonceLength

    /// Where a sealed value stands. It opens only there: who can write to the database cannot move the password of
    /// one row to another and have it sent elsewhere.
    ///
    /// The texts count byte for byte when a value is opened, although `==` takes "é" and "e" with an accent as equal.
    package struct Place: Sendable, Equatable {
        package let table: String
        package let column: String
        package let row: String

        /// - Parameter row: the primary key, as text.
        package init(table: String, column: String, row: String) {
            self.table = table
            self.column = column
            self.row = row
        }

        /// Each text after its length (4 bytes, most significant first), so that no two places give the same bytes.
        fileprivate var bytes: [UInt8] {
            [table, column, row].flatMap { text in
                withUnsafeBytes(of: UInt32(text.utf8.count).bigEndian, Array.init) + Array(text.utf8)
            }
        }
    }

    private struct Key {
        let bytes: Secret
        /// The first bytes of HMAC-SHA256(key, "plantops key id"): tells keys apart, and nothing about them.
        let id: [UInt8]

        init(hex: Secret) throws(SealingError) {
            let key = hex.withBytes { digits in
                guard digits.count == 2 * AESGCM.keyLength else { return nil as Secret? }
                return Secret(count: AESGCM.keyLength) { key in
                    key.indices.allSatisfy { index in
                        guard let byte = Crypto.hexByte(digits[2 * index], digits[2 * index + 1]) else { return false }
                        key[index] = byte
                        return true
                    }
                }
            }
            guard let key else { throw SealingError(operation: "take a key that is not 64 hexadecimal digits") }
            bytes = key
            id = Array(
                key.withBytes { Crypto.hmacSHA256(key: $0, "plantops key id".utf8) }.prefix(Sealer.keyIDLength))
        }
    }

    private let current: Key
    private let old: [Key]

    /// - Parameters:
    ///   - current: 32 random bytes as 64 hexadecimal digits; seals, and opens.
    ///   - old: likewise; only open.
    package init(current: Secret, old: [Secret] = []) throws(SealingError) {
        self.current = try Key(hex: current)
        var keys: [Key] = []
        for key in old { keys.append(try Key(hex: key)) }
        self.old = keys
    }

    /// Names the current key in hexadecimal; fine to log.
    package var currentKeyID: String { Crypto.hex(current.id) }

    /// Of every key it opens with, the current one first.
    package var keyIDs: [String] { ([current] + old).map { Crypto.hex($0.id) } }

    /// - Throws: when OpenSSL has no random bytes, or the secret exceeds 2 GiB.
    package func seal(_ secret: Secret, for place: Place) throws(SealingError) -> [UInt8] {
        let header = [Self.version] + current.id
        let nonce = try Crypto.randomBytes(AESGCM.nonceLength)
        return header + nonce
            + (try AESGCM.encrypt(secret, key: current.bytes, nonce: nonce, associated: header + place.bytes))
    }

    /// - Parameter place: as given to `seal`.
    /// - Throws: nothing is given of a value that is not whole. Whatever else OpenSSL refuses is `tampered` too.
    package func open(
        _ sealed: some Collection<UInt8>, for place: Place
    ) throws(SealedValueError) -> Secret {
        let sealed = Array(sealed)
        guard sealed.count >= Self.headerLength + AESGCM.tagLength, sealed[0] == Self.version else {
            throw .malformed
        }
        let header = Array(sealed[...Self.keyIDLength])
        let id = Array(header.dropFirst())
        guard let key = ([current] + old).first(where: { $0.id == id }) else { throw .unknownKey }
        let nonce = Array(sealed[header.count..<Self.headerLength])
        guard
            let secret = AESGCM.decrypt(
                sealed[Self.headerLength...], key: key.bytes, nonce: nonce, associated: header + place.bytes)
        else { throw .tampered }
        return secret
    }

    /// Whether the value names the current version and key. It is not opened: it may still be tampered with.
    package func isCurrent(_ sealed: [UInt8]) -> Bool { sealed.starts(with: [Self.version] + current.id) }
}
