/// What is new since the plan before.
package enum CareChanges {
    static let most = 10

    /// - Returns: plain sentences, the most important first, at most ten.
    package static func between(_ before: CarePlan, _ facts: CareFacts, _ advice: CareAdvice) -> [String] {
        let old = CareWords(before.facts)
        let new = CareWords(facts)
        // The old times are told by the calendar of today.
        let oldFacts = CareWords(
            CareFacts(at: before.facts.at, today: facts.today, zone: facts.zone, facts: before.facts.facts))
        let changed = changedFacts(before.facts, facts)
        var sentences = issues(old, new, isNew: true) + issues(new, oldFacts, isNew: false)
        if let last = new["watering.last"], let time = last.time, changed.contains(last.id) {
            sentences.append("It was watered \(new.time(time)).")
        }
        sentences += facts.facts.filter { changed.contains($0.id) }.compactMap { sentence($0, oldFacts, new) }
        sentences += before.facts.facts.filter { new[$0.id] == nil }.compactMap { removed($0, oldFacts) }
        if let next = nextDate(before.advice.watering.nextDate, advice.watering.nextDate, new) {
            sentences.append(next)
        }
        return sentences.prefix(most).map { Wording.cut($0, to: CareAdvice.itemLength) }
    }

    /// Ids of what counts as changed.
    private static func changedFacts(_ before: CareFacts, _ after: CareFacts) -> Set<String> {
        let earlier = Dictionary(before.facts.map { ($0.id, $0) }) { first, _ in first }
        return Set(after.settled(against: before).facts.filter { $0 != earlier[$0.id] }.map(\.id))
    }

    // MARK: What is wrong

    /// Those of the second that are not in the first. One that only grew worse or better is told as new.
    private static func issues(_ first: CareWords, _ second: CareWords, isNew: Bool) -> [String] {
        let serious = BuiltInWriter(words: second).issues(["critical", "warning"])
        return serious.filter { first[$0.id] == nil }.compactMap { issue in
            guard let text = issue.text else { return nil }
            if isNew { return "New: \(BuiltInWriter(words: second).sentence(issue))" }
            // The same thing in another severity is not over.
            let parts = issue.id.split(separator: ".", maxSplits: 2)
            let others = ["critical", "warning"].map { "issue.\($0).\(parts.last ?? "")" }
            if others.contains(where: { first[$0] != nil }) { return nil }
            if let over = over(issue, second) { return over }
            return "No longer so: \(Wording.cut(text, to: CareAdvice.itemLength - 20))"
        }
    }

    /// `Soil moisture is no longer below its minimum of 25 %.`
    private static func over(_ issue: CareFact, _ old: CareWords) -> String? {
        guard issue.id.contains(".\(HealthIssue.Kind.limitExceeded.rawValue)."), let metric = issue.metric,
            let value = issue.value
        else { return nil }
        let subject = Metric.named(metric) == nil ? "extra.\(metric)" : metric
        let words = "\(HealthWords.metric(metric)) is no longer"
        if let min = old["\(subject).limit_min"], value < min.value ?? value {
            return "\(words) below its minimum of \(old.value(min))."
        }
        if let max = old["\(subject).limit_max"], value > max.value ?? value {
            return "\(words) above its maximum of \(old.value(max))."
        }
        return nil
    }

    // MARK: Numbers and states

    private static func sentence(_ fact: CareFact, _ old: CareWords, _ new: CareWords) -> String? {
        let end = fact.id.split(separator: ".").last.map(String.init) ?? ""
        let before = old[fact.id]
        switch (fact.kind, end) {
        case (.limit, _), (.species, "min"), (.species, "max"): return limit(fact, before, new, old)
        case (.measured, "now") where fact.topic != .device:
            // What was last known before may have another name.
            let before = before ?? old[fact.id.replacing(".now", with: ".last")]
            guard let before else { return "\(HealthWords.metric(fact.metric ?? "")) is measured: \(new.timed(fact))." }
            return "\(HealthWords.metric(fact.metric ?? "")) is \(new.timed(fact)), before \(old.timed(before))."
        case (.measured, "battery"):
            guard let before else { return nil }
            let name = new["\(fact.id.dropLast(8)).name"]?.text ?? "a device"
            return "The battery of \(name) is at \(new.timed(fact)), before \(old.timed(before))."
        case (.computed, "mean_24h"):
            // A value of now that is told already says as much.
            guard let before, new["\(fact.id.dropLast(9)).now"].map({ $0.metric != Metric.soilMoisture.name }) ?? true
            else { return nil }
            return
                "The 24-hour mean of \(new.metric(fact)) is \(new.value(fact)) (\(new.time(new.facts.at))), before "
                + "\(old.value(before)) (\(old.time(old.facts.at)))."
        case (.computed, "mean_14d") where fact.id.hasPrefix("light."):
            guard let before else { return nil }
            return
                "Light is \(new.value(fact)) on average of 14 days (\(new.time(new.facts.at))), before \(old.value(before)) "
                + "(\(old.time(old.facts.at)))."
        case (.computed, "interval"):
            guard let before else { return "It is watered about every \(new.value(fact))." }
            return "It is watered about every \(new.value(fact)), before every \(old.value(before))."
        case (.state, _) where fact.id.hasPrefix("plant.") && fact.id != "plant.status":
            return state(fact, before)
        case (.species, "name"): return state(fact, before)
        case (.state, "count"):
            guard let before else { return nil }
            return "Devices in the pot: \(new.value(fact)), before \(old.value(before))."
        default: return nil
        }
    }

    private static func limit(_ fact: CareFact, _ before: CareFact?, _ new: CareWords, _ old: CareWords) -> String? {
        guard fact.kind == .limit else { return nil }
        let end = fact.id.hasSuffix("min") ? "lower" : "upper"
        let words = "Your \(end) limit of \(new.metric(fact)) is \(new.value(fact))"
        return before.map { "\(words), before \(old.value($0))." } ?? "\(words), before there was none."
    }

    private static func state(_ fact: CareFact, _ before: CareFact?) -> String? {
        let names = [
            "plant.name": "name", "plant.species": "species", "species.name": "species", "plant.room": "room",
            "plant.light_source": "light source",
        ]
        guard let name = names[fact.id], let text = fact.text,
            // The plant's own word for it tells already.
            fact.id != "species.name"
        else { return nil }
        let said = text.replacing("_", with: " ")
        return before?.text.map { "Its \(name) is \(said), before \($0.replacing("_", with: " "))." }
            ?? "Its \(name) is \(said)."
    }

    private static func removed(_ fact: CareFact, _ old: CareWords) -> String? {
        switch fact.kind {
        case .limit:
            let end = fact.id.hasSuffix("min") ? "lower" : "upper"
            return "There is no \(end) limit of \(old.metric(fact)) any more; it was \(old.value(fact))."
        case .measured where fact.id.hasSuffix(".now"):
            return "\(HealthWords.metric(fact.metric ?? "")) is not measured any more; it was \(old.timed(fact))."
        default: return nil
        }
    }

    // MARK: Dates

    private static func nextDate(_ before: LocalDayText?, _ after: LocalDayText?, _ words: CareWords) -> String? {
        switch (before, after) {
        case (let before?, let after?) where before != after:
            "The next watering is \(words.date(after)), before \(words.date(before))."
        case (nil, let after?): "The next watering is \(words.date(after))."
        case (let before?, nil): "When the next watering is cannot be said any more; it was \(words.date(before))."
        default: nil
        }
    }
}
