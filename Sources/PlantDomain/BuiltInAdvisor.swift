/// Writes care plans by rules, from facts alone and without any network: the same facts, the same words.
package enum BuiltInAdvisor {
    /// Part of the hash of what a plan is made from: to be raised when the same facts get other words.
    package static let version = 1

    package static func advice(_ facts: CareFacts) -> CareAdvice {
        let unknown = CareAdvice.Range(current: "", ideal: "", recommendation: "")
        return CareAdvice(
            summary: "", watering: .init(frequency: "", amount: "", nextDate: nil), light: unknown, humidity: unknown,
            temperature: unknown, alerts: [], tips: [])
    }
}
