import Foundation
import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@testable import PlantAPI

/// Somebody who watches, and what he is told of a plant with a device in it.
private struct Watched {
    let database: TestDatabase
    let store: Store
    let publisher: LivePublisher
    let subscription: EventSubscription
    let plant: EntityID
    let device: EntityID

    init() async throws {
        database = try TestDatabase()
        store = database.store()
        let events = EventHub()
        publisher = LivePublisher(store: store, events: events)
        subscription = try #require(events.subscribe())
        let now = Timestamp.now()
        plant = .make()
        try await store.createPlant(
            Plant(
                id: plant, name: "Fern", species: nil, room: nil, position: nil,
                thresholds: ["soil_moisture": Threshold(min: 20, max: 60)], createdAt: now, updatedAt: now))
        device = try await store.register(.sample(at: now), at: now).device
        _ = try await store.assign(device, to: plant, at: now)
    }

    func measure(_ values: [String: Double], at time: Timestamp = .now()) throws {
        let columns = values.keys.sorted()
        let names = columns.flatMap { [$0, $0 + "_at"] }.joined(separator: ", ")
        let set = columns.map { "\(values[$0] ?? 0), '\(time.rfc3339)'" }.joined(separator: ", ")
        try PostgresConnection(database.options).execute(
            """
            INSERT INTO device_state (device_id, last_seen_at, reading_at, \(names))
            VALUES ('\(device)', now(), '\(time.rfc3339)', \(set))
            ON CONFLICT (device_id) DO UPDATE SET (last_seen_at, reading_at, \(names))
                = ROW (now(), GREATEST(device_state.reading_at, EXCLUDED.reading_at), \(set))
            """)
    }

    /// The events of these changes: names and data.
    func told(_ change: (inout LiveChanges) -> Void) async throws -> [(name: String, data: [String: Any])] {
        var changes = LiveChanges()
        change(&changes)
        try await publisher.publish(changes)
        // Ends the waiting where nothing is told.
        #expect(subscription.nudge())
        let bytes = try #require(await subscription.next()).bytes
        return try String(decoding: bytes, as: UTF8.self).split(separator: "\n\n").map { event in
            let lines = event.split(separator: "\n")
            let name = try #require(lines.first { $0.hasPrefix("event: ") }).dropFirst(7)
            let data = try #require(lines.first { $0.hasPrefix("data: ") }).dropFirst(6)
            let object = try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any]
            return (String(name), try #require(object))
        }
    }

    func names(_ change: (inout LiveChanges) -> Void) async throws -> [String] { try await told(change).map(\.name) }
}

@Suite struct LivePublisherTests {
    @Test func `a reading is told with the plant as it is then, and the same again is not`() async throws {
        let watched = try await Watched()
        try watched.measure(["soil_moisture": 10])
        let told = try await watched.told { $0.measured = [watched.device] }
        #expect(told.map(\.name) == ["telemetry"])
        #expect(told[0].data["plant_id"] as? String == watched.plant.description)
        #expect(told[0].data["status"] as? String == "critical")
        let part = told[0].data["device"] as? [String: Any]
        #expect(part.map { Set($0.keys) } == ["id", "status", "last_seen_at", "battery", "rssi"])
        #expect(try await watched.names { $0.measured = [watched.device] } == [])
        #expect(try await watched.names { $0.doubtfulPlants = [watched.plant] } == [])
        try watched.measure(["soil_moisture": 40])
        #expect(try await watched.names { $0.measured = [watched.device] } == ["telemetry"])
        #expect(try await watched.names { $0.doubtfulPlants = [watched.plant] } == [])
        await watched.publisher.forget()
        #expect(try await watched.names { $0.measured = [watched.device] } == ["telemetry"])
    }

    @Test func `a late reading is told only if it brings what no newer one had`() async throws {
        let watched = try await Watched()
        let now = Timestamp.now()
        try watched.measure(["soil_moisture": 40], at: now)
        #expect(try await watched.names { $0.measured = [watched.device] } == ["telemetry"])
        try PostgresConnection(watched.database.options).execute("UPDATE device_state SET last_seen_at = now()")
        #expect(try await watched.names { $0.measured = [watched.device] } == [])
        try watched.measure(["co2": 600], at: now.adding(seconds: -600))
        let told = try await watched.told { $0.measured = [watched.device] }
        #expect(told.map(\.name) == ["telemetry"])
        #expect((told[0].data["latest_telemetry"] as? [String: Any])?["co2"] as? Double == 600)
    }

    @Test func `a device that is there again is told of although it said nothing new`() async throws {
        let watched = try await Watched()
        try watched.measure(["soil_moisture": 40])
        _ = try await watched.names { $0.measured = [watched.device] }
        let connection = try PostgresConnection(watched.database.options)
        try connection.execute("UPDATE device_state SET status = 'offline'")
        var told = try await watched.told { $0.heard = [watched.device] }
        #expect(told.map(\.name) == ["device"] && told[0].data["status"] as? String == "offline")
        #expect(try await watched.names { $0.heard = [watched.device] } == [])
        try connection.execute("UPDATE device_state SET status = 'online', last_seen_at = now()")
        told = try await watched.told { $0.measured = [watched.device] }
        #expect(told.map(\.name) == ["device"] && told[0].data["status"] as? String == "online")
    }

    @Test func `what somebody changed is told in any case, and its end`() async throws {
        let watched = try await Watched()
        for _ in 0..<2 {
            let told = try await watched.told {
                $0.devices = [watched.device]
                $0.plants = [watched.plant]
            }
            #expect(told.map(\.name) == ["plant", "device"])
            #expect(told[0].data["name"] as? String == "Fern" && told[0].data["device_count"] as? Int == 1)
            #expect(told[1].data["plant_id"] as? String == watched.plant.description)
        }
        #expect(try await watched.store.deletePlant(watched.plant))
        #expect(try await watched.store.deleteDevice(watched.device))
        let told = try await watched.told {
            $0.devices = [watched.device]
            $0.plants = [watched.plant]
        }
        #expect(told.map(\.name) == ["plant", "device"])
        #expect(told.map { $0.data["id"] as? String } == [watched.plant.description, watched.device.description])
        #expect(told.allSatisfy { $0.data["deleted"] as? Bool == true && $0.data.count == 2 })
        #expect(
            try await watched.names {
                $0.measured = [watched.device]
                $0.heard = [watched.device]
                $0.doubtfulPlants = [watched.plant]
            } == [])
    }

    @Test func `a reading that is read along with an assignment is told as a reading all the same`() async throws {
        let watched = try await Watched()
        try watched.measure(["soil_moisture": 40])
        #expect(try await watched.names { $0.devices = [watched.device] } == ["plant", "device"])
        #expect(try await watched.names { $0.measured = [watched.device] } == ["telemetry"])
    }

    @Test func `a device in no plant is told of without one`() async throws {
        let watched = try await Watched()
        _ = try await watched.store.unassign(watched.device, at: .now())
        try watched.measure(["soil_moisture": 40])
        let told = try await watched.told { $0.measured = [watched.device] }
        #expect(told.map(\.name) == ["telemetry"])
        for name in ["plant_id", "latest_telemetry", "status", "derived"] { #expect(told[0].data[name] is NSNull) }
    }
}
