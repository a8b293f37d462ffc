import Logging
import PlantDomain
import PlantStore
import TestSupport
import Testing

/// A plan of this plant that says nothing much.
func carePlan(
    of plant: EntityID, at time: Timestamp, source: CareSource = .builtin, reason: CareReason = .requested,
    note: String? = nil, hash: String = String(repeating: "0a", count: 32)
) throws -> CarePlan {
    let range = CareAdvice.Range(current: "22.5 °C", ideal: "18 to 25 °C", recommendation: "Nothing “to” do\\")
    let day = try #require(LocalDayText("2026-11-25"))
    let fact = CareFact(
        id: "temperature.mean_24h", topic: .temperature, kind: .computed, metric: "temperature", value: 22.5,
        text: "Ünïcode", unit: "°C", time: Timestamp(microseconds: 1_790_000_000_123_456), hours: 24)
    return CarePlan(
        id: .make(at: time), plantID: plant,
        advice: CareAdvice(
            summary: "Fine.", watering: CareAdvice.Watering(frequency: "weekly", amount: "a cup", nextDate: day),
            light: range, humidity: range, temperature: range, alerts: ["One", "two"], tips: []),
        source: source, model: source == .builtin ? nil : "a-model", note: note,
        facts: CareFacts(at: time, today: day, zone: "Europe/Berlin", facts: [fact]), changes: ["It is warmer."],
        reason: reason, inputHash: hash, generatedAt: time)
}

/// A database with a plant and a device in it, and readings of the past.
struct CarePot {
    let database: TestDatabase
    let store: Store
    let plant: EntityID
    let device: EntityID
    let zone: KnownTimeZone

    /// - Parameter assigned: when the device came into the pot.
    init(_ kind: TimeSeriesKind, zone name: String = "UTC", assigned: Timestamp = .now()) async throws {
        database = try TestDatabase(kind)
        store = database.store()
        zone = try #require(KnownTimeZone(name))
        try await store.set { $0.timeZone = name }
        plant = try await makePlant(store)
        device = try await makeDevice(store, interval: 1800)
        _ = try await store.assign(device, to: plant, at: assigned)
    }

    func fill(_ readings: [Reading], by device: EntityID? = nil) async throws {
        guard let first = readings.map(\.time).min(), let last = readings.map(\.time).max() else { return }
        try database.execute("SELECT telemetry_ensure_partitions('\(first.rfc3339)', '\(last.rfc3339)')")
        var maker = BatchMaker()
        maker.telemetry(device ?? self.device, readings)
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        #expect(
            try await SeriesUpkeep(database.options, logger: Logger(label: "test")).summarize(zone: zone, at: .now()))
    }

    /// Every half hour from one instant up to another.
    func readings(
        _ from: Timestamp, _ to: Timestamp, extras: [String] = [], _ values: (Timestamp) -> [Metric: Double]
    ) -> [Reading] {
        stride(from: 0, to: to.seconds(since: from), by: 1800).map { seconds in
            let time = from.adding(seconds: seconds)
            return reading(time, values(time), extras: extras.map { ExtraValue(name: $0, value: 1) })
        }
    }
}
