import PlantDomain
import PlantStore
import TestSupport
import Testing

@Suite struct HistoryTests {
    /// A whole hour, an hour or two ago.
    private let start = Timestamp(seconds: (Timestamp.now().seconds / 3600).rounded(.down) * 3600 - 7200)

    private func filled(
        _ kind: TimeSeriesKind, count: Int, every seconds: Double
    ) async throws -> (TestDatabase, EntityID) {
        let database = try TestDatabase(kind)
        let store = database.store()
        let (device, plant) = (try await makeDevice(store), try await makePlant(store))
        _ = try await store.assign(device, to: plant, at: start)
        var maker = BatchMaker()
        let readings = (0..<count).map { index in
            reading(
                start.adding(seconds: Double(index) * seconds), [.soilMoisture: Double(index % 100)],
                extras: [ExtraValue(name: "leaf_wetness", value: Double(index))])
        }
        maker.telemetry(device, readings)
        _ = try IngestWriter(database.options, clientID: "t").commit(maker.batch)
        return (database, plant)
    }

    private func ask(
        _ database: TestDatabase, _ plant: EntityID, hours: Double = 1, metrics: [String]? = nil,
        _ resolution: HistoryResolution? = nil
    ) async throws -> History? {
        let query = HistoryQuery(
            plant: plant, from: start, to: start.adding(seconds: hours * 3600), metrics: metrics, resolution: resolution
        )
        guard case .history(let history) = try await database.store().history(query) else { return nil }
        return history
    }

    @Test(arguments: TestDatabase.kinds)
    func `few readings are answered one by one`(kind: TimeSeriesKind) async throws {
        let (database, plant) = try await filled(kind, count: 10, every: 60)
        let history = try #require(try await ask(database, plant))
        #expect(history.resolution == .raw)
        #expect(history.time.count == 10)
        #expect(history.series.map(\.name) == ["soil_moisture"])
        #expect(history.series[0].avg == (0..<10).map(Double.init))
        #expect(history.series[0].unit == "%")
    }

    @Test(arguments: TestDatabase.kinds)
    func `many readings are answered in buckets with mean, least and most`(kind: TimeSeriesKind) async throws {
        let (database, plant) = try await filled(kind, count: 1200, every: 3)
        let history = try #require(try await ask(database, plant))
        #expect(history.resolution == .fiveMinutes)
        #expect(history.time.count == 12)
        #expect(history.time[0] == start)
        #expect(history.series[0].min.allSatisfy { $0 == 0 })
        #expect(history.series[0].max.allSatisfy { $0 == 99 })
        #expect(history.series[0].avg.allSatisfy { $0 == 49.5 })
    }

    @Test func `an extra metric is answered by its name`() async throws {
        let (database, plant) = try await filled(.native, count: 3, every: 60)
        let history = try #require(try await ask(database, plant, metrics: ["leaf_wetness", "co2"]))
        #expect(history.series.map(\.name) == ["leaf_wetness", "co2"])
        #expect(history.series[0].avg == [0, 1, 2])
        #expect(history.series[1].avg == [nil, nil, nil])
    }

    @Test func `a gap between buckets is null once`() async throws {
        let (database, plant) = try await filled(.native, count: 2, every: 1800)
        let history = try #require(try await ask(database, plant, .fiveMinutes))
        #expect(history.series[0].avg == [0, nil, 1])
    }

    @Test func `the end of the span is not part of it`() async throws {
        let (database, plant) = try await filled(.native, count: 3, every: 1800)
        #expect(try await ask(database, plant)?.time.count == 2)
    }

    @Test func `a plant that does not exist has no history`() async throws {
        let store = try TestDatabase().store()
        let query = HistoryQuery(plant: .make(), from: start, to: .now(), metrics: nil, resolution: nil)
        guard case .noSuchPlant = try await store.history(query) else {
            Issue.record("a history of nothing")
            return
        }
    }
}
