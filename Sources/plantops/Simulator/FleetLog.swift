import Foundation

/// What the fleet says while it runs, to standard error. Belongs to the fleet's thread.
final class FleetLog {
    private let isQuiet: Bool
    private let report: @Sendable (String) -> Void
    private var nextProgress = 0.0
    private var nextTrouble = 0.0
    private var last = FleetSummary()
    private var lastTime = 0.0
    /// What last ended a connection, or kept it from coming about.
    private(set) var lastTrouble: String?

    private static let progressSeconds = 5.0
    private static let troubleSeconds = 5.0

    init(isQuiet: Bool, report: @escaping @Sendable (String) -> Void) {
        self.isQuiet = isQuiet
        self.report = report
    }

    /// Something a person may like to know.
    func say(_ text: String) { if !isQuiet { report(text) } }

    func warn(_ text: String) { report(text) }

    /// A connection that failed; one line in five seconds, since with a broker gone they all do.
    func trouble(_ text: String, now: Double) {
        lastTrouble = text
        guard now >= nextTrouble else { return }
        nextTrouble = now + Self.troubleSeconds
        report(text)
    }

    func progress(_ summary: FleetSummary, online: @autoclosure () -> Int, now: Double) {
        guard !isQuiet, now >= nextProgress else { return }
        defer {
            nextProgress = now + Self.progressSeconds
            (last, lastTime) = (summary, now)
        }
        guard lastTime > 0 else { return }
        let rate = Double(summary.acknowledged - last.acknowledged) / (now - lastTime)
        report(
            """
            \(online())/\(summary.devices) online, \(summary.acknowledged) of \(summary.published) acknowledged, \
            \((rate * 10).rounded() / 10)/s, \(summary.resent) resent, \(summary.dropped) dropped
            """)
    }
}
