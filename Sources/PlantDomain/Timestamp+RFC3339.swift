extension Timestamp {
    /// Reads an RFC 3339 `date-time`; nil for anything else. See ``init(rfc3339:)-(UnsafeRawBufferPointer)``.
    package init?(rfc3339 string: String) {
        var string = string
        let parsed = string.withUTF8 { Timestamp(rfc3339: UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Reads an RFC 3339 §5.6 `date-time` without allocating; nil for anything else.
    ///
    /// The date must exist and the offset is required. Between date and time stand `T`, `t` or a space. Digits beyond
    /// the microsecond are cut off. Second 60 is the next minute's second 0, in any minute: clocks that smear or
    /// apply a leap second late say it at other times than the RFC allows.
    package init?(rfc3339 bytes: UnsafeRawBufferPointer) {
        var reader = DigitReader(bytes: bytes)
        guard let year = reader.number(digits: 4), reader.take("-"),
            let month = reader.number(digits: 2), 1...12 ~= month, reader.take("-"),
            let day = reader.number(digits: 2), 1...Timestamp.days(inMonth: month, of: year) ~= day,
            reader.take("T") || reader.take("t") || reader.take(" "),
            let hour = reader.number(digits: 2), hour <= 23, reader.take(":"),
            let minute = reader.number(digits: 2), minute <= 59, reader.take(":"),
            let second = reader.number(digits: 2), second <= 60,
            let fraction = reader.fraction(),
            let offset = reader.offset(),
            reader.isAtEnd
        else { return nil }
        let days = Timestamp.days(year: year, month: month, day: day)
        // At most ten thousand years: far from overflow.
        let wholeSeconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        microseconds = wholeSeconds * 1_000_000 + fraction
    }

    /// RFC 3339 in UTC: `2026-11-21T03:38:33Z`, with three or six digits of fraction where there is one.
    ///
    /// RFC 3339 knows the years 0000…9999; others are written with sign and all digits, as ISO 8601 does by agreement.
    package var rfc3339: String {
        let (days, timeOfDay) = Timestamp.floorDivide(microseconds, by: 86_400_000_000)
        let (year, month, day) = Timestamp.civil(days: days)
        let (wholeSeconds, fraction) = Timestamp.floorDivide(timeOfDay, by: 1_000_000)
        var text: [UInt8] = []
        text.reserveCapacity(32)
        func append(_ value: Int64, digits: Int) {
            var divisor: Int64 = 1
            for _ in 1..<digits { divisor *= 10 }
            while divisor > 0 {
                text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
                divisor /= 10
            }
        }
        if !(0...9999).contains(year) { text.append(UInt8(ascii: year < 0 ? "-" : "+")) }
        append(abs(year), digits: abs(year) > 9999 ? 6 : 4)
        text.append(UInt8(ascii: "-"))
        append(month, digits: 2)
        text.append(UInt8(ascii: "-"))
        append(day, digits: 2)
        text.append(UInt8(ascii: "T"))
        append(wholeSeconds / 3600, digits: 2)
        text.append(UInt8(ascii: ":"))
        append(wholeSeconds / 60 % 60, digits: 2)
        text.append(UInt8(ascii: ":"))
        append(wholeSeconds % 60, digits: 2)
        if fraction != 0 {
            text.append(UInt8(ascii: "."))
            if fraction % 1000 == 0 { append(fraction / 1000, digits: 3) } else { append(fraction, digits: 6) }
        }
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }
}

/// The Gregorian calendar, extended backwards, after Howard Hinnant's `days_from_civil` and `civil_from_days`
/// (https://howardhinnant.github.io/date_algorithms.html): 400-year eras that begin on 1 March.
extension Timestamp {
    /// Days from 1970-01-01 to a date that exists.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let (era, yearOfEra) = floorDivide(month <= 2 ? year - 1 : year, by: 400)
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Quotient rounded down and a remainder that is never negative, for a positive divisor.
    private static func floorDivide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

/// Reads the fields of an RFC 3339 time from left to right.
private struct DigitReader {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func digit() -> Int64? {
        guard position < bytes.count else { return nil }
        let value = bytes[position] &- UInt8(ascii: "0")
        guard value <= 9 else { return nil }
        position += 1
        return Int64(value)
    }

    mutating func number(digits: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Microseconds of an optional fraction; nil if a point stands without a digit.
    mutating func fraction() -> Int64? {
        guard take(".") else { return 0 }
        guard let first = digit() else { return nil }
        var value = first * 100_000
        var weight: Int64 = 10_000
        while let digit = digit() {
            value += digit * weight
            weight /= 10
        }
        return value
    }

    /// Seconds east of UTC.
    mutating func offset() -> Int64? {
        if take("Z") || take("z") { return 0 }
        let sign: Int64
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = number(digits: 2), hours <= 23, take(":"),
            let minutes = number(digits: 2), minutes <= 59
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
