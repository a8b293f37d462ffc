import Foundation
import PlantDomain

/// Any JSON value, read by Foundation.
indirect enum JSONValue: Decodable {
    case object([String: JSONValue])
    case array([JSONValue])
    case number(Double)
    case string(String)
    case boolean
    case null

    struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: Key.self) {
            var members: [String: JSONValue] = [:]
            for key in container.allKeys {
                members[key.stringValue] = try container.decode(JSONValue.self, forKey: key)
            }
            self = .object(members)
        } else if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !container.isAtEnd { elements.append(try container.decode(JSONValue.self)) }
            self = .array(elements)
        } else {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if (try? container.decode(Bool.self)) != nil {
                self = .boolean
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .string(try container.decode(String.self))
            }
        }
    }
}

/// The rules of the decoder once more, slow and plain, on top of Foundation's JSONDecoder.
struct TelemetryReference {
    struct Reading: Equatable {
        var values: [String: Double] = [:]
        var extras: [String: Double] = [:]
        /// nil: the server's.
        var time: Timestamp?
    }

    var readings: [Reading] = []
    var reasons: Set<RejectReason> = []

    init(_ payload: [UInt8]) {
        let shape = Shape(payload)
        if payload.isEmpty {
            reasons = [.empty]
        } else if shape.depth > 16 {
            reasons = [.tooDeep, .notJSON]  // whichever comes first
        } else if shape.hasTrailingComma || payload.contains(0) {
            // Foundation takes both: the comma as it is, the zero as a sign of UTF-16.
            reasons = [.notJSON]
        } else if let value = try? JSONDecoder().decode(JSONValue.self, from: Data(payload)),
            // JSONDecoder never looks at the second value of a repeated key; JSONSerialization does.
            (try? JSONSerialization.jsonObject(with: Data(payload), options: .fragmentsAllowed)) != nil
        {
            read(value)
        } else {
            reasons = [.notJSON]
        }
    }

    private mutating func read(_ value: JSONValue) {
        switch value {
        case .object(let members): read(members)
        case .array(let elements):
            if elements.isEmpty { reasons.insert(.empty) }
            for element in elements {
                if case .object(let members) = element { read(members) } else { reasons.insert(.notAnObject) }
            }
        default: reasons.insert(.notAnObject)
        }
    }

    private mutating func read(_ members: [String: JSONValue]) {
        var members = members
        var reading = Reading()
        reading.time = time(members.removeValue(forKey: "timestamp"))
        for metric in Metric.allCases {
            let present = ([metric.name] + metric.aliases).compactMap { members.removeValue(forKey: $0) }.filter {
                if case .null = $0 { false } else { true }
            }
            guard let first = present.first else { continue }
            guard case .number(let number) = first else {
                reasons.insert(.wrongType)
                continue
            }
            if metric.range.contains(number) {
                reading.values[metric.name] = number
            } else {
                reasons.insert(.valueOutOfRange)
            }
        }
        for (name, value) in members {
            guard case .number(let number) = value else { continue }
            if name.wholeMatch(of: /[a-z][a-z0-9_]{0,63}/) != nil {
                reading.extras[name] = number
            } else {
                reasons.insert(.badMetricName)
            }
        }
        if reading.values.isEmpty && reading.extras.isEmpty {
            reasons.insert(.noValues)
        } else {
            readings.append(reading)
        }
    }

    private func time(_ value: JSONValue?) -> Timestamp? {
        let time: Timestamp? =
            switch value {
            case .string(let text): Timestamp(rfc3339: text)
            case .number(let number): Timestamp(seconds: abs(number) < 1e11 ? number : number / 1000)
            default: nil
            }
        guard let time, (-2_592_000...300).contains(time.seconds(since: arrival)) else { return nil }
        return time
    }
}

/// What Foundation does not tell: how deep a text nests, and whether a comma stands before a closing bracket.
private struct Shape {
    var depth = 0
    var hasTrailingComma = false

    init(_ payload: [UInt8]) {
        var level = 0
        var inString = false
        var isEscaped = false
        var last: Character = " "
        for byte in payload {
            let character = Character(Unicode.Scalar(byte))
            if inString {
                if isEscaped {
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    inString = false
                }
                continue
            }
            switch character {
            case "\"": inString = true
            case "[", "{":
                level += 1
                depth = max(depth, level)
            case "]", "}":
                level -= 1
                if last == "," { hasTrailingComma = true }
            default: break
            }
            if !" \t\r\n".contains(character) { last = character }
        }
    }
}
