/// Everything that advice rests on.
package struct CareSubject: Sendable {
    package let health: HealthSubject
    /// The species the plant's text names, one's own before the built-in ones; nil when it names none.
    package let species: Species?
    package let zone: KnownTimeZone
    /// The last 14 local days, today so far among them, by name of metric, each in the order of days.
    package let days: [String: [CareDay]]
    /// The last 14 completed local days that anything is known of, in their order.
    package let light: [CareLightDay]
    /// Of the last 60 days, oldest first, detected or entered.
    package let waterings: [Timestamp]
    /// On the newest plan that has any.
    package let feedback: [CareFeedback]
    /// From the forecast of drying; nil when it cannot be told. Without it the pace of the last days is gone by.
    package var drying: CareDrying?

    package init(
        health: HealthSubject, species: Species?, zone: KnownTimeZone, days: [String: [CareDay]],
        light: [CareLightDay], waterings: [Timestamp], feedback: [CareFeedback],
        drying: CareDrying? = nil
    ) {
        self.health = health
        self.species = species
        self.zone = zone
        self.days = days
        self.light = light
        self.waterings = waterings
        self.feedback = feedback
        self.drying = drying
    }
}

/// What was measured of a metric on a local day.
package struct CareDay: Sendable, Equatable {
    package let day: LocalDay
    package let mean: Double
    package let min: Double
    package let max: Double
    /// How many hours of the day were measured.
    package let hours: Double

    package init(day: LocalDay, mean: Double, min: Double, max: Double, hours: Double) {
        self.day = day
        self.mean = mean
        self.min = min
        self.max = max
        self.hours = hours
    }
}

/// The light of a completed local day.
package struct CareLightDay: Sendable, Equatable {
    package let day: LocalDay
    package let light: LightSum

    package init(day: LocalDay, light: LightSum) {
        self.day = day
        self.light = light
    }
}

/// When soil moisture is foretold to reach the plant's lower limit.
package struct CareDrying: Sendable, Equatable {
    package let reachesMinimumAt: Timestamp
    /// Most likely it is between these.
    package let low: Timestamp
    package let high: Timestamp

    package init(reachesMinimumAt: Timestamp, low: Timestamp, high: Timestamp) {
        self.reachesMinimumAt = reachesMinimumAt
        self.low = low
        self.high = high
    }
}
