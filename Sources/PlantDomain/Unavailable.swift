/// Something this program depends on does not answer now; the same request may succeed later.
package struct Unavailable: Error, Sendable, CustomStringConvertible {
    /// What is away, in words for the person who asked: "the MQTT broker".
    package let what: String
    /// For the log.
    package let reason: String
    package let retryAfterSeconds: Int

    package init(_ what: String, reason: String, retryAfterSeconds: Int = 5) {
        self.what = what
        self.reason = reason
        self.retryAfterSeconds = retryAfterSeconds
    }

    package var description: String { "\(what) does not answer: \(reason)" }
}
