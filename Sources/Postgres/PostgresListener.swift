/// What a `NOTIFY` said.
package struct PostgresNotification: Sendable, Equatable {
    package let channel: String
    /// Less than 8000 bytes, as PostgreSQL has it; empty when there was none.
    package let payload: String

    package init(channel: String, payload: String) {
        self.channel = channel
        self.payload = payload
    }
}

/// Hears `NOTIFY` on a connection of its own. Every call blocks: for a thread of its own.
///
/// PostgreSQL keeps nothing for those who are not there: after an error something may have been missed, and whoever
/// listens anew has to look for himself.
package final class PostgresListener {
    private let connection: PostgresConnection
    private let checkSeconds: Double
    private var lastWord = monotonicSeconds()

    /// Listens from the moment this returns.
    /// - Parameters:
    ///   - checkSeconds: after this long without a word the server is asked whether it is still there. A connection
    ///     that was cut without a word (a pulled cable, a firewall that forgot it) looks just like a quiet one.
    ///   - patienceSeconds: how long it may take to answer.
    /// - Throws: `unavailable` with the server's own words.
    package init(
        _ options: PostgresOptions, channels: [String], checkSeconds: Double = 30, patienceSeconds: Double = 5
    ) throws(PostgresError) {
        self.checkSeconds = checkSeconds
        connection = try PostgresConnection(options)
        connection.patienceSeconds = patienceSeconds
        for channel in channels {
            // An identifier, not a value: it cannot be bound.
            try connection.execute("LISTEN \"\(channel.replacing("\"", with: "\"\""))\"")
        }
    }

    /// True once the connection cannot be used any more; then ``wait(milliseconds:)`` throws, too.
    package var isBroken: Bool { connection.isBroken }

    /// Waits for notifications, and returns as soon as there are any.
    /// - Returns: in the order in which they were committed; empty when the time is up.
    /// - Throws: `unavailable` when the connection is gone or the server does not answer.
    package func wait(milliseconds: Int32) throws(PostgresError) -> [PostgresNotification] {
        // Some may have come in along with an answer: the socket says nothing of those any more.
        let earlier = try connection.notifications()
        guard earlier.isEmpty else { return heard(earlier) }
        if connection.waitForInput(milliseconds: milliseconds) { return heard(try connection.notifications()) }
        if monotonicSeconds() - lastWord >= checkSeconds {
            try connection.execute("SELECT 1")
            lastWord = monotonicSeconds()
        }
        return []
    }

    private func heard(_ notifications: [PostgresNotification]) -> [PostgresNotification] {
        lastWord = monotonicSeconds()
        return notifications
    }
}
