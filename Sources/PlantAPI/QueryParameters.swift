import Hummingbird
import PlantDomain

/// Reads the query of a request, gathering everything that is wrong.
struct QueryParameters {
    private let parameters: [Substring: Substring]
    private var errors: [Problem.FieldError] = []

    init(_ request: Request) {
        parameters = Dictionary(request.uri.queryParameters.map { ($0.key, $0.value) }) { first, _ in first }
    }

    func finish() throws {
        if !errors.isEmpty { throw Problem.invalid(errors) }
    }

    mutating func refuse(_ name: String, _ detail: String) {
        errors.append(Problem.FieldError(pointer: "?\(name)", detail: detail))
    }

    subscript(name: String) -> String? { parameters[Substring(name)].map { String($0) } }

    mutating func integer(_ name: String, range: ClosedRange<Int>, default value: Int) -> Int {
        guard let text = self[name] else { return value }
        guard let number = Int(text), range.contains(number) else {
            refuse(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return value
        }
        return number
    }

    mutating func number(_ name: String, range: ClosedRange<Double>) -> Double? {
        guard let text = self[name] else { return nil }
        guard let number = Double(text), range.contains(number) else {
            refuse(name, "must be a number from \(plain(range.lowerBound)) to \(plain(range.upperBound))")
            return nil
        }
        return number
    }

    mutating func time(_ name: String) -> Timestamp? {
        guard let text = self[name] else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            refuse(name, "must be an RFC 3339 time such as 2026-05-01T12:00:00Z")
            return nil
        }
        return time
    }

    mutating func text(_ name: String, length: ClosedRange<Int>) -> String? {
        guard let text = self[name] else { return nil }
        guard length.contains(text.unicodeScalars.count), !text.contains("\0") else {
            refuse(name, "must have \(length.lowerBound) to \(length.upperBound) characters")
            return nil
        }
        return text
    }

    mutating func id(_ name: String) -> EntityID? {
        guard let text = self[name] else { return nil }
        guard let id = EntityID(text) else {
            refuse(name, "must be an id (UUID)")
            return nil
        }
        return id
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of _: Choice.Type
    ) -> Choice? {
        guard let text = self[name] else { return nil }
        guard let choice = Choice(rawValue: text) else {
            refuse(name, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
            return nil
        }
        return choice
    }

    /// `limit` and `offset` of a list.
    mutating func page() -> (limit: Int, offset: Int) {
        (
            integer("limit", range: 1...500, default: 50),
            integer("offset", range: 0...1_000_000_000, default: 0)
        )
    }
}
