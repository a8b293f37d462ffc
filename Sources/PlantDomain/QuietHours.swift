/// Hours of the day, on the clocks of a place, in which only what is critical is told. `from` is quiet, `to` is not;
/// `from` after `to` goes over midnight.
///
/// Clocks that are changed: quiet hours begin when the clocks show `from` for the first time and end when they show `to`
/// for the last time, without a break. So nothing is told while the clocks show a quiet hour, and a night has one end, at
/// which what was held back is told.
/// - In spring, when 02:00 to 03:00 is skipped, a `from` or `to` of 02:30 counts as the instant the clocks are put
///   forward. Quiet hours that are skipped whole do not happen.
/// - In autumn, when 02:00 to 03:00 comes twice, a `from` of 02:30 is the first one (and the second 02:00 to 02:30 is
///   quiet, too), a `to` of 02:30 the second one (and the first 02:30 to 03:00 is quiet, too).
/// - Where that would leave nothing of the time between `to` and the next `from`, since all of it is in the hour that
///   comes twice (from 02:45 to 02:15), `to` is the first one as well.
package struct QuietHours: Sendable, Equatable, Codable {
    /// `HH:MM`
    package let from: String
    package let to: String
    /// IANA name.
    package let timeZone: String

    enum CodingKeys: String, CodingKey {
        case from, to
        case timeZone = "time_zone"
    }

    /// - Parameters:
    ///   - from: `HH:MM`, 00:00 to 23:59.
    ///   - to: the same, and not the same as `from`: that could be a whole day or nothing.
    ///   - timeZone: of the IANA database; see ``KnownTimeZone``.
    /// - Throws: with everything that is wrong.
    package init(from: String, to: String, timeZone: String) throws(InvalidQuietHours) {
        var problems: [InvalidQuietHours.Problem] = []
        let (start, end) = (Self.minute(from), Self.minute(to))
        if start == nil { problems.append(.init(.from, "must be a time of day as HH:MM, 00:00 to 23:59")) }
        if end == nil {
            problems.append(.init(.to, "must be a time of day as HH:MM, 00:00 to 23:59"))
        } else if start == end {
            problems.append(.init(.to, "must not be the same as from"))
        }
        if KnownTimeZone(timeZone) == nil {
            problems.append(.init(.timeZone, "must be the name of a time zone, such as Europe/Berlin or UTC"))
        }
        guard problems.isEmpty else { throw InvalidQuietHours(problems: problems) }
        self.from = from
        self.to = to
        self.timeZone = timeZone
    }

    /// - Throws: `DecodingError` also for texts that are no quiet hours.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let from = try container.decode(String.self, forKey: .from)
        let to = try container.decode(String.self, forKey: .to)
        let timeZone = try container.decode(String.self, forKey: .timeZone)
        do {
            try self.init(from: from, to: to, timeZone: timeZone)
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: error.description, underlyingError: error))
        }
    }

    /// Whether it is quiet at that instant.
    package func contains(_ time: Timestamp) -> Bool { end(after: time) != nil }

    /// The instant the quiet hours end that are on at `time`; nil when none are.
    package func end(after time: Timestamp) -> Timestamp? {
        guard let zone = KnownTimeZone(timeZone), let from = Self.minute(from), let to = Self.minute(to) else {
            return nil
        }
        let today = zone.wallClock(at: time).day
        var quietUntil: Timestamp?
        // Two days around are enough where clocks are put back or forward by a day.
        let days = (today - 2)...(today + 2)
        var start = zone.first(WallClock(day: days.lowerBound, minute: from))
        for day in days {
            let nextStart = zone.first(WallClock(day: day + 1, minute: from))
            defer { start = nextStart }
            let until = WallClock(day: from < to ? day : day + 1, minute: to)
            var end = zone.last(until)
            if end > nextStart { end = zone.first(until) }
            // One that begins as another ends is the same night: Pacific/Apia went to the next date but one in it.
            let isOn = start <= time || quietUntil.map { start <= $0 } == true
            if isOn, end > quietUntil ?? time { quietUntil = end }
        }
        return quietUntil
    }

    /// Minutes from midnight.
    private static func minute(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":"),
            let hour = number(bytes[0], bytes[1]), hour < 24,
            let minute = number(bytes[3], bytes[4]), minute < 60
        else { return nil }
        return hour * 60 + minute
    }

    private static func number(_ tens: UInt8, _ ones: UInt8) -> Int? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard digits.contains(tens), digits.contains(ones) else { return nil }
        return Int(tens - digits.lowerBound) * 10 + Int(ones - digits.lowerBound)
    }
}

/// What is wrong with texts that should be quiet hours.
package struct InvalidQuietHours: Error, Sendable, Equatable, CustomStringConvertible {
    /// By its name in JSON.
    package enum Field: String, Sendable, CaseIterable {
        case from, to
        case timeZone = "time_zone"
    }

    package struct Problem: Sendable, Equatable {
        package let field: Field
        /// What the field must be, for people, without its name.
        package let detail: String

        init(_ field: Field, _ detail: String) {
            self.field = field
            self.detail = detail
        }
    }

    /// At most one of each field, at least one.
    package let problems: [Problem]

    package var description: String {
        problems.map { "\($0.field.rawValue) \($0.detail)" }.joined(separator: "; ")
    }
}
