import Foundation

/// Reads what a language model answered.
package enum CareAnswer {
    /// Longest answer that is looked at, in bytes.
    package static let longest = 256 * 1024
    /// A text that is too long by no more than this factor is cut; one that is longer is refused.
    static let tolerance = 1.5
    /// At so many braces a beginning is looked for.
    private static let attempts = 32

    /// - Parameters:
    ///   - text: JSON, bare or in a code fence or with words around it.
    ///   - today: where the plant is; `next_date` must not be before it.
    /// - Throws: everything that is wrong with it at once.
    package static func read(_ text: String, today: LocalDayText) throws(CareAnswerError) -> CareAdvice {
        guard text.utf8.count <= longest else {
            throw CareAnswerError(problems: ["the answer is longer than \(longest / 1024) KiB"])
        }
        var reader = CareAnswerReader(try object(in: Array(text.utf8)), today: today)
        let advice = reader.advice()
        guard reader.problems.isEmpty else { throw CareAnswerError(problems: reader.problems) }
        return advice
    }

    /// The first object in the text that has any of the fields.
    private static func object(in bytes: [UInt8]) throws(CareAnswerError) -> [String: Any] {
        var first: [String: Any]?
        var isMalformed = false
        var position = 0
        for _ in 0..<attempts {
            guard let start = bytes[position...].firstIndex(of: UInt8(ascii: "{")) else { break }
            switch scan(bytes[start...]) {
            case .object(let end):
                if let object = (try? JSONSerialization.jsonObject(with: Data(bytes[start..<end]))) as? [String: Any] {
                    if !CareAnswerReader.fields.isDisjoint(with: object.keys) { return object }
                    first = first ?? object
                }
                position = end
            case .cut:
                // What is in it may be whole, but is not the answer.
                if first == nil { throw CareAnswerError(problems: ["the JSON ends before it is complete"]) }
                return first ?? [:]
            case .tooDeep: throw CareAnswerError(problems: ["the JSON is nested too deep"])
            case .malformed:
                isMalformed = true
                position = start + 1
            }
        }
        // Of a broken object the objects in it say nothing.
        if isMalformed { throw CareAnswerError(problems: ["the answer is not valid JSON"]) }
        guard let first else { throw CareAnswerError(problems: ["there is no JSON object in the answer"]) }
        return first
    }

    private enum Scan {
        case object(end: Int)
        case cut, tooDeep, malformed
    }

    private static func scan(_ bytes: ArraySlice<UInt8>) -> Scan {
        bytes.withUnsafeBytes { buffer in
            var scanner = JSONScanner(buffer)
            do throws(JSONFailure) {
                try scanner.skipValue(depth: 0)
                return .object(end: bytes.startIndex + scanner.position)
            } catch {
                return switch error {
                case .tooDeep: .tooDeep
                case .malformed(let position): position >= buffer.count ? .cut : .malformed
                }
            }
        }
    }
}

/// What is wrong with an answer, in words that can be said to whoever gave it.
package struct CareAnswerError: Error, Equatable, Sendable {
    package let problems: [String]

    package init(problems: [String]) { self.problems = problems }
}

/// Takes advice out of an object field by field, and collects what is wrong. Names of fields that nobody asked for are
/// not repeated: only the known ones are in the problems.
private struct CareAnswerReader {
    static let fields: Set = ["summary", "watering", "light", "humidity", "temperature", "alerts", "tips"]

    private let object: [String: Any]
    private let today: LocalDayText
    private(set) var problems: [String] = []

    init(_ object: [String: Any], today: LocalDayText) {
        self.object = object
        self.today = today
    }

    mutating func advice() -> CareAdvice {
        CareAdvice(
            summary: text(object, "summary", most: CareAdvice.summaryLength), watering: watering(),
            light: range("light"), humidity: range("humidity"), temperature: range("temperature"),
            alerts: list("alerts"), tips: list("tips"))
    }

    private mutating func watering() -> CareAdvice.Watering {
        guard let watering = part("watering") else { return .init(frequency: "", amount: "", nextDate: nil) }
        return CareAdvice.Watering(
            frequency: text(watering, "frequency", in: "watering."), amount: text(watering, "amount", in: "watering."),
            nextDate: nextDate(watering))
    }

    private mutating func range(_ name: String) -> CareAdvice.Range {
        guard let range = part(name) else { return .init(current: "", ideal: "", recommendation: "") }
        return CareAdvice.Range(
            current: text(range, "current", in: name + "."), ideal: text(range, "ideal", in: name + "."),
            recommendation: text(range, "recommendation", in: name + "."))
    }

    private mutating func part(_ name: String) -> [String: Any]? {
        guard let value = object[name] else {
            problems.append("\(name) is missing")
            return nil
        }
        guard let part = value as? [String: Any] else {
            problems.append("\(name) must be an object")
            return nil
        }
        return part
    }

    private mutating func text(
        _ object: [String: Any], _ key: String, in parent: String = "", most: Int = CareAdvice.textLength
    ) -> String {
        guard let value = object[key] else {
            problems.append("\(parent)\(key) is missing")
            return ""
        }
        guard let text = value as? String else {
            problems.append("\(parent)\(key) must be a text")
            return ""
        }
        let line = line(text, parent + key, most: most)
        if line.isEmpty { problems.append("\(parent)\(key) must not be empty") }
        return line
    }

    private mutating func line(_ text: String, _ name: String, most: Int) -> String {
        let line = Wording.oneLine(text)
        if Double(line.utf16.count) > Double(most) * CareAnswer.tolerance {
            problems.append("\(name) must not be longer than \(most) characters")
        }
        return Wording.cut(line, to: most)
    }

    private mutating func list(_ name: String) -> [String] {
        guard let value = object[name] else {
            problems.append("\(name) is missing")
            return []
        }
        guard let items = value as? [Any] else {
            problems.append("\(name) must be a list of texts")
            return []
        }
        if items.count > CareAdvice.mostItems {
            problems.append("\(name) must not have more than \(CareAdvice.mostItems) items")
        }
        var lines: [String] = []
        for (index, item) in items.prefix(CareAdvice.mostItems).enumerated() {
            guard let text = item as? String else {
                problems.append("\(name)[\(index)] must be a text")
                continue
            }
            let line = line(text, "\(name)[\(index)]", most: CareAdvice.itemLength)
            if !line.isEmpty { lines.append(line) }
        }
        return lines
    }

    private mutating func nextDate(_ watering: [String: Any]) -> LocalDayText? {
        let name = "watering.next_date"
        switch watering["next_date"] {
        case nil: problems.append("\(name) is missing")
        case is NSNull: break
        case let text as String:
            guard let day = LocalDayText(text) else {
                problems.append("\(name) must be a date as YYYY-MM-DD, or null")
                break
            }
            let last = today.adding(days: CareAdvice.longestAhead) ?? today
            if (today...last).contains(day) { return day }
            problems.append("\(name) must be from \(today.text) to \(last.text), or null")
        default: problems.append("\(name) must be a date as YYYY-MM-DD, or null")
        }
        return nil
    }
}
