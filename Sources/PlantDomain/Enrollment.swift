/// How a device that asks for an identity is let in.
package enum EnrollmentMode: String, Sendable, CaseIterable {
    /// With a token a member made.
    case token
    /// Once a member says so.
    case approval
    /// Always.
    case open
}

/// Lets devices in, so many and so long.
package struct EnrollmentToken: Sendable, Equatable {
    package let id: EntityID
    package let label: String
    package let maxUses: Int
    package let uses: Int
    package let expiresAt: Timestamp
    package let createdAt: Timestamp

    package init(
        id: EntityID, label: String, maxUses: Int, uses: Int, expiresAt: Timestamp, createdAt: Timestamp
    ) {
        self.id = id
        self.label = label
        self.maxUses = maxUses
        self.uses = uses
        self.expiresAt = expiresAt
        self.createdAt = createdAt
    }
}

extension EnrollmentToken {
    package static let usesRange = 1...1_000_000
    /// Up to ten years.
    package static let hoursRange = 1...87_600

    package init(label: String, maxUses: Int, hours: Int, at now: Timestamp) {
        self.init(
            id: .make(at: now), label: label, maxUses: maxUses, uses: 0,
            expiresAt: now.adding(microseconds: Int64(hours) * 3_600_000_000), createdAt: now)
    }
}

/// Why a device was not given an identity. Whoever holds a token may know what is wrong with it: it cannot be guessed.
package enum EnrollmentRefusal: String, Error, Sendable, CaseIterable {
    case tokenMissing, tokenUnknown, tokenExpired, tokenUsedUp, deviceDisabled, tooManyWaiting, othersWait

    /// For the person at the device.
    package var advice: String {
        switch self {
        case .tokenMissing: "an enrollment token is needed; a member makes one and puts it into the device"
        case .tokenUnknown: "this enrollment token is not known, or was deleted; a member can make a new one"
        case .tokenExpired: "this enrollment token has expired; a member can make a new one"
        case .tokenUsedUp: "this enrollment token has been used as often as it may be; a member can make a new one"
        case .deviceDisabled: "this device was disabled; a member can enable it again"
        case .othersWait:
            "somebody else has asked for this device and waits for approval; a member approves or rejects that first"
        case .tooManyWaiting: "too many devices wait for approval; a member approves or deletes some first"
        }
    }
}
