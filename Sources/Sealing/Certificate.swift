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

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Int64(timegm(&parts))
    }
}
