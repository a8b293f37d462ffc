import PlantDomain
import Testing

/// What waits in an outbox, written down line by line: the alert's number, what happened, and how long ago.
struct Outbox {
    let now = Timestamp(microseconds: 1_795_232_313_000_000)
    private(set) var waiting: [WaitingNotification] = []
    var recent: [RecentMessage] = []

    /// - Returns: the id of the notification.
    @discardableResult
    mutating func add(
        _ alert: UInt64, _ event: AlertEvent, _ severity: AlertSeverity = .warning, group: String = "g",
        about: UInt64? = nil, ago: Double = 5, deferred: Bool = false
    ) -> EntityID {
        let id = EntityID(high: 1, low: UInt64(waiting.count + 1))
        waiting.append(
            WaitingNotification(
                id: id, alert: Self.alert(alert), event: event, severity: severity, group: group,
                about: Self.plant(about ?? alert), since: now.adding(seconds: -ago), isDeferred: deferred))
        return id
    }

    mutating func sent(_ group: String, ago: Double, began: [UInt64]) {
        recent.append(
            RecentMessage(group: group, at: now.adding(seconds: -ago), began: Set(began.map { Self.plant($0) })))
    }

    func plan(quiet: Bool = false, digest: Bool = false) -> MessagePlan {
        MessagePlan(waiting, recent: recent, isQuiet: quiet, digest: digest, now: now)
    }

    static func alert(_ number: UInt64) -> EntityID { EntityID(high: 2, low: number) }
    static func plant(_ number: UInt64) -> EntityID { EntityID(high: 3, low: number) }
}

@Suite struct MessagePlanTests {
    private var outbox = Outbox()

    private func told(_ plan: MessagePlan) -> [[EntityID]] { plan.messages.map(\.notifications) }

    // MARK: by day

    @Test func `nothing waits, nothing is told`() {
        #expect(outbox.plan() == outbox.plan(quiet: true, digest: true))
        #expect(outbox.plan().messages.isEmpty)
    }

    @Test mutating func `what belongs together is one message, in the order it came`() {
        let first = outbox.add(1, .fired, group: "a", ago: 9)
        let other = outbox.add(2, .fired, group: "b", ago: 8)
        let second = outbox.add(3, .resolved, group: "a", ago: 7)
        let plan = outbox.plan()
        #expect(told(plan) == [[first, second], [other]])
        #expect(plan.messages.map(\.group) == ["a", "b"])
        #expect(plan.messages.allSatisfy { $0.kind == .alerts })
        #expect(plan.deferred.isEmpty && plan.skipped.isEmpty)
    }

    /// Ages of what waits, and whether it is told.
    @Test(arguments: [
        ([3.9], false), ([4.0], true), ([5, 3.9], false), ([14.9, 1], false), ([15, 1], true), ([15, 0], true),
        ([0.0], false), ([9, 4], true),
    ])
    func `a group is told after 4 s without a further one, and at the latest after 15 s`(
        ages: [Double], isTold: Bool
    ) {
        var outbox = Outbox()
        let ids = ages.enumerated().map { outbox.add(UInt64($0.offset), .fired, ago: $0.element) }
        #expect(told(outbox.plan()) == (isTold ? [ids] : []))
    }

    @Test mutating func `a group that settles does not wait for another`() {
        let settled = outbox.add(1, .fired, group: "a", ago: 5)
        outbox.add(2, .fired, group: "b", ago: 1)
        #expect(told(outbox.plan()) == [[settled]])
    }

    @Test(arguments: [(299.0, false), (300.0, true)])
    func `after a message of a group, what begins for others waits 5 minutes`(ago: Double, isTold: Bool) {
        var outbox = Outbox()
        outbox.sent("g", ago: ago, began: [1])
        let late = outbox.add(2, .fired, ago: 200)
        #expect(told(outbox.plan()) == (isTold ? [[late]] : []))
        #expect(outbox.plan().deferred.isEmpty && outbox.plan().skipped.isEmpty)
    }

    @Test mutating func `only what begins waits, and all of that alert with it`() {
        outbox.sent("g", ago: 60, began: [1])
        outbox.add(2, .fired, ago: 20)
        outbox.add(2, .resolved, ago: 10)
        let over = outbox.add(1, .resolved, ago: 9)
        let reminder = outbox.add(3, .reminder, ago: 8)
        #expect(told(outbox.plan()) == [[over, reminder]])
    }

    @Test
    mutating func `what waits is not overtaken by what happened to the same alert later, in whatever group`() {
        outbox.sent("a", ago: 60, began: [1])
        let began = outbox.add(2, .fired, group: "a", ago: 20)
        let over = outbox.add(2, .resolved, group: "b", ago: 10)
        let other = outbox.add(3, .fired, group: "b", ago: 10)
        let told = told(outbox.plan()).flatMap { $0 }
        #expect(told.contains(other))
        #expect([[], [began], [began, over]].contains(told.filter { $0 != other }), "\(told)")
    }

    @Test
    mutating func `one plant's own next alert, another group's message and one that began nothing hold up nobody`() {
        outbox.sent("g", ago: 60, began: [1])
        outbox.sent("elsewhere", ago: 60, began: [2])
        outbox.sent("g", ago: 30, began: [])
        let again = outbox.add(7, .fired, about: 1)
        #expect(told(outbox.plan()) == [[again]])
    }

    @Test mutating func `what is critical takes along what waits in its group`() {
        outbox.sent("g", ago: 60, began: [1])
        let warning = outbox.add(2, .fired, ago: 50)
        let critical = outbox.add(3, .fired, .critical)
        #expect(told(outbox.plan()) == [[warning, critical]])
    }

    @Test mutating func `that something critical is over is not urgent`() {
        outbox.sent("g", ago: 60, began: [1])
        outbox.add(2, .fired, ago: 50)
        let over = outbox.add(3, .resolved, .critical)
        #expect(told(outbox.plan()) == [[over]])
    }

    @Test(arguments: [(59.0, false), (60.0, true)])
    func `after an outage of ours further ones are told a minute later`(ago: Double, isTold: Bool) {
        var outbox = Outbox()
        let group = MessagePlan.outageGroup + "x"
        outbox.sent(group, ago: ago, began: [1])
        let late = outbox.add(2, .fired, group: group)
        #expect(told(outbox.plan()) == (isTold ? [[late]] : []))
    }

    @Test(arguments: [5, 6])
    func `more than five groups at once are one message, with what is not settled yet`(groups: Int) {
        var outbox = Outbox()
        let firsts = (0..<groups - 1).map { outbox.add(UInt64($0), .fired, group: "g\($0)", ago: 9) }
        let seconds = (0..<groups - 1).map { outbox.add(UInt64(10 + $0), .fired, group: "g\($0)", ago: 8) }
        let unsettled = outbox.add(99, .fired, group: "unsettled", ago: 1)
        let plan = outbox.plan()
        if groups == 5 {
            #expect(told(plan) == zip(firsts, seconds).map { [$0, $1] })
        } else {
            #expect(told(plan) == [firsts + seconds + [unsettled]])
            #expect(plan.messages.first?.group == MessagePlan.summaryGroup)
            #expect(plan.messages.first?.kind == .alerts)
        }
    }

    @Test func `six groups of which none is settled wait`() {
        var outbox = Outbox()
        for group in 0..<6 { outbox.add(UInt64(group), .fired, group: "g\(group)", ago: 1) }
        #expect(told(outbox.plan()).isEmpty)
    }

    @Test(arguments: [19, 20])
    func `after twenty messages in 5 minutes only what is critical is told`(messages: Int) {
        var outbox = Outbox()
        for number in 0..<messages { outbox.sent("other\(number)", ago: 100, began: []) }
        let warning = outbox.add(1, .fired, group: "a", ago: 20)
        let over = outbox.add(2, .resolved, .critical, group: "b", ago: 20)
        let critical = outbox.add(3, .escalated, .critical, group: "c")
        #expect(told(outbox.plan()) == (messages == 19 ? [[warning], [over], [critical]] : [[critical]]))
        #expect(outbox.plan().skipped.isEmpty && outbox.plan().deferred.isEmpty)
    }

    // MARK: quiet hours

    @Test mutating func `in quiet hours only what is critical is told`() {
        let warning = outbox.add(1, .fired, ago: 0)
        let over = outbox.add(2, .resolved, ago: 0)
        let critical = outbox.add(3, .fired, .critical)
        let criticalOver = outbox.add(4, .resolved, .critical)
        for digest in [false, true] {
            let plan = outbox.plan(quiet: true, digest: digest)
            #expect(told(plan) == [[critical, criticalOver]])
            #expect(plan.deferred == [warning, over])
            #expect(plan.skipped.isEmpty)
        }
    }

    @Test mutating func `what grows worse at night is told as that`() {
        let warning = outbox.add(1, .fired, ago: 9)
        let worse = outbox.add(1, .escalated, .critical, ago: 5)
        let other = outbox.add(2, .fired, ago: 9)
        let plan = outbox.plan(quiet: true)
        #expect(told(plan) == [[worse]])
        #expect(plan.skipped == [warning])
        #expect(plan.deferred == [other])
    }

    @Test mutating func `quiet hours that go on defer again what was deferred`() {
        let warning = outbox.add(1, .fired, deferred: true)
        #expect(outbox.plan(quiet: true).deferred == [warning])
        #expect(outbox.plan(quiet: true).messages.isEmpty)
    }

    @Test mutating func `in the morning what still fires is told in one message, and what came and went is not`() {
        let gone = outbox.add(1, .fired, group: "a", ago: 3600, deferred: true)
        let goneOver = outbox.add(1, .resolved, group: "a", ago: 1800, deferred: true)
        let firing = outbox.add(2, .fired, group: "b", ago: 3600, deferred: true)
        let reminder = outbox.add(2, .reminder, group: "b", ago: 60, deferred: true)
        let fromYesterday = outbox.add(3, .resolved, group: "c", ago: 0, deferred: true)
        let plan = outbox.plan()
        #expect(told(plan) == [[reminder, fromYesterday]])
        #expect(plan.messages.first?.group == MessagePlan.morningGroup)
        #expect(plan.messages.first?.kind == .alerts)
        #expect(Set(plan.skipped) == [gone, goneOver, firing])
    }

    @Test
    mutating func `that is over what was told the evening before is told, also if a reminder fell into the night`() {
        outbox.add(1, .reminder, ago: 3600, deferred: true)
        let over = outbox.add(1, .resolved, ago: 1800, deferred: true)
        #expect(told(outbox.plan()) == [[over]])
    }

    @Test mutating func `a digest tells everything of the night, and the day's news are told as ever`() {
        let night = [
            outbox.add(1, .fired, ago: 3600, deferred: true),
            outbox.add(1, .resolved, ago: 1800, deferred: true),
            outbox.add(2, .fired, group: "b", ago: 0, deferred: true),
        ]
        let news = outbox.add(3, .fired)
        let unsettled = outbox.add(4, .fired, group: "b", ago: 1)
        let plan = outbox.plan(digest: true)
        #expect(told(plan) == [night, [news]])
        #expect(plan.messages.map(\.kind) == [.digest, .alerts])
        #expect(plan.skipped.isEmpty)
        #expect(!told(plan).joined().contains(unsettled))
    }

    @Test mutating func `a night in which everything came and went leaves no message`() {
        let ids = [
            outbox.add(1, .fired, ago: 3600, deferred: true),
            outbox.add(1, .resolved, ago: 1800, deferred: true),
        ]
        #expect(outbox.plan().messages.isEmpty)
        #expect(outbox.plan().skipped == ids)
    }
}
