extension BuiltInWriter {
    private var id: String { Metric.lightLevel.name }
    private var source: LightSource {
        words["plant.light_source"]?.text.flatMap { LightSource(rawValue: $0) } ?? .sun
    }

    var light: CareAdvice.Range { .init(current: current, ideal: ideal, recommendation: recommendation) }

    /// `yesterday (20 Nov)`.
    private func yesterday(_ fact: CareFact) -> String {
        fact.time.map { "yesterday (\(words.day(of: $0)))" } ?? "yesterday"
    }

    private var current: String {
        var sentences: [String] = []
        if let fact = words["light.yesterday"] {
            let dli = words["light.dli_yesterday"].map { ", a daily light integral of \(words.value($0))" } ?? ""
            sentences.append("\(words.value(fact)) spread over 12 hours \(yesterday(fact))\(dli).")
        } else if let fact = words["light.yesterday_known"] {
            sentences.append(
                "Only \(words.value(fact)) of \(yesterday(fact)) were measured, too little to judge that day.")
        }
        if let mean = words["light.mean_14d"], let days = words["light.days_14d"] {
            let dli = words["light.dli_14d"].map { ", \(words.value($0))" } ?? ""
            sentences.append(
                "On average \(words.value(mean)) spread over 12 hours on \(CareWords.number(days.value ?? 0)) of the 14 days "
                    + "before \(words.date(facts.today))\(dli).")
        }
        if let now = words["\(id).now"] {
            sentences.append("At the moment \(words.timed(now)).")
        } else if let last = words["\(id).last"] {
            sentences.append("Last measured as \(words.timed(last)).")
        }
        let isOld = words["\(id).now"] == nil && words["\(id).last"].map { !isOfFortnight($0) } ?? true
        if isOld, words["light.yesterday"] == nil, words["light.mean_14d"] == nil, !sentences.isEmpty {
            sentences.append("Not measured \(fortnight).")
        }
        return sentences.isEmpty ? "Not measured in the 14 days to \(now)." : sentences.joined(separator: " ")
    }

    private var ideal: String {
        let integrals = [words["light.dli_min"], words["light.dli_max"]].compactMap { $0.map(words.value) }
        let dli = integrals.isEmpty ? "" : ", which is \(integrals.joined(separator: " to ")) of \(lightName)"
        return ideal(id, addition: " spread over 12 hours\(dli)", unknown: noIdeal)
    }

    private var lightName: String {
        switch source {
        case .sun: "daylight"
        case .metalHalide: "a metal halide lamp"
        case .highPressureSodium: "a sodium lamp"
        case .fluorescent: "a fluorescent lamp"
        case .whiteLED: "white LEDs"
        }
    }

    // MARK: What to do

    /// What light is judged by.
    var lightBase: CareFact? { words["light.mean_14d"] ?? words["light.yesterday"] }

    /// `1200 lx on average over the 14 days before 21 Nov`.
    func lightLevel(_ base: CareFact) -> String {
        guard base.id == "light.mean_14d" else { return "\(words.value(base)) \(yesterday(base))" }
        let count = words["light.days_14d"]?.value ?? 14
        let days = count == 14 ? "the 14 days" : "\(CareWords.number(count)) of the 14 days"
        return "\(words.value(base)) on average over \(days) before \(words.date(facts.today))"
    }

    private var recommendation: String {
        let limits = words.limits(of: id)
        guard let base = lightBase, let value = base.value else {
            let known = words.ideal(limits).map { " It should have \($0) spread over 12 hours." } ?? ""
            return
                "How much light it gets is not known of any whole day of the 14 before \(words.date(facts.today)): let a "
                + "light meter stand beside the leaves.\(known)"
        }
        let level = lightLevel(base)
        if let min = limits.min, value < min.value ?? value { return "\(moreLight) \(level) is \(below(min))." }
        if let max = limits.max, value > max.value ?? value {
            let way =
                source == .sun
                ? "Give it less direct light: farther from the window or behind a curtain."
                : "Give it less light: let the lamp burn for a shorter time or hang it higher."
            return "\(way) \(level) is \(above(max))."
        }
        guard let range = words.ideal(limits) else {
            return "Whether \(level) is right is not known: \(toJudge)."
        }
        return "Nothing to change: \(level) is within what it should be, \(range).\(oddDay(limits) ?? "")"
    }

    /// One gloomy day is weather.
    private func oddDay(_ limits: CareLimits) -> String? {
        guard words["light.mean_14d"] != nil, let fact = words["light.yesterday"], let value = fact.value else {
            return nil
        }
        let level = " Only \(yesterday(fact)) it was \(words.value(fact))"
        if let min = limits.min, value < min.value ?? value { return "\(level), \(below(min)): one day is weather." }
        if let max = limits.max, value > max.value ?? value { return "\(level), \(above(max)): one day is weather." }
        return nil
    }

    private var moreLight: String {
        let factor = words["light.needed_factor"].map { " about \(words.value($0)) times as much" } ?? " more"
        guard source != .sun else {
            return "Give it\(factor) light: a place nearer to a window, or a lamp."
        }
        guard let more = words["light.lamp_more"], let lit = words["light.lamp_lit_24h"],
            let ppfd = words["light.lamp_ppfd"]
        else { return "Give it\(factor) light: let the lamp burn longer or hang it lower." }
        let lamp =
            "The lamp gave up to \(words.value(ppfd)) at the leaves and burnt for about \(words.value(lit)) in the 24 "
            + "hours to \(now)"
        if (more.value ?? 0) + (lit.value ?? 0) > CareGathering.longestLampDay {
            let most = CareWords.number(CareGathering.longestLampDay)
            return "\(lamp); even \(most) hours a day would not do: hang it lower or take a stronger one."
        }
        return "\(lamp); about \(words.value(more)) more a day make up for what is missing."
    }
}
