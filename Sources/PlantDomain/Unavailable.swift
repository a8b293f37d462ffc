/// Something this program depends on does not answer now; the same request may succeed later.
package struct Unavailable: Error, Sendable, CustomStringConvertible {
    /// What is away, in words for the person who asked: "the MQTT broker".
    package let what: String
    /// For the log.
    package let reason: String
    package let retryAfterSeconds: Int
    /// It was asked and did not answer: perhaps it did what it was asked all the same.
    package let mayHaveHappened: Bool

    package init(_ what: String, reason: String, retryAfterSeconds: Int = 5, mayHaveHappened: Bool = false) {
        self.what = what
        self.reason = reason
        self.retryAfterSeconds = retryAfterSeconds
        self.mayHaveHappened = mayHaveHappened
    }

    package var description: String { "\(what) does not answer: \(reason)" }
}
