/// Comma-separated values as RFC 4180 has them, in UTF-8.
package enum CSV {
    /// One record: a line, or several when a quoted field has line breaks in it.
    package struct Record: Sendable, Equatable {
        /// Where it begins, counted from 1.
        package let line: Int
        package let fields: [String]
    }

    /// What is wrong with a text, and where.
    package struct Mistake: Sendable, Equatable {
        package let line: Int
        package let detail: String
    }

    /// Enough to mend a file by.
    package static let mistakesLimit = 100

    /// Reads strictly: what could be meant in two ways is a mistake. Lines may end in LF alone, as most programs outside
    /// Windows write them; a byte order mark in front, as Excel writes it, is skipped, and so are empty lines.
    /// - Returns: the records without mistakes, and the mistakes; nothing is read beyond ``mistakesLimit`` of them.
    package static func read(_ bytes: [UInt8]) -> (records: [Record], mistakes: [Mistake]) {
        var reader = CSVReader(bytes)
        var records: [Record] = []
        var mistakes: [Mistake] = []
        while mistakes.count < mistakesLimit, let next = reader.next() {
            switch next {
            case .success(let record): records.append(record)
            case .failure(let mistake): mistakes.append(mistake)
            }
        }
        return (records, mistakes)
    }

    /// Writes records, each ended by CRLF. What ``read(_:)`` reads of it is what was written.
    package static func write(_ records: some Sequence<[String]>) -> String {
        var text = ""
        for fields in records {
            // An empty line would be no record.
            text += fields == [""] ? "\"\"" : fields.map(quoted).joined(separator: ",")
            text += "\r\n"
        }
        return text
    }

    private static let special: Set<Unicode.Scalar> = [",", "\"", "\r", "\n", "\u{FEFF}"]

    private static func quoted(_ field: String) -> String {
        // By scalars: CRLF is one Character and neither of its two, and so is a quote with an accent on it. A byte order
        // mark in front would be skipped.
        let scalars = field.unicodeScalars
        guard scalars.contains(where: { special.contains($0) }) else { return field }
        var quoted = String.UnicodeScalarView("\"".unicodeScalars)
        for scalar in scalars { quoted.append(contentsOf: scalar == "\"" ? [scalar, scalar] : [scalar]) }
        quoted.append("\"")
        return String(quoted)
    }

    // MARK: spreadsheets

    /// A text that a spreadsheet does not take for a formula, which could send the rest of the sheet elsewhere: an
    /// apostrophe goes before a first `=`, `+`, `-`, `@`, tab or carriage return, as OWASP recommends
    /// (https://owasp.org/www-community/attacks/CSV_Injection).
    package static func guarded(_ text: String) -> String { isFormula(text) ? "'" + text : text }

    /// The text that ``guarded(_:)`` was given.
    package static func unguarded(_ text: String) -> String {
        text.unicodeScalars.first == "'" && isFormula(text) ? String(text.unicodeScalars.dropFirst()) : text
    }

    /// Apostrophes in front do not count, so that a text with one of its own gets another, and keeps its own.
    private static func isFormula(_ text: String) -> Bool {
        text.unicodeScalars.drop { $0 == "'" }.first.map { "=+-@\t\r".unicodeScalars.contains($0) } ?? false
    }
}

/// Takes one record after another from a text.
private struct CSVReader {
    private static let (quote, comma) = (UInt8(ascii: "\""), UInt8(ascii: ","))
    private static let (lineFeed, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    private struct Fault: Error {
        let line: Int
        let detail: String
    }

    enum Next {
        case success(CSV.Record)
        case failure(CSV.Mistake)
    }

    mutating func next() -> Next? {
        while takeLineBreak() {}
        guard position < bytes.count else { return nil }
        let first = line
        do throws(Fault) {
            var fields = [try field()]
            while take(Self.comma) { fields.append(try field()) }
            guard takeLineBreak() || position == bytes.count else {
                throw Fault(line: line, detail: "there is text after a closing quote; a quote inside is written twice")
            }
            return .success(CSV.Record(line: first, fields: fields))
        } catch {
            // What follows the next line break is most likely a record again.
            while position < bytes.count, !takeLineBreak() { position += 1 }
            return .failure(CSV.Mistake(line: error.line, detail: error.detail))
        }
    }

    private mutating func field() throws(Fault) -> String {
        let first = line
        let bytes = take(Self.quote) ? try quotedField(from: first) : try plainField()
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Fault(line: first, detail: "this is not UTF-8; save the file as UTF-8")
        }
        return text
    }

    private mutating func plainField() throws(Fault) -> [UInt8] {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case Self.comma, Self.lineFeed: return Array(bytes[start..<position])
            case Self.carriageReturn:
                guard position + 1 < bytes.count, bytes[position + 1] == Self.lineFeed else {
                    throw Fault(line: line, detail: "a carriage return without a line feed ends no line")
                }
                return Array(bytes[start..<position])
            case Self.quote:
                throw Fault(line: line, detail: "a field with a quote in it must be in quotes, and the quote doubled")
            default: position += 1
            }
        }
        return Array(bytes[start...])
    }

    /// After its opening quote.
    private mutating func quotedField(from first: Int) throws(Fault) -> [UInt8] {
        var field: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == Self.quote, !take(Self.quote) { return field }
            if byte == Self.lineFeed { line += 1 }
            field.append(byte)
        }
        throw Fault(line: first, detail: "a quoted field begins here and never ends")
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func takeLineBreak() -> Bool {
        if position + 1 < bytes.count, bytes[position] == Self.carriageReturn, bytes[position + 1] == Self.lineFeed {
            position += 1
        }
        guard take(Self.lineFeed) else { return false }
        line += 1
        return true
    }
}
