/// How alerts are judged and told, for the whole instance.
package struct AlertSettings: Sendable, Equatable, Codable {
    /// How long a value must be beyond its limit before it fires, and back before it is over; 0: at the first reading.
    package var forSeconds = 120
    /// Least time between two notices that the same thing fires, and until the first reminder; 0: no reminders.
    package var cooldownMinutes = 60
    /// How far back a value must come, in percent of the limit it crossed.
    package var hysteresisPercent = 5.0
    package var quietHours: QuietHours?
    /// Whether what came during quiet hours is told in one message at their end, also what is over by then.
    package var digest = false
    /// IANA name; where the plants' days begin and end.
    package var timeZone = "UTC"

    package static let forSecondsRange = 0...86_400
    package static let cooldownMinutesRange = 0...10_080
    package static let hysteresisPercentRange = 0.0...50.0

    enum CodingKeys: String, CodingKey {
        case digest
        case forSeconds = "for_seconds"
        case cooldownMinutes = "cooldown_minutes"
        case hysteresisPercent = "hysteresis_percent"
        case quietHours = "quiet_hours"
        case timeZone = "time_zone"
    }

    package init() {}

    /// What is missing is as it is at first: older versions knew fewer fields.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        forSeconds = try container.decodeIfPresent(Int.self, forKey: .forSeconds) ?? forSeconds
        cooldownMinutes = try container.decodeIfPresent(Int.self, forKey: .cooldownMinutes) ?? cooldownMinutes
        hysteresisPercent = try container.decodeIfPresent(Double.self, forKey: .hysteresisPercent) ?? hysteresisPercent
        // A zone that this machine does not know any more must not take the other settings along.
        quietHours = try? container.decodeIfPresent(QuietHours.self, forKey: .quietHours)
        digest = try container.decodeIfPresent(Bool.self, forKey: .digest) ?? digest
        timeZone = try container.decodeIfPresent(String.self, forKey: .timeZone) ?? timeZone
    }
}
