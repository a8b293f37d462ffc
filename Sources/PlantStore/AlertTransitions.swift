import Metrics
import PlantDomain

/// Counts what happens to alerts, once it is committed.
package enum AlertTransitions {
    /// Made at the first use, so after whoever measures has said that he does.
    private static let counters = Dictionary(
        uniqueKeysWithValues: AlertState.allCases.map { state in
            (state, Counter(label: "plantops_alert_transitions_total", dimensions: [("to", state.rawValue)]))
        })

    /// Lets all of them be there, with 0, before the first one counts.
    package static func prepare() { _ = counters }

    static func count(_ states: [AlertState: Int]) {
        for (state, count) in states { counters[state]?.increment(by: count) }
    }
}
