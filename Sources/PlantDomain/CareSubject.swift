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
    /// For ``soilMoistureMinimum(at:)``; nil when nobody has looked. Only then the pace of the last days is gone by.
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

/// What the outlook of drying says of the lower limit that advice goes by.
package struct CareDrying: Sendable, Equatable {
    /// The lower limit of soil moisture it was asked for, in %; nil: none is known.
    package let minimum: Double?
    /// When it will be reached; nil with a reason.
    package let reachesMinimumAt: Timestamp?
    package let reason: DryingOutlook.Reason?
    /// The newest value of the device that says first that it is too dry, in %.
    package let value: LatestTelemetry.Value?
    /// τ of θ(t) = θr + (θ0−θr)·exp(−t/τ), in seconds; nil when nothing is known of how it dries.
    package let timeConstant: Double?
    /// θr, %.
    package let residual: Double?

    package init(
        minimum: Double?, reachesMinimumAt: Timestamp?, reason: DryingOutlook.Reason? = nil,
        value: LatestTelemetry.Value? = nil, timeConstant: Double? = nil, residual: Double? = nil
    ) {
        self.minimum = minimum
        self.reachesMinimumAt = reachesMinimumAt
        self.reason = reason
        self.value = value
        self.timeConstant = timeConstant
        self.residual = residual
    }

    package init(_ outlook: DryingOutlook) {
        var value: LatestTelemetry.Value?
        if let known = outlook.value, let time = outlook.measuredAt {
            value = LatestTelemetry.Value(value: known, time: time)
        }
        self.init(
            minimum: outlook.minimum, reachesMinimumAt: outlook.prediction?.reachesMinimumAt, reason: outlook.reason,
            value: value, timeConstant: outlook.basis?.timeConstant, residual: outlook.basis?.residual)
    }

    /// How long the soil takes from one moisture to another, in days; nil: that is not known, or it never gets there.
    func days(from moisture: Double, to minimum: Double) -> Double? {
        guard let timeConstant, let residual, timeConstant.isFinite, residual.isFinite else { return nil }
        return PlantScience.dryingTime(
            from: moisture, to: minimum, residual: residual, timeConstant: timeConstant
        ).map { $0 / HealthTrend.daySeconds }
    }
}

extension CareSubject {
    /// The lower limit of soil moisture that advice goes by, the plant's own or else its species', in %; nil: none.
    package func soilMoistureMinimum(at now: Timestamp) -> Double? {
        var gathering = CareGathering(self, at: now)
        gathering.gatherLimits()
        return gathering.limits(of: Metric.soilMoisture.name).min?.value
    }
}
