import Synchronization
import Testing

@testable import PlantAPI

/// What a client makes of a stream.
struct ParsedEvent: Equatable {
    var id: String
    var name: String
    var data: String

    static func all(_ bytes: [UInt8]) -> [ParsedEvent] { all(String(decoding: bytes, as: UTF8.self)) }

    /// What surrounds the chunks of an answer does not matter: none ends amid an event.
    static func all(_ text: String) -> [ParsedEvent] {
        blocks(text.replacing("\r\n", with: "\n")).compactMap { block in
            var event = ParsedEvent(id: "", name: "", data: "")
            var lines: [Substring] = []
            for line in block.split(separator: "\n") {
                if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { lines.append(line.dropFirst(6)) }
            }
            event.data = lines.joined(separator: "\n")
            return lines.isEmpty ? nil : event
        }
    }

    /// What stands between blank lines.
    private static func blocks(_ text: String) -> [String] {
        var blocks = [""]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty { blocks.append("") } else { blocks[blocks.count - 1] += line + "\n" }
        }
        return blocks
    }
}

@Suite struct EventHubTests {
    private func event(_ number: Int) -> ServerEvent { ServerEvent(name: "alert", data: #"{"n":\#(number)}"#) }

    /// Everything that is there now.
    private func drain(_ subscription: EventSubscription) async -> [ParsedEvent] {
        var bytes: [UInt8] = []
        _ = subscription.nudge()
        while let delivery = await subscription.next() {
            bytes += delivery.bytes
            if delivery.isNudged, delivery.bytes.isEmpty { break }
            if delivery.isNudged { _ = subscription.nudge() }
        }
        return ParsedEvent.all(bytes)
    }

    @Test func `events come in order, with ids that count up`() async throws {
        let hub = EventHub()
        let subscription = try #require(hub.subscribe())
        for number in 1...3 { hub.publish(event(number)) }
        let events = await drain(subscription)
        #expect(events.map(\.data) == [#"{"n":1}"#, #"{"n":2}"#, #"{"n":3}"#])
        #expect(events.map(\.name) == ["alert", "alert", "alert"])
        let start = try #require(subscription.start)
        let epoch = start.prefix { $0 != "-" }
        #expect(start == "\(epoch)-0")
        #expect(events.map(\.id) == ["\(epoch)-1", "\(epoch)-2", "\(epoch)-3"])
    }

    @Test func `an event is sent as the standard has it, whatever is in it`() {
        let event = ServerEvent(name: "alert", data: "{\"a\":\"\u{2028}\u{85}ü\",\r\n\"b\":1}\n")
        #expect(
            String(decoding: event.bytes(id: "e-1"), as: UTF8.self)
                == "id: e-1\nevent: alert\ndata: {\"a\":\"\u{2028}\u{85}ü\",\ndata: \"b\":1}\n\n")
    }

    @Test func `whoever comes back is given what he missed, once`() async throws {
        let hub = EventHub()
        for number in 1...5 { hub.publish(event(number)) }
        let epoch = try #require(hub.subscribe()?.start?.split(separator: "-").first)
        for (last, missed) in [(5, []), (4, [5]), (0, [1, 2, 3, 4, 5])] {
            let subscription = try #require(hub.subscribe(lastEventID: "\(epoch)-\(last)"))
            #expect(subscription.start == "\(epoch)-\(last)")
            #expect(await drain(subscription).map(\.id) == missed.map { "\(epoch)-\($0)" })
        }
        let newcomer = try #require(hub.subscribe())
        #expect(newcomer.start == "\(epoch)-5")
        #expect(await drain(newcomer).isEmpty)
    }

    @Test(arguments: [
        "", "-", "E", "E-", "-1", "E-6", "E--1", "E-+1", "E- 1", "E-1 ", "E-1-1", "E-0x1", "F-1", "E-٣", "0",
        "E-99999999999999999999", "E-1\nE-1", "e-1",
    ])
    func `an id that is not ours means reset`(template: String) async throws {
        let hub = EventHub()
        for number in 1...5 { hub.publish(event(number)) }
        let epoch = try #require(hub.subscribe()?.start?.split(separator: "-").first)
        let id = template.replacing("E", with: epoch)
        let subscription = try #require(hub.subscribe(lastEventID: id))
        #expect(subscription.start == nil)
        let reset = ParsedEvent(id: "\(epoch)-5", name: "reset", data: "{}")
        #expect(await drain(subscription) == [reset])
        hub.publish(event(6))
        #expect(await drain(subscription).map(\.id) == ["\(epoch)-6"])
    }

    @Test func `another hub's ids are foreign`() async throws {
        let (one, other) = (EventHub(), EventHub())
        for number in 1...3 {
            one.publish(event(number))
            other.publish(event(number))
        }
        let id = try #require(one.subscribe()?.start)
        let subscription = try #require(other.subscribe(lastEventID: id))
        #expect(await drain(subscription).map(\.name) == ["reset"])
    }

    @Test func `what is kept is bounded by number and bytes, and older ids mean reset`() async throws {
        for byBytes in [false, true] {
            var limits = EventHub.Limits()
            if byBytes { limits.keptBytes = 10 * 100 } else { limits.kept = 10 }
            let hub = EventHub(limits)
            let start = try #require(hub.subscribe()?.start)
            let epoch = start.prefix { $0 != "-" }
            let size = 100 - "id: \(epoch)-11\nevent: alert\ndata: \n\n".utf8.count
            for _ in 0..<99 { hub.publish(ServerEvent(name: "alert", data: String(repeating: "x", count: size))) }
            let inTime = try #require(hub.subscribe(lastEventID: "\(epoch)-89"))
            #expect(await drain(inTime).map(\.id) == (90...99).map { "\(epoch)-\($0)" })
            let late = try #require(hub.subscribe(lastEventID: "\(epoch)-88"))
            #expect(await drain(late).map(\.name) == ["reset"])
        }
    }

    @Test func `whoever does not fetch his events is cut off, and nobody else`() async throws {
        for byBytes in [false, true] {
            var limits = EventHub.Limits()
            if byBytes { limits.waitingBytes = 1000 } else { limits.waiting = 10 }
            let hub = EventHub(limits)
            let (slow, quick) = (try #require(hub.subscribe()), try #require(hub.subscribe()))
            var seen: [ParsedEvent] = []
            for number in 1...100 {
                hub.publish(event(number))
                seen += await drain(quick)
            }
            #expect(seen.count == 100)
            #expect(await slow.ended() == .overflow)
            #expect(await slow.next() == nil, "nothing of what waited: it would be followed by a gap")
            #expect(slow.nudge())
        }
    }

    @Test func `more than a subscriber may have waiting is not replayed`() async throws {
        var limits = EventHub.Limits()
        limits.waiting = 10
        let hub = EventHub(limits)
        let start = try #require(hub.subscribe()?.start)
        for number in 1...11 { hub.publish(event(number)) }
        #expect(await drain(try #require(hub.subscribe(lastEventID: start))).map(\.name) == ["reset"])
    }

    @Test func `reset reaches those who watch and those who come back`() async throws {
        let hub = EventHub()
        let watching = try #require(hub.subscribe())
        hub.publish(event(1))
        let epoch = try #require(watching.start?.split(separator: "-").first)
        hub.reset()
        hub.publish(event(3))
        #expect(await drain(watching).map(\.name) == ["alert", "reset", "alert"])
        for last in 0...1 {
            let subscription = try #require(hub.subscribe(lastEventID: "\(epoch)-\(last)"))
            #expect(await drain(subscription).first?.name == "reset")
        }
        let informed = try #require(hub.subscribe(lastEventID: "\(epoch)-2"))
        #expect(await drain(informed).map(\.data) == [#"{"n":3}"#])
    }

    @Test func `subscribers are counted, and too many refused`() throws {
        var limits = EventHub.Limits()
        limits.subscribers = 3
        limits.lingerSeconds = 0
        let hub = EventHub(limits)
        #expect(!hub.hasSubscribers)
        var subscriptions = (0..<3).compactMap { _ in hub.subscribe() }
        #expect(subscriptions.count == 3)
        #expect(hub.subscribe() == nil)
        subscriptions.removeLast()
        #expect(hub.subscriberCount == 2)
        #expect(hub.subscribe() != nil)
        subscriptions = []
        #expect(hub.subscriberCount == 0)
        #expect(!hub.hasSubscribers)
    }

    @Test func `after the last one has left, one is expected back`() throws {
        let hub = EventHub()
        #expect(!hub.hasSubscribers)
        _ = try #require(hub.subscribe())
        #expect(hub.subscriberCount == 0)
        #expect(hub.hasSubscribers)
    }

    @Test func `at the end everybody gets the rest, and nobody new comes in`() async throws {
        let hub = EventHub()
        let subscription = try #require(hub.subscribe())
        hub.publish(event(1))
        hub.finish()
        hub.publish(event(2))
        #expect(ParsedEvent.all(await subscription.next()?.bytes ?? []).map(\.data) == [#"{"n":1}"#])
        #expect(await subscription.next() == nil)
        #expect(await subscription.ended() == .finished)
        #expect(hub.subscribe() == nil)
    }

    @Test func `waiting ends when the subscription or the task does`() async throws {
        let hub = EventHub()
        let subscription = try #require(hub.subscribe())
        async let waiting = subscription.next()
        subscription.end(.dismissed)
        #expect(await waiting == nil)
        #expect(await subscription.ended() == .dismissed)
        let other = try #require(hub.subscribe())
        let task = Task { await other.next() }
        task.cancel()
        #expect(await task.value == nil)
    }

    @Test func `a nudge that nobody answers is noticed`() async throws {
        let hub = EventHub()
        let subscription = try #require(hub.subscribe())
        #expect(subscription.nudge())
        #expect(!subscription.nudge())
        #expect(await subscription.next()?.isNudged == true)
        #expect(subscription.nudge())
        hub.publish(event(1))
        let both = try #require(await subscription.next())
        #expect(both.isNudged && !both.bytes.isEmpty)
    }

    @Test func `with many who tell and many who come and go, nobody misses anything or gets it twice`() async throws {
        let (publishers, each) = (8, 500)
        let total = publishers * each
        var limits = EventHub.Limits()
        limits.kept = total
        limits.waiting = total
        let hub = EventHub(limits)
        let start = try #require(hub.subscribe()?.start)
        let epoch = String(start.prefix { $0 != "-" })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for publisher in 0..<publishers {
                group.addTask {
                    for number in 0..<each {
                        hub.publish(ServerEvent(name: "alert", data: "\(publisher) \(number)"))
                        if number % 16 == 0 { await Task.yield() }
                    }
                }
            }
            for _ in 0..<24 {
                group.addTask {
                    // Hangs up after a random number of deliveries and comes back with the last id, until all is there.
                    var last = start
                    var seen: [ParsedEvent] = []
                    while seen.count < total {
                        let subscription = try #require(hub.subscribe(lastEventID: last))
                        for _ in 0..<Int.random(in: 1...8) where seen.count < total {
                            seen += ParsedEvent.all(await subscription.next()?.bytes ?? [])
                            last = seen.last?.id ?? last
                        }
                    }
                    #expect(seen.map(\.id) == (1...total).map { "\(epoch)-\($0)" })
                    // And of each who tells, in the order in which he told.
                    for publisher in 0..<publishers {
                        let own = seen.filter { $0.data.hasPrefix("\(publisher) ") }.map(\.data)
                        #expect(own == (0..<each).map { "\(publisher) \($0)" })
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(hub.subscriberCount == 0)
    }
}
