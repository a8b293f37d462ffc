/// What a language model is asked.
package struct CarePrompt: Sendable, Equatable {
    /// Part of the hash of what a plan is made from: to be raised when the same facts are asked differently.
    package static let version = 1
    /// JSON Schema of the answer, as text.
    package static let schema = "{}"

    package let system: String
    package let user: String

    package init(_ facts: CareFacts, previous: CareAdvice?, feedback: [CareFeedback]) {
        system = ""
        user = ""
    }
}
