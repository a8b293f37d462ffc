import Foundation

/// A time zone of the IANA database, and what its clocks show.
package struct KnownTimeZone: Sendable {
    /// As the IANA database has it, in its spelling: `Europe/Berlin`, `UTC`.
    package let name: String
    private let zone: TimeZone

    package static let utc = KnownTimeZone("UTC")!

    /// - Returns: nil for what is no name in the IANA database. `GMT+3`, `PST` or `+02:00`, which Foundation takes, are
    ///   none; `Etc/GMT+3` (which is west of Greenwich) and old names such as `Asia/Calcutta` or `Japan` are.
    package init?(_ name: String) {
        // Foundation reads a text up to its first NUL.
        guard !name.utf8.contains(0) else { return nil }
        let hasArea = name.contains("/") && !name.hasPrefix("SystemV/")
        guard hasArea || Self.namesWithoutArea.contains(name), let zone = TimeZone(identifier: name),
            // What Foundation reads some other way gets another name; UTC does, too (GMT).
            zone.identifier == name || !hasArea
        else { return nil }
        self.name = name
        self.zone = zone
    }

    /// The zone of the machine: the variable TZ, else /etc/localtime; UTC where they name none.
    package static func ofSystem() -> KnownTimeZone {
        ofSystem(variable: ProcessInfo.processInfo.environment["TZ"], localtime: TimeZone.current.identifier)
    }

    /// - Parameters:
    ///   - variable: TZ. POSIX allows a colon before the name.
    ///   - localtime: what Foundation found out; `GMT` is what it says when it found nothing.
    package static func ofSystem(variable: String?, localtime: String) -> KnownTimeZone {
        let variable = variable.map { $0.hasPrefix(":") ? String($0.dropFirst()) : $0 }
        if let zone = variable.flatMap({ KnownTimeZone($0) }) { return zone }
        return localtime == "GMT" ? .utc : KnownTimeZone(localtime) ?? .utc
    }

    /// Names without an area that the IANA database has, most of them for the sake of old settings. Foundation has more
    /// of that kind, such as `PST` and `ACT`: abbreviations that mean different things in different places.
    private static let namesWithoutArea: Set<String> = [
        "CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "GB", "GB-Eire", "GMT", "GMT+0", "GMT-0",
        "GMT0", "Greenwich", "HST", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Kwajalein", "Libya",
        "MET", "MST", "MST7MDT", "NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Poland", "Portugal", "ROC", "ROK",
        "Singapore", "Turkey", "UCT", "UTC", "Universal", "W-SU", "WET", "Zulu",
    ]
}

extension KnownTimeZone: Hashable {
    package static func == (left: KnownTimeZone, right: KnownTimeZone) -> Bool { left.name == right.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// What a clock on a wall shows: seconds from its 1970-01-01 00:00, as if every day had 24 hours. Some of it is never
/// shown (clocks put forward) and some is shown twice (put back).
struct WallClock: Equatable {
    static let secondsPerDay: Int64 = 86_400

    var seconds: Int64

    init(seconds: Int64) { self.seconds = seconds }

    /// - Parameter day: days from 1970-01-01.
    init(day: Int64, minute: Int = 0) { seconds = day * Self.secondsPerDay + Int64(minute) * 60 }

    /// Days from 1970-01-01.
    var day: Int64 { (seconds - secondOfDay) / Self.secondsPerDay }

    private var secondOfDay: Int64 {
        let remainder = seconds % Self.secondsPerDay
        return remainder < 0 ? remainder + Self.secondsPerDay : remainder
    }
}

extension KnownTimeZone {
    func wallClock(at time: Timestamp) -> WallClock {
        let second = time.wholeSeconds
        return WallClock(seconds: second + offset(at: second))
    }

    /// The first instant at which the clocks show this or something later: where it is skipped, the instant they are
    /// put forward; where it comes twice, the first time.
    func first(_ clock: WallClock) -> Timestamp {
        let change = change(around: clock)
        let early = clock.seconds - change.before
        return Timestamp(wholeSeconds: early < change.at ? early : max(change.at, clock.seconds - change.after))
    }

    /// The instant from which on the clocks never show anything earlier: where it is skipped, the instant they are put
    /// forward; where it comes twice, the second time. As ``first(_:)`` on all other days.
    func last(_ clock: WallClock) -> Timestamp {
        let change = change(around: clock)
        let late = clock.seconds - change.after
        return Timestamp(wholeSeconds: late > change.at ? late : min(change.at, clock.seconds - change.before))
    }

    /// Seconds east of UTC, at a second from 1970-01-01T00:00:00Z.
    private func offset(at second: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second))))
    }

    /// How the clocks are changed in the 36 hours before or after they show a time, which is more than any zone is away
    /// from UTC. When they are not, both offsets are the same and `at` means nothing.
    ///
    /// At most one change is looked for: from 1970 to 2037 no zone has two of them within a week. (Foundation's own
    /// `nextDaylightSavingTimeTransition` does not promise to tell of changes that have nothing to do with summer.)
    private func change(around clock: WallClock) -> (before: Int64, at: Int64, after: Int64) {
        var (before, after) = (clock.seconds - 36 * 3600, clock.seconds + 36 * 3600)
        let (old, new) = (offset(at: before), offset(at: after))
        while old != new, after - before > 1 {
            let middle = (before + after) / 2
            if offset(at: middle) == old { before = middle } else { after = middle }
        }
        return (old, after, new)
    }
}

extension Timestamp {
    /// Rounded down: offsets change at whole seconds, and a Double of this size has no room for microseconds.
    fileprivate var wholeSeconds: Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// What does not fit is moved to the nearest end.
    fileprivate init(wholeSeconds: Int64) {
        let (product, overflow) = wholeSeconds.multipliedReportingOverflow(by: 1_000_000)
        self.init(microseconds: overflow ? (wholeSeconds < 0 ? .min : .max) : product)
    }
}
