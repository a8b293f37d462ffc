import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite struct PlantStoreTests {
    private let now = Timestamp.now()

    @Test func `a buffered reading goes to the plant its device stood in at the time`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let device = try await makeDevice(store)
        let (first, second) = (try await makePlant(store), try await makePlant(store))
        #expect(try await store.assign(device, to: first, at: now.adding(seconds: -3600)) == .assigned)
        _ = try await store.unassign(device, at: now.adding(seconds: -1800))
        #expect(try await store.assign(device, to: second, at: now.adding(seconds: -900)) == .assigned)
        var maker = BatchMaker()
        // Before any assignment, in the first plant, in none, in the second plant.
        let readings = [-7200.0, -2700, -1200, -60].map {
            reading(now.adding(seconds: $0), [.soilMoisture: 50 + $0 / 1000])
        }
        maker.telemetry(device, readings)
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        let count = "SELECT count(*) FROM telemetry WHERE plant_id"
        #expect(try database.int("\(count) = '\(first)'") == 2)
        #expect(try database.int("\(count) IS NULL") == 1)
        #expect(try database.int("\(count) = '\(second)'") == 1)
    }

    @Test func `a plant that gets a used device does not show what it measured elsewhere`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let device = try await makeDevice(store)
        let (first, second) = (try await makePlant(store), try await makePlant(store))
        _ = try await store.assign(device, to: first, at: now.adding(seconds: -100))
        var maker = BatchMaker()
        maker.telemetry(device, [reading(now.adding(seconds: -50), [.soilMoisture: 40])])
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        #expect(try await store.plant(first)?.latest?.values["soil_moisture"]?.value == 40)
        _ = try await store.assign(device, to: second, at: now)
        #expect(try await store.plant(second)?.latest == nil)
        #expect(try await store.plant(first)?.deviceCount == 0)
    }

    @Test func `a device whose plant was deleted takes nothing of it to the next one`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let device = try await makeDevice(store)
        let (first, second) = (try await makePlant(store), try await makePlant(store))
        _ = try await store.assign(device, to: first, at: now.adding(seconds: -100))
        var maker = BatchMaker()
        maker.telemetry(device, [reading(now.adding(seconds: -50), [.soilMoisture: 40])])
        let writer = try IngestWriter(database.options, clientID: "t")
        _ = try writer.commit(maker.batch)
        #expect(try await store.deletePlant(first))
        _ = try await store.assign(device, to: second, at: now)
        #expect(try await store.plant(second)?.latest == nil)
        var late = BatchMaker()
        late.telemetry(device, [reading(now.adding(seconds: -40), [.soilMoisture: 41])])
        _ = try writer.commit(late.batch)
        #expect(try database.int("SELECT count(*) FROM telemetry WHERE plant_id = '\(second)'") == 0)
    }

    @Test func `a device the broker was not told of is not shown`() async throws {
        let store = try TestDatabase().store()
        let id = try await makeDevice(store)
        let unseen = try await store.offerCredentials(
            registering: try .sample(), rule: .open, sealer: try testSealer(), from: testOrigin, at: now
        ).get().device
        let page = try await store.devices(limit: 10, offset: 0)
        #expect(page.items.map(\.id) == [id])
        #expect(page.total == 1)
        #expect(try await store.device(unseen) == nil)
    }

    @Test func `a plant with several devices shows the newest of each metric`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let plant = try await makePlant(store)
        var maker = BatchMaker()
        for (index, values) in [[Metric.soilMoisture: 40.0, .temperature: 20], [.temperature: 22]].enumerated() {
            let device = try await makeDevice(store)
            _ = try await store.assign(device, to: plant, at: now)
            maker.telemetry(device, [reading(now.adding(seconds: Double(index)), values)])
        }
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        let found = try #require(try await store.plant(plant))
        #expect(found.deviceCount == 2)
        #expect(found.latest?.values.mapValues(\.value) == ["soil_moisture": 40, "temperature": 22])
    }

    @Test func `pages cover every plant once, and one beyond the end still says how many there are`() async throws {
        let store = try TestDatabase().store()
        for number in 1...7 { _ = try await makePlant(store, name: "Plant \(number)") }
        var names: [String] = []
        for offset in stride(from: 0, to: 9, by: 3) {
            names += try await store.plants(limit: 3, offset: offset).items.map(\.name)
        }
        #expect(names == (1...7).map { "Plant \($0)" })
        let beyond = try await store.plants(limit: 3, offset: 100)
        #expect(beyond.items.isEmpty)
        #expect(beyond.total == 7)
    }

    @Test func `changes of different fields at the same time all count`() async throws {
        let store = try TestDatabase().store(connections: 4)
        let id = try await makePlant(store)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for metric in Metric.allCases {
                group.addTask {
                    _ = try await store.updatePlant(id, at: .now()) {
                        $0.thresholds[metric.name] = Threshold(min: 1, max: 2)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.plant(id)?.thresholds.count == Metric.allCases.count)
    }

    @Test func `a device known by its MAC address keeps its id`() async throws {
        let store = try TestDatabase().store()
        let id = try await makeDevice(store)
        let device = try #require(try await store.device(id))
        let again = Device(
            id: .make(), macAddress: device.macAddress, name: "Another name", firmwareVersion: "3.0", sensorTypes: [],
            reportingIntervalSeconds: 30, plantID: nil, createdAt: now, lastSeenAt: nil, announcedOnline: nil,
            battery: nil, rssi: nil)
        let outcome = try await store.register(again)
        #expect(outcome.device == id)
        #expect(!outcome.isNew)
        let updated = try #require(try await store.device(id))
        #expect((updated.name, updated.firmwareVersion) == ("Sensor", "3.0"))
        #expect(updated.reportingIntervalSeconds == 30)
    }

    @Test func `deleting a device keeps the history of its plant`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let (device, plant) = (try await makeDevice(store), try await makePlant(store))
        _ = try await store.assign(device, to: plant, at: now)
        var maker = BatchMaker()
        maker.telemetry(device, [reading(now, [.soilMoisture: 40])])
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        #expect(try await store.deleteDevice(device))
        #expect(try await !store.deleteDevice(device))
        #expect(try database.int("SELECT count(*) FROM telemetry WHERE plant_id = '\(plant)'") == 1)
        #expect(try await store.plant(plant)?.deviceCount == 0)
    }

    @Test func `old dead letters are dropped and recent ones stay`() async throws {
        let database = try TestDatabase()
        try PostgresConnection(database.options).execute(
            """
            INSERT INTO dead_letters (id, received_at, topic, reason, detail, payload, payload_bytes)
            SELECT gen_random_uuid(), now() - n * INTERVAL '1 second', 't', 'not_json', '', ''::bytea, 0
            FROM generate_series(1, 10005) AS n
            UNION ALL SELECT gen_random_uuid(), now() - INTERVAL '31 days', 't', 'not_json', '', ''::bytea, 0
            """)
        #expect(try await database.store().trimDeadLetters() == 6)
        #expect(try database.int("SELECT count(*) FROM dead_letters") == 10_000)
    }
}
