/// Why a text is refused as a whole.
enum JSONFailure: Error {
    /// Not JSON as RFC 8259 defines it, at this byte.
    case malformed(at: Int)
    /// Containers nested deeper than ``JSONScanner/maximumDepth``.
    case tooDeep
}

/// A string in the scanned bytes, without its quotes; already known to be valid.
struct JSONString {
    let start: Int
    let end: Int
    let hasEscapes: Bool
}

enum JSONKind {
    case object, array, string, number, boolean, null
}

/// Reads JSON forward over bytes that somebody else owns, allocating nothing.
///
/// Strict RFC 8259 in UTF-8, with one leniency that Foundation has too: a byte order mark at the start is skipped.
/// Stricter than Foundation in one respect: `[1,]` is refused. Whoever meets a value must consume it before going on.
struct JSONScanner {
    /// A payload of telemetry is two deep; beyond this somebody is trying the stack.
    static let maximumDepth = 16

    let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { position = 3 }
    }

    var malformed: JSONFailure { .malformed(at: position) }

    /// The kind of the value that begins here, told by its first byte.
    mutating func kind() throws(JSONFailure) -> JSONKind {
        skipWhitespace()
        switch peek() {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
        case UInt8(ascii: "n"): return .null
        default: throw malformed
        }
    }

    /// Steps into the object or array that begins here. `depth` counts it too: 1 for the outermost.
    mutating func enter(depth: Int) throws(JSONFailure) {
        guard depth <= JSONScanner.maximumDepth else { throw .tooDeep }
        position += 1
    }

    /// The next key of the object entered, the scanner then standing at its value; nil behind the closing brace.
    mutating func nextMember(isFirst: inout Bool) throws(JSONFailure) -> JSONString? {
        guard try another(before: UInt8(ascii: "}"), isFirst: &isFirst) else { return nil }
        guard peek() == UInt8(ascii: "\"") else { throw malformed }
        let key = try string()
        skipWhitespace()
        guard peek() == UInt8(ascii: ":") else { throw malformed }
        position += 1
        return key
    }

    /// Whether another element of the array entered follows; if not, the scanner stands behind the closing bracket.
    mutating func nextElement(isFirst: inout Bool) throws(JSONFailure) -> Bool {
        try another(before: UInt8(ascii: "]"), isFirst: &isFirst)
    }

    /// A comma promises one more: that there is one is checked by whoever reads it, as a bracket begins no value.
    private mutating func another(before closing: UInt8, isFirst: inout Bool) throws(JSONFailure) -> Bool {
        skipWhitespace()
        let byte = peek()
        if byte == closing {
            position += 1
            return false
        }
        if isFirst {
            isFirst = false
            return true
        }
        guard byte == UInt8(ascii: ",") else { throw malformed }
        position += 1
        skipWhitespace()
        return true
    }

    /// Checks and passes over the value that begins here. `depth` is that of the container it stands in.
    mutating func skipValue(depth: Int) throws(JSONFailure) {
        switch try kind() {
        case .object:
            try enter(depth: depth + 1)
            var isFirst = true
            while try nextMember(isFirst: &isFirst) != nil { try skipValue(depth: depth + 1) }
        case .array:
            try enter(depth: depth + 1)
            var isFirst = true
            while try nextElement(isFirst: &isFirst) { try skipValue(depth: depth + 1) }
        case .string: _ = try string()
        case .number: try skipNumber()
        case .boolean: try literal(peek() == UInt8(ascii: "t") ? "true" : "false")
        case .null: try literal("null")
        }
    }

    /// Nothing but white space may follow the outermost value.
    mutating func end() throws(JSONFailure) {
        skipWhitespace()
        guard position == bytes.count else { throw malformed }
    }

    mutating func literal(_ word: StaticString) throws(JSONFailure) {
        let count = word.utf8CodeUnitCount
        guard bytes.count - position >= count else { throw malformed }
        for index in 0..<count where bytes[position + index] != word.utf8Start[index] { throw malformed }
        position += count
    }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    /// The byte here, or 0 at the end; a real 0 is no part of any JSON text outside strings.
    @inline(__always)
    func peek() -> UInt8 {
        position < bytes.count ? bytes[position] : 0
    }

    @inline(__always)
    mutating func advance(_ count: Int = 1) {
        position += count
    }
}
