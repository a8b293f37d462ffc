/// Something a device was told to do.
package struct DeviceCommand: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable {
        /// The broker has not taken it yet.
        case pending
        case sent
        case succeeded
        case failed
        /// Nothing was heard of it in time; the broker delivers it no more.
        case expired
    }

    /// How long the broker keeps it for a device that sleeps, in seconds. A pump must not start a day late.
    package static let expirySeconds: UInt32 = 3600

    package let id: EntityID
    package let deviceID: EntityID
    package let command: String
    /// A JSON object as text.
    package let args: String
    package let createdAt: Timestamp
    package var sentAt: Timestamp?
    package var resultAt: Timestamp?
    package var succeeded: Bool?
    package var detail: String?

    package init(
        id: EntityID, deviceID: EntityID, command: String, args: String, createdAt: Timestamp,
        sentAt: Timestamp? = nil, resultAt: Timestamp? = nil, succeeded: Bool? = nil, detail: String? = nil
    ) {
        self.id = id
        self.deviceID = deviceID
        self.command = command
        self.args = args
        self.createdAt = createdAt
        self.sentAt = sentAt
        self.resultAt = resultAt
        self.succeeded = succeeded
        self.detail = detail
    }

    package func status(now: Timestamp) -> Status {
        if let succeeded { return succeeded ? .succeeded : .failed }
        if now.seconds(since: createdAt) > Double(Self.expirySeconds) { return .expired }
        return sentAt == nil ? .pending : .sent
    }

    /// What goes over `devices/{device_id}/commands`.
    package var payload: String { #"{"id":"\#(id)","command":"\#(command)","args":\#(args)}"# }

    /// Lower-case letters, digits and `_`, beginning with a letter, at most 64: safe in the payload as it is.
    package static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first),
            text.utf8.count <= 64
        else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
            default: false
            }
        }
    }
}

/// What a device says of a command it was given.
package struct CommandResult: Sendable, Equatable {
    package let id: EntityID
    package let ok: Bool
    /// At most 500 characters, printable.
    package let detail: String?

    package init(id: EntityID, ok: Bool, detail: String?) {
        self.id = id
        self.ok = ok
        self.detail = detail
    }
}
