extension BuiltInWriter {
    /// What is worth knowing, the most important first.
    var tips: [String] {
        var tips = contradictions + doubts + disagreement
        tips += feedback + scorch + salty
        tips += issues(["info"]).compactMap(hint)
        tips += silent + missing + unnamed + season
        return Array(tips.prefix(CareAdvice.mostItems))
    }

    private func hint(_ issue: CareFact) -> String? {
        switch issue.id {
        case "issue.info.\(HealthIssue.Kind.noLimits.rawValue)":
            let basis = words["species.name"] == nil ? "usual for house plants" : "typical for its species"
            return
                "You have set no limits for this plant (as of \(now)), so no alert can be raised; this plan goes by what is "
                + "\(basis)."
        case "issue.info.\(HealthIssue.Kind.lightOfDay.rawValue).\(Metric.lightLevel.name)" where isDarkOrBright:
            // It is not one day alone.
            return nil
        default: return sentence(issue)
        }
    }

    /// By the mean of the days.
    private var isDarkOrBright: Bool {
        guard let value = words["light.mean_14d"]?.value else { return false }
        let limits = words.limits(of: Metric.lightLevel.name)
        return value < limits.min?.value ?? value || value > limits.max?.value ?? value
    }

    /// Salts of fertilizer and of hard water stay when water dries.
    private var salty: [String] {
        let name = Metric.soilEC.name
        guard let now = words["\(name).now"], let value = now.value, let max = words.limits(of: name).max,
            value > max.value ?? value
        else { return [] }
        return [
            "Soil EC is \(words.timed(now)), \(above(max)): give no fertilizer for now, and rinse the soil with plenty of clear "
                + "water that can run off below."
        ]
    }

    /// Which of several devices is right cannot be told.
    private var disagreement: [String] {
        let soil = Metric.soilMoisture.name
        guard let dry = words["\(soil).driest"], let wet = words["\(soil).wettest"] else { return [] }
        return [
            "The devices in the pot disagree on soil moisture: \(words.timed(wet))\(at(wet)), "
                + "\(words.timed(dry))\(at(dry)). See whether both stand in the soil down to their line, and calibrate them."
        ]
    }

    /// From this on leaves of the shade scorch, in lx over twelve hours.
    private static let brightShade = 10_000.0

    private var scorch: [String] {
        guard words["species.light"]?.text == LightClass.shade.rawValue, let base = lightBase,
            let value = base.value, value >= Self.brightShade, words.limits(of: Metric.lightLevel.name).max == nil
        else { return [] }
        return [
            "Its species is one of the shade (typical for the species), and \(lightLevel(base)) is much for it: keep direct "
                + "midday sun off its leaves."
        ]
    }

    private var contradictions: [String] {
        let subjects = facts.facts.filter { $0.id.hasSuffix(".limit_min") }.map { String($0.id.dropLast(10)) }
        return subjects.compactMap { id in
            contradiction(id, words.limits(of: id)).map { "\($0) Neither is gone by here; set them anew." }
        }
    }

    private var doubts: [String] {
        // Why, the watering says.
        guard let suspect = words["\(Metric.soilMoisture.name).suspect"], doubt(suspect) != nil else { return [] }
        return ["Calibrate the soil moisture probe dry and wet, and put it in the soil down to its line."]
    }

    private var feedback: [String] {
        facts.facts.filter { $0.id.hasPrefix("feedback.") }.compactMap { fact in
            guard let time = fact.time else { return nil }
            let item = fact.id.dropFirst("feedback.".count)
            let what = item == "plan" ? "the plan" : "the advice on \(item)"
            return
                "On \(words.day(of: time)) \(what) was marked as not helpful. If the range it goes by does not suit this "
                + "plant, set limits of your own; they go first."
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
