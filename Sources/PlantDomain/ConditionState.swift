/// Where a condition stands: one limit of one metric, as one device tells it.
///
///     clear ──beyond──▶ pending ──beyond for long enough──▶ firing ──recovered for long enough──▶ clear
///                          └──recovered──▶ clear
///
/// Between the limit and recovery nothing changes: what hovers there neither begins nor ends. Time is that of the
/// readings; without one nothing happens, so what is stale resolves nothing.
package struct ConditionState: Equatable, Sendable {
    package enum Phase: UInt8, Sendable { case clear, pending, firing }

    package enum Change: Sendable, Equatable {
        /// Beyond the limit, since then.
        case began(since: Timestamp)
        case fired(since: Timestamp, AlertSeverity)
        /// Firing as a warning before, critical now.
        case escalated(since: Timestamp)
        case resolved(since: Timestamp)
        /// Was pending, and is well.
        case lapsed
    }

    package private(set) var phase = Phase.clear
    /// First reading beyond the limit. Valid unless clear.
    private(set) var since = Timestamp(microseconds: 0)
    private(set) var severity = AlertSeverity.warning
    /// First of the readings that are well again; only while firing.
    private(set) var recoveringSince: Timestamp?
    /// First of the readings that are critical; only while firing as a warning.
    private(set) var criticalSince: Timestamp?

    package init() {}

    /// One that fires, as a warning.
    static let firing: ConditionState = {
        var state = ConditionState()
        state.phase = .firing
        return state
    }()

    /// What an open alert tells of it.
    init(_ alert: Alert) {
        phase = alert.state == .firing ? .firing : .pending
        since = alert.startedAt
        severity = alert.severity
    }

    /// Judges one value.
    /// - Parameter forSeconds: how long it must be beyond before it fires, and back before it is over.
    package mutating func judge(
        _ value: Double, at time: Timestamp, by rule: LimitRule, forSeconds: Double
    ) -> Change? {
        switch phase {
        case .clear:
            guard rule.isBeyond(value) else { return nil }
            since = time
            guard forSeconds > 0 else { return fire(value, rule) }
            phase = .pending
            return .began(since: time)
        case .pending:
            if rule.isRecovered(value) {
                self = ConditionState()
                return .lapsed
            }
            guard rule.isBeyond(value), time.seconds(since: since) >= forSeconds else { return nil }
            return fire(value, rule)
        case .firing:
            if rule.isRecovered(value) {
                criticalSince = nil
                let recovering = recoveringSince ?? time
                recoveringSince = recovering
                guard time.seconds(since: recovering) >= forSeconds else { return nil }
                let began = since
                self = ConditionState()
                return .resolved(since: began)
            }
            recoveringSince = nil
            guard severity == .warning, rule.isCritical(value) else {
                criticalSince = nil
                return nil
            }
            let critical = criticalSince ?? time
            criticalSince = critical
            guard time.seconds(since: critical) >= forSeconds else { return nil }
            severity = .critical
            criticalSince = nil
            return .escalated(since: since)
        }
    }

    /// What comes next does not follow on what was: what is pending ends, and a recovery or an escalation begins anew.
    mutating func interrupt() {
        if phase == .pending { self = ConditionState() }
        recoveringSince = nil
        criticalSince = nil
    }

    private mutating func fire(_ value: Double, _ rule: LimitRule) -> Change {
        phase = .firing
        severity = rule.isCritical(value) ? .critical : .warning
        return .fired(since: since, severity)
    }

    /// Forgets, for there is nothing to judge by any more.
    /// - Returns: what that ends.
    package mutating func end() -> Change? {
        defer { self = ConditionState() }
        switch phase {
        case .clear: return nil
        case .pending: return .lapsed
        case .firing: return .resolved(since: since)
        }
    }
}

extension ConditionState {
    func encode(into bytes: inout [UInt8]) {
        let flags: UInt8 =
            phase.rawValue | (severity == .critical ? 4 : 0) | (recoveringSince == nil ? 0 : 8)
            | (criticalSince == nil ? 0 : 16)
        bytes.append(flags)
        guard phase != .clear else { return }
        bytes.put(since)
        if let recoveringSince { bytes.put(recoveringSince) }
        if let criticalSince { bytes.put(criticalSince) }
    }

    /// - Returns: nil when the bytes are none of its own.
    init?(_ reader: inout MemoryReader) {
        guard let flags = reader.byte(), flags < 32, let phase = Phase(rawValue: flags & 3) else { return nil }
        self.phase = phase
        guard phase != .clear else { return }
        guard let since = reader.time() else { return nil }
        self.since = since
        severity = flags & 4 == 0 ? .warning : .critical
        if flags & 8 != 0 {
            guard let time = reader.time() else { return nil }
            recoveringSince = time
        }
        if flags & 16 != 0 {
            guard let time = reader.time() else { return nil }
            criticalSince = time
        }
    }
}
