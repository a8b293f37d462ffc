import PlantDomain
import PlantStore
import Postgres
import Sealing
import TestSupport

/// Alerts without readings, and what is told of them. Its time begins at noon, UTC; times are in seconds from there.
struct Outpost {
    let database: TestDatabase
    let store: Store
    let noon: Timestamp

    /// - Parameter cooldownMinutes: 0 also means that there are no reminders.
    init(cooldownMinutes: Int = 60, connections: Int = 2) async throws {
        database = try TestDatabase()
        store = database.store(connections: connections)
        noon = LocalDay.containing(.now(), in: .utc).start.adding(seconds: 43_200)
        try await store.set { $0.cooldownMinutes = cooldownMinutes }
    }

    func time(_ seconds: Double) -> Timestamp { noon.adding(seconds: seconds) }

    func plant(_ name: String, room: String? = nil) async throws -> EntityID {
        let plant = try await makePlant(store, name: name)
        _ = try await store.updatePlant(plant, at: noon) { $0.room = room }
        return plant
    }

    func channel(_ name: String = "Hook", _ change: (inout Channel) -> Void = { _ in }) async throws -> EntityID {
        try await makeChannel(store, name, at: noon, change)
    }

    func change(_ channel: EntityID, at seconds: Double, _ change: @Sendable (inout Channel) -> Void) async throws {
        _ = try await store.updateChannel(
            channel, url: nil, secret: .unchanged, sealer: testSealer(), by: testOrigin, at: time(seconds), change)
    }

    // MARK: what happens

    func subject(_ plant: EntityID, _ metric: Metric = .soilMoisture) -> AlertSubject {
        AlertSubject(.threshold, plant: plant, metric: metric.name, direction: .min)
    }

    func fire(
        _ plant: EntityID, _ metric: Metric = .soilMoisture, _ severity: AlertSeverity = .warning, at seconds: Double
    ) async throws {
        try await note(subject(plant, metric), .fired(since: time(seconds), severity), at: seconds)
    }

    func escalate(_ plant: EntityID, _ metric: Metric = .soilMoisture, at seconds: Double) async throws {
        try await note(subject(plant, metric), .escalated(since: time(seconds)), at: seconds)
    }

    func resolve(_ plant: EntityID, _ metric: Metric = .soilMoisture, at seconds: Double) async throws {
        try await note(subject(plant, metric), .resolved(since: time(seconds)), at: seconds)
    }

    func note(_ subject: AlertSubject, _ change: ConditionState.Change, at seconds: Double) async throws {
        try await store.note(
            [AlertFinding(subject, change, value: 25, limit: 30, at: time(seconds))], at: time(seconds))
    }

    func alert(of plant: EntityID) async throws -> Alert? {
        var filter = AlertFilter()
        filter.plant = plant
        return try await store.alerts(filter, limit: 1, offset: 0).items.first
    }

    // MARK: what is told

    func compose(at seconds: Double) async throws -> Int { try await store.composeMessages(at: time(seconds)) }

    func claim(at seconds: Double, _ most: Int = 10, sealer: Sealer? = nil) async throws -> [ClaimedMessage] {
        try await store.claimMessages(most, sealer: sealer ?? testSealer(), at: time(seconds))
    }

    func settle(_ message: ClaimedMessage, _ result: DeliveryResult, at seconds: Double) async throws {
        try await store.settle(message, result, at: time(seconds))
    }

    /// Makes messages of what waits and sends them all.
    /// - Returns: one line per message, as `fired Fern, resolved Palm`.
    func tell(at seconds: Double) async throws -> [String] {
        _ = try await compose(at: seconds)
        var lines: [String] = []
        while true {
            let claimed = try await claim(at: seconds)
            guard !claimed.isEmpty else { return lines }
            for message in claimed {
                lines.append(message.line)
                try await settle(message, .sent(status: 204, pauseSeconds: nil), at: seconds)
            }
        }
    }

    /// Lets time pass, as the program would: looks for reminders and tells what waits, every so many seconds.
    /// - Returns: the lines with the hours from noon at which they were told.
    func pass(from: Double, to: Double, every seconds: Double = 300) async throws -> [String] {
        var lines: [String] = []
        for now in stride(from: from, through: to, by: seconds) {
            try await store.remind(at: time(now))
            lines += try await tell(at: now).map { "\(now / 3600) \($0)" }
        }
        return lines
    }
}

extension ClaimedMessage {
    var line: String {
        let kind = message.kind == .alerts ? "" : "\(message.kind): "
        return kind + message.notices.map { "\($0.event) \($0.plantName ?? $0.kind.rawValue)" }.joined(separator: ", ")
    }
}
