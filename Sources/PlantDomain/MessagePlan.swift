/// One line of a channel's outbox.
package struct WaitingNotification: Sendable, Equatable {
    package let id: EntityID
    package let alert: EntityID
    package let event: AlertEvent
    package let severity: AlertSeverity
    /// What may be told in one message.
    package let group: String
    /// Plant or device: of a group, a message about others says nothing about this one.
    package let about: EntityID?
    /// Since when it could have been told.
    package let since: Timestamp
    /// It came in quiet hours.
    package let isDeferred: Bool

    package init(
        id: EntityID, alert: EntityID, event: AlertEvent, severity: AlertSeverity, group: String, about: EntityID?,
        since: Timestamp, isDeferred: Bool
    ) {
        self.id = id
        self.alert = alert
        self.event = event
        self.severity = severity
        self.group = group
        self.about = about
        self.since = since
        self.isDeferred = isDeferred
    }
}

/// A message a channel got lately.
package struct RecentMessage: Sendable, Equatable {
    package let group: String
    package let at: Timestamp
    /// The plants and devices of which it said that something had begun.
    package let began: Set<EntityID>

    package init(group: String, at: Timestamp, began: Set<EntityID>) {
        self.group = group
        self.at = at
        self.began = began
    }
}

/// Which notifications of a channel are told now, and in how many messages. Pure: what is not named waits.
package struct MessagePlan: Sendable, Equatable {
    package struct Message: Sendable, Equatable {
        package let kind: AlertMessage.Kind
        package let group: String
        /// In the order they came.
        package var notifications: [EntityID]
    }

    package var messages: [Message] = []
    /// Wait for the end of the quiet hours.
    package var deferred: [EntityID] = []
    /// Nobody needs to be told any more.
    package var skipped: [EntityID] = []

    /// A group is told when so long nothing was added to it, in seconds, and at the latest after `mostSettleSeconds`.
    static let settleSeconds = 4.0
    static let mostSettleSeconds = 15.0
    /// After a message of a group, what begins in the same group waits until so long has passed since, in seconds.
    package static let followUpSeconds = 300.0
    /// After an outage of ours, what comes to light within a minute belongs together.
    package static let outageGroup = "outage:"
    static let outageFollowUpSeconds = 60.0
    /// More groups at once than these are told in one message.
    static let mostGroups = 5
    /// More messages than these within `followUpSeconds`, and what is no emergency waits.
    static let mostMessages = 20
    package static let summaryGroup = "summary"
    package static let morningGroup = "morning"

    /// - Parameters:
    ///   - waiting: what could be told, in the order it came.
    ///   - recent: messages of the last `followUpSeconds`.
    ///   - isQuiet: whether it is quiet now.
    ///   - digest: whether the quiet hours end in a digest.
    package init(
        _ waiting: [WaitingNotification], recent: [RecentMessage], isQuiet: Bool, digest: Bool, now: Timestamp
    ) {
        var today: [WaitingNotification] = []
        var night: [WaitingNotification] = []
        let criticalNow = Set(waiting.filter { $0.severity == .critical && $0.event != .resolved }.map(\.alert))
        for notification in waiting {
            if isQuiet, notification.severity < .critical {
                // It grew worse since: that is told, and this no more.
                if criticalNow.contains(notification.alert) {
                    skipped.append(notification.id)
                } else {
                    deferred.append(notification.id)
                }
            } else if notification.isDeferred {
                night.append(notification)
            } else {
                today.append(notification)
            }
        }
        planNight(night, digest: digest)
        planDay(today, recent: recent, now: now)
    }

    private mutating func planNight(_ night: [WaitingNotification], digest: Bool) {
        guard !night.isEmpty else { return }
        if digest {
            messages.append(Message(kind: .digest, group: Self.morningGroup, notifications: night.map(\.id)))
            return
        }
        // What began and ended while nobody was told is over. Of the rest the newest word counts.
        let begun = Set(night.filter { $0.event == .fired }.map(\.alert))
        var newest: [EntityID: EntityID] = [:]
        for notification in night { newest[notification.alert] = notification.id }
        let told = night.filter {
            newest[$0.alert] == $0.id && !($0.event == .resolved && begun.contains($0.alert))
        }
        let ids = Set(told.map(\.id))
        skipped += night.map(\.id).filter { !ids.contains($0) }
        if !told.isEmpty {
            messages.append(Message(kind: .alerts, group: Self.morningGroup, notifications: told.map(\.id)))
        }
    }

    private mutating func planDay(_ today: [WaitingNotification], recent: [RecentMessage], now: Timestamp) {
        var order: [String] = []
        var groups: [String: [WaitingNotification]] = [:]
        // An alert stays where it began, also if its plant was moved meanwhile: its events are told in their order.
        var groupOf: [EntityID: String] = [:]
        for notification in today {
            let group = groupOf[notification.alert, default: notification.group]
            groupOf[notification.alert] = group
            if groups[group] == nil { order.append(group) }
            groups[group, default: []].append(notification)
        }
        var ready: [Message] = []
        var settling: [Message] = []
        let isFlooded = recent.count >= Self.mostMessages
        for group in order {
            let members = groups[group] ?? []
            let patience = group.hasPrefix(Self.outageGroup) ? Self.outageFollowUpSeconds : Self.followUpSeconds
            let begins = Self.held(
                members, recent.filter { $0.group == group && now.seconds(since: $0.at) < patience })
            let isUrgent = members.contains { $0.severity == .critical && $0.event != .resolved }
            let told = isUrgent ? members : members.filter { !begins.contains($0.id) }
            guard !told.isEmpty, !isFlooded || isUrgent else { continue }
            let message = Message(kind: .alerts, group: group, notifications: told.map(\.id))
            if Self.isSettled(told, now: now) { ready.append(message) } else { settling.append(message) }
        }
        // A storm takes a moment to break: what is not settled yet is told along.
        guard !ready.isEmpty, ready.count + settling.count > Self.mostGroups else {
            messages += ready
            return
        }
        let ids = Set((ready + settling).flatMap(\.notifications))
        messages.append(
            Message(
                kind: .alerts, group: Self.summaryGroup,
                notifications: today.map(\.id).filter { ids.contains($0) }))
    }

    /// What waits because others of the group were told of a moment ago, and all that would be told of it later.
    private static func held(_ members: [WaitingNotification], _ recent: [RecentMessage]) -> Set<EntityID> {
        guard !recent.isEmpty else { return [] }
        let alerts = Set(
            members.filter { notification in
                notification.event == .fired
                    && recent.contains { !$0.began.subtracting([notification.about].compactMap { $0 }).isEmpty }
            }.map(\.alert))
        return Set(members.filter { alerts.contains($0.alert) }.map(\.id))
    }

    private static func isSettled(_ members: [WaitingNotification], now: Timestamp) -> Bool {
        guard let first = members.map(\.since).min(), let last = members.map(\.since).max() else { return false }
        return now.seconds(since: last) >= settleSeconds || now.seconds(since: first) >= mostSettleSeconds
    }
}
