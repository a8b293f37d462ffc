import Foundation
import PlantDomain
import Testing

@Suite struct LocalDayTests {
    private func zone(_ name: String) throws -> KnownTimeZone { try #require(KnownTimeZone(name)) }
    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    @Test(
        arguments: [
            ("UTC", "2026-11-21", "2026-11-21T00:00:00Z", 24.0),
            ("Europe/Berlin", "2026-11-21", "2026-11-20T23:00:00Z", 24),
            ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23),
            ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25),
            ("Asia/Kathmandu", "2026-11-21", "2026-11-20T18:15:00Z", 24),
            ("Asia/Kathmandu", "1986-01-01", "1985-12-31T18:30:00Z", 23.75),
            ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24.5),
            ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z", 23.5),
            // No midnight: the clocks go from 00:00 to 01:00.
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23),
            ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z", 23),
            // 24:00 becomes 23:00.
            ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", 25),
            ("Asia/Beirut", "2026-10-24", "2026-10-23T21:00:00Z", 25),
            // Midnight comes twice, 01:00 becomes 00:00: both hours are of the new day.
            ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", 25),
            // 00:01 becomes 23:01.
            ("America/St_Johns", "2010-11-06", "2010-11-06T02:30:00Z", 25),
            ("America/St_Johns", "2010-11-07", "2010-11-07T03:30:00Z", 24),
            ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", 24),
            ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 24),
            ("Antarctica/Troll", "2026-03-29", "2026-03-29T00:00:00Z", 22),
            ("UTC", "0000-01-01", "0000-01-01T00:00:00Z", 24),
            ("UTC", "9999-12-31", "9999-12-31T00:00:00Z", 24),
        ] as [(String, String, String, Double)])
    func `a day begins and ends with the clocks of its place`(
        name: String, text: String, start: String, hours: Double
    ) throws {
        let day = try #require(LocalDay(text, in: zone(name)))
        #expect(day.start.rfc3339 == start)
        #expect(day.length == hours * 3600)
        #expect(day.end == day.start.adding(seconds: hours * 3600))
        #expect(day.description == text)
        #expect(day.zone.name == name)
    }

    @Test(arguments: [
        "", "2026-11-31", "2026-02-29", "2026-1-1", "26-11-21", "2026-11-21 ", "2026/11/21", "2026-11-21T00:00:00Z",
        "2026-13-01", "2026-11-00", "+2026-11-1",
    ])
    func `what is no day is refused`(text: String) {
        #expect(LocalDay(text, in: .utc) == nil)
    }

    @Test func `a day that was skipped is no day`() throws {
        let apia = try zone("Pacific/Apia")
        #expect(LocalDay("2011-12-30", in: apia) == nil)
        let before = try #require(LocalDay("2011-12-29", in: apia))
        #expect(before.next.description == "2011-12-31")
        #expect(before.next.previous == before)
        #expect(before.end == before.next.start)
    }

    @Test(arguments: [
        ("Europe/Berlin", "2026-11-20T22:59:59.999999Z", "2026-11-20"),
        ("Europe/Berlin", "2026-11-20T23:00:00Z", "2026-11-21"),
        ("America/Sao_Paulo", "2018-11-04T02:59:59.999999Z", "2018-11-03"),
        ("America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-04"),
        ("America/Sao_Paulo", "2018-02-18T02:30:00Z", "2018-02-17"),
        // The first 00:00 of the 7th is before the second 23:59 of the 6th.
        ("America/St_Johns", "2010-11-07T02:30:30Z", "2010-11-06"),
        ("America/St_Johns", "2010-11-07T02:31:00Z", "2010-11-06"),
        ("America/St_Johns", "2010-11-07T03:30:00Z", "2010-11-07"),
        ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"),
    ])
    func `every instant is in one day`(name: String, at: String, text: String) throws {
        let day = try LocalDay.containing(time(at), in: zone(name))
        #expect(day.description == text)
        #expect(try day.contains(time(at)))
        #expect(try !day.next.contains(time(at)))
        #expect(try !day.previous.contains(time(at)))
    }

    @Test(arguments: [
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia",
        "America/Sao_Paulo",
        "Asia/Beirut", "America/St_Johns", "America/Havana", "Pacific/Kwajalein", "Africa/Casablanca", "Asia/Gaza",
        "UTC",
    ])
    func `days are seamless, in the order of the calendar, and found from any instant in them`(name: String) throws {
        let zone = try zone(name)
        var generator = SeededGenerator(seed: 7)
        var day = try #require(LocalDay("1990-01-01", in: zone))
        // Gathered, for an expectation takes longer than a day.
        var mistakes: [String] = []
        for _ in 0..<18_000 {
            let next = day.next
            let inside = day.start.adding(seconds: Double.random(in: 0..<day.length, using: &generator))
            let isRight =
                day.end == next.start && day.start < day.end && day.description < next.description
                && next.previous == day && (20...28).contains(day.length / 3600)
                && LocalDay.containing(inside, in: zone) == day && LocalDay.containing(day.start, in: zone) == day
                && LocalDay.containing(day.end.adding(microseconds: -1), in: zone) == day
            if !isRight { mistakes.append("\(day), \(inside)") }
            day = next
        }
        #expect(mistakes.isEmpty)
        #expect(day.description > "2039-04-01")
    }

    @Test(arguments: [
        "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Asia/Tehran", "Asia/Gaza",
    ])
    func `Foundation's calendar begins its days there, too`(name: String) throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: name))
        var day = try #require(LocalDay("2000-01-01", in: zone(name)))
        var mistakes: [String] = []
        for _ in 0..<9500 {
            let noon = Date(timeIntervalSince1970: day.start.adding(seconds: day.length / 2).seconds)
            if calendar.startOfDay(for: noon).timeIntervalSince1970 != day.start.seconds { mistakes.append("\(day)") }
            day = day.next
        }
        #expect(mistakes.isEmpty)
    }

    @Test func `days of different zones are different days`() throws {
        let berlin = try LocalDay("2026-11-21", in: zone("Europe/Berlin"))
        #expect(try berlin != LocalDay("2026-11-21", in: zone("Europe/Paris")))
        #expect(try Set([berlin, LocalDay("2026-11-21", in: zone("Europe/Berlin"))]).count == 1)
    }

    @Test func `nothing traps at the ends of time`() throws {
        for name in ["UTC", "Pacific/Apia", "America/New_York"] {
            for microseconds in [Int64.min, .min + 1, .max - 1, .max] {
                let day = try LocalDay.containing(Timestamp(microseconds: microseconds), in: zone(name))
                #expect(!day.previous.description.isEmpty)
                #expect(!day.next.description.isEmpty)
            }
        }
    }
}
