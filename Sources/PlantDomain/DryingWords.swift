/// How people are told what an outlook rests on, or why there is none.
enum DryingWords {
    private static let metric = Metric.soilMoisture.name

    private static func percent(_ value: Double, apartFrom other: Double? = nil) -> String {
        Wording.number(value, of: metric, apartFrom: other)
    }

    private static func days(_ seconds: Double) -> String {
        let days = seconds / 86_400
        return Wording.rounded(days, decimals: days < 10 ? 1 : 0) + " days"
    }

    static func current(_ cycle: DryingCycle, newest: Double, _ timeConstant: Double) -> String {
        let since = cycle.isWatered ? "since the last watering" : "since it has been measured"
        let first = percent(cycle.points.first?.value ?? newest)
        return
            "Soil moisture fell from \(first) to \(percent(newest)) in the \(HealthWords.span(cycle.seconds)) \(since). "
            + "It is taken to go on along the same curve, slower and slower (time constant \(days(timeConstant)))."
    }

    static func earlier(_ cycles: Int, _ timeConstant: Double) -> String {
        let how =
            cycles == 1
            ? "as it did after the watering before" : "as it mostly did after the \(cycles) waterings before"
        return "Too little is known since the last watering, so the soil is taken to dry \(how) "
            + "(time constant \(days(timeConstant)))."
    }

    static let noData = "No device in this pot has measured soil moisture."

    static let noLimit = "No lower limit of soil moisture is set for this plant."

    static func stale(_ value: Double, age: Double) -> String {
        "Soil moisture was last measured \(HealthWords.span(age)) ago, as \(percent(value)); how it is now is not known."
    }

    static func alreadyDry(_ value: Double, _ minimum: Double) -> String {
        value == minimum
            ? "Soil moisture is \(percent(value)), its minimum."
            : "Soil moisture is \(percent(value, apartFrom: minimum)), below its minimum of "
                + "\(percent(minimum, apartFrom: value)) already."
    }

    static func notDrying(_ cycle: DryingCycle) -> String {
        "Soil moisture has not fallen in the last \(HealthWords.span(cycle.seconds)) by more than a sensor may be off."
    }

    static func tooShort(_ cycle: DryingCycle) -> String {
        let since = cycle.isWatered ? "since the last watering" : "since it has been measured"
        return "Too little is known \(since) to see how fast the soil dries, and nothing of how it dried before."
    }

    static func beyondHorizon(_ minimum: Double) -> String {
        "At this pace soil moisture does not fall to \(percent(minimum)) within \(Int(DryingOutlook.horizonSeconds / 86_400)) "
            + "days, if ever."
    }
}
