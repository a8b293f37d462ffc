extension JSONScanner {
    /// Passes over the string that begins here, checking its UTF-8, its escapes and that surrogates come in pairs.
    mutating func string() throws(JSONFailure) -> JSONString {
        advance()
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let end = position
                advance()
                return JSONString(start: start, end: end, hasEscapes: hasEscapes)
            } else if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try skipEscape()
            } else if byte < 0x20 {
                throw malformed
            } else if byte < 0x80 {
                advance()
            } else {
                guard let length = utf8Length(at: position) else { throw malformed }
                advance(length)
            }
        }
        throw malformed
    }

    /// Hands `body` the bytes that the string stands for; they live only during the call.
    @inline(__always)
    func withContent<Result>(of string: JSONString, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if string.hasEscapes {
            unescaped(string).withUnsafeBytes(body)
        } else {
            body(UnsafeRawBufferPointer(rebasing: bytes[string.start..<string.end]))
        }
    }

    func text(of string: JSONString) -> String {
        withContent(of: string) { String(decoding: $0, as: UTF8.self) }
    }

    private mutating func skipEscape() throws(JSONFailure) {
        advance()
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            advance()
        case UInt8(ascii: "u"):
            guard let unit = hexadecimalUnit(at: position + 1) else { throw malformed }
            advance(5)
            guard 0xD800...0xDFFF ~= unit else { return }
            // A high surrogate stands for nothing without the low one behind it.
            guard unit < 0xDC00, peek() == UInt8(ascii: "\\") else { throw malformed }
            advance()
            guard peek() == UInt8(ascii: "u"), let low = hexadecimalUnit(at: position + 1), 0xDC00...0xDFFF ~= low
            else { throw malformed }
            advance(5)
        default: throw malformed
        }
    }

    private func hexadecimalUnit(at index: Int) -> UInt32? {
        guard bytes.count - index >= 4 else { return nil }
        var unit: UInt32 = 0
        for offset in 0..<4 {
            guard let digit = hexadecimalValue(of: bytes[index + offset]) else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    /// The length of the well-formed sequence that begins at a byte above ASCII; nil if it is ill-formed.
    ///
    /// Table 3-7 of the Unicode Standard: no overlong forms, no surrogates, nothing beyond U+10FFFF.
    private func utf8Length(at index: Int) -> Int? {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch bytes[index] {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: length = 4
        default: return nil
        }
        guard bytes.count - index >= length, second.contains(bytes[index + 1]) else { return nil }
        for offset in 2..<max(length, 2) where bytes[index + offset] & 0xC0 != 0x80 { return nil }
        return length
    }

    /// The bytes of a string with its escapes resolved. Rare: no device we know escapes its keys.
    private func unescaped(_ string: JSONString) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(string.end - string.start)
        var index = string.start
        while index < string.end {
            guard bytes[index] == UInt8(ascii: "\\") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            let letter = bytes[index + 1]
            index += 2
            switch letter {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                var scalar = hexadecimalUnit(at: index) ?? 0xFFFD
                index += 4
                if 0xD800...0xDBFF ~= scalar, let low = hexadecimalUnit(at: index + 2) {
                    scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
                    index += 6
                }
                result.append(contentsOf: Array(String(Character(Unicode.Scalar(scalar) ?? "\u{FFFD}")).utf8))
            default: result.append(letter)
            }
        }
        return result
    }
}
