import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// How often something is told, and what people do about it.
@Suite(.serialized) struct OutboxCooldownTests {
    private let hour = 3600.0

    /// A plant and one channel.
    private func post(cooldownMinutes: Int = 60) async throws -> (post: Outpost, fern: EntityID, channel: EntityID) {
        let post = try await Outpost(cooldownMinutes: cooldownMinutes)
        return (post, try await post.plant("Fern"), try await post.channel())
    }

    private func acknowledge(_ post: Outpost, _ plant: EntityID, at seconds: Double) async throws -> AcknowledgeOutcome
    {
        let id = try #require(try await post.alert(of: plant)).id
        return try await post.store.acknowledgeAlert(id, by: testOrigin, name: "Ada", at: post.time(seconds))
    }

    // MARK: cooldown

    @Test func `the same within the cooldown is held until its end`() async throws {
        let (post, fern, _) = try await post()
        try await post.fire(fern, at: 0)
        try await post.resolve(fern, at: 60)
        #expect(try await post.tell(at: 70) == ["fired Fern, resolved Fern"])
        try await post.fire(fern, at: 600)
        #expect(try await post.pass(from: 605, to: hour - 1, every: 100).isEmpty)
        // From when it was told.
        #expect(try await post.tell(at: hour + 75) == ["fired Fern"])
        try await post.resolve(fern, at: hour + 90)
        #expect(try await post.tell(at: hour + 95) == ["resolved Fern"])
    }

    @Test func `what is over before the cooldown is, nobody hears of, and it does not lengthen the cooldown`()
        async throws
    {
        let (post, fern, _) = try await post()
        try await post.fire(fern, at: 0)
        try await post.resolve(fern, at: 60)
        _ = try await post.tell(at: 70)
        for start in [600.0, 1800, 3000] {
            try await post.fire(fern, at: start)
            try await post.resolve(fern, at: start + 60)
        }
        #expect(try await post.pass(from: 3100, to: hour + 3100, every: 100).isEmpty)
        #expect(try post.database.outbox().suffix(3) == Array(repeating: "cancelled fired warning", count: 3))
        try await post.fire(fern, at: hour + 4000)
        #expect(try await post.tell(at: hour + 4005) == ["fired Fern"])
    }

    @Test func `another metric or plant has a cooldown of its own`() async throws {
        let (post, fern, _) = try await post()
        let palm = try await post.plant("Palm")
        try await post.fire(fern, at: 0)
        try await post.resolve(fern, at: 10)
        _ = try await post.tell(at: 20)
        try await post.fire(fern, .temperature, at: 30)
        try await post.fire(palm, at: 30)
        #expect(try await post.tell(at: 40) == ["fired Fern", "fired Palm"])
    }

    @Test func `that it grew worse is told at once, and what was held before is told no more`() async throws {
        let (post, fern, _) = try await post()
        try await post.fire(fern, at: 0)
        try await post.resolve(fern, at: 60)
        _ = try await post.tell(at: 70)
        try await post.fire(fern, at: 600)
        #expect(try await post.tell(at: 605).isEmpty)
        try await post.escalate(fern, at: 700)
        let told = try await post.tell(at: 705)
        #expect(told == ["escalated Fern"] || told == ["fired Fern, escalated Fern"])
        // Not that it is a warning, an hour later.
        #expect(try await post.pass(from: 800, to: hour + 650, every: 50).isEmpty)
    }

    // MARK: reminders

    @Test func `reminders come after the cooldown, then after twice as long each time, at most daily`() async throws {
        let (post, fern, _) = try await post()
        try await post.fire(fern, at: 0)
        let told = try await post.pass(from: 300, to: 90 * hour)
        let hours = told.compactMap { Double($0.split(separator: " ")[0]) }
        #expect(told.dropFirst().allSatisfy { $0.hasSuffix(" reminder Fern") })
        let gaps = zip(hours.dropFirst(2), hours.dropFirst()).map { ($0 - $1).rounded() }
        #expect(abs(hours[1] - 1) < 0.2)
        #expect(gaps == [2, 4, 8, 16, 24, 24], "\(told)")
    }

    @Test func `a cooldown of more than a day is kept by the reminders`() async throws {
        let (post, fern, _) = try await post(cooldownMinutes: 2 * 1440)
        try await post.fire(fern, at: 0)
        let told = try await post.pass(from: 600, to: 7 * 24 * hour, every: 1800)
        let days = told.dropFirst().compactMap { Double($0.split(separator: " ")[0]).map { ($0 / 24).rounded() } }
        #expect(days == [2, 4, 6])
    }

    @Test func `no cooldown, no reminders`() async throws {
        let (post, fern, _) = try await post(cooldownMinutes: 0)
        try await post.fire(fern, at: 0)
        #expect(try await post.pass(from: 5, to: 48 * hour, every: 1800).count == 1)
        try await post.resolve(fern, at: 49 * hour)
        try await post.fire(fern, at: 49 * hour + 1)
        #expect(try await post.tell(at: 49 * hour + 10) == ["resolved Fern, fired Fern"])
    }

    @Test func `a cooldown that is set to 0 ends the reminders there were to be`() async throws {
        let (post, fern, _) = try await post()
        try await post.fire(fern, at: 0)
        _ = try await post.tell(at: 5)
        try await post.store.set { $0.cooldownMinutes = 0 }
        #expect(try await post.pass(from: 600, to: 12 * hour).isEmpty)
    }

    @Test func `a reminder tells the newest value`() async throws {
        let house = try await Greenhouse(ago: 7200)
        let device = try await house.device(in: house.plant())
        try await house.channel()
        try house.send(device, at: 0, moisture: 20)
        try house.send(device, at: 60, moisture: 17)
        #expect(try await house.store.remind(at: Timestamp.now().adding(seconds: hour + 1)) == 1)
        #expect(
            try house.database.lines("SELECT (notice ->> 'value') FROM notifications ORDER BY seq") == ["20", "17"])
    }

    @Test func `a reminder tells the value of a device that still says so`() async throws {
        let house = try await Greenhouse(ago: 7200)
        let plant = try await house.plant()
        let (first, second) = (try await house.device(in: plant), try await house.device(in: plant))
        try await house.channel()
        try house.send(first, at: 0, moisture: 20)
        try house.send(second, at: 10, moisture: 20)
        try house.send(first, at: 20, moisture: 50)
        try house.send(second, at: 30, moisture: 17)
        #expect(try await house.store.remind(at: Timestamp.now().adding(seconds: hour + 1)) == 1)
        #expect(
            try house.database.lines("SELECT (notice ->> 'value') FROM notifications ORDER BY seq") == ["20", "17"])
        // Nor does it matter that the other one is silent.
        try house.database.execute("UPDATE device_state SET offline_since = now() WHERE device_id = '\(first)'")
        try await house.store.remind(at: Timestamp.now().adding(seconds: 4 * hour))
        #expect(try house.database.outbox().filter { $0.contains("reminder") }.count == 2)
    }

    @Test func `of a silent device its silence is told, not what it said before`() async throws {
        let house = try await Greenhouse(ago: 7200)
        let device = try await house.device(in: house.plant())
        try await house.channel()
        try house.send(device, at: 0, moisture: 20)
        _ = try await house.store.noticeSilentDevices(at: .now())
        let later = Timestamp.now().adding(seconds: 3 * hour)
        try await house.store.remind(at: later)
        #expect(
            try house.database.lines("SELECT event || ' ' || (notice ->> 'kind') FROM notifications ORDER BY seq")
                == ["fired threshold", "fired device_offline", "reminder device_offline"])
        // Heard of again, it is reminded of.
        try house.send(device, at: 7300, moisture: 20)
        try await house.store.remind(at: later.adding(seconds: 601))
        #expect(try house.database.outbox().suffix(2) == ["waiting resolved warning", "waiting reminder critical"])
    }

    // MARK: people

    @Test func `what is acknowledged is not told any more, but that it is over`() async throws {
        let (post, fern, _) = try await post()
        try await post.fire(fern, at: 0)
        _ = try await post.tell(at: 5)
        guard case .acknowledged(let alert) = try await acknowledge(post, fern, at: 60) else {
            Issue.record("not acknowledged")
            return
        }
        #expect((alert.acknowledgedAt, alert.acknowledgedBy) == (post.time(60), "Ada"))
        #expect(try await post.pass(from: 300, to: 48 * hour, every: 1800).isEmpty)
        try await post.resolve(fern, at: 49 * hour)
        #expect(try await post.tell(at: 49 * hour + 5) == ["resolved Fern"])
    }

    @Test func `what is acknowledged before it was told is told to nobody`() async throws {
        let (post, fern, _) = try await post()
        try await post.fire(fern, at: 0)
        _ = try await acknowledge(post, fern, at: 2)
        #expect(try await post.tell(at: 10).isEmpty)
        try await post.resolve(fern, at: 20)
        #expect(try await post.tell(at: 30).isEmpty)
    }

    @Test func `acknowledging is for what fires, and counts once`() async throws {
        let (post, fern, _) = try await post()
        try await post.note(post.subject(fern), .began(since: post.noon), at: 0)
        guard case .notFiring(.pending) = try await acknowledge(post, fern, at: 1) else {
            Issue.record("a pending one was acknowledged")
            return
        }
        try await post.fire(fern, at: 2)
        _ = try await acknowledge(post, fern, at: 3)
        guard case .acknowledged(let again) = try await acknowledge(post, fern, at: 9) else {
            Issue.record("not acknowledged twice")
            return
        }
        #expect(again.acknowledgedAt == post.time(3))
        #expect(
            try await post.store.auditLog(action: "alert.acknowledge", subject: nil, limit: 9, offset: 0).total == 1)
        try await post.resolve(fern, at: 10)
        guard case .notFiring(.resolved) = try await acknowledge(post, fern, at: 11) else {
            Issue.record("a resolved one was acknowledged")
            return
        }
        guard
            case .noSuchAlert = try await post.store.acknowledgeAlert(.make(), by: testOrigin, name: "", at: post.noon)
        else {
            Issue.record("acknowledged what is not there")
            return
        }
    }

    @Test func `what grows worse after it was acknowledged is told, and reminded of`() async throws {
        let (post, fern, _) = try await post()
        try await post.fire(fern, at: 0)
        _ = try await post.tell(at: 5)
        _ = try await acknowledge(post, fern, at: 60)
        try await post.escalate(fern, at: 120)
        #expect(try await post.alert(of: fern)?.acknowledgedAt == nil)
        #expect(
            try await post.pass(from: 300, to: 2 * hour).map { $0.split(separator: " ")[1] } == [
                "escalated", "reminder",
            ])
    }

    // MARK: snooze

    private func snooze(_ post: Outpost, _ plant: EntityID, until: Double?, at seconds: Double) async throws {
        let until = until.map { post.time($0) }
        let plant = try await post.store.snoozePlant(plant, until: until, by: testOrigin, at: post.time(seconds))
        #expect(plant?.snoozedUntil == until)
    }

    @Test func `of a snoozed plant nothing is told until then, and then what still fires`() async throws {
        let (post, fern, _) = try await post()
        let palm = try await post.plant("Palm")
        try await snooze(post, fern, until: 8 * hour, at: 0)
        try await post.fire(fern, at: 10)
        try await post.fire(fern, .temperature, .critical, at: 20)
        try await post.fire(palm, at: 30)
        try await post.resolve(fern, .temperature, at: hour)
        #expect(try await post.pass(from: 300, to: 0.9 * hour) == ["\(300 / 3600.0) fired Palm"])
        try await post.resolve(palm, at: hour)
        #expect(try await post.pass(from: 1.5 * hour, to: 8 * hour) == ["1.5 resolved Palm"])
        #expect(try await post.tell(at: 8 * hour + 5) == ["fired Fern"])
    }

    @Test func `a snooze moves what waits, can be lengthened, and ended`() async throws {
        let (post, fern, _) = try await post(cooldownMinutes: 0)
        try await post.fire(fern, at: 0)
        try await snooze(post, fern, until: hour, at: 2)
        #expect(try await post.tell(at: 100).isEmpty)
        try await snooze(post, fern, until: 3 * hour, at: 200)
        #expect(try await post.tell(at: 2 * hour).isEmpty)
        try await snooze(post, fern, until: nil, at: 2 * hour)
        #expect(try await post.tell(at: 2 * hour + 5) == ["fired Fern"])
        #expect(try await post.store.snoozePlant(.make(), until: nil, by: testOrigin, at: post.noon) == nil)
        #expect(try await post.store.auditLog(action: "plant.snooze", subject: fern, limit: 9, offset: 0).total == 3)
    }

    @Test func `a snooze that is lengthened again and again ends in one reminder`() async throws {
        let (post, fern, _) = try await post()
        try await post.fire(fern, at: 0)
        _ = try await post.tell(at: 5)
        try await snooze(post, fern, until: 4 * hour, at: 60)
        _ = try await post.pass(from: 300, to: 3 * hour)
        try await snooze(post, fern, until: 12 * hour, at: 3.5 * hour)
        _ = try await post.pass(from: 4 * hour, to: 11 * hour)
        let told = try await post.pass(from: 12 * hour, to: 13 * hour, every: 60)
        #expect(told.map { $0.suffix(13) } == ["reminder Fern"], "\(told)")
    }

    @Test func `a snooze does not shorten the cooldown`() async throws {
        let (post, fern, _) = try await post()
        try await post.fire(fern, at: 0)
        try await post.resolve(fern, at: 10)
        _ = try await post.tell(at: 20)
        try await post.fire(fern, at: 600)
        try await snooze(post, fern, until: 900, at: 700)
        #expect(try await post.tell(at: 1000).isEmpty)
        try await snooze(post, fern, until: nil, at: 1100)
        #expect(try await post.tell(at: 1200).isEmpty)
        #expect(try await post.tell(at: hour + 25) == ["fired Fern"])
    }
}
