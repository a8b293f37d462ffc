extension BuiltInWriter {
    var humidity: CareAdvice.Range {
        range(
            Metric.humidity.name,
            low: "Raise the humidity: put plants together, on a tray of wet pebbles, or use a humidifier.",
            high: "Air the room and leave more space between plants, so that leaves dry and do not mould.")
    }

    var temperature: CareAdvice.Range {
        range(
            Metric.temperature.name,
            low: "Move it to a warmer place, away from cold panes and draughts.",
            high: "Move it to a cooler place, away from radiators and the midday sun, and air the room.")
    }

    /// - Parameters:
    ///   - low: what to do against too little, as a sentence.
    ///   - high: against too much.
    private func range(_ id: String, low: String, high: String) -> CareAdvice.Range {
        CareAdvice.Range(
            current: current(id), ideal: ideal(id, unknown: noIdeal),
            recommendation: recommendation(id, low: low, high: high))
    }

    // MARK: How it is

    private func current(_ id: String) -> String {
        var sentences: [String] = []
        if let now = words["\(id).now"] {
            sentences.append("\(words.timed(now)).")
        } else if let last = words["\(id).last"] {
            sentences.append("Last measured as \(words.timed(last)); what it is now is not known.")
        }
        sentences += [span(id, "24h"), span(id, "14d")].compactMap { $0 }
        // Of a value of long ago that has to be said, too.
        let isOld = words["\(id).last"].map { !isOfFortnight($0) } ?? true
        if words["\(id).now"] == nil, words["\(id).mean_14d"] == nil, words["\(id).mean_24h"] == nil, isOld {
            sentences.append("Not measured \(fortnight).")
        }
        if id == Metric.humidity.name, let vpd = words["\(DerivedMetric.vpd.name).now"] {
            sentences.append("The vapour pressure deficit is \(words.timed(vpd)).")
        }
        return sentences.joined(separator: " ")
    }

    /// `In the 24 hours to 21 Nov 14:05 between 18 °C and 23 °C, on average 21 °C.`
    private func span(_ id: String, _ span: String) -> String? {
        guard let mean = words["\(id).mean_\(span)"] else { return nil }
        let isOfDay = span == "24h"
        // Of a plant that has been measured for a day the rest would be the same again.
        if !isOfDay, let day = words["\(id).mean_24h"]?.hours, let hours = mean.hours, hours <= day + 6 { return nil }
        let time = isOfDay ? day(mean) : fortnight(mean)
        let average = "on average \(words.value(mean))"
        guard let min = words["\(id).min_\(span)"], let max = words["\(id).max_\(span)"], min.value != max.value else {
            return "\(time) \(average).".sentenceCased
        }
        return "\(time) between \(words.value(min)) and \(words.value(max)), \(average).".sentenceCased
    }

    // MARK: What to do

    private func recommendation(_ id: String, low: String, high: String) -> String {
        let limits = words.limits(of: id)
        guard let range = words.ideal(limits) else { return unjudged(id) }
        if let now = words["\(id).now"], let value = now.value {
            if let min = limits.min, value < min.value ?? value {
                return "\(low) \(words.timed(now)) is \(below(min))."
            }
            if let max = limits.max, value > max.value ?? value {
                return "\(high) \(words.timed(now)) is \(above(max))."
            }
            if let swing = swing(id, limits) {
                return "Now \(words.timed(now)) is right, but \(swing)"
            }
            if let past = beyond(id, limits) {
                return "Now \(words.timed(now)) is right, but \(past.text). \(past.isLow ? low : high)"
            }
            return "Nothing to change: \(words.timed(now)) is within what it should be, \(range)."
        }
        let state = words["\(id).last"].map { "It was last measured as \(words.timed($0)). " } ?? ""
        if let swing = swing(id, limits) { return "\(state)\(swing.sentenceCased)" }
        if let past = beyond(id, limits) {
            return "\(state)\(past.text.sentenceCased). \(past.isLow ? low : high)"
        }
        guard let mean = words["\(id).mean_24h"] ?? words["\(id).mean_14d"] else {
            return state.isEmpty
                ? "Have it measured: it was not \(fortnight). It should be \(range)."
                : "\(state)See that it is measured again; it should be \(range)."
        }
        let span = mean.id.hasSuffix("24h") ? day(mean) : fortnight(mean)
        return
            "\(state)Nothing to change as far as is known: \(span) it was \(words.value(mean)) on average, and it should "
            + "be \(range)."
    }

    /// That it went beyond both ends in the last day.
    private func swing(_ id: String, _ limits: CareLimits) -> String? {
        guard let min = limits.min, let max = limits.max, let low = words["\(id).min_24h"],
            let high = words["\(id).max_24h"], let least = low.value, let most = high.value,
            least < min.value ?? least, most > max.value ?? most
        else { return nil }
        return
            "\(day(low)) it swung between \(words.value(low)), \(below(min)), and \(words.value(high)), \(above(max)): find "
            + "a place where it is steadier, away from radiators, draughts and the midday sun."
    }

    struct Past {
        let text: String
        let isLow: Bool
        let limit: CareFact
        /// Of the last day, not of the last 14.
        let isOfDay: Bool
    }

    /// How far it went beyond a limit lately: in the last day, else by the mean of the last days.
    func beyond(_ id: String, _ limits: CareLimits) -> Past? {
        let lows = [("min_24h", "it went down to"), ("mean_14d", "the average was")]
        let highs = [("max_24h", "it went up to"), ("mean_14d", "the average was")]
        for ((low, fell), (high, rose)) in zip(lows, highs) {
            let isOfDay = low == "min_24h"
            let time = { (fact: CareFact) in isOfDay ? day(fact) : fortnight(fact) }
            if let min = limits.min, let fact = words["\(id).\(low)"], let value = fact.value,
                value < min.value ?? value
            {
                return Past(
                    text: "\(time(fact)) \(fell) \(words.value(fact)), \(below(min))", isLow: true, limit: min,
                    isOfDay: isOfDay)
            }
            if let max = limits.max, let fact = words["\(id).\(high)"], let value = fact.value,
                value > max.value ?? value
            {
                return Past(
                    text: "\(time(fact)) \(rose) \(words.value(fact)), \(above(max))", isLow: false, limit: max,
                    isOfDay: isOfDay)
            }
        }
        return nil
    }

    private func unjudged(_ id: String) -> String {
        guard let fact = words["\(id).now"] ?? words["\(id).last"] else {
            return "Nothing can be said: it was not measured \(fortnight), and how it should be is not known."
        }
        return "Whether \(words.timed(fact)) is right is not known: \(toJudge)."
    }

    /// What to do about something that cannot be judged.
    var toJudge: String { words["species.name"] == nil ? "set limits or name the species" : "set limits" }
}
