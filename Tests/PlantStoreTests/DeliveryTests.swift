import PlantDomain
import PlantStore
import Postgres
import Sealing
import TestSupport
import Testing

/// From what waits to what is sent.
@Suite(.serialized) struct DeliveryTests {
    private let day = 86_400.0

    private func states(_ post: Outpost) throws -> [String] {
        try post.database.lines(
            "SELECT concat_ws(' ', state, attempts, last_status, last_error) FROM messages ORDER BY seq")
    }

    /// A channel with messages to send, each about a plant of its own, composed one after the other.
    private func post(_ plants: [String] = ["Fern"], connections: Int = 2) async throws -> (
        post: Outpost, channel: EntityID
    ) {
        let post = try await Outpost(connections: connections)
        let channel = try await post.channel()
        for (index, name) in plants.enumerated() {
            try await post.fire(post.plant(name), at: Double(index))
            #expect(try await post.compose(at: Double(index) + 4) == 1)
        }
        return (post, channel)
    }

    // MARK: composing

    @Test func `what settles together is one message, told once`() async throws {
        let post = try await Outpost()
        let (fern, palm) = (try await post.plant("Fern", room: "Hall"), try await post.plant("Palm", room: "Hall"))
        let cactus = try await post.plant("Cactus", room: "Kitchen")
        _ = try await post.channel()
        try await post.fire(fern, at: 0)
        try await post.fire(cactus, at: 1)
        try await post.fire(palm, at: 2)
        #expect(try await post.compose(at: 4.9) == 0)
        #expect(try await post.compose(at: 6) == 2)
        #expect(try await post.compose(at: 7) == 0)
        #expect(try await post.claim(at: 7).map(\.line) == ["fired Fern, fired Palm"])
        #expect(try post.database.outbox() == Array(repeating: "composed fired warning", count: 3))
    }

    @Test func `a message holds a hundred notices and says how many more there were`() async throws {
        let post = try await Outpost()
        _ = try await post.channel()
        let findings = (0..<130).map { number in
            AlertFinding(
                AlertSubject(.batteryLow, device: EntityID(high: 7, low: number)), .fired(since: post.noon, .warning),
                value: 9, limit: 20, at: post.noon)
        }
        try await post.store.note(findings, at: post.noon)
        #expect(try await post.compose(at: 4) == 1)
        let message = try #require(try await post.claim(at: 4).first?.message)
        #expect((message.notices.count, message.omitted) == (AlertMessage.mostNotices, 30))
    }

    @Test func `two who compose at once make each message once`() async throws {
        let post = try await Outpost(connections: 6)
        for number in 0..<10 { _ = try await post.channel("c\(number)") }
        let fern = try await post.plant("Fern")
        try await post.fire(fern, at: 0)
        let made = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<6 { group.addTask { try await post.store.composeMessages(at: post.time(5)) } }
            return try await group.reduce(0, +)
        }
        #expect(made == 10)
        #expect(try post.database.int("SELECT count(*) FROM messages") == 10)
    }

    // MARK: claiming

    @Test func `a claimed message is nobody else's for 30 seconds, and then the same again`() async throws {
        let (post, channel) = try await post()
        let first = try #require(try await post.claim(at: 10).first)
        #expect((first.channelID, first.attempt, first.line) == (channel, 1, "fired Fern"))
        #expect(first.target?.url.reveal() == "https://hooks.example/Hook")
        #expect(first.target?.secret?.reveal() == "whsec Hook")
        let other = post.database.store()
        #expect(try await other.claimMessages(9, sealer: testSealer(), at: post.time(40)).isEmpty)
        let again = try #require(
            try await other.claimMessages(9, sealer: testSealer(), at: post.time(40.001)).first)
        #expect((again.attempt, again.message) == (2, first.message))
        #expect(try await post.claim(at: 41).isEmpty)
    }

    @Test func `of many who claim at once each gets others' messages, and each message goes to one`() async throws {
        let post = try await Outpost(connections: 8)
        for number in 0..<20 { _ = try await post.channel("c\(number)") }
        try await post.fire(post.plant("Fern"), at: 0)
        #expect(try await post.compose(at: 5) == 20)
        let claimed = try await withThrowingTaskGroup(of: [EntityID].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var mine: [EntityID] = []
                    for _ in 0..<6 {
                        mine += try await post.store.claimMessages(3, sealer: testSealer(), at: post.time(10))
                            .map(\.message.id)
                    }
                    return mine
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(claimed.count == 20)
        #expect(Set(claimed).count == 20)
    }

    @Test func `a channel's messages go out one by one, in order, and do not hold up other channels`() async throws {
        let (post, _) = try await post(["A", "B", "C"])
        _ = try await post.channel("Other")
        try await post.fire(post.plant("D"), at: 5)
        #expect(try await post.compose(at: 10) == 2)
        let heads = try await post.claim(at: 10)
        #expect(heads.map(\.line).sorted() == ["fired A", "fired D"])
        let head = try #require(heads.first { $0.line == "fired A" })
        // Not before the first one is through, however long it takes.
        try await post.settle(head, .again(afterSeconds: 600, pausing: .nothing, status: 500, reason: "down"), at: 11)
        #expect(try await post.claim(at: 30).isEmpty)
        let again = try #require(try await post.claim(at: 611).first { $0.line == "fired A" })
        try await post.settle(again, .given(up: "gone", status: 410), at: 612)
        var rest: [String] = []
        while let next = try await post.claim(at: 613).first {
            rest.append(next.line)
            try await post.settle(next, .sent(status: 200, pauseSeconds: nil), at: 613)
        }
        #expect(rest.filter { $0 != "fired D" } == ["fired B", "fired C", "fired D"].filter { $0 != "fired D" })
    }

    @Test func `only as many as asked for are claimed`() async throws {
        let post = try await Outpost()
        for number in 0..<5 { _ = try await post.channel("c\(number)") }
        try await post.fire(post.plant("Fern"), at: 0)
        _ = try await post.compose(at: 5)
        #expect(try await post.claim(at: 6, 2).count == 2)
        #expect(try await post.claim(at: 6, 2).count == 2)
        #expect(try await post.claim(at: 6, 2).count == 1)
        #expect(try await post.claim(at: 6, 2).isEmpty)
    }

    // MARK: what becomes of it

    @Test func `what is sent is sent`() async throws {
        let (post, channel) = try await post()
        let claimed = try #require(try await post.claim(at: 10).first)
        try await post.settle(claimed, .sent(status: 204, pauseSeconds: nil), at: 11)
        #expect(try states(post) == ["sent 1 204"])
        #expect(try await post.claim(at: 1000).isEmpty)
        let delivery = try #require(try await post.store.channel(channel)).delivery
        #expect((delivery.waiting, delivery.failed, delivery.lastDeliveredAt) == (0, 0, post.time(11)))
        #expect(delivery.lastError == nil)
    }

    @Test func `what did not get through is tried again at its time, with the same id`() async throws {
        let (post, channel) = try await post()
        let first = try #require(try await post.claim(at: 10).first)
        try await post.settle(first, .again(afterSeconds: 20, pausing: .nothing, status: 503, reason: "busy"), at: 11)
        #expect(try states(post) == ["waiting 1 503 busy"])
        let delivery = try #require(try await post.store.channel(channel)).delivery
        #expect((delivery.waiting, delivery.lastError, delivery.lastErrorAt) == (1, "busy", post.time(11)))
        #expect(try await post.claim(at: 30.9).isEmpty)
        let second = try #require(try await post.claim(at: 31).first)
        #expect((second.attempt, second.message) == (2, first.message))
        try await post.settle(second, .sent(status: 200, pauseSeconds: nil), at: 32)
        #expect(try states(post) == ["sent 2 200"])
        #expect(try await post.store.channel(channel)?.delivery.lastError == nil)
    }

    @Test func `what is refused is given up at once`() async throws {
        let (post, channel) = try await post()
        let claimed = try #require(try await post.claim(at: 10).first)
        try await post.settle(claimed, .given(up: "404 not found", status: 404), at: 11)
        #expect(try states(post) == ["failed 1 404 404 not found"])
        #expect(try await post.claim(at: 1000).isEmpty)
        let delivery = try #require(try await post.store.channel(channel)).delivery
        #expect((delivery.waiting, delivery.failed, delivery.lastError) == (0, 1, "404 not found"))
    }

    @Test func `after a day it is given up`() async throws {
        let (post, _) = try await post()
        let again = DeliveryResult.again(afterSeconds: 900, pausing: .nothing, status: nil, reason: "no route")
        // It was made at 4 s.
        for (seconds, state) in [
            (day - 900, "waiting 1 no route"), (day + 4, "failed 2 given up after a day: no route"),
        ] {
            let claimed = try #require(try await post.claim(at: seconds).first)
            try await post.settle(claimed, again, at: seconds)
            #expect(try states(post) == [state])
        }
    }

    @Test func `whoever comes too late does not undo what became of it`() async throws {
        let (post, _) = try await post()
        let slow = try #require(try await post.claim(at: 10).first)
        let quick = try #require(try await post.claim(at: 41).first)
        try await post.settle(quick, .sent(status: 204, pauseSeconds: nil), at: 42)
        try await post.settle(slow, .given(up: "time-out", status: nil), at: 43)
        try await post.settle(slow, .again(afterSeconds: 1, pausing: .nothing, status: nil, reason: "time-out"), at: 43)
        #expect(try states(post) == ["sent 2 204"])
        #expect(try await post.claim(at: 100).isEmpty)
    }

    @Test func `whoever comes too late does not let a third one send what a second is sending`() async throws {
        let (post, _) = try await post()
        let slow = try #require(try await post.claim(at: 10).first)
        _ = try #require(try await post.claim(at: 41).first)
        try await post.settle(slow, .again(afterSeconds: 1, pausing: .nothing, status: nil, reason: "time-out"), at: 42)
        #expect(try await post.claim(at: 50).isEmpty)
    }

    @Test func `a pause is the channel's, or that of all of its kind`() async throws {
        let post = try await Outpost()
        let sealer = try testSealer()
        for (name, kind) in [("D1", ChannelKind.discord), ("D2", .discord), ("W", .webhook)] {
            _ = try await makeChannel(post.store, name, kind: kind, at: post.noon)
        }
        func names(at seconds: Double) async throws -> [String] {
            let claimed = try await post.claim(at: seconds)
            for message in claimed {
                try await post.settle(message, .sent(status: 204, pauseSeconds: nil), at: seconds)
            }
            return claimed.compactMap { $0.target?.url.reveal().suffix(2) }.map(String.init).sorted()
        }
        let fern = try await post.plant("Fern")
        try await post.fire(fern, at: 0)
        _ = try await post.compose(at: 5)
        let first = try #require(
            try await post.store.claimMessages(1, sealer: sealer, at: post.time(6)).first {
                $0.target?.kind == .discord
            })
        try await post.settle(first, .again(afterSeconds: 60, pausing: .kind, status: 429, reason: "slow"), at: 6)
        #expect(try await names(at: 65.9) == ["/W"])
        #expect(try await names(at: 66) == ["D1", "D2"])
        // A channel's own pause.
        try await post.resolve(fern, at: 100)
        _ = try await post.compose(at: 105)
        let second = try #require(
            try await post.store.claimMessages(1, sealer: sealer, at: post.time(106)).first {
                $0.target?.kind == .discord
            })
        try await post.settle(second, .again(afterSeconds: 60, pausing: .channel, status: 429, reason: "slow"), at: 106)
        #expect(try await names(at: 107) == ["/W", "D2"])
        #expect(try await names(at: 166) == ["D1"])
    }

    @Test func `what was sent may say how long to wait before the next`() async throws {
        let (post, _) = try await post(["A", "B"])
        let first = try #require(try await post.claim(at: 10).first)
        try await post.settle(first, .sent(status: 204, pauseSeconds: 5), at: 10)
        #expect(try await post.claim(at: 14.9).isEmpty)
        #expect(try await post.claim(at: 15).map(\.line) == ["fired B"])
    }

    @Test func `while a channel fails, what comes is gathered into one message`() async throws {
        let (post, _) = try await post()
        let first = try #require(try await post.claim(at: 10).first)
        try await post.settle(first, .again(afterSeconds: 900, pausing: .nothing, status: 500, reason: "down"), at: 11)
        let plants = [try await post.plant("A", room: "Hall"), try await post.plant("B", room: "Hall")]
        for (index, plant) in plants.enumerated() {
            try await post.fire(plant, at: 100 + Double(index) * 300)
            #expect(try await post.compose(at: 200 + Double(index) * 300) == 0)
        }
        let again = try #require(try await post.claim(at: 911).first)
        #expect(again.message == first.message)
        #expect(try await post.compose(at: 912) == 0)
        try await post.settle(again, .sent(status: 204, pauseSeconds: nil), at: 913)
        #expect(try await post.tell(at: 914) == ["fired A, fired B"])
    }
}
