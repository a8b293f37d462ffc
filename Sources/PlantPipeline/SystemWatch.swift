import Foundation
package import PlantDomain
package import PlantStore

/// Looks after what everything else needs: the certificate, the disk, the intake, and whether messages can be stored.
package struct SystemWatch: Sendable {
    package struct Sources: Sendable {
        /// When the certificate expires that the broker shows; nil when that is not known.
        let certificateExpiry: @Sendable () -> Timestamp?
        /// Whether readings are being taken in and stored now.
        let isReceiving: @Sendable () -> Bool
        /// Tells the intake of one backend from that of another.
        let intake: @Sendable () -> String
        /// A file or folder on the disk that is watched.
        let diskPath: String

        package init(
            certificateExpiry: @escaping @Sendable () -> Timestamp?, isReceiving: @escaping @Sendable () -> Bool,
            intake: @escaping @Sendable () -> String, diskPath: String
        ) {
            self.certificateExpiry = certificateExpiry
            self.isReceiving = isReceiving
            self.intake = intake
            self.diskPath = diskPath
        }
    }

    private let store: Store
    private let sources: Sources

    package init(store: Store, _ sources: Sources) {
        self.store = store
        self.sources = sources
    }

    /// What is remembered between two looks.
    package struct State: Sendable {
        var stalledSince: Timestamp?
        package init() {}
    }

    package func look(_ state: inout State, at now: Timestamp) async throws {
        try await judgeIntake(&state, at: now)
        if let expiry = sources.certificateExpiry() { try await judgeCertificate(expiry, at: now) }
        if let disk = DiskSpace(of: sources.diskPath) { try await judge(disk, at: now) }
        try await judgeDeadLetters(at: now)
    }

    // MARK: intake

    private static let stalledSeconds = 300.0

    private func judgeIntake(_ state: inout State, at now: Timestamp) async throws {
        let subject = AlertSubject(.ingestStalled, instance: sources.intake())
        guard !sources.isReceiving() else {
            state.stalledSince = nil
            return try await end(subject, since: now, at: now)
        }
        let since = state.stalledSince ?? now
        state.stalledSince = since
        guard now.seconds(since: since) >= Self.stalledSeconds else { return }
        try await raise(subject, since: since, .critical, detail: "readings are not being taken in", at: now)
    }

    // MARK: certificate

    /// Told when it has so many days left, and again at each of the others.
    static let certificateDays = (first: 30.0, critical: 7.0, last: 1.0)

    private func judgeCertificate(_ expiry: Timestamp, at now: Timestamp) async throws {
        let subject = AlertSubject(.certificateExpiring)
        let days = expiry.seconds(since: now) / 86_400
        guard days <= Self.certificateDays.first else { return try await end(subject, since: now, at: now) }
        let detail =
            days < 0
            ? "the broker's certificate has expired: no device can connect; renew it (make renew-certs)"
            : "the broker's certificate expires on \(expiry.rfc3339.prefix(10)); renew it (make renew-certs)"
        let severity = days <= Self.certificateDays.critical ? AlertSeverity.critical : .warning
        if let open = try await store.openAlertValue(subject), severity == open.severity {
            // The value is the days it was told with.
            guard days <= Self.certificateDays.last, let told = open.value, told > Self.certificateDays.last else {
                return
            }
            return try await store.tellAgain(subject, value: days, detail: detail, at: now)
        }
        try await raise(subject, since: now, severity, value: days, detail: detail, at: now)
    }

    // MARK: disk

    private func judge(_ disk: DiskSpace, at now: Timestamp) async throws {
        // Not by the machine's name, which a container changes with every start.
        let subject = AlertSubject(.diskFilling, instance: sources.diskPath)
        guard let severity = disk.severity else {
            if disk.isWell { try await end(subject, since: now, at: now) }
            return
        }
        let detail = "\(disk.freeText) are free where \(sources.diskPath) is (\(Int(disk.freePercent)) %)"
        try await raise(subject, since: now, severity, value: disk.freePercent, detail: detail, at: now)
    }

    // MARK: dead letters

    /// Messages of one hour that could not be stored.
    static let deadLetters = (begins: 50, ends: 10)

    private func judgeDeadLetters(at now: Timestamp) async throws {
        let subject = AlertSubject(.deadLetters)
        let count = try await store.deadLetters(since: now.adding(seconds: -3600))
        if count >= Self.deadLetters.begins {
            let detail = "\(count) messages of the last hour could not be stored; GET /api/ingest/rejects says why"
            try await raise(subject, since: now, .warning, value: Double(count), detail: detail, at: now)
        } else if count <= Self.deadLetters.ends {
            try await end(subject, since: now, at: now)
        }
    }

    // MARK: both

    private func raise(
        _ subject: AlertSubject, since: Timestamp, _ severity: AlertSeverity, value: Double? = nil, detail: String,
        at now: Timestamp
    ) async throws {
        // Looked at often, said seldom: nothing is written while nothing changes.
        if let open = try await store.openAlertValue(subject), open.severity >= severity { return }
        let finding = AlertFinding(subject, .fired(since: since, severity), value: value, limit: nil, at: now)
        try await store.note([finding], detail: detail, at: now)
    }

    private func end(_ subject: AlertSubject, since: Timestamp, at now: Timestamp) async throws {
        guard try await store.openAlertValue(subject) != nil else { return }
        try await store.note([AlertFinding(subject, .resolved(since: since), value: nil, limit: nil, at: now)], at: now)
    }
}

/// What is left on a disk.
package struct DiskSpace: Equatable {
    package let freeBytes: Double
    package let totalBytes: Double

    init(freeBytes: Double, totalBytes: Double) {
        self.freeBytes = freeBytes
        self.totalBytes = totalBytes
    }

    /// - Returns: nil when there is nothing under that path.
    package init?(of path: String) {
        var status = statvfs()
        guard statvfs(path, &status) == 0, status.f_blocks > 0 else { return nil }
        // For those who are not root.
        freeBytes = Double(status.f_bavail) * Double(status.f_frsize)
        totalBytes = Double(status.f_blocks) * Double(status.f_frsize)
    }

    var freePercent: Double { 100 * freeBytes / totalBytes }

    /// A tenth of a large disk is years of readings, so both have to be little: the part and the bytes.
    var severity: AlertSeverity? {
        if freePercent < 5, freeBytes < 1 * 1_073_741_824 { return .critical }
        return freePercent < 10 && freeBytes < 5 * 1_073_741_824 ? .warning : nil
    }

    /// Clearly more than what is too little.
    var isWell: Bool { freePercent > 12 || freeBytes > 6 * 1_073_741_824 }

    var freeText: String {
        freeBytes >= 1_073_741_824
            ? String(format: "%.1f GiB", freeBytes / 1_073_741_824) : String(format: "%.0f MiB", freeBytes / 1_048_576)
    }
}
