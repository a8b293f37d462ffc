/// Reads what a language model answered.
package enum CareAnswer {
    /// Longest answer that is looked at, in bytes.
    package static let longest = 256 * 1024

    /// - Parameters:
    ///   - text: JSON, bare or in a code fence or with words around it.
    ///   - today: in the zone of the plant; `next_date` must not be before it.
    package static func read(_ text: String, today: LocalDayText) throws(CareAnswerError) -> CareAdvice {
        throw CareAnswerError(problems: ["not read yet"])
    }
}

/// What is wrong with an answer, in words that can be said to whoever gave it.
package struct CareAnswerError: Error, Equatable, Sendable {
    package let problems: [String]

    package init(problems: [String]) { self.problems = problems }
}
