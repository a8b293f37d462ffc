extension BuiltInWriter {
    var name: String { words["plant.name"]?.text ?? "The plant" }

    var summary: String {
        let worst = alerts
        var sentences = [opening(hasIssues: !worst.isEmpty)]
        if let first = worst.first ?? off.first { sentences.append(first) }
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
        let isOff = hasIssues || !off.isEmpty
        return switch words["plant.status"]?.text.flatMap({ PlantStatus(rawValue: $0) }) {
        case .critical: "\(name) needs help now."
        case .warning: "\(name) needs attention."
        case .stale: "How \(name) is now (\(now)) is not known."
        case .unknown, nil:
            if isOff {
                "\(name) needs attention (\(now))."
            } else if let typical {
                "\(name) is as is \(typical), as far as it is measured (\(now))."
            } else {
                "There are no limits to judge \(name) by (\(now))."
            }
        case .ok where isBeyondOwn: "\(name) needs attention (\(now))."
        case .ok where isOff: "\(name) is within your limits (\(now)), but something needs attention."
        case .ok where isJustWatered:
            "\(name) is wet after its watering; all else that has limits is within them (\(now))."
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

    /// What says how anything that was measured should be, if those are not limits of its own.
    private var typical: String? {
        let judged = [Metric.soilMoisture, .temperature, .humidity, .lightLevel].filter { metric in
            ["\(metric.name).now", "\(metric.name).mean_24h", metric == .lightLevel ? "light.mean_14d" : ""].contains {
                words[$0] != nil
            }
        }.flatMap { metric in
            let limits = words.limits(of: metric.name)
            return [limits.min, limits.max].compactMap { $0 }
        }
        if judged.contains(where: { $0.kind == .species && $0.id.contains(".species_") }) {
            return "typical for its species"
        }
        return judged.isEmpty ? nil : "usual for house plants"
    }

    // MARK: What is not as it should be

    /// As sentences, the most urgent first.
    private var off: [String] {
        [Metric.soilMoisture, .temperature, .humidity, .lightLevel].compactMap { off($0)?.text }
            + firing.map { alert in
                let end = alert.id.hasSuffix(".\(LimitDirection.min.rawValue)") ? "low" : "high"
                let since = alert.time.map { " of \(words.time($0))" } ?? ""
                return "The alert\(since) that \(words.metric(alert)) is too \(end) is not over yet."
            }
    }

    private var firing: [CareFact] { facts.facts.filter { $0.id.hasPrefix("alert.") } }

    /// Whether a limit of the plant's own was passed, of light by the days, or an alert goes on.
    private var isBeyondOwn: Bool {
        !firing.isEmpty
            || [Metric.soilMoisture, .temperature, .humidity, .lightLevel].contains {
                off($0)?.limit.kind == .limit
            }
    }

    private func off(_ metric: Metric) -> (text: String, limit: CareFact)? {
        switch metric {
        case .lightLevel:
            guard let base = lightBase, let limit = passed(base.value, of: metric.name) else { return nil }
            return ("Its light, \(lightLevel(base)), is \(limit.text).", limit.limit)
        case .soilMoisture:
            guard words["\(metric.name).suspect"] == nil, let now = driest ?? words["\(metric.name).now"],
                let limit = passed(now.value, of: metric.name), !(limit.isHigh && isJustWatered)
            else { return nil }
            return ("Its soil moisture, \(words.timed(now))\(at(now)), is \(limit.text).", limit.limit)
        default:
            if let now = words["\(metric.name).now"], let limit = passed(now.value, of: metric.name) {
                return ("Its \(Wording.metric(metric.name)), \(words.timed(now)), is \(limit.text).", limit.limit)
            }
            guard let past = beyond(metric.name, words.limits(of: metric.name)),
                // What is typical may be passed for an hour; cold may not.
                past.limit.kind == .limit || !past.isOfDay || metric == .temperature && past.isLow
            else { return nil }
            return ("Of its \(Wording.metric(metric.name)): \(past.text).", past.limit)
        }
    }

    private func passed(_ value: Double?, of id: String) -> (text: String, limit: CareFact, isHigh: Bool)? {
        let limits = words.limits(of: id)
        guard let value else { return nil }
        if let min = limits.min, value < min.value ?? value { return (below(min), min, false) }
        if let max = limits.max, value > max.value ?? value { return (above(max), max, true) }
        return nil
    }
}
