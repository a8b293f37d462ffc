/// Who wrote a care plan.
package enum CareSource: String, CaseIterable, Sendable, Codable {
    case anthropic, openai, builtin
}

/// Why a care plan was written.
package enum CareReason: String, CaseIterable, Sendable, Codable {
    /// Somebody asked for it.
    case requested
    /// The one before was a week old.
    case weekly
    /// Something about the plant changed significantly.
    case changed
    /// There was none.
    case first
}

/// A care plan as it is stored and shown.
package struct CarePlan: Sendable, Equatable {
    package let id: EntityID
    package let plantID: EntityID
    package let advice: CareAdvice
    package let source: CareSource
    /// nil for the built-in advisor.
    package let model: String?
    /// Why it is the built-in plan although somebody else was to be asked.
    package let note: String?
    /// What it rests on.
    package let facts: CareFacts
    /// Since the plan before, in plain sentences.
    package let changes: [String]
    package let reason: CareReason
    /// SHA-256 of what it was made from, in hex.
    package let inputHash: String
    package let generatedAt: Timestamp
    package var feedback: [CareFeedback]

    package init(
        id: EntityID, plantID: EntityID, advice: CareAdvice, source: CareSource, model: String?, note: String?,
        facts: CareFacts, changes: [String], reason: CareReason, inputHash: String, generatedAt: Timestamp,
        feedback: [CareFeedback] = []
    ) {
        self.id = id
        self.plantID = plantID
        self.advice = advice
        self.source = source
        self.model = model
        self.note = note
        self.facts = facts
        self.changes = changes
        self.reason = reason
        self.inputHash = inputHash
        self.generatedAt = generatedAt
        self.feedback = feedback
    }
}

/// A part of a care plan that people can judge, or the whole.
package enum CareItem: String, CaseIterable, Sendable, Codable {
    case plan, watering, light, humidity, temperature
}

package enum CareVerdict: String, CaseIterable, Sendable, Codable {
    case done
    case notHelpful = "not_helpful"
}

/// What somebody said of a part of a care plan.
package struct CareFeedback: Sendable, Equatable, Codable {
    package let item: CareItem
    package let verdict: CareVerdict
    package let at: Timestamp
    /// nil when the user is gone.
    package let by: String?

    package init(item: CareItem, verdict: CareVerdict, at: Timestamp, by: String?) {
        self.item = item
        self.verdict = verdict
        self.at = at
        self.by = by
    }
}
