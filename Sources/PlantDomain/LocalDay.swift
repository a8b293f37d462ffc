/// A day of the calendar at a place: 24 hours, or 23 or 25 where clocks are changed, or anything else a government
/// thought of.
///
/// It begins when its midnight is passed for good. A midnight that is skipped is passed when the clocks are put forward
/// over it (America/Sao_Paulo, 2018-11-04: the day begins at 01:00). Where the clocks go back over midnight, the day
/// begins when it is passed the second time (America/St_Johns, 2010-11-07: from 00:01 to 23:01). So days are seamless
/// and never overlap. A day that was skipped whole (Pacific/Apia, 2011-12-30) is no day.
package struct LocalDay: Sendable {
    package let zone: KnownTimeZone
    /// Days from 1970-01-01 in the calendar.
    private let number: Int64
    /// Belongs to the day.
    package let start: Timestamp
    /// Does not: the next day's start.
    package let end: Timestamp

    /// The day in which an instant is.
    package static func containing(_ time: Timestamp, in zone: KnownTimeZone) -> LocalDay {
        let day = LocalDay(number: zone.wallClock(at: time).day, in: zone)
        // What the clock shows is not always the day it is in: see above.
        if time < day.start { return day.previous }
        return time >= day.end ? day.next : day
    }

    /// From the text of a day, `2026-11-21`.
    /// - Returns: nil when it is no such text, not in the calendar, or a day the zone skipped.
    package init?(_ text: String, in zone: KnownTimeZone) {
        guard text.utf8.count == 10, let midnight = Timestamp(rfc3339: text + "T00:00:00Z") else { return nil }
        self.init(number: KnownTimeZone.utc.wallClock(at: midnight).day, in: zone)
        if start == end { return nil }
    }

    private init(number: Int64, in zone: KnownTimeZone) {
        self.zone = zone
        self.number = number
        start = zone.last(WallClock(day: number))
        end = zone.last(WallClock(day: number + 1))
    }

    package var next: LocalDay { neighbour(1) }
    package var previous: LocalDay { neighbour(-1) }

    package func contains(_ time: Timestamp) -> Bool { start <= time && time < end }

    /// In seconds.
    package var length: Double { end.seconds(since: start) }

    private func neighbour(_ step: Int64) -> LocalDay {
        let day = LocalDay(number: number + step, in: zone)
        // One that was skipped. Never two: the date line is one day wide.
        return day.start == day.end ? LocalDay(number: number + 2 * step, in: zone) : day
    }
}

extension LocalDay: Hashable {
    // The rest follows from these.
    package static func == (left: LocalDay, right: LocalDay) -> Bool {
        left.number == right.number && left.zone == right.zone
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(number)
        hasher.combine(zone)
    }
}

extension LocalDay: CustomStringConvertible {
    /// `2026-11-21`; as in ``Timestamp/rfc3339``, years beyond 0000…9999 have a sign and all digits.
    package var description: String {
        let (year, month, day) = Timestamp.civil(days: number)
        let sign = year < 0 ? "-" : year > 9999 ? "+" : ""
        return "\(sign)\(padded(abs(year), digits: 4))-\(padded(month, digits: 2))-\(padded(day, digits: 2))"
    }

    private func padded(_ value: Int64, digits: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
