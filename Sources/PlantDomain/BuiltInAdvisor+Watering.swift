extension BuiltInWriter {
    private var id: String { Metric.soilMoisture.name }
    private var limits: CareLimits { words.limits(of: id) }
    private var water: WaterClass? { words["species.water"]?.text.flatMap { WaterClass(rawValue: $0) } }

    var watering: CareAdvice.Watering { .init(frequency: frequency, amount: amount, nextDate: nextDate) }

    // MARK: When

    /// Never in the past.
    private var nextDate: LocalDayText? {
        guard let time = words["watering.next"]?.time else { return nil }
        let day = max(facts.today, LocalDayText(LocalDay.containing(time, in: words.zone)))
        return day.days(since: facts.today) <= CareAdvice.longestAhead ? day : nil
    }

    var nextSentence: String? {
        guard let day = nextDate, let next = words["watering.next"] else { return nil }
        let date = day == facts.today ? "today, \(words.date(day))" : "about \(words.date(day))"
        switch next.text {
        case "below_minimum": return "Water it \(date)."
        case "interval":
            if let due = words["watering.due"]?.time {
                return
                    "By the usual interval it was due on \(words.day(of: due)): feel the soil, and water it \(date), unless it is "
                    + "still moist."
            }
            return "By the usual interval the next watering is due \(date)."
        default:
            let limit = limits.min.map { " of \(words.value($0)) (\(words.origin($0)))" } ?? ""
            return "Soil moisture reaches its lower limit\(limit) \(date), as it dries now: water it then."
        }
    }

    // MARK: How often

    private var frequency: String {
        var sentences = [rhythm, last].compactMap { $0 }
        // Where there is a rhythm, summary and date tell.
        if rhythm == nil, let next = nextSentence, words["watering.next"]?.text != "below_minimum" {
            sentences.append(next)
        }
        if let habit { sentences.append(habit) }
        if sentences.isEmpty {
            return
                "Not known: no watering was noticed in the 60 days to \(now), how fast the soil dries is not known, and "
                + "neither is the species. Feel the soil every few days and water when its upper part is dry."
        }
        return sentences.joined(separator: " ")
    }

    private var rhythm: String? {
        if let interval = words["watering.interval"], let count = words["watering.count_60d"] {
            return
                "About every \(words.value(interval)), the median of the gaps between its waterings, "
                + "\(words.value(count)) in the 60 days to \(now)."
        }
        let cycle = words["watering.cycle"]
        if let cycle, let constant = words["\(id).time_constant"], let target = words["watering.target"],
            let min = limits.min
        {
            return
                "About every \(words.value(cycle)): as its soil has dried (slower and slower, with a time constant of "
                + "\(words.value(constant))), it takes so long from \(words.value(target)) to \(words.value(min)) "
                + "(\(words.origin(min)))."
        }
        if let gap = words["watering.gap"] {
            return
                "Between its two waterings in the 60 days to \(now) were \(words.value(gap)); how often it wants one is not "
                + "certain yet."
        }
        guard let drying = words["\(id).drying"] else { return nil }
        let pace =
            "Soil moisture falls by about \(words.value(drying)) (over \(CareWords.hours(drying.hours ?? 0)) to "
            + "\(words.time(drying.time ?? facts.at)))"
        guard let cycle, let target = words["watering.target"], let min = limits.min else { return "\(pace)." }
        return
            "About every \(words.value(cycle)): \(pace.prefix(1).lowercased() + pace.dropFirst()), so that long from "
            + "\(words.value(target)) to \(words.value(min)) (\(words.origin(min)))."
    }

    private var last: String? {
        guard let last = words["watering.last"], let time = last.time else {
            return rhythm == nil && water != nil ? "No watering was noticed in the 60 days to \(now)." : nil
        }
        let again = words["watering.grace"]?.text == "rise" ? ", and once more within the last day, it seems" : ""
        return "It was last watered \(words.time(time))\(again)."
    }

    private var habit: String? {
        // Once is enough.
        let isSaid = rhythm?.contains("typical for the species") == true
        return wants?.replacing(isSaid ? " (typical for the species)" : "", with: "")
    }

    private var wants: String? {
        switch water {
        case .low: "Its species needs little water: let most of the soil dry out first (typical for the species)."
        case .moderate:
            "Its species needs moderate water, when the upper part of the soil is dry (typical for the species)."
        case .high: "Its species needs much water: keep the soil evenly moist (typical for the species)."
        case nil: nil
        }
    }

    // MARK: How much

    private var amount: String {
        if let suspect = words["\(id).suspect"], let doubt = doubt(suspect) {
            return "\(doubt) Feel the soil, and water until a little runs out below if its upper part is dry."
        }
        if let driest, let value = driest.value { return amount(driest, value) }
        if let now = words["\(id).now"], let value = now.value { return amount(now, value) }
        let way =
            switch water {
            case .low:
                "Water thoroughly but seldom, until a little runs out below, and let most of the soil dry out again."
            case .moderate, nil: "Water until a little runs out below, and pour away what stands in the saucer."
            case .high: "Water until a little runs out below, before the soil is dry."
            }
        if let wateredLately {
            return "None now: it was watered \(wateredLately). Feel the soil in a day or two. \(way)"
        }
        guard let last = words["\(id).last"] else {
            return "How moist the soil is was not measured in the 14 days to \(now): feel it first. \(way)"
        }
        return
            "Soil moisture was last measured as \(words.timed(last)); what it is now is not known: feel the soil first. "
            + way
    }

    /// What one of several devices finds too dry, though the value of the pot is not.
    var driest: CareFact? {
        guard let driest = words["\(id).driest"], let value = driest.value, let min = limits.min?.value, value < min,
            words["\(id).now"]?.value.map({ $0 >= min }) ?? true, words["\(id).suspect"] == nil
        else { return nil }
        return driest
    }

    private func amount(_ now: CareFact, _ value: Double) -> String {
        let device = now.text.map { " at \($0)" } ?? ""
        let moisture = "Soil moisture is \(words.timed(now))\(device)"
        let target = words["watering.target"].map { " to bring it to about \(words.value($0))" }
        if let min = limits.min, value < min.value ?? value {
            if let wateredLately {
                return
                    "\(moisture), \(below(min)), although it was watered \(wateredLately): feel the soil first. Water may "
                    + "have run past soil that was too dry to take it up; then stand the pot in water for a while."
            }
            let enough = target ?? ", until a little runs out below"
            return
                "\(moisture), \(below(min)): water enough\(enough), in two or three rounds so that the soil takes it up, "
                + "and pour away what stands in the saucer."
        }
        if let max = limits.max, value > max.value ?? value {
            guard isJustWatered else {
                return "\(moisture), \(above(max)): no water now. Empty the saucer and let it dry."
            }
            let watered =
                wateredLately.map { "it was watered \($0)" }
                ?? words["\(id).min_24h"].map { "it was watered within the day, it seems (it was \(words.value($0)))" }
                ?? "it was watered within the day"
            return
                "\(moisture), \(above(max)): \(watered), so some of it still drains off. No more water now; empty the saucer."
        }
        guard let min = limits.min else {
            let range = words.ideal(limits).map { ", within what it should be: \($0)" } ?? ""
            return
                "\(moisture)\(range). How dry it may become is not known: set a lower limit. Until then water until a "
                + "little runs out below when the upper part of the soil is dry."
        }
        let later = target.map { "enough\($0)" } ?? "until a little runs out below"
        let range = words.ideal(limits) ?? ""
        return
            "None now: \(moisture.prefix(1).lowercased() + moisture.dropFirst()), within what it should be, \(range). "
            + "When it is down to \(words.value(min)), water \(later)."
    }

    /// What is too wet then still drains.
    var isJustWatered: Bool { words["watering.grace"] != nil }

    /// When, if in the last day.
    private var wateredLately: String? {
        guard let time = words["watering.last"]?.time, facts.at.seconds(since: time) < WateringTrace.graceSeconds else {
            return nil
        }
        return words.time(time)
    }

    /// Why what the probe says is not to be believed.
    func doubt(_ suspect: CareFact) -> String? {
        switch suspect.text {
        case "stays_at_0":
            words["\(id).max_24h"].map {
                "Soil moisture was never more than \(words.value($0)) \(day($0)): the probe may be out of the soil or not "
                    + "calibrated."
            }
        case "stays_at_100":
            words["\(id).min_24h"].map {
                "Soil moisture was never less than \(words.value($0)) \(day($0)): the probe may stand in water or not be "
                    + "calibrated."
            }
        default:
            words["\(id).max_14d"].map {
                let limit = limits.min.map { ", \(below($0))" } ?? ""
                return
                    "Although it was watered, soil moisture was never more than \(words.value($0)) \(fortnight)\(limit): "
                    + "the probe may not be calibrated, or the limit too high."
            }
        }
    }
}
