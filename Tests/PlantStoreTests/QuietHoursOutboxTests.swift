import PlantDomain
import PlantStore
import Postgres
import Sealing
import TestSupport
import Testing

/// Quiet hours, from 22:00 to 07:00 UTC.
@Suite(.serialized) struct QuietHoursOutboxTests {
    private let hour = 3600.0
    private let evening = 10 * 3600.0  // 22:00
    private let morning = 19 * 3600.0  // 07:00

    private func hours() throws -> QuietHours { try QuietHours(from: "22:00", to: "07:00", timeZone: "UTC") }

    /// One channel, which has the quiet hours of the settings.
    private func post(digest: Bool = false, cooldownMinutes: Int = 60) async throws -> (post: Outpost, fern: EntityID) {
        let post = try await Outpost(cooldownMinutes: cooldownMinutes)
        let hours = try hours()
        try await post.store.set { ($0.quietHours, $0.digest) = (hours, digest) }
        _ = try await post.channel()
        return (post, try await post.plant("Fern"))
    }

    @Test func `at night only what is critical is told, and in the morning what still fires`() async throws {
        let (post, fern) = try await post()
        let (palm, cactus) = (try await post.plant("Palm"), try await post.plant("Cactus"))
        try await post.fire(fern, at: evening - 10)
        #expect(try await post.tell(at: evening - 5) == ["fired Fern"])
        try await post.fire(palm, at: evening)
        try await post.fire(cactus, at: evening + 1)
        try await post.fire(palm, .temperature, .critical, at: evening + hour)
        let night = try await post.pass(from: evening + 5, to: morning - 1)
        #expect(night.first?.hasSuffix("fired Palm") == true)
        #expect(night.dropFirst().allSatisfy { $0.hasSuffix("reminder Palm") }, "\(night)")
        try await post.resolve(cactus, at: morning - 100)
        _ = try await post.tell(at: morning - 50)
        let told = try await post.tell(at: morning)
        #expect(told == ["reminder Fern, reminder Palm"] || told == ["reminder Palm, reminder Fern"], "\(told)")
    }

    @Test func `what began and ended at night nobody hears of`() async throws {
        let (post, fern) = try await post(cooldownMinutes: 0)
        try await post.fire(fern, at: evening + 10)
        #expect(try await post.tell(at: evening + 20).isEmpty)
        try await post.resolve(fern, at: evening + hour)
        #expect(try await post.tell(at: evening + hour + 10).isEmpty)
        #expect(try await post.pass(from: evening + 2 * hour, to: morning + hour, every: 900).isEmpty)
        #expect(try post.database.outbox() == ["skipped fired warning", "skipped resolved warning"])
    }

    @Test(arguments: [0, 60])
    func `that is over what was told the evening before is told in the morning`(cooldown: Int) async throws {
        let (post, fern) = try await post(cooldownMinutes: cooldown)
        try await post.fire(fern, at: evening - 1800)
        #expect(try await post.tell(at: evening - 1700) == ["fired Fern"])
        // With a cooldown a reminder falls into the night.
        #expect(try await post.pass(from: evening, to: evening + 3 * hour).isEmpty)
        try await post.resolve(fern, at: evening + 4 * hour)
        #expect(try await post.pass(from: evening + 4 * hour, to: morning - 1).isEmpty)
        #expect(try await post.tell(at: morning) == ["resolved Fern"])
    }

    @Test func `what grew worse at night is not told in the morning as it was before`() async throws {
        let (post, fern) = try await post(cooldownMinutes: 0)
        try await post.fire(fern, at: evening + 10)
        #expect(try await post.tell(at: evening + 20).isEmpty)
        try await post.escalate(fern, at: evening + hour)
        #expect(try await post.tell(at: evening + hour + 5) == ["escalated Fern"])
        #expect(try await post.pass(from: morning - 600, to: morning + 600, every: 60).isEmpty)
    }

    @Test func `a digest tells in the morning what there was at night, in one message`() async throws {
        let (post, fern) = try await post(digest: true, cooldownMinutes: 0)
        let palm = try await post.plant("Palm", room: "Hall")
        try await post.fire(fern, at: evening + 10)
        try await post.resolve(fern, at: evening + 100)
        try await post.fire(palm, at: evening + hour)
        #expect(try await post.pass(from: evening, to: morning - 1).isEmpty)
        #expect(try await post.tell(at: morning) == ["digest: fired Fern, resolved Fern, fired Palm"])
        #expect(try await post.pass(from: morning + 1, to: morning + hour).isEmpty)
    }

    @Test func `a channel may have quiet hours and a digest of its own, or none`() async throws {
        let (post, fern) = try await post(cooldownMinutes: 0)
        let own = try QuietHours(from: "00:00", to: "06:00", timeZone: "Europe/Berlin")
        _ = try await post.channel("none") { $0.inheritsQuietHours = false }
        _ = try await post.channel("own") { ($0.quietHours, $0.digest) = (own, true) }
        func told(at seconds: Double) async throws -> [String] {
            _ = try await post.compose(at: seconds)
            var names: [String] = []
            while let message = try await post.claim(at: seconds, 1).first {
                let name = message.target?.url.reveal().split(separator: "/").last ?? ""
                names.append("\(name) \(message.line)")
                try await post.settle(message, .sent(status: 204, pauseSeconds: nil), at: seconds)
            }
            return names.sorted()
        }
        // 22:30 UTC, 23:30 in Berlin (in summer half past midnight: then it is quiet there, too).
        let isSummer = own.contains(post.time(evening + 1800))
        try await post.fire(fern, at: evening + 1800)
        #expect(
            try await told(at: evening + 1810) == ["none fired Fern"] + (isSummer ? [] : ["own fired Fern"]))
        try await post.resolve(fern, at: evening + 3 * hour)
        #expect(try await told(at: evening + 3 * hour + 10) == ["none resolved Fern"])
        let end = try #require(own.end(after: post.time(evening + 3 * hour))).seconds(since: post.noon)
        #expect(
            try await told(at: end) == ["own digest: \(isSummer ? "fired Fern, resolved Fern" : "resolved Fern")"])
        #expect(try await told(at: morning).isEmpty)
    }

    @Test(arguments: ["settings", "channel", "not inherited"])
    func `quiet hours that are ended let out what waits`(how: String) async throws {
        let (post, fern) = try await post(cooldownMinutes: 0)
        let channel = try #require(try await post.store.channels(limit: 1, offset: 0).items.first).id
        try await post.fire(fern, at: evening + 10)
        #expect(try await post.tell(at: evening + 20).isEmpty)
        let now = evening + hour
        switch how {
        case "settings":
            _ = try await post.store.updateAlertSettings(by: testOrigin, at: post.time(now)) { $0.quietHours = nil }
        case "channel":
            let noon = try QuietHours(from: "12:00", to: "13:00", timeZone: "UTC")
            try await post.change(channel, at: now) { $0.quietHours = noon }
        default: try await post.change(channel, at: now) { $0.inheritsQuietHours = false }
        }
        #expect(try await post.tell(at: now) == ["fired Fern"])
        #expect(try await post.tell(at: morning).isEmpty)
    }

    @Test func `quiet hours that are lengthened hold back what waits for longer`() async throws {
        let (post, fern) = try await post(cooldownMinutes: 0)
        try await post.fire(fern, at: evening + 10)
        _ = try await post.tell(at: evening + 20)
        let longer = try QuietHours(from: "22:00", to: "09:00", timeZone: "UTC")
        _ = try await post.store.updateAlertSettings(by: testOrigin, at: post.time(evening + 30)) {
            $0.quietHours = longer
        }
        #expect(try await post.pass(from: evening + 40, to: morning + 2 * hour - 1, every: 900).isEmpty)
        #expect(try await post.tell(at: morning + 2 * hour) == ["fired Fern"])
    }

    @Test func `a snooze holds beyond the end of the night`() async throws {
        let (post, fern) = try await post(cooldownMinutes: 0)
        try await post.fire(fern, at: evening + 10)
        #expect(try await post.tell(at: evening + 20).isEmpty)
        let noon = morning + 5 * hour
        _ = try await post.store.snoozePlant(fern, until: post.time(noon), by: testOrigin, at: post.time(evening + 30))
        #expect(try await post.pass(from: morning, to: noon - 1).isEmpty)
        #expect(try await post.tell(at: noon + 5) == ["fired Fern"])
    }

    @Test func `what is acknowledged at night is not told in the morning`() async throws {
        let (post, fern) = try await post()
        try await post.fire(fern, at: evening + 10)
        #expect(try await post.tell(at: evening + 20).isEmpty)
        let id = try #require(try await post.alert(of: fern)).id
        _ = try await post.store.acknowledgeAlert(id, by: testOrigin, name: "Ada", at: post.time(evening + 60))
        #expect(try await post.pass(from: morning, to: morning + hour).isEmpty)
    }
}
