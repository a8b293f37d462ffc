/// When the next attempt to sign in is looked at.
///
/// Three counts, because each alone can be got round or turned against the owner: one account from one address, one
/// address against all accounts, and one account from everywhere. A place from which the account was signed in to before
/// (an address, or better the cookie of a session there) has a count of its own instead: whoever attacks the account cannot lock out
/// its owner there.
package enum SignInThrottle: String, Sendable, CaseIterable {
    /// An account from a place it was signed in to from.
    case knownPlace
    case accountAndAddress
    case address
    case account

    /// What was counted, of attempts that did not succeed.
    package struct Count: Sendable, Equatable {
        package var attempts: Int
        package var firstAt: Timestamp
        package var lastAt: Timestamp

        package init(attempts: Int, firstAt: Timestamp, lastAt: Timestamp) {
            self.attempts = attempts
            self.firstAt = firstAt
            self.lastAt = lastAt
        }
    }

    /// Attempts that are looked at without a pause.
    private var free: Int {
        switch self {
        case .knownPlace, .accountAndAddress: 10
        case .address: 30
        case .account: 100
        }
    }

    /// After this long without attempts, or since the first of them, counting begins anew; in seconds.
    package var windowSeconds: Double {
        switch self {
        case .knownPlace, .accountAndAddress: 3600
        case .address: 900
        case .account: 3600
        }
    }

    private static let longestPauseSeconds = 900.0

    /// Whether what was counted no longer matters.
    package func isOver(_ count: Count, now: Timestamp) -> Bool {
        let since =
            switch self {
            case .knownPlace, .accountAndAddress: count.lastAt
            case .address, .account: count.firstAt
            }
        let elapsed = now.seconds(since: since)
        // A clock that was set back must not keep anybody out until it has caught up.
        return elapsed >= windowSeconds || elapsed < -60
    }

    /// Seconds to wait before another attempt is looked at; 0 for none. An attempt that has to wait counts for nothing,
    /// so trying again all the time does not prolong the wait.
    package func wait(_ count: Count, now: Timestamp) -> Double {
        guard !isOver(count, now: now), count.attempts >= free else { return 0 }
        switch self {
        case .knownPlace, .accountAndAddress:
            // 1 s, 2 s, 4 s … up to 15 minutes.
            let pause = count.attempts - free >= 10 ? Self.longestPauseSeconds : Double(1 << (count.attempts - free))
            return max(0, min(pause, Self.longestPauseSeconds) - max(0, now.seconds(since: count.lastAt)))
        case .address, .account:
            return max(0, windowSeconds - max(0, now.seconds(since: count.firstAt)))
        }
    }
}
