import Foundation
import PlantDomain
import Sealing

/// Reads the fields of a request's body, gathering everything that is wrong so that all of it is said at once.
struct Fields {
    private let object: [String: JSONValue]
    private let prefix: String
    private(set) var errors: [Problem.FieldError] = []

    /// - Throws: 422 when the body is JSON but no object.
    init(_ value: JSONValue, prefix: String = "") throws {
        guard case .object(let object) = value else {
            throw Problem.invalid([Problem.FieldError(pointer: prefix, detail: "must be an object")])
        }
        self.object = object
        self.prefix = prefix
    }

    /// - Throws: 422 with everything that was found wrong.
    func finish() throws {
        if !errors.isEmpty { throw Problem.invalid(errors) }
    }

    /// Enough to mend a form by; a body with thousands of mistakes is not answered with as many lines.
    private static let errorsLimit = 100

    mutating func refuse(_ name: String, _ detail: String) {
        guard errors.count < Self.errorsLimit else { return }
        errors.append(Problem.FieldError(pointer: pointer(to: name), detail: detail))
    }

    /// A field deeper inside.
    mutating func refuse(_ path: [String], _ detail: String) {
        guard errors.count < Self.errorsLimit else { return }
        let pointer = path.map(Self.escaped).joined(separator: "/")
        errors.append(Problem.FieldError(pointer: "\(prefix)/\(pointer)", detail: detail))
    }

    private func pointer(to name: String) -> String { "\(prefix)/" + Self.escaped(name) }

    /// RFC 6901: ~ and / inside a name are written ~0 and ~1.
    static func escaped(_ name: String) -> String { name.replacing("~", with: "~0").replacing("/", with: "~1") }

    /// A text of one line, without the white space around it.
    mutating func text(_ name: String, length: ClosedRange<Int>) -> Change<String> {
        change(name) { value in
            guard case .string(let raw) = value else { return .failure("must be a text") }
            let text = raw.trimmingCharacters(in: .whitespacesAndNewlines)
            guard length.contains(text.unicodeScalars.count) else {
                return .failure("must have \(length.lowerBound) to \(length.upperBound) characters")
            }
            guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
                return .failure("must not contain control characters")
            }
            return .success(text)
        }
    }

    /// A text that may have several lines, without the white space around it.
    mutating func lines(_ name: String, length: ClosedRange<Int>) -> Change<String> {
        change(name) { value in
            guard case .string(let raw) = value else { return .failure("must be a text") }
            let text = raw.trimmingCharacters(in: .whitespacesAndNewlines).replacing("\r\n", with: "\n")
            guard length.contains(text.unicodeScalars.count) else {
                return .failure("must have \(length.lowerBound) to \(length.upperBound) characters")
            }
            guard
                text.unicodeScalars.allSatisfy({
                    $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control
                })
            else { return .failure("must not contain control characters other than line breaks and tabs") }
            return .success(text)
        }
    }

    /// A text exactly as it was sent, for passwords.
    mutating func secret(_ name: String, length: ClosedRange<Int>) -> Change<Secret> {
        change(name) { value in
            guard case .string(let text) = value else { return .failure("must be a text") }
            guard length.contains(text.unicodeScalars.count) else {
                return .failure("must have \(length.lowerBound) to \(length.upperBound) characters")
            }
            return .success(Secret(text))
        }
    }

    mutating func email(_ name: String) -> Change<String> {
        change(name) { value in
            guard case .string(let text) = value,
                let email = User.email(text.trimmingCharacters(in: .whitespacesAndNewlines))
            else { return .failure("must be an email address") }
            return .success(email)
        }
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, of _: Choice.Type
    ) -> Change<Choice> {
        change(name) { value in
            guard case .string(let text) = value, let choice = Choice(rawValue: text) else {
                return .failure("must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return .success(choice)
        }
    }

    mutating func boolean(_ name: String) -> Change<Bool> {
        change(name) { value in
            guard case .bool(let flag) = value else { return .failure("must be true or false") }
            return .success(flag)
        }
    }

    /// An object of any shape, as JSON text.
    /// - Parameter most: bytes it may have.
    mutating func json(_ name: String, most: Int) throws -> Change<String> {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard case .some(.object(let inner)) = object[name] else {
            return change(name) { _ in .failure("must be an object") }
        }
        let text = String(decoding: try encoder.encode(inner), as: UTF8.self)
        return change(name) { _ in
            text.utf8.count <= most ? .success(text) : .failure("must have at most \(most) bytes")
        }
    }

    mutating func integer(_ name: String, range: ClosedRange<Int>) -> Change<Int> {
        change(name) { value in
            let number: Int?
            switch value {
            case .integer(let value): number = Int(exactly: value)
            case .number(let value): number = Int(exactly: value)
            default: number = nil
            }
            guard let number, range.contains(number) else {
                return .failure("must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return .success(number)
        }
    }

    mutating func number(_ name: String, range: ClosedRange<Double>) -> Change<Double> {
        change(name) { value in
            guard let number = value.number, range.contains(number) else {
                return .failure("must be a number from \(plain(range.lowerBound)) to \(plain(range.upperBound))")
            }
            return .success(number)
        }
    }

    mutating func texts(_ name: String, most: Int, length: ClosedRange<Int>) -> Change<[String]> {
        change(name) { value in
            guard case .array(let items) = value, items.count <= most else {
                return .failure("must be a list of at most \(most) texts")
            }
            var texts: [String] = []
            for item in items {
                guard case .string(let text) = item, length.contains(text.unicodeScalars.count),
                    text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
                else {
                    return .failure("each must be a text of \(length.lowerBound) to \(length.upperBound) characters")
                }
                texts.append(text)
            }
            return .success(texts)
        }
    }

    mutating func id(_ name: String) -> Change<EntityID> {
        change(name) { value in
            guard case .string(let text) = value, let id = EntityID(text) else {
                return .failure("must be an id (UUID)")
            }
            return .success(id)
        }
    }

    mutating func ids(_ name: String, most: Int) -> Change<[EntityID]> {
        change(name) { value in
            guard case .array(let items) = value, items.count <= most else {
                return .failure("must be a list of at most \(most) ids")
            }
            var ids: [EntityID] = []
            for item in items {
                guard case .string(let text) = item, let id = EntityID(text) else {
                    return .failure("each must be an id (UUID)")
                }
                if !ids.contains(id) { ids.append(id) }
            }
            return .success(ids)
        }
    }

    /// The fields of an object inside this one; what is wrong with them counts here.
    mutating func nested<Value>(_ name: String, _ read: (inout Fields) -> Value) -> Change<Value> {
        switch object[name] {
        case nil: return .unchanged
        case .null: return .cleared
        case .some(let value):
            guard var fields = try? Fields(value, prefix: pointer(to: name)) else {
                refuse(name, "must be an object")
                return .unchanged
            }
            let result = read(&fields)
            errors += fields.errors.prefix(Self.errorsLimit - errors.count)
            return .set(result)
        }
    }

    var names: [String] { object.keys.sorted() }

    /// The value of a field that must be there.
    mutating func require<Value>(_ name: String, _ change: Change<Value>) -> Value? {
        if case .set(let value) = change { return value }
        refuseUnlessRefused(name, "is required")
        return nil
    }

    /// Refuses null for a field that cannot be empty.
    mutating func keep<Value>(_ name: String, _ change: Change<Value>) -> Change<Value> {
        if case .cleared = change { refuse(name, "cannot be cleared") }
        return change
    }

    private mutating func refuseUnlessRefused(_ name: String, _ detail: String) {
        if !errors.contains(where: { $0.pointer == pointer(to: name) }) { refuse(name, detail) }
    }

    private enum Reading<Value> {
        case success(Value)
        case failure(String)
    }

    private mutating func change<Value>(_ name: String, _ read: (JSONValue) -> Reading<Value>) -> Change<Value> {
        switch object[name] {
        case nil: return .unchanged
        case .null: return .cleared
        case .some(let value):
            switch read(value) {
            case .success(let value): return .set(value)
            case .failure(let detail):
                refuse(name, detail)
                return .unchanged
            }
        }
    }
}

extension JSONValue {
    var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value) where value.isFinite: value
        default: nil
        }
    }
}

extension Change {
    /// The value, or nil when the field was absent or null.
    var value: Value? {
        if case .set(let value) = self { value } else { nil }
    }
}
