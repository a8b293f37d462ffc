/// The identity of a plant, a device, a user…: 128 bits, written as a UUID in lower case.
///
/// New ones are UUIDs of version 7 (RFC 9562 §5.7), which sort by the time they were made; that keeps index pages of
/// the database together. Any UUID of any version is read.
package struct EntityID: Hashable, Comparable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the canonical form `8-4-4-4-12`, in either case; nil for anything else.
    package init?(_ string: String) {
        var string = string
        let parsed = string.withUTF8 { EntityID(ascii: UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Reads exactly 36 bytes in the canonical form, in either case, without allocating.
    package init?(ascii bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 36 else { return nil }
        var words: (high: UInt64, low: UInt64) = (0, 0)
        for index in 0..<36 {
            let byte = bytes[index]
            switch index {
            case 8, 13, 18, 23:
                guard byte == UInt8(ascii: "-") else { return nil }
            default:
                guard let digit = hexadecimalValue(of: byte) else { return nil }
                words.high = words.high << 4 | words.low >> 60
                words.low = words.low << 4 | UInt64(digit)
            }
        }
        self.init(high: words.high, low: words.low)
    }

    /// A new identity, later in order than every one made for an earlier microsecond.
    ///
    /// 48 bits of Unix milliseconds, then the fraction of the millisecond in 12 bits (RFC 9562 §6.2, method 3), then
    /// 62 random bits. Times outside 1970…10889 are moved to the nearest end.
    package static func make(at time: Timestamp = .now()) -> EntityID {
        let microseconds = UInt64(max(0, time.microseconds))
        let milliseconds = min(microseconds / 1000, 0xFFFF_FFFF_FFFF)
        let fraction = (microseconds % 1000) * 4096 / 1000
        var generator = SystemRandomNumberGenerator()
        let random: UInt64 = generator.next()
        return EntityID(
            high: milliseconds << 16 | 0x7000 | fraction,
            low: 0x8000_0000_0000_0000 | random >> 2)
    }

    package static func < (left: EntityID, right: EntityID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension EntityID: CustomStringConvertible {
    package var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for digit in 0..<32 {
                if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                let word = digit < 16 ? high : low
                let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (digit & 15))) & 15
                buffer[position] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
                position += 1
            }
            return position
        }
    }
}

extension EntityID: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let parsed = EntityID(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UUID")
        }
        self = parsed
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// The value 0…15 of a hexadecimal digit in either case, nil for any other byte.
@inline(__always)
func hexadecimalValue(of byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
