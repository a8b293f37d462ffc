internal import COpenSSL
internal import Foundation

/// Passwords as they are stored: scrypt (RFC 7914) in a PHC string, `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`.
///
/// Each call takes a good part of a second of one core and 32 MiB, on purpose: bound how many run at a time, and keep
/// them off the threads of Swift's concurrency.
package enum PasswordHash {
    /// - Throws: when OpenSSL has no random bytes or no memory.
    package static func make(_ password: Secret) throws(SealingError) -> String {
        let salt = try Crypto.randomBytes(PHCString.saltLength)
        let hash = try derive(password, salt: salt, cost: .current, length: PHCString.hashLength)
        return PHCString(cost: .current, salt: salt, hash: hash).description
    }

    /// - Returns: false too for a hash that is malformed or asks for absurdly much work.
    package static func verify(_ password: Secret, against hash: String) -> Bool {
        guard let stored = PHCString(hash),
            let derived = try? derive(password, salt: stored.salt, cost: stored.cost, length: stored.hash.count)
        else { return false }
        return Crypto.areEqual(derived, stored.hash)
    }

    /// Whether `make` would do it otherwise by now. The time to hash again is when the password was just verified.
    package static func needsRehash(_ hash: String) -> Bool {
        guard let stored = PHCString(hash) else { return true }
        return stored.cost != .current || stored.salt.count != PHCString.saltLength
            || stored.hash.count != PHCString.hashLength
    }

    /// What to verify against when the account does not exist, so that the answer takes as long as for one that does.
    ///
    /// No password is known for it: its hash is not made from one, and finding one means inverting scrypt.
    package static let decoy = PHCString(
        cost: .current,
        salt: Array(Crypto.sha256("plantops decoy salt".utf8).prefix(PHCString.saltLength)),
        hash: Crypto.sha256("plantops decoy hash".utf8)
    ).description

    /// - Throws: when the memory needed exceeds `Cost.mostMemory`, among others.
    static func derive(
        _ password: Secret, salt: [UInt8], cost: Cost, length: Int
    ) throws(SealingError) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: length)
        let done = normalized(password).withBytes {
            EVP_PBE_scrypt(
                $0.assumingMemoryBound(to: CChar.self).baseAddress, $0.count, salt, salt.count, 1 << UInt64(cost.ln),
                UInt64(cost.r), UInt64(cost.p), Cost.mostMemory, &key, key.count)
        }
        guard done == 1 else {
            ERR_clear_error()
            throw SealingError(operation: "hash a password")
        }
        return key
    }

    /// The password in Unicode's normalization form C, as RFC 8265 (OpaqueString) has it: a Mac and a Linux desktop
    /// may send "é" as one scalar or as two, and both are the same password. Not form KC, which makes different
    /// characters equal ("²" and "2") and so the password weaker.
    private static func normalized(_ password: Secret) -> Secret {
        password.withBytes { bytes in
            // ASCII is in that form already, and needs no text that stays behind in memory. Bytes that are no text
            // are taken as they are: repairing them would make different passwords equal.
            guard bytes.contains(where: { $0 >= 0x80 }), let text = String(validating: bytes, as: UTF8.self) else {
                return password
            }
            return Secret(text.precomposedStringWithCanonicalMapping)
        }
    }
}

/// How much work scrypt makes.
struct Cost: Equatable {
    /// The binary logarithm of N.
    let ln: Int
    let r: Int
    let p: Int

    /// OWASP's password storage cheat sheet counts N=2^15, p=3 as good as N=2^17, p=1, with 32 MiB instead of 128:
    /// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt
    static let current = Cost(ln: 15, r: 8, p: 3)

    /// 128 MiB (N=2^17, r=8, the most that OWASP asks for) and some, because scrypt takes a little over 128·N·r
    /// bytes. OpenSSL's own limit of 32 MiB would refuse even `current`.
    static let mostMemory: UInt64 = 130 << 20

    /// Bounds that keep OpenSSL's arithmetic sound and the time finite; `mostMemory` is narrower for large `ln`.
    var isSane: Bool { (1...20).contains(ln) && (1...32).contains(r) && (1...16).contains(p) }
}

/// The PHC string format for scrypt, base64 without padding:
/// https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
private struct PHCString: CustomStringConvertible {
    static let saltLength = 16
    static let hashLength = 32

    let cost: Cost
    let salt: [UInt8]
    let hash: [UInt8]

    init(cost: Cost, salt: [UInt8], hash: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    /// - Returns: nil unless `text` is what `description` would give, with sane values.
    init?(_ text: String) {
        // Nothing valid is longer than about 200 bytes.
        guard text.utf8.count <= 256 else { return nil }
        let fields = text.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count == 5 else { return nil }
        let numbers = fields[2].split(separator: ",").compactMap { $0.split(separator: "=").last.flatMap { Int($0) } }
        guard numbers.count == 3, let salt = Self.decoded(fields[3]), let hash = Self.decoded(fields[4]) else {
            return nil
        }
        self.init(cost: Cost(ln: numbers[0], r: numbers[1], p: numbers[2]), salt: salt, hash: hash)
        // A short hash is easily guessed, and an empty one equals every other: never take them.
        guard cost.isSane, (8...64).contains(salt.count), (16...64).contains(hash.count) else { return nil }
        // Writing it again finds every other deviation: names, order, signs, leading zeros, stray bits of base64.
        guard description.utf8.elementsEqual(text.utf8) else { return nil }
    }

    var description: String {
        "$scrypt$ln=\(cost.ln),r=\(cost.r),p=\(cost.p)$\(Self.encoded(salt))$\(Self.encoded(hash))"
    }

    private static func encoded(_ bytes: [UInt8]) -> String { Crypto.base64(bytes).replacing("=", with: "") }

    private static func decoded(_ text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: text + padding).map { [UInt8]($0) }
    }
}
