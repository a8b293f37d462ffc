extension BuiltInWriter {
    /// What is worth knowing, the most important first.
    var tips: [String] {
        var tips = contradictions + doubts
        tips += feedback
        tips += issues(["info"]).map(hint)
        tips += silent + missing + unnamed + season
        return Array(tips.prefix(CareAdvice.mostItems))
    }

    private func hint(_ issue: CareFact) -> String {
        guard issue.id == "issue.info.\(HealthIssue.Kind.noLimits.rawValue)", words["species.name"] != nil else {
            return sentence(issue)
        }
        return
            "No limits are set for this plant (as of \(now)), so nobody is alerted: take those that are typical for its "
            + "species to begin with."
    }

    private var contradictions: [String] {
        let subjects = facts.facts.filter { $0.id.hasSuffix(".limit_min") }.map { String($0.id.dropLast(10)) }
        return subjects.compactMap { id in
            contradiction(id, words.limits(of: id)).map { "\($0) Neither is gone by here; set them anew." }
        }
    }

    private var doubts: [String] {
        guard let suspect = words["\(Metric.soilMoisture.name).suspect"], let doubt = doubt(suspect) else { return [] }
        return ["\(doubt) Calibrate it dry and wet, and put it in the soil down to its line."]
    }

    private var feedback: [String] {
        facts.facts.filter { $0.id.hasPrefix("feedback.") }.compactMap { fact in
            guard let time = fact.time else { return nil }
            let item = fact.id.dropFirst("feedback.".count)
            let what = item == "plan" ? "the plan" : "the advice on \(item)"
            return
                "You said on \(words.day(of: time)) that \(what) did not help: limits of your own go before everything "
                + "else in it, so set those that are not right."
        }
    }

    /// What is measured, but not of late and without limits: of what has limits an alert tells.
    private var silent: [String] {
        let known = Set(issues(["critical", "warning"]).compactMap(\.metric))
        let facts = CareGathering.plantMetrics.compactMap { words["\($0.name).last"] }
            .filter { !known.contains($0.metric ?? "") }
        guard !facts.isEmpty else { return [] }
        let values = facts.prefix(3).map { "\(words.metric($0)) \(words.timed($0))" }.joined(separator: ", ")
        return ["Measured last, and not of late: \(values). Look after the device: its battery, its Wi-Fi."]
    }

    private var missing: [String] {
        let core: [Metric] = [.soilMoisture, .temperature, .humidity, .lightLevel]
        let names = core.filter { metric in
            !["now", "last", "mean_24h", "mean_14d"].contains { words["\(metric.name).\($0)"] != nil }
                && words["light.yesterday"].map { $0.metric != metric.name } ?? true
        }.map { Wording.metric($0.name) }
        guard let last = names.last else { return [] }
        let list = names.count == 1 ? last : names.dropLast().joined(separator: ", ") + " and \(last)"
        return ["Not measured in the 14 days to \(now): \(list). A sensor for it would make this plan more certain."]
    }

    private var unnamed: [String] {
        if words["species.name"] != nil { return [] }
        guard let name = words["plant.species"]?.text else {
            return ["Name the plant's species: what is typical for it is then a starting point for limits."]
        }
        return [
            "Nothing is known of the species \(name): add it to the species, or take the name of one that is known."
        ]
    }

    /// Light that changes from one week to the next changes what is drunk.
    private var season: [String] {
        guard let change = words["light.change_14d"], let value = change.value, let mean = words["light.mean_14d"],
            abs(value) >= 0.25 * (mean.value ?? 0), value != 0
        else { return [] }
        let amount = "\(CareWords.number(abs(value))) \(change.unit ?? "")"
        return [
            value < 0
                ? "The last seven days before \(words.date(facts.today)) had \(amount) less light than the seven before: it "
                    + "will drink less, so go by the soil and not by the calendar."
                : "The last seven days before \(words.date(facts.today)) had \(amount) more light than the seven before: it "
                    + "will drink more, so look at the soil sooner."
        ]
    }
}
