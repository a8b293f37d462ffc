/// What is new since the plan before.
package enum CareChanges {
    /// - Returns: plain sentences, the most important first, at most ten.
    package static func between(_ before: CarePlan, _ facts: CareFacts, _ advice: CareAdvice) -> [String] { [] }
}
