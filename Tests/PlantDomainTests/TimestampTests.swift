import Foundation
import PlantDomain
import Testing

@Suite("Time")
struct TimestampTests {
    @Test(
        "reads RFC 3339",
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-21T03:38:33Z", 1_795_232_313_000_000),
            ("2026-11-21t03:38:33z", 1_795_232_313_000_000),
            ("2026-11-21 03:38:33Z", 1_795_232_313_000_000),
            ("2026-11-21T04:38:33+01:00", 1_795_232_313_000_000),
            ("2026-11-20T22:08:33-05:30", 1_795_232_313_000_000),
            ("2026-11-21T03:38:33-00:00", 1_795_232_313_000_000),
            ("2026-11-21T03:38:33.5Z", 1_795_232_313_500_000),
            ("2026-11-21T03:38:33.123456Z", 1_795_232_313_123_456),
            ("2026-11-21T03:38:33.1234569999999999999999999Z", 1_795_232_313_123_456),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
        ] as [(String, Int64)])
    func reads(text: String, microseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
    }

    @Test(
        "refuses what is not RFC 3339 or not in the calendar",
        arguments: [
            "", "2026-11-21", "2026-11-21T03:38:33", "2026-11-21T03:38Z", "2026-11-21T03:38:33+0100",
            "2026-11-21T03:38:33+01", "2026-11-21T03:38:33.Z", "2026-11-21T03:38:33,5Z", "2026-11-21T03:38:33Z ",
            " 2026-11-21T03:38:33Z", "2026-11-21T24:00:00Z", "2026-11-21T03:60:00Z", "2026-11-21T03:38:61Z",
            "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
            "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-1-1T00:00:00Z",
            "26-11-21T03:38:33Z", "+2026-11-21T03:38:33Z", "2026-11-21_03:38:33Z", "2026-11-21T03:38:33+24:00",
            "2026-11-21T03:38:33+01:60", "2026-11-21T03:38:33ZZ", "２026-11-21T03:38:33Z", "2026/11/21T03:38:33Z",
        ])
    func refuses(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test(
        "writes RFC 3339 in UTC with no more of a fraction than it needs",
        arguments: [
            (0, "1970-01-01T00:00:00Z"),
            (1_795_232_313_000_000, "2026-11-21T03:38:33Z"),
            (1_795_232_313_120_000, "2026-11-21T03:38:33.120Z"),
            (1_795_232_313_000_001, "2026-11-21T03:38:33.000001Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (253_402_300_799_000_000, "9999-12-31T23:59:59Z"),
        ] as [(Int64, String)])
    func writes(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).rfc3339 == text)
        #expect(Timestamp(microseconds: microseconds).description == text)
    }

    @Test("comes back from its text, and agrees with Foundation about the calendar")
    func roundTrips() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<2000 {
            let second = Int64.random(in: -62_135_596_800...253_402_300_799, using: &generator)
            let whole = Timestamp(microseconds: second * 1_000_000)
            let time = whole.adding(microseconds: Int64.random(in: 0..<1_000_000, using: &generator))
            #expect(Timestamp(rfc3339: time.rfc3339) == time)
            // Foundation's own formatter turns to the Julian calendar before 1582.
            if second > -12_000_000_000 {
                #expect(whole.rfc3339 == Date(timeIntervalSince1970: Double(second)).ISO8601Format())
            }
        }
    }

    @Test("never traps, at the ends of its range or on random bytes")
    func neverTraps() {
        for microseconds in [Int64.min, .min + 1, .max, .max - 1] {
            let time = Timestamp(microseconds: microseconds)
            #expect(!time.rfc3339.isEmpty)
            #expect(time.adding(seconds: 1e300).microseconds == .max)
            #expect(time.adding(seconds: -1e300).microseconds == .min)
            #expect(time.seconds(since: Timestamp(microseconds: 0)).isFinite)
        }
        #expect(Timestamp(microseconds: .max).seconds(since: Timestamp(microseconds: .min)) > 1e13)
        #expect(Timestamp(seconds: .nan).microseconds == 0)
        #expect(Timestamp(seconds: .infinity).microseconds == .max)
        #expect(Timestamp(seconds: -.infinity).microseconds == .min)
        #expect(Timestamp(seconds: 9_223_372_036_854.775_807).microseconds == .max)
        var generator = SeededGenerator(seed: 2)
        let alphabet = Array("0123456789-:.TZ+ ".utf8)
        for _ in 0..<5000 {
            var bytes = Array("2026-11-21T03:38:33.123Z".utf8)
            for _ in 0..<3 {
                bytes[.random(in: 0..<bytes.count, using: &generator)] = alphabet.randomElement(using: &generator)!
            }
            bytes.removeLast(.random(in: 0...bytes.count, using: &generator) / 8)
            bytes.withUnsafeBytes { _ = Timestamp(rfc3339: $0) }
        }
    }

    @Test("counts in seconds and microseconds")
    func counts() {
        let start = Timestamp(seconds: 1_795_232_313.25)
        #expect(start.microseconds == 1_795_232_313_250_000)
        #expect(start.seconds == 1_795_232_313.25)
        #expect(start.adding(seconds: 1.5).seconds(since: start) == 1.5)
        #expect(start.adding(microseconds: -1).seconds(since: start) == -0.000001)
        #expect(start < start.adding(microseconds: 1))
        #expect(Timestamp(seconds: 0.0000015).microseconds == 2)
    }

    @Test("now is what Foundation thinks it is")
    func now() {
        #expect(abs(Timestamp.now().seconds - Date().timeIntervalSince1970) < 5)
    }

    @Test("is a string in JSON, and a bad one throws")
    func codes() throws {
        #expect(try JSONEncoder().encode([arrival]) == Data("[\"2026-11-21T03:38:33Z\"]".utf8))
        let read = try JSONDecoder().decode([Timestamp].self, from: Data("[\"2026-11-21T03:38:33Z\"]".utf8))
        #expect(read == [arrival])
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([Timestamp].self, from: Data("[\"yesterday\"]".utf8))
        }
    }
}
