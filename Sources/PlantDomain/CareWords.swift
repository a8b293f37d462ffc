/// How values and times are said in care plans.
struct CareWords {
    let facts: CareFacts
    let zone: KnownTimeZone
    private let byID: [String: CareFact]

    init(_ facts: CareFacts) {
        self.facts = facts
        zone = KnownTimeZone(facts.zone) ?? .utc
        byID = Dictionary(facts.facts.map { ($0.id, $0) }) { first, _ in first }
    }

    subscript(id: String) -> CareFact? { byID[id] }

    func limits(of id: String) -> CareLimits { CareLimits(of: id) { self[$0] } }

    // MARK: Numbers

    /// `22 %`, `6 days`; nothing of a fact without a value.
    func value(_ fact: CareFact) -> String {
        guard let value = fact.value else { return "" }
        let number = Self.number(value)
        guard let unit = fact.unit else { return number }
        guard number == "1" else { return "\(number) \(unit)" }
        return "1 " + (unit == "days" ? "day" : unit == "points a day" ? "point a day" : unit)
    }

    /// Facts are rounded already.
    static func number(_ value: Double) -> String { Wording.rounded(value, decimals: 7) }

    /// `about 24 hours`, `1 hour`.
    static func hours(_ hours: Double) -> String { number(hours) == "1" ? "1 hour" : "\(number(hours)) hours" }

    /// `1 hour was measured`, `8 days were measured`.
    static func measured(_ hours: Double) -> String {
        guard hours >= 48 else { return "\(Self.hours(hours)) \(number(hours) == "1" ? "was" : "were") measured" }
        return "\(number((hours / 24).rounded())) days were measured"
    }

    // MARK: Times

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `21 Nov 14:05` where the instance is; with the year if it is not this one.
    func time(_ time: Timestamp) -> String {
        let clock = zone.wallClock(at: time).seconds
        let minutes = (clock - zone.wallClock(at: time).day * WallClock.secondsPerDay) / 60
        let padded = { (number: Int64) in number < 10 ? "0\(number)" : "\(number)" }
        return "\(date(days: zone.wallClock(at: time).day)) \(padded(minutes / 60)):\(padded(minutes % 60))"
    }

    /// `21 Nov`.
    func day(of time: Timestamp) -> String { date(LocalDayText(LocalDay.containing(time, in: zone))) }

    func date(_ day: LocalDayText) -> String {
        guard let start = Timestamp(rfc3339: day.text + "T00:00:00Z") else { return day.text }
        return date(days: KnownTimeZone.utc.wallClock(at: start).day)
    }

    private func date(days: Int64) -> String {
        let (year, month, day) = Timestamp.civil(days: days)
        let isThisYear = facts.today.text.hasPrefix("\(year)-")
        return "\(day) \(Self.months[Int(month) - 1])" + (isThisYear ? "" : " \(year)")
    }

    /// `2026-11-21 14:05` where the instance is.
    func plainTime(_ time: Timestamp) -> String {
        let clock = zone.wallClock(at: time)
        let text = Timestamp(seconds: Double(clock.seconds)).rfc3339
        return text.prefix(10) + " " + text.dropFirst(11).prefix(5)
    }

    /// `22 % (21 Nov 14:05)`.
    func timed(_ fact: CareFact) -> String {
        guard let time = fact.time else { return value(fact) }
        return "\(value(fact)) (\(self.time(time)))"
    }

    // MARK: Names and limits

    /// `soil moisture`.
    func metric(_ fact: CareFact) -> String { Wording.metric(fact.metric ?? "") }

    /// Who says so: `your limit`.
    func origin(_ limit: CareFact) -> String {
        if limit.kind == .limit { return "your limit" }
        return limit.id.contains(".usual_") ? "usual for house plants" : "typical for the species"
    }

    /// `25 % to 75 % (your limits)`, `at least 25 % (your limit)`; nil where nothing is known.
    func ideal(_ limits: CareLimits) -> String? {
        switch (limits.min, limits.max) {
        case (let min?, let max?) where origin(min) == origin(max):
            "\(value(min)) to \(value(max)) (\(min.kind == .limit ? "your limits" : origin(min)))"
        case (let min?, let max?): "\(value(min)) (\(origin(min))) to \(value(max)) (\(origin(max)))"
        case (let min?, nil): "at least \(value(min)) (\(origin(min)))"
        case (nil, let max?): "at most \(value(max)) (\(origin(max)))"
        case (nil, nil): nil
        }
    }
}

extension String {
    /// To begin a sentence with.
    var sentenceCased: String { prefix(1).uppercased() + dropFirst() }
}
