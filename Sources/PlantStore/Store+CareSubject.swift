package import PlantDomain
import Postgres

extension Store {
    /// How many extra metrics advice may rest on: those with limits first, then by name.
    private static let careExtras = 8
    /// How far back waterings say how often a plant wants one.
    private static let careWateringDays = 60.0

    /// Everything that advice of a plant rests on, over one connection.
    /// - Returns: nil when there is no such plant.
    package func careSubject(of id: EntityID, at now: Timestamp) async throws -> CareSubject? {
        try await pool.run { connection -> CareSubject? in
            let zone = KnownTimeZone(try Self.alertSettings(on: connection).timeZone) ?? .utc
            var days = [LocalDay.containing(now, in: zone)]
            while days.count <= Self.careDays { days.insert(days[0].previous, at: 0) }
            let completed = Array(days.dropLast())
            // An hour on each side that can still reach into the days.
            let from = days[0].start.adding(seconds: -LightDay.longestGap - 3600)
            guard
                let (health, hours) = try Self.healthSubject(of: id, at: now, in: zone, hoursFrom: from, on: connection)
            else { return nil }
            let buckets = (hours[Metric.lightLevel.name] ?? []).map {
                LightBucket(start: $0.start, width: 3600, lux: $0.mean)
            }
            let light = DailyLight.sums(of: completed, from: buckets).filter { $0.light.coverage > 0 }
            let limits = health.plant.thresholds
            let extras = Set(
                hours.keys.filter { Metric.named($0) == nil }
                    .sorted { (limits[$0] == nil ? 1 : 0, $0) < (limits[$1] == nil ? 1 : 0, $1) }
                    .prefix(Self.careExtras))
            var subject = CareSubject(
                health: health,
                species: health.plant.ownSpecies ?? health.plant.species.flatMap { SpeciesLibrary.builtIn(named: $0) },
                zone: zone,
                days: hours.filter { Metric.named($0.key) != nil || extras.contains($0.key) }
                    .mapValues { joined(to: days.dropFirst(), from: $0) }.filter { !$0.value.isEmpty },
                light: light.map { CareLightDay(day: $0.day, light: $0.light) },
                waterings: try Self.waterings(
                    of: id, since: now.adding(seconds: -Self.careWateringDays * 86_400), on: connection),
                feedback: try Self.newestCareFeedback(of: id, connection))
            subject.drying = CareDrying(
                try Self.dryingOutlook(
                    of: health.plant, minimum: subject.soilMoistureMinimum(at: now), at: now, on: connection))
            return subject
        }
    }
}

/// Joins hours to days, each hour counting the same. One that begins in one day and ends in the next (zones half an hour
/// off) belongs to that of its middle, and to the next when that is midnight.
/// - Parameters:
///   - days: in their order.
///   - hours: in theirs.
/// - Returns: the days of which any hour was measured.
private func joined(to days: some Sequence<LocalDay>, from hours: [HealthSubject.Hour]) -> [CareDay] {
    days.compactMap { day in
        let own = hours.filter { day.contains($0.start.adding(seconds: 1800)) }
        guard let min = own.map(\.min).min(), let max = own.map(\.max).max() else { return nil }
        return CareDay(
            day: day, mean: own.map(\.mean).reduce(0, +) / Double(own.count), min: min, max: max,
            hours: Double(own.count))
    }
}
