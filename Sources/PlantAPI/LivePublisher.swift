package import PlantDomain
package import PlantStore

/// Makes events of what has changed: reads it anew, in the form of `GET /plants` and `GET /devices`, and leaves out what is as
/// it was told before.
package actor LivePublisher {
    private let store: Store
    private let events: EventHub
    private let now: @Sendable () -> Timestamp
    private var toldPlants: [EntityID: LivePlant.Digest] = [:]
    private var toldDevices: [EntityID: LiveDevice.Digest] = [:]
    /// The newest reading of each device that was told as one.
    private var toldReadings: [EntityID: Timestamp] = [:]

    package init(store: Store, events: EventHub, now: @escaping @Sendable () -> Timestamp = { .now() }) {
        self.store = store
        self.events = events
        self.now = now
    }

    /// Takes nothing for known any more: something was not told.
    package func forget() {
        toldPlants = [:]
        toldDevices = [:]
        toldReadings = [:]
    }

    package func publish(_ changes: LiveChanges) async throws {
        let now = now()
        let wanted = changes.measured.union(changes.heard).union(changes.devices)
        let devices = try await store.devices(wanted).map { LiveDevice($0.device, readingAt: $0.readingAt, now: now) }
        // How long a plant may be silent depends on its devices.
        var doubtful = changes.doubtfulPlants
        for device in devices where changes.devices.contains(device.id) {
            if let plant = device.plant { doubtful.insert(plant) }
        }
        let measured = devices.filter { changes.measured.contains($0.id) }
        let asked = changes.plants.union(doubtful).union(measured.compactMap(\.plant))
        var plants: [EntityID: LivePlant] = [:]
        for plant in try await store.plants(asked, at: now) { plants[plant.id] = LivePlant(plant, now: now) }

        for id in changes.plants.union(doubtful).sorted() {
            guard let plant = plants[id] else {
                toldPlants[id] = nil
                if changes.plants.contains(id) { try publish("plant", Self.gone(id)) }
                continue
            }
            guard changes.plants.contains(id) || toldPlants[id] != plant.digest else { continue }
            toldPlants[id] = plant.digest
            try publish("plant", plant.json)
        }
        for device in devices { try tell(device, changes, plants) }
        for id in wanted.subtracting(devices.map(\.id)).sorted() {
            toldDevices[id] = nil
            toldReadings[id] = nil
            if changes.devices.contains(id) { try publish("device", Self.gone(id)) }
        }
    }

    private func tell(_ device: LiveDevice, _ changes: LiveChanges, _ plants: [EntityID: LivePlant]) throws {
        let (id, told) = (device.id, toldDevices[device.id])
        var isChanged =
            changes.devices.contains(id) || changes.heard.contains(id) && told != device.digest
        if changes.measured.contains(id) {
            let plant = device.plant.flatMap { plants[$0] }
            let isNew = toldReadings[id] == nil || toldReadings[id] != device.readingAt
            // A late reading may have brought a metric that no newer one had.
            let isMoved = plant.map { toldPlants[$0.id]?.latest != $0.digest.latest } ?? false
            if isNew || isMoved {
                if let told, told.settled != device.digest.settled { isChanged = true }
                toldReadings[id] = device.readingAt
                if let plant { toldPlants[plant.id, default: plant.digest].measure(plant.digest) }
                try publish("telemetry", Self.telemetry(device, plant))
            } else if let told, told.status != device.digest.status {
                // It sent only what was known, but it is there again.
                isChanged = true
            }
        }
        // What it looks like is known now in any case: nothing of it was, or all that differs is told.
        if isChanged { try publish("device", device.json) }
        if isChanged || changes.measured.contains(id) || changes.heard.contains(id) {
            toldDevices[id] = device.digest
        }
    }

    private func publish(_ name: String, _ value: JSONValue) throws { events.publish(try ServerEvent(name, value)) }

    private static func gone(_ id: EntityID) -> JSONValue { ["id": JSONValue(id), "deleted": true] }

    private static func telemetry(_ device: LiveDevice, _ plant: LivePlant?) -> JSONValue {
        func part(_ name: String) -> JSONValue { plant?.fields[name] ?? .null }
        let parts = ["id", "status", "last_seen_at", "battery", "rssi"]
        return [
            "plant_id": JSONValue(plant?.id), "device_id": JSONValue(device.id),
            "time": JSONValue(device.readingAt), "latest_telemetry": part("latest_telemetry"),
            "status": part("status"), "derived": part("derived"),
            "device": .object(device.fields.filter { parts.contains($0.key) }),
        ]
    }
}

/// A plant as it is shown now.
private struct LivePlant {
    /// Tells whether it looks different without keeping what it looked like.
    struct Digest: Equatable {
        var latest: Int
        /// Of the rest of what a reading changes, and of everything else.
        var judged: Int
        var settled: Int

        mutating func measure(_ other: Digest) { (latest, judged) = (other.latest, other.judged) }
    }

    let id: EntityID
    let fields: [String: JSONValue]
    let digest: Digest
    var json: JSONValue { .object(fields) }

    init(_ plant: Plant, now: Timestamp) {
        id = plant.id
        fields = JSONValue(plant, now: now).fields
        let moving: Set = ["latest_telemetry", "status", "derived"]
        digest = Digest(
            latest: fields["latest_telemetry"].hashValue, judged: [fields["status"], fields["derived"]].hashValue,
            settled: fields.filter { !moving.contains($0.key) }.hashValue)
    }
}

/// A device as it is shown now.
private struct LiveDevice {
    struct Digest: Equatable {
        var status: JSONValue?
        /// Of the rest of what a reading changes, and of everything else.
        var moving: Int
        var settled: Int
    }

    let id: EntityID
    let plant: EntityID?
    let readingAt: Timestamp?
    let fields: [String: JSONValue]
    let digest: Digest
    var json: JSONValue { .object(fields) }

    init(_ device: Device, readingAt: Timestamp?, now: Timestamp) {
        (id, plant, self.readingAt) = (device.id, device.plantID, readingAt)
        fields = JSONValue(device, now: now).fields
        let moving: Set = ["status", "last_seen_at", "battery", "rssi", "expected_interval_seconds"]
        digest = Digest(
            status: fields["status"],
            moving: fields.filter { moving.contains($0.key) }.hashValue,
            settled: fields.filter { !moving.contains($0.key) }.hashValue)
    }
}

extension JSONValue {
    /// Of an object; empty for anything else.
    fileprivate var fields: [String: JSONValue] {
        if case .object(let fields) = self { fields } else { [:] }
    }
}
