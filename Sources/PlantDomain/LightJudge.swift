/// Judges the light of completed local days, one after the other. One gloomy day is weather: two in a row fire, and two
/// good ones end it.
package struct LightJudge: Sendable {
    package struct Finding: Sendable, Equatable {
        package let direction: LimitDirection
        package let change: ConditionState.Change
        /// Of the day, in lx as limits are given: see ``LightSum/level``.
        package let level: Double
        package let limit: Double
    }

    private struct Track {
        var state = ConditionState()
        /// Start of the first day beyond the limit.
        var since = Timestamp(microseconds: 0)
    }

    private let rules: (min: LimitRule?, max: LimitRule?)
    private var low = Track()
    private var high = Track()
    private var days: Int64 = 0

    /// - Parameter firing: what fires before the first day, and since when.
    package init(_ rules: PlantRules, firing: [(direction: LimitDirection, since: Timestamp)] = []) {
        self.rules = rules.light
        for (direction, since) in firing {
            let track = Track(state: .firing, since: since)
            if direction == .min { low = track } else { high = track }
        }
    }

    /// - Parameters:
    ///   - level: nil when too little of the day was measured: it neither begins nor ends anything, but days on both
    ///     sides of it are not in a row.
    ///   - day: the one after the day before, gaps filled with nil.
    package mutating func judge(_ day: LocalDay, level: Double?) -> [Finding] {
        days += 1
        return Self.judge(day, level, rules.min, days, &low) + Self.judge(day, level, rules.max, days, &high)
    }

    private static func judge(
        _ day: LocalDay, _ level: Double?, _ rule: LimitRule?, _ number: Int64, _ track: inout Track
    ) -> [Finding] {
        guard let rule else { return [] }
        guard let level else {
            track.state.interrupt()
            return []
        }
        // The machine counts days here, as if they were seconds.
        let time = Timestamp(microseconds: number * 1_000_000)
        guard let change = track.state.judge(level, at: time, by: rule, forSeconds: 1) else { return [] }
        switch change {
        case .began: track.since = day.start
        case .fired(_, let severity):
            return [finding(.fired(since: track.since, severity), level, rule)]
        case .escalated: return [finding(.escalated(since: track.since), level, rule)]
        case .resolved: return [finding(.resolved(since: track.since), level, rule)]
        case .lapsed: track = Track()
        }
        return []
    }

    private static func finding(_ change: ConditionState.Change, _ level: Double, _ rule: LimitRule) -> Finding {
        Finding(direction: rule.direction, change: change, level: level, limit: rule.limit)
    }
}
