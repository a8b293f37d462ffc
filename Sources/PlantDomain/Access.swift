/// What somebody who is signed in may do. Each role may do what the ones before it may.
package enum UserRole: String, Sendable, CaseIterable, Comparable {
    /// Reads.
    case viewer
    /// Changes plants, devices and alerts, too.
    case member
    /// Changes users, and sees what was refused and who changed what.
    case admin

    package static func < (left: UserRole, right: UserRole) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .member: 1
        case .admin: 2
        }
    }
}

/// Somebody who may sign in.
package struct User: Sendable, Equatable {
    package let id: EntityID
    /// Lower case.
    package var email: String
    package var role: UserRole
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
    package var lastSignInAt: Timestamp?

    package init(
        id: EntityID, email: String, role: UserRole, createdAt: Timestamp, updatedAt: Timestamp,
        lastSignInAt: Timestamp? = nil
    ) {
        self.id = id
        self.email = email
        self.role = role
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.lastSignInAt = lastSignInAt
    }

    /// An address as it is kept and compared: in lower case.
    /// - Returns: nil for what cannot be one. RFC 5321 allows far more than anybody has; delivery is never tried.
    package static func email(_ text: String) -> String? {
        let email = text.lowercased()
        let parts = email.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, email.utf8.count <= 254,
            email.unicodeScalars.allSatisfy({ $0.value > 32 && $0.value != 127 && !$0.properties.isWhitespace })
        else { return nil }
        return email
    }

    /// Characters of a new password. At least what NIST SP 800-63B asks of one that is not the only guard: attempts
    /// are throttled.
    package static let passwordLength = 8...200
}

/// Who does something, and from where: what the audit log keeps of it.
package struct Origin: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case user, token, device, system, anonymous
        case commandLine = "command_line"
    }

    package let kind: Kind
    package let id: EntityID?
    /// An email address, the name of a token, a device's MAC address.
    package let name: String?
    /// The address of the client.
    package let address: String?
    package let correlationID: String?

    package init(
        _ kind: Kind, id: EntityID? = nil, name: String? = nil, address: String? = nil, correlationID: String? = nil
    ) {
        self.kind = kind
        self.id = id
        self.name = name
        self.address = address
        self.correlationID = correlationID
    }
}

/// One line of the audit log.
package struct AuditEntry: Sendable, Equatable {
    package struct Subject: Sendable, Equatable {
        package let kind: String
        package let id: EntityID?
        package let name: String?

        package init(_ kind: String, _ id: EntityID?, _ name: String?) {
            self.kind = kind
            self.id = id
            self.name = name
        }
    }

    package let id: EntityID
    package let at: Timestamp
    package let origin: Origin
    /// `device.approve`: what was done, to what kind of thing.
    package let action: String
    package let subject: Subject?
    /// Never a secret.
    package let details: [String: String]

    package init(
        id: EntityID, at: Timestamp, origin: Origin, action: String, subject: Subject?, details: [String: String]
    ) {
        self.id = id
        self.at = at
        self.origin = origin
        self.action = action
        self.subject = subject
        self.details = details
    }
}
