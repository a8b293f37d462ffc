/// Writes care plans by rules, from facts alone and without any network: the same facts, the same words. The rules are
/// in docs/advisor.md.
package enum BuiltInAdvisor {
    /// Part of the hash of what a plan is made from: to be raised when the same facts get other words.
    package static let version = 1

    package static func advice(_ facts: CareFacts) -> CareAdvice {
        let writer = BuiltInWriter(words: CareWords(facts))
        return CareAdvice(
            summary: writer.summary, watering: writer.watering, light: writer.light, humidity: writer.humidity,
            temperature: writer.temperature, alerts: writer.alerts, tips: writer.tips
        ).bounded
    }
}

/// Every statement names the fact it rests on, with its unit and its time; no number is said that is not in a fact.
struct BuiltInWriter {
    let words: CareWords

    var facts: CareFacts { words.facts }
    /// `21 Nov 14:05`: when the spans that end now end.
    var now: String { words.time(facts.at) }

    // MARK: What is wrong

    /// The worst first, as the health check has them.
    func issues(_ severities: Set<String>) -> [CareFact] {
        let severity = HealthIssue.Severity.allCases.map(\.rawValue)
        let kind = HealthIssue.Kind.allCases.map(\.rawValue)
        let rank = { (fact: CareFact) -> (Int, Int, String) in
            let parts = fact.id.split(separator: ".").map(String.init)
            return (
                severity.firstIndex(of: parts.count > 1 ? parts[1] : "") ?? 0,
                kind.firstIndex(of: parts.count > 2 ? parts[2] : "") ?? 0, fact.id
            )
        }
        return facts.facts.filter { fact in
            let parts = fact.id.split(separator: ".")
            return parts.count > 2 && parts[0] == "issue" && severities.contains(String(parts[1]))
        }.sorted { rank($0) < rank($1) }
    }

    /// Whole sentences, with the time they are of.
    func sentence(_ issue: CareFact) -> String {
        guard let text = issue.text else { return "" }
        let time = words.time(issue.time ?? facts.at)
        // The time has to stay if the rest is cut.
        let room = CareAdvice.itemLength - time.utf16.count - 10
        let cut = Wording.cut(text.hasSuffix(".") ? String(text.dropLast()) : text, to: room)
        return "\(cut) (as of \(time))."
    }

    /// What limits say first, then what is typical of a plant that has none.
    var alerts: [String] { issues(["critical", "warning"]).map(sentence) + typical }

    /// Dry soil and cold harm soon; what is typical of the rest is a recommendation.
    private var typical: [String] {
        [Metric.soilMoisture, .temperature].compactMap { metric in
            guard let now = words["\(metric.name).now"], let value = now.value,
                words["\(Metric.soilMoisture.name).suspect"] == nil || metric != .soilMoisture,
                let min = words.limits(of: metric.name).min, min.kind != .limit, value < min.value ?? value
            else { return nil }
            return "\(HealthWords.metric(metric.name)) is \(words.timed(now)), \(below(min))."
        }
    }

    // MARK: Summary

    var name: String { words["plant.name"]?.text ?? "The plant" }

    var summary: String {
        let worst = alerts
        var sentences = [opening(hasIssues: !worst.isEmpty)]
        if let first = worst.first { sentences.append(first) }
        switch worst.count - 1 {
        case ..<1: break
        case 1: sentences.append("There is one more thing to see to.")
        default: sentences.append("There are more things to see to, listed as alerts.")
        }
        if let next = nextSentence { sentences.append(next) }
        return sentences.joined(separator: " ")
    }

    private func opening(hasIssues: Bool) -> String {
        let species = words["species.common_name"]?.text ?? words["species.name"]?.text
        let name =
            species.map { self.name.lowercased() == $0.lowercased() ? self.name : "\(self.name) (\($0))" } ?? name
        guard isAnythingMeasured else {
            let rest =
                words["species.name"] == nil
                ? "this plan can only say what holds for house plants in general."
                : "this plan rests on what is typical for its species."
            return "Nothing was measured of \(name) in the 14 days to \(now), so \(rest)"
        }
        return switch words["plant.status"]?.text.flatMap({ PlantStatus(rawValue: $0) }) {
        case .critical: "\(name) needs help now."
        case .warning: "\(name) needs attention."
        case .stale: "How \(name) is now (\(now)) is not known."
        case .unknown, nil: "How \(name) is cannot be judged by limits of its own (\(now))."
        case .ok where hasIssues: "\(name) is within your limits (\(now)), but something needs attention."
        case .ok: "\(name) is fine: all that has limits is within them (\(now))."
        }
    }

    /// Of the plant itself, in the last 14 days.
    private var isAnythingMeasured: Bool {
        facts.facts.contains { fact in
            guard fact.topic != .device, fact.metric != nil else { return false }
            return fact.id.hasSuffix(".now") || fact.id.hasSuffix(".mean_14d") || fact.id.hasSuffix(".mean_24h")
                || fact.id == "light.yesterday" || fact.id.hasSuffix(".last") && isOfFortnight(fact)
        }
    }

    func isOfFortnight(_ fact: CareFact) -> Bool {
        fact.time.map { facts.at.seconds(since: $0) <= 14 * HealthTrend.daySeconds } ?? false
    }

    // MARK: Ranges

    /// What keeps limits from being gone by, as a sentence; nil if nothing does.
    func contradiction(_ id: String, _ limits: CareLimits) -> String? {
        guard limits.areContradictory, let min = words["\(id).limit_min"], let max = words["\(id).limit_max"] else {
            return nil
        }
        return "Your limits for \(words.metric(min)) contradict each other: at least \(words.value(min)), but at most "
            + "\(words.value(max))."
    }

    func ideal(_ id: String, addition: String = "", unknown: String) -> String {
        let limits = words.limits(of: id)
        let sentence = words.ideal(limits).map { "\($0)\(addition).".sentenceCased } ?? unknown
        return [contradiction(id, limits), sentence].compactMap { $0 }.joined(separator: " ")
    }

    /// Where nothing says how something should be.
    var noIdeal: String {
        words["species.name"] == nil
            ? "Not known: you have set no limits and the species is not known."
            : "Not known: you have set no limits and nothing typical is known of the species."
    }

    /// `below 25 % (your limit)`.
    func below(_ limit: CareFact) -> String { "below \(words.value(limit)) (\(words.origin(limit)))" }
    func above(_ limit: CareFact) -> String { "above \(words.value(limit)) (\(words.origin(limit)))" }

    /// `in the 24 hours to 21 Nov 14:05`; how much of them is known, if not all.
    func day(_ fact: CareFact) -> String {
        let hours = fact.hours ?? 24
        let span = "in the 24 hours to \(now)"
        return hours >= 24 ? span : "\(span), of which \(CareWords.hours(hours)) were measured,"
    }

    /// `in the 14 days to 21 Nov 14:05`.
    var fortnight: String { "in the 14 days to \(now)" }
}
