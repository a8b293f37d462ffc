import Foundation
import PlantDomain
import Testing

@Suite struct QuietHoursTests {
    private func quiet(_ from: String, _ to: String, _ zone: String = "Europe/Berlin") throws -> QuietHours {
        try QuietHours(from: from, to: to, timeZone: zone)
    }

    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    // MARK: Reading

    @Test(arguments: [
        ("22:00", "07:00", "Europe/Berlin"), ("00:00", "23:59", "UTC"), ("23:59", "00:00", "Asia/Kathmandu"),
        ("12:00", "13:30", "Etc/GMT+3"), ("22:00", "07:00", "America/Argentina/Buenos_Aires"),
    ])
    func `texts that are quiet hours are kept as they are`(from: String, to: String, zone: String) throws {
        let hours = try QuietHours(from: from, to: to, timeZone: zone)
        #expect(hours.from == from)
        #expect(hours.to == to)
        #expect(hours.timeZone == zone)
    }

    @Test(arguments: [
        "", "7:00", "07:0", "24:00", "23:60", "07.00", "07:00:00", " 7:00", "07:00 ", "-1:00", "+7:00", "０７:00",
        "ab:cd",
        "07:00\0", "0700", "99:99", "07:0۰",
    ])
    func `what is no time of day is refused at its field`(text: String) {
        let error = #expect(throws: InvalidQuietHours.self) {
            try QuietHours(from: text, to: "06:00", timeZone: "UTC")
        }
        #expect(error?.problems.map(\.field) == [.from])
        let other = #expect(throws: InvalidQuietHours.self) {
            try QuietHours(from: "06:00", to: text, timeZone: "UTC")
        }
        #expect(other?.problems.map(\.field) == [.to])
        #expect(other?.problems.first?.detail == "must be a time of day as HH:MM, 00:00 to 23:59")
    }

    @Test func `everything that is wrong is said at once`() {
        let error = #expect(throws: InvalidQuietHours.self) {
            try QuietHours(from: "25:00", to: "x", timeZone: "Berlin")
        }
        #expect(error?.problems.map(\.field) == [.from, .to, .timeZone])
        #expect(
            error?.description
                == "from must be a time of day as HH:MM, 00:00 to 23:59; "
                + "to must be a time of day as HH:MM, 00:00 to 23:59; "
                + "time_zone must be the name of a time zone, such as Europe/Berlin or UTC")
    }

    @Test func `a day or nothing is refused`() {
        let error = #expect(throws: InvalidQuietHours.self) { try quiet("07:00", "07:00") }
        #expect(error?.problems.map(\.field) == [.to])
        #expect(error?.description == "to must not be the same as from")
    }

    @Test func `JSON comes back as it went`() throws {
        let text = #"{"from":"22:00","time_zone":"Europe\/Berlin","to":"07:00"}"#
        let hours = try JSONDecoder().decode(QuietHours.self, from: Data(text.utf8))
        #expect(try hours == quiet("22:00", "07:00"))
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(String(decoding: try encoder.encode(hours), as: UTF8.self) == text)
    }

    @Test(arguments: [
        #"{"from":"22:00","to":"22:00","time_zone":"UTC"}"#, #"{"from":"24:00","to":"07:00","time_zone":"UTC"}"#,
        #"{"from":"22:00","to":"7:00","time_zone":"UTC"}"#, #"{"from":"22:00","to":"07:00","time_zone":"GMT+3"}"#,
        #"{"from":"22:00","to":"07:00"}"#, #"{"from":"22:00","to":null,"time_zone":"UTC"}"#, "[]", "{}",
        #"{"from":2200,"to":700,"time_zone":"UTC"}"#,
    ])
    func `JSON that is no quiet hours is not decoded`(text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(QuietHours.self, from: Data(text.utf8)) }
    }

    // MARK: Time zones

    @Test(arguments: [
        "UTC", "Etc/UTC", "GMT", "Etc/GMT+3", "Europe/Berlin", "Europe/Kyiv", "Europe/Kiev", "Asia/Calcutta",
        "Asia/Kolkata", "US/Eastern", "Japan", "EST5EDT", "CET", "America/Argentina/Buenos_Aires", "Pacific/Apia",
    ])
    func `names of the IANA database are known`(name: String) {
        #expect(KnownTimeZone(name)?.name == name)
    }

    @Test(arguments: [
        "", " ", "UTC ", "Europe/Berlin ", "europe/berlin", "Berlin", "GMT+3", "GMT+03:00", "UTC+2", "+02:00", "Z",
        "PST",
        "ACT", "SystemV/EST5", "Europe/Atlantis", "posix/Europe/Berlin", "../etc/passwd", "/etc/localtime", "localtime",
        "Factory", "Europe/Berlin\0", "GMT/+3", "Etc/Unknown",
    ])
    func `abbreviations, offsets and inventions are not`(name: String) {
        #expect(KnownTimeZone(name) == nil)
    }

    @Test(
        arguments: [
            (nil, "Europe/Berlin", "Europe/Berlin"), ("Asia/Tokyo", "Europe/Berlin", "Asia/Tokyo"),
            (":Asia/Tokyo", "Etc/UTC", "Asia/Tokyo"), ("", "Europe/Berlin", "Europe/Berlin"),
            ("CET-1CEST", "Europe/Berlin", "Europe/Berlin"), (nil, "GMT", "UTC"), (nil, "GMT+0300", "UTC"),
        ] as [(String?, String, String)])
    func `the zone of the machine is TZ, else its own, else UTC`(variable: String?, localtime: String, name: String) {
        #expect(KnownTimeZone.ofSystem(variable: variable, localtime: localtime).name == name)
    }

    @Test func `this machine has a zone`() {
        #expect(KnownTimeZone(KnownTimeZone.ofSystem().name) != nil)
    }

    // MARK: Being quiet

    @Test(
        arguments: [
            // Berlin is two hours ahead in summer.
            ("22:00", "07:00", "2026-07-01T19:59:59.999999Z", nil),
            ("22:00", "07:00", "2026-07-01T20:00:00Z", "2026-07-02T05:00:00Z"),
            ("22:00", "07:00", "2026-07-01T22:30:00Z", "2026-07-02T05:00:00Z"),
            ("22:00", "07:00", "2026-07-02T04:59:59.999999Z", "2026-07-02T05:00:00Z"),
            ("22:00", "07:00", "2026-07-02T05:00:00Z", nil),
            ("22:00", "07:00", "2026-07-02T12:00:00Z", nil),
            ("12:00", "14:00", "2026-07-01T09:59:59Z", nil),
            ("12:00", "14:00", "2026-07-01T10:00:00Z", "2026-07-01T12:00:00Z"),
            ("12:00", "14:00", "2026-07-01T12:00:00Z", nil),
            ("00:00", "23:59", "2026-07-01T21:58:59Z", "2026-07-01T21:59:00Z"),
            ("00:00", "23:59", "2026-07-01T21:59:00Z", nil),
            ("00:00", "23:59", "2026-07-01T22:00:00Z", "2026-07-02T21:59:00Z"),
            ("07:00", "00:00", "2026-07-01T21:59:59Z", "2026-07-01T22:00:00Z"),
            // One hour in winter; 29 March and 25 October are the days between.
            ("22:00", "07:00", "2026-01-01T21:00:00Z", "2026-01-02T06:00:00Z"),
            ("22:00", "07:00", "2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z"),
            ("22:00", "07:00", "2026-10-24T22:00:00Z", "2026-10-25T06:00:00Z"),
            // 02:00 to 03:00 is skipped at 01:00 UTC.
            ("22:00", "02:30", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"),
            ("22:00", "02:30", "2026-03-29T01:00:00Z", nil),
            ("02:30", "07:00", "2026-03-29T00:59:59Z", nil),
            ("02:30", "07:00", "2026-03-29T01:00:00Z", "2026-03-29T05:00:00Z"),
            ("02:15", "02:45", "2026-03-29T00:59:59Z", nil),
            ("02:15", "02:45", "2026-03-29T01:00:00Z", nil),
            ("02:45", "02:15", "2026-03-28T12:00:00Z", "2026-03-30T00:15:00Z"),
            // 02:00 to 03:00 comes twice, from 00:00 and from 01:00 UTC.
            ("22:00", "02:30", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            ("22:00", "02:30", "2026-10-25T01:29:59Z", "2026-10-25T01:30:00Z"),
            ("22:00", "02:30", "2026-10-25T01:30:00Z", nil),
            ("22:00", "02:00", "2026-10-24T23:59:59Z", "2026-10-25T00:00:00Z"),
            ("22:00", "02:00", "2026-10-25T01:00:00Z", nil),
            ("22:00", "03:00", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"),
            ("02:30", "07:00", "2026-10-25T00:29:59Z", nil),
            ("02:30", "07:00", "2026-10-25T00:30:00Z", "2026-10-25T06:00:00Z"),
            ("02:30", "07:00", "2026-10-25T01:15:00Z", "2026-10-25T06:00:00Z"),
            ("02:15", "02:45", "2026-10-25T01:00:00Z", "2026-10-25T01:45:00Z"),
            ("02:45", "02:15", "2026-10-24T12:00:00Z", "2026-10-25T00:15:00Z"),
            ("02:45", "02:15", "2026-10-25T00:15:00Z", nil),
            ("02:45", "02:15", "2026-10-25T00:45:00Z", "2026-10-26T01:15:00Z"),
        ] as [(String, String, String, String?)])
    func `quiet hours begin and end by the clocks of the place`(
        from: String, to: String, at: String, end: String?
    ) throws {
        let hours = try quiet(from, to)
        #expect(try hours.end(after: time(at))?.rfc3339 == end)
        #expect(try hours.contains(time(at)) == (end != nil))
    }

    @Test(
        arguments: [
            // 05:45 ahead.
            ("Asia/Kathmandu", "22:00", "07:00", "2026-07-01T16:14:59Z", nil),
            ("Asia/Kathmandu", "22:00", "07:00", "2026-07-01T16:15:00Z", "2026-07-02T01:15:00Z"),
            // 10:30 ahead, 11:00 in summer: 02:00 becomes 01:30 on 5 April, and 02:30 on 4 October.
            ("Australia/Lord_Howe", "22:00", "01:45", "2026-04-04T14:50:00Z", "2026-04-04T15:15:00Z"),
            ("Australia/Lord_Howe", "22:00", "02:15", "2026-10-03T15:29:59Z", "2026-10-03T15:30:00Z"),
            // Went from 29 December 24:00 to 31 December 00:00, at 10:00 UTC: one long night.
            ("Pacific/Apia", "22:00", "07:00", "2011-12-30T09:00:00Z", "2011-12-30T17:00:00Z"),
            ("Pacific/Apia", "22:00", "07:00", "2011-12-30T10:00:00Z", "2011-12-30T17:00:00Z"),
            ("Pacific/Apia", "08:00", "18:00", "2011-12-30T10:00:00Z", nil),
            // Midnight is skipped: 00:00 becomes 01:00 at 03:00 UTC.
            ("America/Sao_Paulo", "22:00", "00:30", "2018-11-04T02:59:59Z", "2018-11-04T03:00:00Z"),
            ("America/Sao_Paulo", "00:00", "07:00", "2018-11-04T02:59:59Z", nil),
            ("America/Sao_Paulo", "00:00", "07:00", "2018-11-04T03:00:00Z", "2018-11-04T09:00:00Z"),
            // Midnight is put back to 23:00 of the day before, at 02:00 UTC.
            ("America/Sao_Paulo", "22:00", "00:00", "2018-02-18T01:59:59Z", "2018-02-18T03:00:00Z"),
            ("America/Sao_Paulo", "22:00", "23:30", "2018-02-18T01:15:00Z", "2018-02-18T02:30:00Z"),
            // 00:01 is put back to 23:01 of the day before, at 02:31 UTC.
            ("America/St_Johns", "00:00", "23:30", "2010-11-07T01:00:00Z", "2010-11-07T02:00:00Z"),
            ("America/St_Johns", "00:00", "23:30", "2010-11-07T02:00:00Z", nil),
            ("America/St_Johns", "00:00", "23:30", "2010-11-07T02:30:00Z", "2010-11-08T03:00:00Z"),
        ] as [(String, String, String, String, String?)])
    func `odd zones are right, too`(zone: String, from: String, to: String, at: String, end: String?) throws {
        #expect(try quiet(from, to, zone).end(after: time(at))?.rfc3339 == end)
    }

    @Test func `nothing traps at the ends of time`() throws {
        let hours = try quiet("22:00", "07:00")
        for microseconds in [Int64.min, .min + 1, -1, 0, 1, .max - 1, .max] {
            _ = hours.end(after: Timestamp(microseconds: microseconds))
        }
    }

    // MARK: Against a walk, minute by minute

    @Test(arguments: [
        ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"), ("Australia/Lord_Howe", "2026-04-05"),
        ("Australia/Lord_Howe", "2026-10-04"), ("Asia/Kathmandu", "1986-01-01"), ("Asia/Kathmandu", "2026-06-01"),
        ("Pacific/Apia", "2011-12-30"), ("Pacific/Kwajalein", "1993-08-21"), ("America/Sao_Paulo", "2018-11-04"),
        ("America/Sao_Paulo", "2018-02-18"), ("Asia/Beirut", "2026-03-29"), ("Asia/Beirut", "2026-10-25"),
        ("America/St_Johns", "2010-03-14"), ("America/St_Johns", "2010-11-07"), ("America/Havana", "2026-11-01"),
        ("Antarctica/Troll", "2026-03-29"), ("Antarctica/Troll", "2026-10-25"), ("America/Caracas", "2016-05-01"),
        ("Asia/Pyongyang", "2018-05-05"), ("America/Nuuk", "2026-03-28"), ("Africa/Casablanca", "2026-03-22"),
        ("UTC", "2026-03-29"),
    ])
    func `being quiet is what a walk over the minutes finds`(zone: String, day: String) throws {
        let walk = try Walk(zone: zone, around: time("\(day)T12:00:00Z"))
        var generator = SeededGenerator(seed: 4)
        var pairs = [(22 * 60, 7 * 60), (120, 150), (150, 120), (0, 60), (23 * 60 + 30, 30), (1439, 0), (0, 1439)]
        while pairs.count < 20 {
            // Half of them in the small hours, where clocks are changed.
            let range = pairs.count.isMultiple(of: 2) ? 0..<1440 : 0..<240
            let pair = (Int.random(in: range, using: &generator), Int.random(in: range, using: &generator))
            if pair.0 != pair.1 { pairs.append(pair) }
        }
        for (from, to) in pairs {
            let hours = try quiet(clock(from), clock(to), zone)
            let expected = walk.quiet(from: from, to: to)
            var mistakes: [String] = []
            var end: Int?
            for minute in walk.judged.reversed() {
                if !expected[minute] { end = nil } else if end == nil { end = minute + 1 }
                // The walk does not see where the hours end that go beyond it.
                if end == walk.judged.upperBound { continue }
                // All of them where it changes, and some of those between.
                let changes = expected[minute - 1] != expected[minute] || expected[minute] != expected[minute + 1]
                guard changes || minute.isMultiple(of: 7) else { continue }
                let found = hours.end(after: walk.time(minute))
                if found != end.map(walk.time) { mistakes.append("\(walk.time(minute)): \(found as Any)") }
                if walk.shows(minute, from, to), found == nil { mistakes.append("\(walk.time(minute)) is not quiet") }
            }
            for minute in walk.judged.lowerBound..<walk.judged.lowerBound + 100 {
                let late = walk.time(minute).adding(seconds: 59.999999)
                if hours.contains(late) != expected[minute] { mistakes.append("\(late)") }
            }
            #expect(mistakes.isEmpty, "\(hours.from) to \(hours.to)")
        }
    }

    private func clock(_ minute: Int) -> String {
        String(format: "%02d:%02d", minute / 60, minute % 60)
    }
}

/// What the clocks of a place show at each minute of nine days, by Foundation's calendar.
private struct Walk {
    /// Minutes of the calendar from 2001-01-01 00:00.
    private let shown: [Int]
    private let start: Timestamp

    /// Minutes around which enough is known.
    var judged: Range<Int> { 3 * 1440..<6 * 1440 }

    init(zone: String, around noon: Timestamp) throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: zone))
        var plain = Calendar(identifier: .gregorian)
        plain.timeZone = .gmt
        let start = noon.adding(seconds: -4.5 * 86_400)
        self.start = start
        shown = (0..<9 * 1440).map { minute in
            let date = Date(timeIntervalSince1970: start.seconds + Double(minute) * 60)
            let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute], from: date)
            return Int((plain.date(from: parts)?.timeIntervalSinceReferenceDate ?? 0) / 60)
        }
    }

    func time(_ minute: Int) -> Timestamp { start.adding(seconds: Double(minute) * 60) }

    /// Whether the clock shows a quiet hour.
    func shows(_ minute: Int, _ from: Int, _ to: Int) -> Bool {
        let clock = (shown[minute] % 1440 + 1440) % 1440
        return from < to ? from <= clock && clock < to : clock >= from || clock < to
    }

    /// Each night from the first time `from` is shown or passed to the last time `to` is, as ``QuietHours`` says.
    func quiet(from: Int, to: Int) -> [Bool] {
        var quiet = Array(repeating: false, count: shown.count)
        let days = Int((Double(shown[0]) / 1440).rounded(.down))...shown[shown.count - 1] / 1440 + 1
        for day in days {
            let first = firstMinute(day * 1440 + from)
            let until = (from < to ? day : day + 1) * 1440 + to
            var end = (shown.lastIndex { $0 < until } ?? -1) + 1
            if end > firstMinute((day + 1) * 1440 + from) { end = firstMinute(until) }
            if first < end { for minute in first..<end { quiet[minute] = true } }
        }
        return quiet
    }

    private func firstMinute(_ clock: Int) -> Int { shown.firstIndex { $0 >= clock } ?? shown.count }
}
