import Logging
import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite(.serialized) struct SparklineTests {
    @Test func `the step under way is the last, and there are never more than 60`() {
        let now = Timestamp(seconds: 1_800_000_000 + 1234)
        for hours in Sparklines.hours {
            let asked = Sparklines(.soilMoisture, hours: hours, now: now)
            #expect(asked.to > now && asked.to.seconds(since: now) <= Double(asked.stepSeconds))
            let count = asked.to.seconds(since: asked.from) / Double(asked.stepSeconds)
            #expect(count == count.rounded() && (12...60).contains(count), "\(hours) h")
            #expect(asked.to.seconds(since: asked.from) >= Double(hours) * 3600)
        }
        #expect(Sparklines(.soilMoisture, hours: 24, now: now).stepSeconds == 1800)
        #expect(Sparklines(.soilMoisture, hours: 1, now: Timestamp(seconds: 3600)).to == Timestamp(seconds: 3900))
    }

    @Test(arguments: TestDatabase.kinds)
    func `curves are the same before and after readings are summarized`(kind: TimeSeriesKind) async throws {
        let database = try TestDatabase(kind)
        let store = database.store()
        let now = Timestamp.now()
        let (wet, empty) = (try await makePlant(store, name: "Wet"), try await makePlant(store, name: "Empty"))
        let devices = [try await makeDevice(store), try await makeDevice(store)]
        for device in devices { _ = try await store.assign(device, to: wet, by: testOrigin, at: now) }
        let asked = Sparklines(.soilMoisture, hours: 24, now: now)
        let writer = try IngestWriter(database.options, clientID: "t")
        var maker = BatchMaker()
        for step in [3, 20, 46] {
            let start = asked.from.adding(seconds: Double(step * asked.stepSeconds))
            // Of one device two readings in the same five minutes, of the other one.
            maker.telemetry(devices[0], [reading(start, [.soilMoisture: Double(step)])])
            maker.telemetry(devices[0], [reading(start.adding(seconds: 9), [.soilMoisture: Double(step) + 2])])
            maker.telemetry(devices[1], [reading(start, [.soilMoisture: Double(step) + 11, .temperature: 20])])
        }
        maker.telemetry(devices[0], [reading(now, [.soilMoisture: 77])])
        _ = try writer.commit(maker.batch)

        func check(_ when: Comment) async throws {
            let found = try await store.sparklines(asked, limit: 50, offset: 0)
            #expect(found.total == 2 && found.lines.map(\.plant) == [wet, empty], when)
            var values = [Double?](repeating: nil, count: 48)
            for step in [3, 20, 46] { values[step] = Double(step) + 6 }
            values[47] = 77
            #expect(found.lines.first?.values == values, when)
            #expect(found.lines.last?.values == Array(repeating: nil, count: 48), when)
        }

        try await check("before the rollups are complete")
        let upkeep = SeriesUpkeep(database.options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        for _ in 0..<2 { try await upkeep.summarize(zone: .utc, at: now) }
        try await check("summarized")
        let page = try await store.sparklines(asked, limit: 1, offset: 1)
        #expect(page.lines.map(\.plant) == [empty] && page.total == 2)
        #expect(try await store.sparklines(asked, limit: 1, offset: 2).total == 2)
        let warm = try await store.sparklines(Sparklines(.temperature, hours: 24, now: now), limit: 1, offset: 0)
        #expect(warm.lines.first?.values.compactMap { $0 } == [20, 20, 20])
    }
}
