package import PlantDomain
package import PlantStore

/// Judges the light of the days that are over. It keeps nothing of its own: what fires follows from the readings of the
/// last days, so a restart, or a day without the program, changes nothing.
package struct LightWatch: Sendable {
    /// Enough for two days in a row and what came before.
    private static let days = 14
    /// Late readings of the day before are waited for, in seconds.
    private static let graceSeconds = 1800.0
    private let store: Store

    package init(store: Store) { self.store = store }

    /// Judges the days up to yesterday, unless that has been done.
    package func judge(at now: Timestamp) async throws {
        let settings = try await store.alertSettings()
        let zone = KnownTimeZone(settings.timeZone) ?? .utc
        let yesterday = LocalDay.containing(now.adding(seconds: -Self.graceSeconds), in: zone).previous
        guard try await store.lightJudgedDay() != yesterday.description else { return }
        var first = yesterday
        for _ in 1..<Self.days { first = first.previous }
        for plant in try await store.plantsWithLightLimits() {
            let rules = PlantRules(plant.thresholds, hysteresisPercent: settings.hysteresisPercent).lightOnly
            let replay = try await store.replay(
                LimitReplay(plant: plant.id, rules: rules, forSeconds: 0, zone: zone, longestGap: LightDay.longestGap),
                metrics: rules.metrics, of: plant.id, from: first.start, to: yesterday.end)
            try await store.note(Self.findings(of: plant.id, rules, replay, at: now), at: now)
        }
        try await store.setLightJudgedDay(yesterday.description)
    }

    private static func findings(
        of plant: EntityID, _ rules: PlantRules, _ replay: LimitReplay, at now: Timestamp
    ) -> [AlertFinding] {
        [rules.light.min, rules.light.max].compactMap { $0 }.map { rule in
            let subject = AlertSubject(
                .threshold, plant: plant, metric: Metric.lightLevel.name, direction: rule.direction)
            let open = replay.episodes.last { $0.direction == rule.direction && $0.to == nil }
            return AlertFinding(
                subject, open.map { .fired(since: $0.from, $0.severity) } ?? .resolved(since: now),
                value: replay.lastLightLevel, limit: rule.limit, at: now)
        }
    }
}
