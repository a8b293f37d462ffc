import Foundation
import PlantDomain
import Testing

@testable import plantops

@Suite("What a simulation writes")
struct SimulatorFileTests {
    @Test("is JSON whose times are exact to the microsecond")
    func telemetry() throws {
        var writer = TelemetryWriter()
        var weather = DeviceWeather(SimulatedClimate(seed: 1, device: 0))
        let batch = ReadingBatch(first: 1_780_272_000_999_999, step: 1, count: 3)
        writer.write(batch, of: &weather)
        let json = writer.withBytes { Data($0) }
        let readings = try #require(try JSONSerialization.jsonObject(with: json) as? [[String: Any]])
        #expect(readings.count == 3)
        for (index, reading) in readings.enumerated() {
            let time = try #require((reading["timestamp"] as? String).flatMap { Timestamp(rfc3339: $0) })
            #expect(time.microseconds == batch.time(index))
            let expected = weather.reading(at: batch.time(index))
            #expect(reading["temperature"] as? Double == Double(expected.temperature) / 10)
            #expect(reading["soil_moisture"] as? Double == Double(expected.soilMoisture) / 10)
            #expect(reading["humidity"] as? Double == Double(expected.humidity) / 10)
            #expect(reading["light_level"] as? Int == expected.light)
            #expect(reading["battery"] as? Int == expected.battery)
            #expect(reading["rssi"] as? Int == expected.rssi)
        }
    }

    @Test("is one object, not an array, for a single reading")
    func single() throws {
        var writer = TelemetryWriter()
        var weather = DeviceWeather(SimulatedClimate(seed: 1, device: 0))
        writer.write(ReadingBatch(first: 1_780_272_000_000_000, step: 1, count: 1), of: &weather)
        let text = writer.withBytes { String(decoding: $0, as: UTF8.self) }
        #expect(text.hasPrefix("{\"timestamp\":\"2026-06-01T00:00:00.000000Z\",\"soil_moisture\":"))
        #expect(text.hasSuffix("}"))
    }

    @Test("gives every device an address of its own that no real device has")
    func addresses() throws {
        let addresses = (0..<2000).map { SimulatorState.macAddress(seed: 5, device: $0) }
        #expect(Set(addresses).count == 2000)
        #expect(addresses.allSatisfy { $0.hasPrefix("02:") && MACAddress($0)?.description == $0 })
        #expect(SimulatorState.macAddress(seed: 6, device: 0) != addresses[0])
    }

    @Test("keeps the state for its owner only, and reads it again")
    func state() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "plantops-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "state.json").path()
        #expect(try SimulatorState.read(path) == nil)
        var state = SimulatorState(seed: 77)
        state.certificates = ["-----BEGIN CERTIFICATE-----\n…\n"]
        state.devices["02:00:00:00:00:01"] = SimulatorState.Entry(
            deviceID: "d", username: "d", password: "p", host: "localhost", port: 8883, certificate: 0, plantID: nil,
            backfillHours: 24)
        try state.write(path)
        try state.write(path)
        #expect(try SimulatorState.read(path) == state)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path()).count == 1)
        try Data("{".utf8).write(to: URL(filePath: path))
        #expect(throws: SimulatorError.self) { try SimulatorState.read(path) }
    }

    @Test("ends with a summary in one line of JSON")
    func summary() throws {
        var summary = FleetSummary()
        (summary.devices, summary.published, summary.acknowledged) = (6, 100, 99)
        (summary.readingsAcknowledged, summary.seconds, summary.unacknowledged) = (198, 3, 1)
        #expect(!summary.json.contains("\n"))
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(summary.json.utf8)) as? [String: Double])
        #expect(json["rate"] == 33)
        #expect(json["readings_acknowledged"] == 198)
        #expect(
            Set(json.keys) == [
                "devices", "published", "acknowledged", "readings_acknowledged", "resent", "dropped", "refused",
                "seconds", "rate", "unacknowledged",
            ])
    }
}
