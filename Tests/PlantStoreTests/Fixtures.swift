import PlantDomain
import PlantStore
import TestSupport

/// A registered device.
func makeDevice(_ store: Store, interval: Int? = nil, at now: Timestamp = .now()) async throws -> EntityID {
    try await store.register(.sample(interval: interval, at: now), at: now).device
}

func makePlant(_ store: Store, name: String = "Fern", thresholds: Thresholds = [:]) async throws -> EntityID {
    let now = Timestamp.now()
    let plant = Plant(
        id: .make(), name: name, species: nil, room: nil, position: nil, thresholds: thresholds, createdAt: now,
        updatedAt: now)
    try await store.createPlant(plant)
    return plant.id
}

/// Messages of one batch, put together by hand.
struct BatchMaker {
    private(set) var batch = IngestBatch()

    mutating func telemetry(
        _ device: EntityID, _ readings: [Reading], packetID: UInt16 = 1, receivedAt: Timestamp = .now()
    ) {
        let start = batch.readings.count
        batch.readings += readings
        add(device, .telemetry, .telemetry(start..<batch.readings.count), packetID: packetID, receivedAt: receivedAt)
    }

    mutating func heartbeat(_ device: EntityID, _ heartbeat: Heartbeat, receivedAt: Timestamp = .now()) {
        add(device, .heartbeat, .heartbeat(heartbeat), receivedAt: receivedAt)
    }

    mutating func status(_ device: EntityID, online: Bool, receivedAt: Timestamp = .now()) {
        add(device, .status, .status(online: online), receivedAt: receivedAt)
    }

    mutating func refused(
        _ device: EntityID, _ rejection: Rejection, payload: String, receivedAt: Timestamp = .now()
    ) {
        add(device, .telemetry, .refused, payload: payload, rejection: rejection, receivedAt: receivedAt)
    }

    mutating func commandResult(_ device: EntityID, _ result: CommandResult, receivedAt: Timestamp = .now()) {
        add(device, .commandResult, .commandResult(result), receivedAt: receivedAt)
    }

    private mutating func add(
        _ device: EntityID, _ topic: DeviceTopic, _ content: IngestBatch.Content, payload: String = "{}",
        rejection: Rejection? = nil, packetID: UInt16 = 1, receivedAt: Timestamp = .now()
    ) {
        let start = batch.payloads.count
        batch.payloads += Array(payload.utf8)
        batch.items.append(
            IngestBatch.Item(
                topic: .device(device, topic), content: content, rejection: rejection, receivedAt: receivedAt,
                payload: start..<batch.payloads.count, payloadBytes: payload.utf8.count, packetID: packetID,
                fingerprint: UInt64(packetID)))
    }
}

func reading(
    _ time: Timestamp, _ values: [Metric: Double], extras: [ExtraValue] = [], source: TimeSource = .device
) -> Reading {
    var metrics = MetricValues()
    for (metric, value) in values { metrics[metric] = value }
    return Reading(time: time, timeSource: source, values: metrics, extras: extras)
}
