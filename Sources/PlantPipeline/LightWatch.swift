package import PlantDomain
package import PlantStore

/// Judges the light of the days that are over. It keeps nothing of its own: what fires follows from the open alerts and the
/// readings of the last days, so a restart, or a day without the program, changes nothing.
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
            let open = try await store.openLightAlerts(of: plant.id)
            let replay = try await store.replay(
                LimitReplay(
                    plant: plant.id, rules: rules, forSeconds: 0, zone: zone, longestGap: LightDay.longestGap,
                    firing: open),
                metrics: rules.metrics, of: plant.id, from: first.start, to: yesterday.end)
            try await store.note(Self.findings(of: plant.id, rules, replay, at: now), at: now)
        }
        try await store.setLightJudgedDay(yesterday.description)
    }

    private static func findings(
        of plant: EntityID, _ rules: PlantRules, _ replay: LimitReplay, at now: Timestamp
    ) -> [AlertFinding] {
        [rules.light.min, rules.light.max].compactMap { $0 }.compactMap { rule in
            // Days of which nothing is known end nothing.
            guard let episode = replay.episodes.last(where: { $0.direction == rule.direction }) else { return nil }
            let subject = AlertSubject(
                .threshold, plant: plant, metric: Metric.lightLevel.name, direction: rule.direction)
            return AlertFinding(
                subject,
                episode.to == nil
                    ? .fired(since: episode.from, episode.severity) : .resolved(since: episode.from),
                value: replay.lastLightLevel, limit: rule.limit, at: now)
        }
    }
}
