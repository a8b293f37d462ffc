import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// Whom something is told.
@Suite(.serialized) struct OutboxFilterTests {
    private func told(_ post: Outpost) throws -> [String] {
        try post.database.lines(
            """
            SELECT c.name || ': ' || string_agg(n.event || ' ' || COALESCE(a.plant_name, a.kind), ', ' ORDER BY n.seq)
            FROM notifications n JOIN channels c ON c.id = n.channel_id JOIN alerts a ON a.id = n.alert_id
            GROUP BY c.name ORDER BY c.name
            """)
    }

    @Test func `each channel is told of its plants and rooms, one without either of everything`() async throws {
        let post = try await Outpost()
        let fern = try await post.plant("Fern", room: "Kitchen")
        let palm = try await post.plant("Palm", room: "Hall")
        let cactus = try await post.plant("Cactus")
        _ = try await post.channel("all")
        _ = try await post.channel("either") { ($0.plantIDs, $0.rooms) = ([cactus], ["Hall"]) }
        _ = try await post.channel("off") { $0.isEnabled = false }
        _ = try await post.channel("nothing") { ($0.plantIDs, $0.rooms) = ([], []) }
        _ = try await post.channel("plant") { $0.plantIDs = [fern] }
        _ = try await post.channel("room") { $0.rooms = ["Kitchen", "Attic"] }
        for plant in [fern, palm, cactus] { try await post.fire(plant, at: 0) }
        try await post.note(
            AlertSubject(.deviceOffline, plant: fern, device: .make()), .fired(since: post.noon, .warning), at: 1)
        try await post.note(AlertSubject(.diskFilling), .fired(since: post.noon, .critical), at: 2)
        #expect(
            try told(post) == [
                "all: fired Fern, fired Palm, fired Cactus, fired Fern, fired disk_filling",
                "either: fired Palm, fired Cactus", "plant: fired Fern, fired Fern", "room: fired Fern, fired Fern",
            ])
    }

    @Test func `a channel for what is critical hears of it when it becomes that, and that it is over`() async throws {
        let post = try await Outpost()
        let (fern, palm) = (try await post.plant("Fern"), try await post.plant("Palm"))
        _ = try await post.channel("all")
        _ = try await post.channel("critical") { $0.minSeverity = .critical }
        try await post.fire(fern, at: 0)
        try await post.fire(palm, at: 0)
        #expect(try told(post) == ["all: fired Fern, fired Palm"])
        try await post.escalate(fern, at: 10)
        for plant in [fern, palm] { try await post.resolve(plant, at: 20) }
        #expect(
            try told(post) == [
                "all: fired Fern, fired Palm, escalated Fern, resolved Fern, resolved Palm",
                "critical: escalated Fern, resolved Fern",
            ])
    }

    @Test func `that it is over is told to those who were told, whatever they want to hear by now`() async throws {
        let post = try await Outpost()
        let fern = try await post.plant("Fern", room: "Kitchen")
        let narrowed = try await post.channel("narrowed")
        let off = try await post.channel("off")
        try await post.fire(fern, at: 0)
        #expect(try await post.tell(at: 5).count == 2)
        _ = try await post.channel("new")
        try await post.change(narrowed, at: 10) { ($0.rooms, $0.minSeverity) = (["Hall"], .critical) }
        try await post.change(off, at: 10) { $0.isEnabled = false }
        try await post.resolve(fern, at: 20)
        #expect(try told(post) == ["narrowed: fired Fern, resolved Fern", "off: fired Fern"])
    }

    @Test func `a change that changes nothing is not told`() async throws {
        let post = try await Outpost()
        let fern = try await post.plant("Fern")
        _ = try await post.channel("all")
        try await post.resolve(fern, at: 0)
        try await post.escalate(fern, at: 0)
        #expect(try post.database.alerts().isEmpty)
        try await post.fire(fern, at: 1)
        try await post.fire(fern, at: 2)
        try await post.escalate(fern, at: 3)
        try await post.escalate(fern, at: 4)
        try await post.fire(fern, .soilMoisture, .critical, at: 5)
        try await post.resolve(fern, at: 6)
        try await post.resolve(fern, at: 7)
        #expect(try told(post) == ["all: fired Fern, escalated Fern, resolved Fern"])
        #expect(try post.database.alerts() == ["resolved threshold soil_moisture min critical recovered"])
    }

    @Test func `names and rooms in a notice are those of the time`() async throws {
        let post = try await Outpost()
        let fern = try await post.plant("Fern", room: "Kitchen")
        _ = try await post.channel()
        try await post.fire(fern, at: 0)
        _ = try await post.store.updatePlant(fern, at: post.time(1)) { ($0.name, $0.room) = ("Farn", "Hall") }
        _ = try await post.compose(at: 5)
        let notice = try #require(try await post.claim(at: 5).first?.message.notices.first)
        #expect((notice.plantName, notice.room, notice.value, notice.limit) == ("Fern", "Kitchen", 25, 30))
        #expect((notice.at, notice.startedAt, notice.firedAt) == (post.time(0), post.time(0), post.time(0)))
        #expect(try post.database.lines("SELECT group_key FROM notifications") == ["room:Kitchen:soil_moisture:min"])
    }

    // MARK: what an alert knows of it

    @Test func `an alert tells to whom it was told, and what became of that`() async throws {
        let post = try await Outpost()
        let fern = try await post.plant("Fern")
        let first = try await post.channel("A")
        _ = try await post.channel("B")
        try await post.fire(fern, at: 0)
        let id = try #require(try await post.alert(of: fern)).id
        func deliveries() async throws -> [String] {
            try #require(try await post.store.alert(id)).deliveries.map {
                let sent = $0.sentAt == nil ? "" : "sent"
                return "\($0.channelName) \($0.event) \($0.state) \($0.attempts) \($0.error ?? "-") \(sent)"
            }.sorted()
        }
        #expect(try await deliveries() == ["A fired waiting 0 - ", "B fired waiting 0 - "])
        _ = try await post.compose(at: 5)
        #expect(try await deliveries() == ["A fired waiting 0 - ", "B fired waiting 0 - "])
        for claimed in try await post.claim(at: 5) {
            let result: DeliveryResult =
                claimed.channelID == first ? .sent(status: 200, pauseSeconds: nil) : .given(up: "gone", status: 410)
            try await post.settle(claimed, result, at: 6)
        }
        #expect(try await deliveries() == ["A fired sent 1 - sent", "B fired failed 1 gone "])
        #expect(try await post.store.alert(.make()) == nil)
    }

    @Test func `the list of alerts is filtered by state, kind, plant, device and time`() async throws {
        let post = try await Outpost()
        let (fern, palm, device) = (try await post.plant("Fern"), try await post.plant("Palm"), EntityID.make())
        try await post.fire(fern, at: 0)
        try await post.resolve(fern, at: 100)
        try await post.fire(palm, at: 200)
        try await post.note(subjectPending(palm), .began(since: post.time(300)), at: 300)
        try await post.note(
            AlertSubject(.deviceOffline, plant: fern, device: device), .fired(since: post.time(400), .warning), at: 400)
        func list(_ change: (inout AlertFilter) -> Void) async throws -> [String] {
            var filter = AlertFilter()
            change(&filter)
            let page = try await post.store.alerts(filter, limit: 9, offset: 0)
            #expect(page.total == page.items.count)
            return page.items.map { "\($0.state) \($0.subject.kind.rawValue) \($0.plantName ?? "")" }
        }
        let (gone, firing) = ("resolved threshold Fern", "firing threshold Palm")
        let (pending, offline) = ("pending threshold Palm", "firing device_offline Fern")
        #expect(try await list { _ in } == [offline, pending, firing, gone])
        #expect(try await list { $0.state = .open } == [offline, pending, firing])
        #expect(try await list { $0.state = .firing } == [offline, firing])
        #expect(try await list { $0.state = .resolved } == [gone])
        #expect(try await list { $0.kind = .threshold } == [pending, firing, gone])
        #expect(try await list { $0.plant = fern } == [offline, gone])
        #expect(try await list { $0.device = device } == [offline])
        #expect(try await list { $0.from = post.time(100) } == [offline, pending, firing, gone])
        #expect(try await list { $0.from = post.time(101) } == [offline, pending, firing])
        let page = try await post.store.alerts(AlertFilter(), limit: 1, offset: 2)
        #expect((page.total, page.items.map(\.plantName)) == (4, ["Palm"]))
    }

    private func subjectPending(_ plant: EntityID) -> AlertSubject {
        AlertSubject(.threshold, plant: plant, metric: "humidity", direction: .max)
    }
}
