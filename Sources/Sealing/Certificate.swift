internal import COpenSSL
import Glibc

/// The first certificate of a PEM file.
package struct Certificate: Sendable {
    /// Seconds since 1970-01-01 UTC.
    package let notBefore: Int64
    package let notAfter: Int64

    /// - Returns: nil when the file cannot be read or holds no certificate.
    package init?(pemFile path: String) {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        guard let certificate = PEM_read_X509(file, nil, nil, nil) else {
            ERR_clear_error()
            return nil
        }
        defer { X509_free(certificate) }
        guard let before = Self.seconds(X509_get0_notBefore(certificate)),
            let after = Self.seconds(X509_get0_notAfter(certificate))
        else { return nil }
        notBefore = before
        notAfter = after
    }

    /// The certificates of a PEM file and nothing else of it: a bundle may hold a private key too.
    /// - Returns: nil when the file cannot be read or holds no certificate.
    package static func certificates(pemFile path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        guard let memory = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(memory) }
        // PEM_read_X509 passes over whatever is no certificate.
        while let certificate = PEM_read_X509(file, nil, nil, nil) {
            PEM_write_bio_X509(memory, certificate)
            X509_free(certificate)
        }
        ERR_clear_error()
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(memory))
        let count = BIO_read(memory, &bytes, Int32(bytes.count))
        return count > 0 ? String(decoding: bytes.prefix(Int(count)), as: UTF8.self) : nil
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Int64(timegm(&parts))
    }
}
