internal import COpenSSL

/// AES-256 in Galois/Counter Mode (NIST SP 800-38D), with a nonce of 96 bits and a tag of 128.
enum AESGCM {
    static let keyLength = 32
    static let nonceLength = 12
    static let tagLength = 16

    /// - Parameter nonce: never used with `key` before: GCM gives both plaintexts and its own key away otherwise.
    /// - Returns: the ciphertext, as long as `plain`, and the tag after it.
    static func encrypt(
        _ plain: Secret, key: Secret, nonce: [UInt8], associated: [UInt8]
    ) throws(SealingError) -> [UInt8] {
        let count = plain.withBytes { $0.count }
        var output = [UInt8](repeating: 0, count: count + tagLength)
        let done = output.withUnsafeMutableBytes { output in
            let cipher = Cipher(key: key, nonce: nonce, encrypting: true)
            return plain.withBytes { cipher.run($0, associated: associated, into: output) }
                && cipher.finish()
                && cipher.control(EVP_CTRL_AEAD_GET_TAG, output.baseAddress! + count)
        }
        guard done else {
            ERR_clear_error()
            throw SealingError(operation: "encrypt a value")
        }
        return output
    }

    /// - Parameter sealed: what `encrypt` gave.
    /// - Returns: nil when anything is not as it was encrypted. What was decrypted until then is overwritten unseen.
    static func decrypt(_ sealed: ArraySlice<UInt8>, key: Secret, nonce: [UInt8], associated: [UInt8]) -> Secret? {
        guard sealed.count >= tagLength else { return nil }
        let ciphertext = sealed.dropLast(tagLength)
        var tag = Array(sealed.suffix(tagLength))
        let plain = Secret(count: ciphertext.count) { output in
            let cipher = Cipher(key: key, nonce: nonce, encrypting: false)
            return ciphertext.withUnsafeBytes { cipher.run($0, associated: associated, into: output) }
                && cipher.control(EVP_CTRL_AEAD_SET_TAG, &tag)
                && cipher.finish()
        }
        if plain == nil { ERR_clear_error() }
        return plain
    }
}

/// One use of OpenSSL's cipher. Its functions say false for whatever OpenSSL refused, a false tag included.
private struct Cipher: ~Copyable {
    /// Null without memory, or when OpenSSL refused the key; every later step then fails.
    private let context: OpaquePointer?

    init(key: Secret, nonce: [UInt8], encrypting: Bool) {
        // OpenSSL reads as much as the cipher takes, whatever is there.
        precondition(key.withBytes { $0.count } == AESGCM.keyLength && nonce.count == AESGCM.nonceLength)
        let context = EVP_CIPHER_CTX_new()
        let ready = key.withBytes {
            EVP_CipherInit_ex(
                context, EVP_aes_256_gcm(), nil, $0.assumingMemoryBound(to: UInt8.self).baseAddress, nonce,
                encrypting ? 1 : 0)
        }
        if ready == 1 {
            self.context = context
        } else {
            EVP_CIPHER_CTX_free(context)
            self.context = nil
        }
    }

    /// "Clears all information from a cipher context": the expanded key too.
    deinit { EVP_CIPHER_CTX_free(context) }

    /// Writes as many bytes to `output` as `input` has.
    borrowing func run(
        _ input: UnsafeRawBufferPointer, associated: [UInt8], into output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard let context, let inputCount = Int32(exactly: input.count),
            let associatedCount = Int32(exactly: associated.count)
        else { return false }
        var written: Int32 = 0
        // Without an output the input is associated data.
        guard EVP_CipherUpdate(context, nil, &written, associated, associatedCount) == 1 else { return false }
        // An empty message is only a tag.
        guard inputCount > 0 else { return true }
        return EVP_CipherUpdate(
            context, output.assumingMemoryBound(to: UInt8.self).baseAddress, &written,
            input.assumingMemoryBound(to: UInt8.self).baseAddress, inputCount) == 1 && written == inputCount
    }

    /// Ends the message: makes the tag, or checks it.
    borrowing func finish() -> Bool {
        // GCM is a stream and has nothing left to write here; the room is for OpenSSL to be sure.
        var rest = [UInt8](repeating: 0, count: Int(EVP_MAX_BLOCK_LENGTH))
        var written: Int32 = 0
        return context != nil && EVP_CipherFinal_ex(context, &rest, &written) == 1 && written == 0
    }

    borrowing func control(_ command: Int32, _ tag: UnsafeMutableRawPointer) -> Bool {
        context != nil && EVP_CIPHER_CTX_ctrl(context, command, Int32(AESGCM.tagLength), tag) == 1
    }
}
