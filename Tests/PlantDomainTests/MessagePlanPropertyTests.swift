import PlantDomain
import Testing

/// Whatever waits, and whatever was told before.
@Suite struct MessagePlanPropertyTests {
    private struct Case: CustomStringConvertible {
        var outbox = Outbox()
        let isQuiet: Bool
        let digest: Bool
        var plan: MessagePlan { outbox.plan(quiet: isQuiet, digest: digest) }
        var description: String {
            let lines = outbox.waiting.map {
                "\($0.id.low): alert \($0.alert.low) \($0.event) \($0.severity) \($0.group) deferred \($0.isDeferred)"
            }
            return "quiet \(isQuiet) digest \(digest)\n" + lines.joined(separator: "\n")
        }
    }

    /// Alerts with a life: each fires, perhaps grows worse, is reminded of, and is over, in that order.
    private func randomCase(_ random: inout SeededGenerator) -> Case {
        var result = Case(isQuiet: .random(using: &random), digest: .random(using: &random))
        let groups = ["a", "b", "c", "d", "e", "f", "g", MessagePlan.outageGroup + "x"]
            .prefix(.random(in: 1...8, using: &random))
        for _ in 0..<Int.random(in: 0...25, using: &random) {
            guard let group = groups.randomElement(using: &random) else { continue }
            result.outbox.recent.append(
                RecentMessage(
                    group: group, at: result.outbox.now.adding(seconds: -.random(in: 0...300, using: &random)),
                    began: Set((0..<2).map { _ in Outbox.plant(.random(in: 0...9, using: &random)) })))
        }
        var lives: [(alert: UInt64, event: AlertEvent, severity: AlertSeverity)] = []
        var order: [UInt64: [Int]] = [:]
        for alert in 0..<UInt64.random(in: 0...9, using: &random) {
            var severity = AlertSeverity.allCases.randomElement(using: &random) ?? .warning
            var events: [(AlertEvent, AlertSeverity)] = Bool.random(using: &random) ? [(.fired, severity)] : []
            if severity == .warning, Bool.random(using: &random) {
                severity = .critical
                events.append((.escalated, severity))
            }
            if Bool.random(using: &random) { events.append((.reminder, severity)) }
            if Bool.random(using: &random) { events.append((.resolved, severity)) }
            order[alert] = Array(lives.count..<lives.count + events.count)
            lives += events.map { (alert, $0.0, $0.1) }
        }
        // Shuffled, but each alert's own in their order.
        var turns = lives.map(\.alert)
        turns.shuffle(using: &random)
        // Only what came before the night is over is deferred, and nothing critical ever is.
        let firstOfToday = Int.random(in: 0...turns.count, using: &random)
        for (turn, alert) in turns.enumerated() {
            guard let next = order[alert]?.removeFirst(), let group = groups.dropFirst(Int(alert) % groups.count).first
            else { continue }
            let life = lives[next]
            result.outbox.add(
                life.alert, life.event, life.severity, group: group,
                ago: Double(turns.count - turn) * .random(in: 0...1, using: &random),
                deferred: turn < firstOfToday && life.severity == .warning)
        }
        return result
    }

    private func forEachCase(_ check: (Case, MessagePlan) -> Void) {
        var random = SeededGenerator(seed: 4711)
        for _ in 0..<5000 {
            let input = randomCase(&random)
            check(input, input.plan)
        }
    }

    @Test func `nothing is named twice, and nothing that did not wait`() {
        forEachCase { input, plan in
            let named = plan.messages.flatMap(\.notifications) + plan.deferred + plan.skipped
            #expect(Set(named).count == named.count, "\(input)")
            #expect(Set(named).isSubset(of: input.outbox.waiting.map(\.id)), "\(input)")
            #expect(plan.messages.allSatisfy { !$0.notifications.isEmpty }, "\(input)")
        }
    }

    @Test func `what is told of one alert is told in the order it happened`() {
        forEachCase { input, plan in
            let place = Dictionary(
                uniqueKeysWithValues: input.outbox.waiting.enumerated().map { ($0.element.id, $0.offset) })
            let alert = Dictionary(uniqueKeysWithValues: input.outbox.waiting.map { ($0.id, $0.alert) })
            let told = plan.messages.flatMap(\.notifications)
            for ids in Dictionary(grouping: told, by: { alert[$0] }).values {
                let places = ids.compactMap { place[$0] }
                #expect(places == places.sorted(), "\(input)")
            }
        }
    }

    @Test func `what is told of an alert leaves nothing older of it waiting`() {
        forEachCase { input, plan in
            let told = Set(plan.messages.flatMap(\.notifications))
            let left = Set(input.outbox.waiting.map(\.id)).subtracting(told).subtracting(plan.skipped)
            var waits: Set<EntityID> = []
            for notification in input.outbox.waiting {
                if left.contains(notification.id) { waits.insert(notification.alert) }
                if told.contains(notification.id) { #expect(!waits.contains(notification.alert), "\(input)") }
            }
        }
    }

    @Test func `nothing critical waits for the end of the night, and nobody misses that it began`() {
        forEachCase { input, plan in
            let critical = input.outbox.waiting.filter { $0.severity == .critical }
            #expect(Set(plan.deferred).isDisjoint(with: critical.map(\.id)), "\(input)")
            #expect(Set(plan.skipped).isDisjoint(with: critical.filter { $0.event != .resolved }.map(\.id)), "\(input)")
            if !input.isQuiet { #expect(plan.deferred.isEmpty, "\(input)") }
        }
    }

    @Test func `that something is over is told only to those who hear or heard that it began`() {
        forEachCase { input, plan in
            let told = Set(plan.messages.flatMap(\.notifications))
            let skipped = Set(plan.skipped)
            for over in input.outbox.waiting where over.event == .resolved && told.contains(over.id) {
                let before = input.outbox.waiting.filter { $0.alert == over.alert && $0.event != .resolved }
                let missedTheBeginning = before.contains { $0.event == .fired && skipped.contains($0.id) }
                let heardOfIt = before.contains { told.contains($0.id) }
                let isFair = heardOfIt || !missedTheBeginning
                #expect(isFair, "\(input) \(plan)")
            }
        }
    }
}
