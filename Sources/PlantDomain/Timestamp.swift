#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An instant in UTC, to the microsecond, as PostgreSQL's `timestamptz` keeps it.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted. Any value is allowed.
    package var microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Seconds since 1970, rounded to the nearest microsecond. What does not fit is moved to the nearest end; NaN is 0.
    package init(seconds: Double) {
        self.init(roundingMicroseconds: seconds * 1e6)
    }

    /// Microseconds since 1970, rounded. What does not fit is moved to the nearest end; NaN is 0.
    init(roundingMicroseconds value: Double) {
        let rounded = value.rounded()
        // 2^63 as a Double is exact; Int64(_:) traps from there on.
        if rounded >= 0x1p63 {
            microseconds = .max
        } else if rounded <= -0x1p63 {
            microseconds = .min
        } else {
            microseconds = rounded.isNaN ? 0 : Int64(rounded)
        }
    }

    /// The system's clock (`CLOCK_REALTIME`).
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// Seconds since 1970; exact to the microsecond for a century or two around it.
    package var seconds: Double { Double(microseconds) / 1e6 }

    /// This instant moved by so many seconds, stopping at the ends of the range.
    package func adding(seconds: Double) -> Timestamp {
        let delta = Timestamp(seconds: seconds).microseconds
        // A delta that did not fit leads beyond the range from anywhere in it.
        return delta == .max || delta == .min ? Timestamp(microseconds: delta) : adding(microseconds: delta)
    }

    /// This instant moved by so many microseconds, stopping at the ends of the range.
    package func adding(microseconds delta: Int64) -> Timestamp {
        let (sum, overflow) = microseconds.addingReportingOverflow(delta)
        return Timestamp(microseconds: overflow ? (delta < 0 ? .min : .max) : sum)
    }

    /// How many seconds this instant is after `earlier`; negative if it is before it.
    package func seconds(since earlier: Timestamp) -> Double {
        let (difference, overflow) = microseconds.subtractingReportingOverflow(earlier.microseconds)
        return overflow ? seconds - earlier.seconds : Double(difference) / 1e6
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }
}

extension Timestamp: CustomStringConvertible {
    package var description: String { rfc3339 }
}

extension Timestamp: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let parsed = Timestamp(rfc3339: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an RFC 3339 time")
        }
        self = parsed
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339)
    }
}
