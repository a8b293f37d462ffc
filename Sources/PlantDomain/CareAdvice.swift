/// What a care plan says, in the shape people and scripts see it.
package struct CareAdvice: Sendable, Equatable, Codable {
    package struct Watering: Sendable, Equatable, Codable {
        /// How often.
        package var frequency: String
        /// How much.
        package var amount: String
        /// The day to look at it next; nil when that cannot be said.
        package var nextDate: LocalDayText?

        package init(frequency: String, amount: String, nextDate: LocalDayText?) {
            self.frequency = frequency
            self.amount = amount
            self.nextDate = nextDate
        }

        private enum CodingKeys: String, CodingKey {
            case frequency, amount
            case nextDate = "next_date"
        }

        /// `next_date` is there always, null when it cannot be said.
        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(frequency, forKey: .frequency)
            try container.encode(amount, forKey: .amount)
            try container.encode(nextDate, forKey: .nextDate)
        }
    }

    /// How something is, how it should be, and what to do about it.
    package struct Range: Sendable, Equatable, Codable {
        package var current: String
        package var ideal: String
        package var recommendation: String

        package init(current: String, ideal: String, recommendation: String) {
            self.current = current
            self.ideal = ideal
            self.recommendation = recommendation
        }
    }

    /// Longest texts, in UTF-16 units.
    package static let summaryLength = 600
    package static let textLength = 400
    package static let itemLength = 300
    /// Most alerts, and most tips.
    package static let mostItems = 10
    /// So many days ahead a next date may be.
    package static let longestAhead = 90

    package var summary: String
    package var watering: Watering
    package var light: Range
    package var humidity: Range
    package var temperature: Range
    /// What is wrong, the worst first.
    package var alerts: [String]
    package var tips: [String]

    package init(
        summary: String, watering: Watering, light: Range, humidity: Range, temperature: Range, alerts: [String],
        tips: [String]
    ) {
        self.summary = summary
        self.watering = watering
        self.light = light
        self.humidity = humidity
        self.temperature = temperature
        self.alerts = alerts
        self.tips = tips
    }
}

/// A day of the calendar as text, `2026-11-21`: of which place, others have to know.
package struct LocalDayText: Hashable, Comparable, Sendable {
    package let text: String

    /// - Returns: nil for what is no day of the years 0000…9999 written with ten characters.
    package init?(_ text: String) {
        guard text.utf8.count == 10, Timestamp(rfc3339: text + "T00:00:00Z") != nil else { return nil }
        self.text = text
    }

    package init(_ day: LocalDay) { text = day.description }

    /// So many days later by the calendar, earlier if negative; nil beyond the years 0000…9999.
    package func adding(days: Int) -> LocalDayText? {
        guard let start = Timestamp(rfc3339: text + "T00:00:00Z") else { return nil }
        return LocalDayText(String(start.adding(seconds: Double(days) * 86_400).rfc3339.prefix(10)))
    }

    /// Days of the calendar from another day to this one.
    package func days(since other: LocalDayText) -> Int {
        guard let start = Timestamp(rfc3339: other.text + "T00:00:00Z"),
            let end = Timestamp(rfc3339: text + "T00:00:00Z")
        else { return 0 }
        return Int(end.seconds(since: start) / 86_400)
    }

    /// As the days come, since years have four digits.
    package static func < (left: LocalDayText, right: LocalDayText) -> Bool { left.text < right.text }
}

extension LocalDayText: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let day = LocalDayText(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a day")
        }
        self = day
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension CareAdvice {
    /// With every text on one line and no longer than it may be, and no more items than there may be.
    package var bounded: CareAdvice {
        let line = { (text: String, most: Int) in Wording.cut(Wording.oneLine(text), to: most) }
        let range = { (range: Range) in
            Range(
                current: line(range.current, Self.textLength), ideal: line(range.ideal, Self.textLength),
                recommendation: line(range.recommendation, Self.textLength))
        }
        let items = { (items: [String]) in items.prefix(Self.mostItems).map { line($0, Self.itemLength) } }
        return CareAdvice(
            summary: line(summary, Self.summaryLength),
            watering: Watering(
                frequency: line(watering.frequency, Self.textLength), amount: line(watering.amount, Self.textLength),
                nextDate: watering.nextDate),
            light: range(light), humidity: range(humidity), temperature: range(temperature), alerts: items(alerts),
            tips: items(tips))
    }
}
