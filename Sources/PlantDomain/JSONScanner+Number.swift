extension JSONScanner {
    /// The number that begins here, correctly rounded; ±infinity if it is too large for a `Double`.
    mutating func number() throws(JSONFailure) -> Double {
        let start = position
        let parts = try numberParts()
        // Clinger's fast path: both operands are exact in a Double, so IEEE 754 rounds the one operation correctly.
        if parts.mantissa <= 1 << 53, -22...22 ~= parts.exponent {
            let mantissa = Double(parts.mantissa)
            let value =
                parts.exponent < 0
                ? mantissa / powersOfTen[-parts.exponent] : mantissa * powersOfTen[parts.exponent]
            return parts.isNegative ? -value : value
        }
        let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        // The grammar above is a part of what Double reads, so nil does not happen; if it did, nobody would accept it.
        return Double(text) ?? .infinity
    }

    mutating func skipNumber() throws(JSONFailure) {
        _ = try numberParts()
    }

    private struct Parts {
        var isNegative = false
        /// All digits without the point; of more than nineteen only the first nineteen, which is beyond 2^53 anyway.
        var mantissa: UInt64 = 0
        /// Of ten; stops growing where no Double can follow.
        var exponent = 0
    }

    @inline(__always)
    private mutating func numberParts() throws(JSONFailure) -> Parts {
        var parts = Parts()
        if peek() == UInt8(ascii: "-") {
            parts.isNegative = true
            advance()
        }
        if peek() == UInt8(ascii: "0") {
            // A digit behind a leading zero is no part of the number, and nothing else may begin with it either.
            advance()
        } else {
            try digits(into: &parts)
        }
        if peek() == UInt8(ascii: ".") {
            advance()
            let start = position
            try digits(into: &parts)
            parts.exponent -= position - start
        }
        if peek() | 0x20 == UInt8(ascii: "e") {
            advance()
            let isNegative = peek() == UInt8(ascii: "-")
            if isNegative || peek() == UInt8(ascii: "+") { advance() }
            guard isDigit(peek()) else { throw malformed }
            var written = 0
            while isDigit(peek()) {
                // Far above the length of any payload, so that no row of zeros before it can make up for what is cut off.
                if written < 1_000_000_000 { written = written * 10 + Int(peek() - UInt8(ascii: "0")) }
                advance()
            }
            parts.exponent += isNegative ? -written : written
        }
        return parts
    }

    @inline(__always)
    private mutating func digits(into parts: inout Parts) throws(JSONFailure) {
        guard isDigit(peek()) else { throw malformed }
        while isDigit(peek()) {
            // 10^18 leaves room for one more digit in 64 bits.
            if parts.mantissa < 1_000_000_000_000_000_000 {
                parts.mantissa = parts.mantissa * 10 + UInt64(peek() - UInt8(ascii: "0"))
            }
            advance()
        }
    }

    @inline(__always)
    private func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") <= 9
    }
}

/// The powers of ten that a Double holds exactly.
private let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
]
