/// Why something a device sent was not stored. The raw value is a stable code for metrics, the database and the API.
package enum RejectReason: String, CaseIterable, Sendable {
    /// The payload is not JSON (RFC 8259). Mend: let a JSON library write it; `NaN` and trailing commas are no JSON.
    case notJSON = "not_json"
    /// The payload is over 1 MiB. Mend: split it.
    case tooLarge = "too_large"
    /// Objects and arrays nested more than 16 deep. Mend: send flat objects.
    case tooDeep = "too_deep"
    /// Neither an object nor an array of objects. Mend: send `{"soil_moisture": 45.2}`.
    case notAnObject = "not_an_object"
    /// Nothing was sent: no bytes or an empty array. Mend: send only when there is a reading.
    case empty
    /// An object without any number in it. Mend: check the sensor; send nothing when nothing was measured.
    case noValues = "no_values"
    /// More than 500 readings in one message. Mend: split the backlog.
    case tooManyReadings = "too_many_readings"
    /// A value no sensor of that kind can give. Mend: check wiring, calibration and unit.
    case valueOutOfRange = "value_out_of_range"
    /// A metric that is not a number, or a field of another type than it should have. Mend: send 45.2, not "45.2".
    case wrongType = "wrong_type"
    /// A numeric key that cannot be the name of a metric. Mend: lower-case letters, digits and `_`, at most 64.
    case badMetricName = "bad_metric_name"
    /// More than 16 metrics of the device's own in one reading. Mend: send fewer.
    case tooManyExtras = "too_many_extras"
    /// The topic names a device that is not enrolled. Mend: enroll it again.
    case unknownDevice = "unknown_device"
    /// The topic is not one of `devices/{device_id}/…`. Mend: publish under the id given at enrollment.
    case badTopic = "bad_topic"
    /// The result of a command this device was never given. Mend: answer with the id the command came with.
    case unknownCommand = "unknown_command"
    /// The database refused this one message while it took others. Mend: see the log; keep the payload for a report.
    case storageRefused = "storage_refused"

    /// What the owner of the device can do about it, in plain words.
    package var advice: String {
        switch self {
        case .notJSON:
            "Send valid JSON, best written by a JSON library. NaN, Infinity, comments and trailing commas are not JSON."
        case .tooLarge: "Send at most 1 MiB in one message; split a long backlog."
        case .tooDeep: "Send flat objects: nothing may be nested more than 16 levels deep."
        case .notAnObject: "Send a JSON object such as {\"soil_moisture\": 45.2}, or an array of such objects."
        case .empty: "Send a message only when there is a reading to send."
        case .noValues: "Put at least one number into the reading; check whether the sensor answers."
        case .tooManyReadings: "Send at most 500 readings in one message; split a long backlog."
        case .valueOutOfRange: "Check the sensor's wiring and calibration, and that the value is in the expected unit."
        case .wrongType: "Send metrics as plain numbers: 45.2, not \"45.2\" or true."
        case .badMetricName:
            "Begin the name with a lower-case letter and use only lower-case letters, digits and _, at most 64 in all."
        case .tooManyExtras: "Send at most 16 metrics of your own in one reading."
        case .unknownDevice: "Enroll the device again, and make sure it uses the id it was given."
        case .badTopic: "Publish under devices/{device_id}/ with the id the device was given when it was enrolled."
        case .unknownCommand: "Answer a command with the id it came with, and only once."
        case .storageRefused: "The database refused this message; the log says why. Other messages are not affected."
        }
    }
}

/// Something refused, and what exactly.
package struct Rejection: Equatable, Sendable {
    package var reason: RejectReason
    /// For people. At most 500 characters, none of them a control or formatting character: parts of it come from
    /// devices and end up in logs and terminals.
    package var detail: String {
        didSet { detail = Rejection.printable(detail) }
    }

    package init(reason: RejectReason, detail: String) {
        self.reason = reason
        self.detail = Rejection.printable(detail)
    }

    static func printable(_ text: String, limit: Int = 500) -> String {
        var result = String.UnicodeScalarView()
        // Scalars are counted, not characters: one character may carry any number of combining marks.
        for scalar in text.unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: result.append("\u{FFFD}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}

/// Collects what was refused in one payload into one ``Rejection``; spells out the first few and counts the rest.
struct Refusals {
    private static let spelledOut = 3

    private var reason: RejectReason?
    private var notes: [String] = []
    private var others = 0

    /// - Parameters:
    ///   - number: which reading of an array it concerns, counted from 1; nil if there is only one.
    ///   - what: made only if it will be read.
    mutating func add(_ reason: RejectReason, reading number: Int? = nil, _ what: @autoclosure () -> String) {
        if self.reason == nil { self.reason = reason }
        guard notes.count < Refusals.spelledOut else {
            others += 1
            return
        }
        notes.append(number.map { "reading \($0): \(what())" } ?? what())
    }

    var rejection: Rejection? {
        guard let reason else { return nil }
        let list = notes.joined(separator: "; ")
        return Rejection(reason: reason, detail: others == 0 ? list : "\(list); and \(others) more")
    }
}

/// A number as people write it: no `.0`, and a real minus sign.
func plainText(_ value: Double) -> String {
    var text = value.description
    if text.hasSuffix(".0") { text.removeLast(2) }
    return text.hasPrefix("-") ? "−" + text.dropFirst() : text
}

func plainText(_ range: ClosedRange<Double>, unit: String) -> String {
    "\(plainText(range.lowerBound))…\(plainText(range.upperBound)) \(unit)"
}

extension JSONFailure {
    var rejection: Rejection {
        switch self {
        case .malformed(let position): Rejection(reason: .notJSON, detail: "not JSON at byte \(position)")
        case .tooDeep:
            Rejection(reason: .tooDeep, detail: "nested more than \(JSONScanner.maximumDepth) levels deep")
        }
    }
}
