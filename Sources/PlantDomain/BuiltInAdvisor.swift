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
    var alerts: [String] { issues(["critical", "warning"]).map(sentence) + beyond }

    /// Dry soil and cold harm soon; what is typical of the rest is a recommendation.
    private var beyond: [String] {
        let soil = Metric.soilMoisture
        let dry = driest.map { "Soil moisture is \(words.timed($0))\(at($0))\(limit(soil, $0))." }
        return [dry].compactMap { $0 }
            + [soil, .temperature].compactMap { metric in
                guard let now = words["\(metric.name).now"], let value = now.value,
                    words["\(soil.name).suspect"] == nil || metric != soil,
                    let min = words.limits(of: metric.name).min, min.kind != .limit, value < min.value ?? value
                else { return nil }
                return "\(HealthWords.metric(metric.name)) is \(words.timed(now)), \(below(min))."
            }
    }

    private func limit(_ metric: Metric, _ fact: CareFact) -> String {
        words.limits(of: metric.name).min.map { ", \(below($0))" } ?? ""
    }

    /// ` at Sensor B`, if a device is named.
    func at(_ fact: CareFact) -> String { fact.text.map { " at \($0)" } ?? "" }

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
        return hours >= 24 ? span : "\(span), of which \(CareWords.measured(hours)),"
    }

    /// The same of 14 days.
    func fortnight(_ fact: CareFact) -> String {
        let hours = fact.hours ?? 0
        return hours >= 13 * 24 ? fortnight : "\(fortnight), of which \(CareWords.measured(hours)),"
    }

    /// `in the 14 days to 21 Nov 14:05`.
    var fortnight: String { "in the 14 days to \(now)" }
}
