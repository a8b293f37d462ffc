import PlantDomain
import Testing

@Suite struct DailyLightTests {
    private func day(_ text: String, _ zone: String = "Europe/Berlin") throws -> LocalDay {
        let zone = try #require(KnownTimeZone(zone))
        return try #require(LocalDay(text, in: zone))
    }

    /// Buckets side by side over the days and `around` seconds on both sides of them.
    private func buckets(
        _ days: [LocalDay], width: Double, around: Double = 7200, lux: (Timestamp) -> Double?
    ) throws -> [LightBucket] {
        // As the database cuts them: at whole multiples of their width in UTC.
        let start = ((try #require(days.first).start.seconds - around) / width).rounded(.down) * width
        return stride(from: start, to: try #require(days.last).end.seconds + around, by: width).compactMap { seconds in
            let time = Timestamp(seconds: seconds)
            return lux(time).map { LightBucket(start: time, width: width, lux: $0) }
        }
    }

    private func sum(_ day: LocalDay, _ buckets: [LightBucket]) -> LightSum {
        DailyLight.sums(of: [day], from: buckets)[0].light
    }

    @Test(arguments: [300.0, 3600])
    func `5000 lx of sun for 10 hours are 3.33 mol`(width: Double) throws {
        let day = try day("2026-06-21")
        let sun = try buckets([day], width: width) { time in
            (7..<17).contains(time.seconds(since: day.start) / 3600) ? 5000 : 0
        }
        let light = sum(day, sun)
        #expect(abs(light.luxHours - 50_000) < 1)
        #expect(abs(light.coverage - 1) < 1e-9)
        let integral = try #require(light.dailyLightIntegral(of: .sun))
        #expect(abs(integral - 3.33) < 0.0001)
        let underLamp = try #require(light.dailyLightIntegral(of: .whiteLED))
        #expect(abs(underLamp - 3.06) < 0.0001)
    }

    @Test func `days are answered in their order, each with its own light`() throws {
        let first = try day("2026-06-20")
        let days = [first.next.next, first, first.next]
        let lit = try buckets([first, first.next, first.next.next], width: 3600) { time in
            time < first.end ? 100 : time < first.next.end ? 200 : 300
        }
        let sums = DailyLight.sums(of: days, from: lit)
        #expect(sums.map(\.day) == days)
        for (light, lux) in zip(sums.map(\.light.luxHours), [300.0, 100, 200]) {
            // Half an hour on each side of midnight is shared with the neighbour.
            #expect(abs(light - lux * 24) < 51)
        }
    }

    @Test(arguments: [("2026-03-29", 23.0), ("2026-10-25", 25)])
    func `a day of 23 or 25 hours has as many`(text: String, hours: Double) throws {
        let day = try day(text)
        let light = sum(day, try buckets([day], width: 3600) { _ in 1000 })
        #expect(abs(light.luxHours - hours * 1000) < 1e-6)
        #expect(light.coverage == 1)
    }

    @Test func `where zones are half an hour off, hours are shared by two days`() throws {
        let day = try day("2026-06-21", "Asia/Kolkata")
        let lit = try buckets([day], width: 3600) { _ in 1000 }
        #expect(lit.contains { $0.start < day.start && $0.start.adding(seconds: 3600) > day.start })
        let light = sum(day, lit)
        #expect(abs(light.luxHours - 24_000) < 1e-6)
        #expect(light.coverage == 1)
    }

    @Test func `a day of which too little is known has no integral`() throws {
        let day = try day("2026-06-21")
        func integral(hours: Double) throws -> Double? {
            let end = day.start.adding(seconds: hours * 3600)
            return sum(day, try buckets([day], width: 3600) { $0 < end ? 1000 : nil }).dailyLightIntegral(of: .sun)
        }
        // The last known light is that of half an hour before the end.
        #expect(try integral(hours: 18) == nil)
        #expect(try integral(hours: 19) != nil)
        #expect(try integral(hours: 0) == nil)
        #expect(sum(day, []) == LightSum(luxHours: 0, coverage: 0))
    }

    @Test func `a device that wakes every two hours covers the day, one that wakes every four does not`() throws {
        let day = try day("2026-06-21")
        func coverage(every hours: Int) throws -> Double {
            sum(
                day, try buckets([day], width: 3600, around: 14_400) { Int($0.seconds) / 3600 % hours == 0 ? 500 : nil }
            )
            .coverage
        }
        #expect(try coverage(every: 2) == 1)
        #expect(try coverage(every: 4) == 0)
    }

    @Test func `hours of another day do not matter`() throws {
        let day = try day("2026-06-21")
        let lit = try buckets([day], width: 3600) { _ in 500 }
        let far = try buckets([day.next.next], width: 3600) { _ in 90_000 }
        #expect(sum(day, lit + far) == sum(day, lit))
    }
}
