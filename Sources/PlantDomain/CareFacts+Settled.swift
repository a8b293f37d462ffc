extension CareFacts {
    /// These facts with everything that does not differ significantly from earlier ones as it was then. Nothing
    /// significant has changed if the result equals `previous`.
    ///
    /// Limits, states, the species and what happened always count, and so does a value that is on another side of a
    /// limit. Other numbers count from a step on (``CareStep``). Times do not count by themselves.
    package func settled(against previous: CareFacts) -> CareFacts {
        let earlier = Dictionary(previous.facts.map { ($0.id, $0) }) { first, _ in first }
        let ids = Set(facts.map(\.id))
        var settled = facts.compactMap { fact -> CareFact? in
            guard let before = earlier[fact.id] else { return CareStep(fact).isFleeting ? nil : fact }
            return isSignificant(before, fact, previous) ? fact : before
        }
        settled += previous.facts.filter { !ids.contains($0.id) && CareStep($0).isFleeting }
        return CareFacts(
            at: previous.at, today: previous.today, zone: zone, facts: settled)
    }

    private func isSignificant(_ before: CareFact, _ after: CareFact, _ previous: CareFacts) -> Bool {
        let step = CareStep(after)
        guard before.kind == after.kind, before.metric == after.metric, before.unit == after.unit,
            (before.value == nil) == (after.value == nil)
        else { return !step.isFleeting }
        if !step.isTextIgnored, before.text != after.text { return true }
        // Said again, it is said anew.
        if after.id.hasPrefix("feedback."), before.time != after.time { return true }
        guard let old = before.value, let new = after.value, old != new else { return false }
        return step.isReached(old, new) || step.limits.contains { side(old, $0) != side(new, $0) }
    }

    /// On which side of a limit as it is now: −1 beyond it, 0 where there is none. That a limit was moved counts by itself.
    private func side(_ value: Double, _ limit: String) -> Int {
        guard let limit = self[limit]?.value else { return 0 }
        return value < limit ? -1 : value > limit ? 1 : 0
    }

}

/// From which difference on a fact counts as another one.
struct CareStep {
    /// Comes, goes and changes without that anything has happened: what follows from other facts, or needs so much
    /// data that it is not always there.
    let isFleeting: Bool
    /// The text is about numbers that are facts themselves, or tells how a number came about.
    let isTextIgnored: Bool
    /// Ids of limits whose crossing counts.
    let limits: [String]
    private let metric: String?
    /// Of the metric's step; infinite if it does not count.
    private let part: Double

    /// Has a daily course: a value of now says as much of the hour as of the plant, and its mean of the day tells.
    private static let daily: Set = [
        Metric.temperature, .humidity, .lightLevel, .soilTemperature, .co2, .pressure,
    ].reduce(into: Set<String>()) { $0.insert($1.name) }

    init(_ fact: CareFact) {
        let parts = fact.id.split(separator: ".").map(String.init)
        let subject = parts.dropLast().joined(separator: ".")
        let last = parts.last ?? ""
        let isIssue = parts.first == "issue"
        isTextIgnored =
            isIssue || ["watering.next", "watering.grace"].contains(fact.id) || ["driest", "wettest"].contains(last)
        // Advice in passing comes and goes; what is wrong does not.
        isFleeting =
            isIssue && parts.dropFirst().first == "info"
            || Self.fleeting.contains(fact.id) || Self.fleetingEndings.contains(last)
            || fact.metric == DerivedMetric.vpd.name || fact.id == "\(Metric.lightLevel.name).now"
        metric = fact.metric
        let own = ["\(subject).limit_min", "\(subject).limit_max"]
        let all = own + ["species_min", "species_max", "usual_min", "usual_max"].map { "\(subject).\($0)" }
        switch (fact.kind, last) {
        case (.limit, _), (.species, _): (part, limits) = (0, [])
        case _ where isIssue || isFleeting: (part, limits) = (.infinity, [])
        case (_, "now") where Self.daily.contains(subject): (part, limits) = (.infinity, own)
        case (_, "now"), (_, "last"), (_, "driest"), (_, "mean_24h"): (part, limits) = (1, all)
        case (_, "mean_14d") where parts.first == "light":
            (part, limits) = (0.5, ["min", "max"].map { "\(Metric.lightLevel.name).limit_\($0)" })
        case (_, "mean_14d"): (part, limits) = (0.5, [])
        // A gloomy day is weather.
        case (_, "yesterday"):
            (part, limits) = (2, ["min", "max"].map { "\(Metric.lightLevel.name).limit_\($0)" })
        case (_, "dli_yesterday"), (_, "min_24h"), (_, "max_24h"): (part, limits) = (2, [])
        case (_, "dli_14d"): (part, limits) = (0.5, [])
        case (_, "count"), (_, "target"): (part, limits) = (0, [])
        default: (part, limits) = (1, [])
        }
    }

    private static let fleeting: Set = [
        "watering.next", "watering.count_60d", "watering.cycle", "watering.due", "watering.gap", "watering.grace",
        "soil_moisture.wettest", "light.yesterday_known", "light.days_14d",
        "light.needed_factor", "light.lamp_ppfd", "light.lamp_lit_24h", "light.lamp_more",
    ]
    private static let fleetingEndings: Set = [
        "change_24h", "change_14d", "drying", "reaches_min_at", "time_constant",
    ]

    func isReached(_ old: Double, _ new: Double) -> Bool {
        part.isFinite && abs(new - old) >= part * step(old, new) && new != old
    }

    /// In the unit of the metric.
    private func step(_ old: Double, _ new: Double) -> Double {
        let larger = max(abs(old), abs(new))
        return switch metric {
        case Metric.soilMoisture.name: 5
        case Metric.temperature.name, Metric.soilTemperature.name: 1.5
        case Metric.humidity.name: 7
        case Metric.lightLevel.name, DerivedMetric.dli.name: 0.25 * larger
        case Metric.battery.name: 15
        default: 0.15 * larger
        }
    }
}
