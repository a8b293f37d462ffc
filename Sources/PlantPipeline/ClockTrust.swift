package import PlantDomain

/// Whether the machine's clock can be right, before something is dropped for being old.
///
/// A small computer without a battery for its clock may wake up years ahead, until NTP has put that right. Its clock is
/// believed when it goes on from where it was last seen; after a longer pause, or a jump, when it has gone evenly for an
/// hour.
package struct ClockTrust: Sendable {
    /// A pause of so many seconds is nothing unusual.
    private static let usualPause = 86_400.0
    /// So many seconds it must have gone evenly otherwise.
    private static let probation = 3600.0
    /// How much it may differ from a clock that nobody sets, in seconds.
    private static let tolerance = 60.0

    /// Where it was when it was looked at last, and where when it was not believed any more.
    private var last: (wall: Timestamp, steady: Double)?
    private var doubtedAt: Double?

    package init() {}

    /// - Parameters:
    ///   - now: what the clock says.
    ///   - steady: seconds of a clock that nobody sets.
    ///   - seen: where it was before the program began; nil: it has never been looked at.
    package mutating func isTrusted(at now: Timestamp, steady: Double, lastSeen seen: Timestamp?) -> Bool {
        let hasJumped: Bool
        if let last {
            hasJumped = abs(now.seconds(since: last.wall) - (steady - last.steady)) > Self.tolerance
        } else {
            hasJumped = seen.map { abs(now.seconds(since: $0)) > Self.usualPause } ?? false
        }
        last = (now, steady)
        if hasJumped { doubtedAt = steady }
        guard let doubtedAt else { return true }
        if steady - doubtedAt < Self.probation { return false }
        self.doubtedAt = nil
        return true
    }
}
