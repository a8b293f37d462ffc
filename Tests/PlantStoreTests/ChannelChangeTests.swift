import PlantDomain
import PlantStore
import Postgres
import Sealing
import TestSupport
import Testing

/// What changes of a channel do to what it is to be told, and its sealed values.
@Suite(.serialized) struct ChannelChangeTests {
    /// A channel with a message that waits to be sent and a notification that waits to be composed.
    private func post() async throws -> (post: Outpost, channel: EntityID, fern: EntityID) {
        let post = try await Outpost()
        let channel = try await post.channel()
        let fern = try await post.plant("Fern")
        try await post.fire(fern, at: 0)
        #expect(try await post.compose(at: 5) == 1)
        try await post.fire(fern, .temperature, at: 6)
        #expect(try await post.store.channel(channel)?.delivery.waiting == 2)
        return (post, channel, fern)
    }

    @Test func `a channel that is switched off is told nothing of it later`() async throws {
        let (post, channel, fern) = try await post()
        try await post.change(channel, at: 10) { $0.isEnabled = false }
        #expect(try await post.tell(at: 100).isEmpty)
        #expect(try await post.store.channel(channel)?.delivery.waiting == 0)
        try await post.fire(fern, .humidity, at: 110)
        try await post.change(channel, at: 120) { $0.isEnabled = true }
        #expect(try await post.tell(at: 200).isEmpty)
        try await post.fire(fern, .pressure, at: 210)
        #expect(try await post.tell(at: 220) == ["fired Fern"])
    }

    @Test func `a channel that is deleted takes along what waited for it`() async throws {
        let (post, channel, _) = try await post()
        let claimed = try #require(try await post.claim(at: 8).first)
        #expect(try await post.store.deleteChannel(channel, by: testOrigin, at: post.time(9)))
        #expect(try await !post.store.deleteChannel(channel, by: testOrigin, at: post.time(9)))
        for table in ["notifications", "messages", "channels"] {
            #expect(try post.database.int("SELECT count(*) FROM \(table)") == 0, "\(table)")
        }
        // Whoever was sending it comes to nothing.
        try await post.settle(claimed, .sent(status: 204, pauseSeconds: nil), at: 10)
        #expect(try await post.tell(at: 100).isEmpty)
        #expect(try post.database.alerts().count == 2)
    }

    @Test func `a new address is tried at once`() async throws {
        let (post, channel, _) = try await post()
        let claimed = try #require(try await post.claim(at: 8).first)
        try await post.settle(claimed, .again(afterSeconds: 900, pausing: .channel, status: 429, reason: "slow"), at: 9)
        #expect(try await post.claim(at: 20).isEmpty)
        _ = try await post.store.updateChannel(
            channel, url: Secret("https://new.example/x"), secret: .set(Secret("new")), sealer: testSealer(),
            by: testOrigin, at: post.time(30)
        ) { $0.urlHint = "https://new.example/…" }
        let again = try #require(try await post.claim(at: 30).first)
        #expect(again.target?.url.reveal() == "https://new.example/x")
        #expect(again.target?.secret?.reveal() == "new")
        #expect(try await post.store.channel(channel)?.delivery.lastError == nil)
    }

    @Test func `a channel without a secret has none, and one whose secret is cleared neither`() async throws {
        let (post, channel, _) = try await post()
        _ = try await post.store.updateChannel(
            channel, url: nil, secret: .cleared, sealer: testSealer(), by: testOrigin, at: post.noon
        ) { $0.secretHint = nil }
        let target = try #require(try await post.store.channelTarget(channel, sealer: testSealer()))
        #expect(target.secret == nil)
        #expect(target.url.reveal() == "https://hooks.example/Hook")
        #expect(try await post.store.channelTarget(.make(), sealer: testSealer()) == nil)
    }

    @Test func `an address that cannot be opened is claimed without one, and holds up nobody else`() async throws {
        let (post, channel, fern) = try await post()
        _ = try await makeChannel(post.store, "Lost", sealer: testSealer("7"), at: post.noon)
        try await post.fire(fern, .humidity, at: 20)
        _ = try await post.compose(at: 30)
        let claimed = try await post.claim(at: 30)
        #expect(Set(claimed.map { $0.target?.url.reveal() }) == ["https://hooks.example/Hook", nil])
        let lost = try #require(claimed.first { $0.target == nil })
        #expect(lost.channelID != channel)
        await #expect(throws: SealedValueError.unknownKey) {
            try await post.store.channelTarget(lost.channelID, sealer: testSealer())
        }
        try await post.settle(lost, .given(up: "its address cannot be opened", status: nil), at: 31)
        #expect(try await post.store.channel(lost.channelID)?.delivery.lastError == "its address cannot be opened")
    }

    @Test func `an address moved to another channel does not open`() async throws {
        let (post, channel, _) = try await post()
        let other = try await post.channel("Other")
        try post.database.execute(
            "UPDATE channels SET url = (SELECT url FROM channels WHERE id = '\(channel)') WHERE id = '\(other)'")
        await #expect(throws: SealedValueError.tampered) {
            try await post.store.channelTarget(other, sealer: testSealer())
        }
    }

    @Test func `rotation seals addresses and secrets anew`() async throws {
        let (post, channel, _) = try await post()
        let columns = SealedColumn.all.filter { $0.table == "channels" }
        #expect(Set(columns.map(\.column)) == ["url", "secret"])
        let rotated = try testSealer("8", old: ["5"])
        for column in columns {
            #expect(try await post.store.reseal(column, sealer: rotated).resealed == 1)
            #expect(try await post.store.reseal(column, sealer: rotated).current == 1)
        }
        let target = try #require(try await post.store.channelTarget(channel, sealer: testSealer("8")))
        #expect(target.url.reveal() == "https://hooks.example/Hook")
        #expect(target.secret?.reveal() == "whsec Hook")
        #expect(try await post.claim(at: 9, sealer: testSealer("8")).first?.target != nil)
    }

    // MARK: what is kept how long

    @Test func `old messages and alerts are dropped, and what is open or waits stays`() async throws {
        let (post, _, fern) = try await post()
        let palm = try await post.plant("Palm")
        let day = 86_400.0
        let first = try #require(try await post.claim(at: 9).first)
        try await post.settle(first, .sent(status: 204, pauseSeconds: nil), at: 10)
        try await post.resolve(fern, at: 11)
        try await post.fire(palm, at: 12)
        _ = try await post.store.snoozePlant(palm, until: post.time(800 * day), by: testOrigin, at: post.time(13))
        _ = try await post.compose(at: 20)
        func counts() throws -> [Int] {
            try ["messages", "notifications", "alerts"].map { try post.database.int("SELECT count(*) FROM \($0)") }
        }
        let before = try counts()
        try await post.store.trimAlerts(at: post.time(89 * day))
        #expect(try counts() == before)
        try await post.store.trimAlerts(at: post.time(91 * day))
        // The message that was sent is gone with its notification.
        #expect(try counts() == [before[0] - 1, before[1] - 1, before[2]])
        try await post.store.trimAlerts(at: post.time(729 * day))
        #expect(try counts()[2] == 3)
        try await post.store.trimAlerts(at: post.time(731 * day))
        #expect(
            try post.database.lines("SELECT state || ' ' || metric FROM alerts ORDER BY 1") == [
                "firing soil_moisture", "firing temperature",
            ])
    }
}
