#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// When a pot will be too dry, going by how it dries now or, shortly after a watering, by how it dried before; or why
/// that cannot be told. docs/events.md has the rules.
package struct DryingOutlook: Sendable, Equatable {
    /// What one device measured in the pot.
    package struct Series: Sendable, Equatable {
        package let device: EntityID
        /// Soil moisture around the middle of each hour, in the order of time.
        package let hours: [LatestTelemetry.Value]
        /// The newest value; nil of a device that stands there no more.
        package let newest: LatestTelemetry.Value?
        /// How long it may be silent, in seconds.
        package let silenceAllowed: Double

        package init(
            device: EntityID, hours: [LatestTelemetry.Value], newest: LatestTelemetry.Value?, silenceAllowed: Double
        ) {
            self.device = device
            self.hours = hours
            self.newest = newest
            self.silenceAllowed = silenceAllowed
        }
    }

    /// Why it cannot be told. What says more about a pot comes first.
    package enum Reason: String, CaseIterable, Sendable {
        case alreadyDry = "already_dry"
        /// Further away than can be foretold, or never.
        case beyondHorizon = "beyond_horizon"
        case notDrying = "not_drying"
        case tooShort = "too_short"
        case stale
        case noLimit = "no_limit"
        case noData = "no_data"
    }

    /// `low` ≤ `reachesMinimumAt` ≤ `high`.
    package struct Prediction: Sendable, Equatable {
        package let reachesMinimumAt: Timestamp
        /// In about 80 % of cases it is between these.
        package let low: Timestamp
        package let high: Timestamp
    }

    /// What it rests on.
    package struct Basis: Sendable, Equatable {
        package enum Kind: String, CaseIterable, Sendable {
            case currentCycle = "current_cycle"
            case earlierCycles = "earlier_cycles"
        }

        package let kind: Kind
        /// τ of θ(t) = θr + (θ0−θr)·exp(−t/τ), in seconds.
        package let timeConstant: Double
        /// θr, %.
        package let residual: Double
        /// When the present cycle began to be measured.
        package let since: Timestamp
        /// How many cycles.
        package let cycles: Int
        /// Whole sentences.
        package let text: String

        package var timeConstantDays: Double { timeConstant / 86_400 }
    }

    /// The newest soil moisture, in %; nil: none is known.
    package let value: Double?
    package let measuredAt: Timestamp?
    /// Of the device that will say first that it is too dry.
    package let device: EntityID?
    /// The lower limit of soil moisture, in %.
    package let minimum: Double?
    package private(set) var prediction: Prediction?
    /// nil when nothing is known of how it dries.
    package private(set) var basis: Basis?
    /// nil with a prediction, and only then.
    package private(set) var reason: Reason?
    /// Of the reason, in whole sentences.
    package private(set) var reasonText: String?

    /// How far back is looked, in seconds.
    package static let spanSeconds = 35 * 86_400.0
    /// What is further away is not told, in seconds.
    static let horizonSeconds = 60 * 86_400.0
    /// A cycle says something by itself from here on, in seconds and points of the curve.
    static let leastSeconds = 6 * 3600.0
    static let leastPoints = 4
    /// A fall smaller than this is noise, in points.
    static let leastFall = 2 * Metric.soilMoisture.noiseFloor
    /// If it has not fallen by as much after this, it does not dry, in seconds.
    static let patienceSeconds = 2 * 86_400.0
    /// What does not dry out of usual soil, in %.
    static let usualResidual = 5.0
    /// A value is of now for an hour at least, in seconds: soil does not dry faster.
    private static let freshSeconds = 3600.0

    /// - Parameters:
    ///   - waterings: those that are known, in any order.
    ///   - minimum: the lower limit of soil moisture, %.
    package init(_ series: [Series], waterings: [Timestamp], minimum: Double?, at now: Timestamp) {
        let residual = Self.residual(series, minimum: minimum)
        let measured = series.map { one -> (series: Series, cycles: [DryingCycle]) in
            var points = one.hours.map { DryingFit.Point(time: $0.time, value: $0.value) }
            if let newest = one.newest, points.last.map({ newest.time > $0.time }) ?? true {
                points.append(DryingFit.Point(time: newest.time, value: newest.value))
            }
            return (one, DryingCycle.all(points, waterings: waterings))
        }
        // Of every device that ever stood there: it is the same soil.
        let earlier = measured.flatMap { one in
            (one.series.newest == nil ? one.cycles[...] : one.cycles.dropLast()).compactMap {
                Self.fit($0, residual: residual)
            }
        }.suffix(5).map(\.timeConstant)
        let outlooks = measured.filter { $0.series.newest != nil }.map {
            DryingOutlook($0.series, $0.cycles, earlier: earlier, residual: residual, minimum: minimum, at: now)
        }
        self =
            outlooks.min { $0.rank < $1.rank }
            ?? DryingOutlook(value: nil, device: nil, minimum: minimum, because: .noData, DryingWords.noData)
    }

    /// What comes first is the pot's: a limit counts as soon as one device is beyond it.
    private var rank: (Int, Timestamp, EntityID) {
        let order = reason.flatMap { Reason.allCases.firstIndex(of: $0) }
        // Too dry already, then what will be, then the rest.
        let place = order.map { $0 == 0 ? 0 : $0 + 1 } ?? 1
        return (
            place, prediction?.reachesMinimumAt ?? Timestamp(microseconds: 0),
            device ?? EntityID(high: 0, low: 0)
        )
    }

    private init(value: LatestTelemetry.Value?, device: EntityID?, minimum: Double?, because: Reason, _ text: String) {
        self.value = value?.value
        measuredAt = value?.time
        self.device = device
        self.minimum = minimum
        reason = because
        reasonText = text
    }

    private init(
        _ series: Series, _ cycles: [DryingCycle], earlier: [Double], residual: Double, minimum: Double?,
        at now: Timestamp
    ) {
        value = series.newest?.value
        measuredAt = series.newest?.time
        device = series.device
        self.minimum = minimum
        guard let newest = series.newest, let cycle = cycles.last else {
            (reason, reasonText) = (.noData, DryingWords.noData)
            return
        }
        let pace = Pace(cycle, earlier: earlier, residual: residual)
        basis = pace?.basis(cycle, newest: newest.value)
        guard let minimum else {
            (reason, reasonText) = (.noLimit, DryingWords.noLimit)
            return
        }
        let age = now.seconds(since: newest.time)
        if age > max(series.silenceAllowed, Self.freshSeconds) {
            (reason, reasonText) = (.stale, DryingWords.stale(newest.value, age: age))
        } else if newest.value <= minimum {
            (reason, reasonText) = (.alreadyDry, DryingWords.alreadyDry(newest.value, minimum))
        } else if let pace {
            predict(pace, newest, minimum, at: now)
        } else if cycle.seconds >= Self.patienceSeconds {
            (reason, reasonText) = (.notDrying, DryingWords.notDrying(cycle))
        } else {
            (reason, reasonText) = (.tooShort, DryingWords.tooShort(cycle))
        }
    }

    private mutating func predict(
        _ pace: Pace, _ newest: LatestTelemetry.Value, _ minimum: Double, at now: Timestamp
    ) {
        guard let span = pace.span(from: newest.value, to: minimum), span.middle <= Self.horizonSeconds else {
            (reason, reasonText) = (.beyondHorizon, DryingWords.beyondHorizon(minimum))
            return
        }
        func time(_ seconds: Double) -> Timestamp {
            max(now, newest.time.adding(seconds: min(seconds, Self.horizonSeconds)))
        }
        prediction = Prediction(
            reachesMinimumAt: time(span.middle), low: time(span.low), high: time(span.high))
    }

    /// Lower than anything that was measured and than what is to be foretold, or the curve would never get there.
    static func residual(_ series: [Series], minimum: Double?) -> Double {
        let lowest = series.flatMap { $0.hours + [$0.newest].compactMap { $0 } }.map(\.value).min()
        return max(0, min(usualResidual, (lowest ?? 100) - 2, (minimum ?? 100) - 2))
    }

    /// nil when too little is known of the cycle, or it does not dry.
    fileprivate static func fit(_ cycle: DryingCycle, residual: Double) -> DryingFit? {
        guard cycle.seconds >= leastSeconds, cycle.points.count >= leastPoints,
            let fit = DryingFit(cycle.points, residual: residual), fit.fall >= leastFall
        else { return nil }
        return fit
    }
}

/// How fast a pot dries, and how well that is known.
private struct Pace {
    let kind: DryingOutlook.Basis.Kind
    let residual: Double
    let cycles: Int
    /// τ in seconds.
    let timeConstant: Double
    let fastest: Double
    let slowest: Double
    /// In points.
    let spread: Double
    /// Of the present cycle, and what it goes by; nil when too little is known of it.
    private let fit: DryingFit?
    private let points: [DryingFit.Point]

    /// However well the past is known: weather and heating are not known ahead.
    private static let leastUncertainty = 0.1
    /// One cycle says little about the next.
    private static let uncertaintyOfOne = 0.3

    /// - Parameter earlier: τ of cycles before.
    init?(_ cycle: DryingCycle, earlier: [Double], residual: Double) {
        self.residual = residual
        points = cycle.points
        if let fit = DryingOutlook.fit(cycle, residual: residual) {
            (kind, cycles) = (.currentCycle, 1)
            timeConstant = fit.timeConstant
            (fastest, slowest) = (fit.fastest, fit.slowest)
            spread = max(fit.spread, Metric.soilMoisture.noiseFloor / 2)
            self.fit = fit
            return
        }
        // What does not dry for days does not dry as it did.
        guard cycle.seconds < DryingOutlook.patienceSeconds, let middle = TheilSen.median(earlier) else { return nil }
        (kind, cycles) = (.earlierCycles, earlier.count)
        timeConstant = middle
        let uncertainty = earlier.count == 1 ? Self.uncertaintyOfOne : 2 * Self.leastUncertainty
        fastest = min(earlier.min() ?? middle, middle * (1 - uncertainty))
        slowest = max(earlier.max() ?? middle, middle * (1 + uncertainty))
        spread = Metric.soilMoisture.noiseFloor
        fit = nil
    }

    /// Seconds until it is that dry, and between which bounds; nil: never.
    func span(from value: Double, to minimum: Double) -> (low: Double, middle: Double, high: Double)? {
        func seconds(_ value: Double, _ timeConstant: Double) -> Double? {
            PlantScience.dryingTime(from: value, to: minimum, residual: residual, timeConstant: timeConstant)
        }
        guard let middle = seconds(value, timeConstant),
            let soonest = seconds(value - spread, fastest)
        else { return nil }
        var low = min(soonest, middle * (1 - Self.leastUncertainty))
        var high = max(
            slowest.isFinite ? seconds(value + spread, slowest) ?? .infinity : .infinity,
            middle * (1 + Self.leastUncertainty))
        if let fit, fit.fall < 2 * (value - minimum) {
            // Until it has come two thirds of the way, other curves go through the same values: a straight line, which is
            // there earlier, and one that flattens sooner because more of the water never dries.
            if fit.pace > 0 { low = min(low, (value - minimum) / fit.pace) }
            let more = residual + (minimum - residual) / 3
            if let flatter = DryingFit(points, residual: more) {
                let latest = PlantScience.dryingTime(
                    from: value, to: minimum, residual: more, timeConstant: flatter.timeConstant)
                high = max(high, latest ?? .infinity)
            }
        }
        return (low, middle, high)
    }

    func basis(_ cycle: DryingCycle, newest: Double) -> DryingOutlook.Basis {
        DryingOutlook.Basis(
            kind: kind, timeConstant: timeConstant, residual: residual, since: cycle.start, cycles: cycles,
            text: kind == .currentCycle
                ? DryingWords.current(cycle, newest: newest, timeConstant)
                : DryingWords.earlier(cycles, timeConstant))
    }
}
