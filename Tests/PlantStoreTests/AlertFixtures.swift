import Foundation
import PlantDomain
import PlantStore
import Postgres
import Sealing
import TestSupport

let dry: Thresholds = ["soil_moisture": Threshold(min: 30)]

extension TestDatabase {
    /// The first column of every row.
    func lines(_ sql: String) throws -> [String] {
        let rows = try PostgresConnection(options).query(sql)
        return try (0..<rows.count).compactMap { try rows[$0].text(0) }
    }

    func execute(_ sql: String) throws { try PostgresConnection(options).execute(sql) }

    /// Until so many of its connections wait for a lock.
    func waiting(_ count: Int) async throws {
        try await eventually("\(count) wait for a lock") {
            try int(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'
                """) == count
        }
    }

    /// Every alert in a line, oldest first, as `firing threshold soil_moisture min warning`.
    func alerts() throws -> [String] {
        try lines(
            """
            SELECT concat_ws(' ', state, kind, metric, direction, severity, resolution) FROM alerts
            ORDER BY started_at, id
            """)
    }

    /// Every line of the outbox, as `waiting fired warning`.
    func outbox() throws -> [String] {
        try lines("SELECT concat_ws(' ', state, event, severity) FROM notifications ORDER BY seq")
    }
}

/// Plants and devices whose readings are judged as they come in, at times the test says.
///
/// Its suites are serialized: with several connections each, all tests at once need more than the server has.
struct Greenhouse {
    let database: TestDatabase
    let store: Store
    let writer: IngestWriter
    let start: Timestamp

    /// - Parameters:
    ///   - forSeconds: how long something must last.
    ///   - ago: how long before now its time begins. The intake tells of everything at the time of the machine's clock.
    init(_ kind: TimeSeriesKind = .native, forSeconds: Int = 0, ago: Double = 0) async throws {
        database = try TestDatabase(kind)
        store = database.store()
        start = Timestamp.now().adding(seconds: -ago)
        writer = try IngestWriter(database.options, clientID: "t")
        try await store.set { $0.forSeconds = forSeconds }
    }

    /// A device in a plant of its own, or in this one.
    func device(in plant: EntityID) async throws -> EntityID {
        let device = try await makeDevice(store, at: start)
        _ = try await store.assign(device, to: plant, at: start)
        return device
    }

    func plant(_ thresholds: Thresholds = dry, name: String = "Fern") async throws -> EntityID {
        try await makePlant(store, name: name, thresholds: thresholds)
    }

    func time(_ seconds: Double) -> Timestamp { start.adding(seconds: seconds) }

    /// One message with one reading, received at once or so many seconds after it was measured.
    @discardableResult
    func send(
        _ device: EntityID, at seconds: Double, _ values: [Metric: Double], extras: [ExtraValue] = [],
        late: Double = 0, over other: IngestWriter? = nil
    ) throws -> IngestOutcome {
        var maker = BatchMaker()
        maker.telemetry(
            device, [reading(time(seconds), values, extras: extras)], receivedAt: time(seconds + late))
        return try (other ?? writer).commit(maker.batch)
    }

    func send(_ device: EntityID, at seconds: Double, moisture: Double) throws {
        try send(device, at: seconds, [.soilMoisture: moisture])
    }

    func heartbeat(_ device: EntityID, at seconds: Double, battery: Double? = nil) throws {
        var maker = BatchMaker()
        maker.heartbeat(device, Heartbeat(battery: battery), receivedAt: time(seconds))
        _ = try writer.commit(maker.batch)
    }

    /// A channel that is told everything.
    @discardableResult
    func channel() async throws -> EntityID { try await makeChannel(store, at: start) }
}

extension Store {
    func set(_ change: @Sendable (inout AlertSettings) throws -> Void) async throws {
        _ = try await updateAlertSettings(by: testOrigin, at: .now(), change)
    }

    func setThresholds(_ thresholds: Thresholds, of plant: EntityID, at now: Timestamp = .now()) async throws {
        _ = try await updatePlant(plant, at: now) { $0.thresholds = thresholds }
    }
}

/// - Parameter change: what is not as it is at first.
func makeChannel(
    _ store: Store, _ name: String = "Hook", kind: ChannelKind = .webhook, sealer: Sealer? = nil,
    at now: Timestamp, _ change: (inout Channel) -> Void = { _ in }
) async throws -> EntityID {
    var channel = Channel(
        id: .make(), kind: kind, name: name, urlHint: "https://hooks.example/…1234", createdAt: now, updatedAt: now)
    change(&channel)
    let outcome = try await store.createChannel(
        channel, url: Secret("https://hooks.example/\(name)"), secret: kind == .webhook ? Secret("whsec \(name)") : nil,
        sealer: sealer ?? testSealer(), by: testOrigin)
    guard case .created = outcome else { throw TestSetupError(description: "no channel: \(outcome)") }
    return channel.id
}

/// Runs this many at once, each on a thread of its own: what waits for a lock must not hold up the others.
func inThreads<T: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> T) async throws -> [T] {
    try await withThrowingTaskGroup(of: T.self) { group in
        for index in 0..<count { group.addTask { try await inThread { try body(index) } } }
        return try await group.reduce(into: []) { $0.append($1) }
    }
}

func inThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
