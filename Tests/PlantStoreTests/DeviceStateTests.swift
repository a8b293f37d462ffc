import PlantDomain
import PlantStore
import TestSupport
import Testing

@Suite struct DeviceStateTests {
    private let now = Timestamp.now()

    @Test func `a late reading never overwrites a newer value`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let device = try await makeDevice(store)
        let writer = try IngestWriter(database.options, clientID: "t")
        let extra = ExtraValue(name: "leaf_wetness", value: 1)
        for (seconds, moisture) in [(0.0, 50.0), (-3600, 10), (-60, 20)] {
            var maker = BatchMaker()
            let old = ExtraValue(name: extra.name, value: moisture)
            maker.telemetry(device, [reading(now.adding(seconds: seconds), [.soilMoisture: moisture], extras: [old])])
            _ = try writer.commit(maker.batch)
        }
        let latest = try #require(try await store.latestTelemetry(of: device) ?? nil)
        #expect(latest.time == now)
        #expect(latest.values["soil_moisture"] == LatestTelemetry.Value(value: 50, time: now))
        #expect(latest.values["leaf_wetness"]?.value == 50)
    }

    @Test func `what comes late, twice or out of order in one batch teaches no other interval`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let device = try await makeDevice(store)
        let readings = (0..<10).map { reading(now.adding(seconds: Double($0 - 9) * 600), [.soilMoisture: 40]) }
        var maker = BatchMaker()
        maker.telemetry(device, readings.reversed())
        maker.telemetry(device, readings)
        for minute in 1...5 {
            maker.telemetry(device, [reading(now.adding(seconds: Double(minute - 90) * 60), [.soilMoisture: 40])])
        }
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        #expect(try database.int("SELECT round(learned_interval_seconds)::bigint FROM device_state") == 600)
    }

    @Test func `each extra metric keeps its newest value whatever order they come in`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let device = try await makeDevice(store)
        let writer = try IngestWriter(database.options, clientID: "t")
        func wet(_ seconds: Double, _ value: Double) -> Reading {
            reading(now.adding(seconds: seconds), [:], extras: [ExtraValue(name: "wet", value: value)])
        }
        for readings in [[wet(-60, 1)], [wet(-1200, 99), reading(now, [.soilMoisture: 40])]] {
            var maker = BatchMaker()
            maker.telemetry(device, readings)
            _ = try writer.commit(maker.batch)
        }
        let latest = try #require(try await store.latestTelemetry(of: device) ?? nil)
        #expect(latest.values["wet"] == LatestTelemetry.Value(value: 1, time: now.adding(seconds: -60)))
    }

    @Test func `a metric keeps its newest value when later readings do not have it`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let device = try await makeDevice(store)
        var maker = BatchMaker()
        maker.telemetry(device, [reading(now.adding(seconds: -60), [.soilMoisture: 50, .temperature: 20])])
        maker.telemetry(device, [reading(now, [.temperature: 21])])
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        let latest = try #require(try await store.latestTelemetry(of: device) ?? nil)
        #expect(latest.values["temperature"] == LatestTelemetry.Value(value: 21, time: now))
        #expect(
            latest.values["soil_moisture"] == LatestTelemetry.Value(value: 50, time: now.adding(seconds: -60)))
    }

    @Test func `a heartbeat shows battery, signal and firmware without becoming a reading`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let id = try await makeDevice(store)
        var maker = BatchMaker()
        maker.heartbeat(
            id,
            Heartbeat(uptimeSeconds: 5, rssi: -61, battery: 88, freeHeapBytes: 1000, firmwareVersion: "2.0"),
            receivedAt: now)
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        let device = try #require(try await store.device(id))
        #expect((device.battery, device.rssi, device.firmwareVersion) == (88, -61, "2.0"))
        #expect(device.lastSeenAt == now)
        #expect(try database.int("SELECT count(*) FROM telemetry") == 0)
        #expect(try await store.latestTelemetry(of: id) == .some(nil))
    }

    @Test func `a last will makes a device offline until it is heard again`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let id = try await makeDevice(store)
        let writer = try IngestWriter(database.options, clientID: "t")
        func status() async throws -> DeviceStatus? { try await store.device(id)?.status(now: now) }
        #expect(try await status() == .provisioning)
        for (seconds, expected) in [(-30.0, DeviceStatus.online), (-20, .offline), (-10, .online)] {
            var maker = BatchMaker()
            let at = now.adding(seconds: seconds)
            if expected == .offline {
                maker.status(id, online: false, receivedAt: at)
            } else {
                maker.heartbeat(id, Heartbeat(), receivedAt: at)
            }
            _ = try writer.commit(maker.batch)
            #expect(try await status() == expected)
        }
    }

    @Test func `a device that invents names of metrics cannot fill its row`() async throws {
        let database = try TestDatabase()
        let device = try await makeDevice(database.store())
        let writer = try IngestWriter(database.options, clientID: "t")
        for round in 0..<60 {
            var maker = BatchMaker()
            let extras = (0..<16).map { ExtraValue(name: "metric_\(round)_\($0)", value: 1) }
            maker.telemetry(device, [reading(now.adding(seconds: Double(round)), [.temperature: 20], extras: extras)])
            _ = try writer.commit(maker.batch)
        }
        let names = "SELECT count(*) FROM device_state, jsonb_object_keys(extra)"
        #expect(try database.int(names) == 64)
        let newest = try await database.store().latestTelemetry(of: device)
        #expect(newest??.values["metric_59_0"] != nil)
    }
}
