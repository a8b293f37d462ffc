import Foundation
import Logging
import PlantDomain
import PlantStore
import TestSupport
import Testing

@Suite struct ExportTests {
    private let start = Timestamp(rfc3339: "2026-11-01T12:00:00Z")!

    /// A plant and two devices in it; nothing is measured yet.
    private struct Pot {
        let database: TestDatabase
        let store: Store
        let plant: EntityID
        let devices: [EntityID]
    }

    private func pot(_ kind: TimeSeriesKind) async throws -> Pot {
        let database = try TestDatabase(kind)
        let store = database.store()
        let devices = [try await makeDevice(store), try await makeDevice(store)].sorted()
        let plant = try await makePlant(store)
        for device in devices { _ = try await store.assign(device, to: plant, at: start) }
        _ = try database.int("SELECT telemetry_ensure_partitions('2026-10-01', '2026-12-01')")
        return Pot(database: database, store: store, plant: plant, devices: devices)
    }

    private func write(_ pot: Pot, _ device: EntityID, _ readings: [Reading]) throws {
        var maker = BatchMaker()
        maker.telemetry(device, readings, receivedAt: start)
        _ = try IngestWriter(pot.database.options, clientID: "t").commit(maker.batch)
    }

    /// The whole file, page by page, without its header.
    private func records(_ pot: Pot, _ query: ExportQuery, rows: Int = 20_000, bytes: Int = 1 << 20) async throws
        -> [String]
    {
        var csv: [UInt8] = []
        var position: ExportPosition?
        repeat {
            let page = try await pot.store.exportPage(query, after: position, rows: rows, bytes: bytes)
            #expect(page.csv.count < bytes + 4096)
            csv += page.csv
            position = page.next
        } while position != nil
        let text = String(decoding: csv, as: UTF8.self)
        guard !text.isEmpty else { return [] }
        #expect(text.hasSuffix("\r\n"))
        #expect(text.utf8.count { $0 == UInt8(ascii: "\n") } == text.utf8.count { $0 == UInt8(ascii: "\r") })
        return text.dropLast().components(separatedBy: "\r\n")
    }

    @Test(arguments: TestDatabase.kinds)
    func `a record has everything of a reading, without loss`(kind: TimeSeriesKind) async throws {
        let pot = try await pot(kind)
        let time = start.adding(microseconds: 123_456)
        try write(
            pot, pot.devices[0],
            [
                reading(
                    time, [.soilMoisture: 45.2, .temperature: 0.1 + 0.2, .rssi: -60],
                    extras: [ExtraValue(name: "leaf_wetness", value: 3.5), ExtraValue(name: "lamps", value: 7)],
                    source: .server),
                reading(start.adding(seconds: 1), [.co2: 40_000]),
            ])
        let query = ExportQuery(plant: pot.plant)
        #expect(
            query.header
                == "time,device_id,soil_moisture,temperature,humidity,light_level,soil_temperature,soil_ec,co2,pressure,"
                + "battery,battery_voltage,rssi,extra,time_source\r\n")
        #expect(
            try await records(pot, query) == [
                "2026-11-01T12:00:00.123456Z,\(pot.devices[0]),45.2,0.30000000000000004,,,,,,,,,-60,"
                    + #""{""lamps"": 7, ""leaf_wetness"": 3.5}",server"#,
                "2026-11-01T12:00:01Z,\(pot.devices[0]),,,,,,,40000,,,,,,device",
            ])
    }

    @Test(arguments: TestDatabase.kinds)
    func `pages of any size make the same file: nothing twice, nothing missing`(kind: TimeSeriesKind) async throws {
        let pot = try await pot(kind)
        // Both devices measure at the same instants, over the end of a month and of a chunk.
        for (index, device) in pot.devices.enumerated() {
            try write(
                pot, device,
                (0..<30).map { reading(start.adding(seconds: Double($0) * 86_400), [.temperature: Double($0 + index)]) }
            )
        }
        let query = ExportQuery(plant: pot.plant, metrics: ["temperature"])
        let expected = (0..<30).flatMap { day in
            pot.devices.enumerated().map { index, device in
                "\(start.adding(seconds: Double(day) * 86_400)),\(device),\(day + index)"
            }
        }
        for rows in [1, 2, 3, 7, 59, 60, 61, 1000] {
            #expect(try await records(pot, query, rows: rows) == expected, "pages of \(rows)")
        }
        // A page is full by its bytes, too; a record has 60 to 61.
        for bytes in [1, 61, 600] {
            #expect(try await records(pot, query, bytes: bytes) == expected, "pages of \(bytes) bytes")
        }
        let span = ExportQuery(
            plant: pot.plant, from: start.adding(seconds: 86_400), to: start.adding(seconds: 3 * 86_400),
            metrics: ["temperature"])
        for rows in [1, 2, 3, 4, 5] {
            #expect(try await records(pot, span, rows: rows) == Array(expected[2..<6]), "from is in it and to is not")
        }
    }

    @Test(arguments: TestDatabase.kinds)
    func `what is stored between two pages moves nothing`(kind: TimeSeriesKind) async throws {
        let pot = try await pot(kind)
        let times = (0..<10).map { start.adding(seconds: Double($0) * 60) }
        try write(pot, pot.devices[1], times.map { reading($0, [.temperature: 1]) })
        let query = ExportQuery(plant: pot.plant, metrics: ["temperature"])
        let first = try await pot.store.exportPage(query, rows: 5)
        // Before, at and after the position.
        try write(pot, pot.devices[0], times.map { reading($0, [.temperature: 2]) })
        var found = String(decoding: first.csv, as: UTF8.self)
        var position = first.next
        while let next = position {
            let page = try await pot.store.exportPage(query, after: next, rows: 5)
            found += String(decoding: page.csv, as: UTF8.self)
            position = page.next
        }
        let lines = found.components(separatedBy: "\r\n").dropLast()
        #expect(Set(lines).count == lines.count)
        #expect(lines.filter { $0.hasSuffix(",1") }.count == 10)
        #expect(lines.filter { $0.hasSuffix(",2") }.count == 5)
    }

    @Test(arguments: TestDatabase.kinds)
    func `extra metrics are columns of their own where they are asked for`(kind: TimeSeriesKind) async throws {
        let pot = try await pot(kind)
        try write(
            pot, pot.devices[0],
            [
                reading(start, [.temperature: 20], extras: [ExtraValue(name: "lamps", value: 1e100)]),
                reading(start.adding(seconds: 1), [:], extras: [ExtraValue(name: "other", value: -0.125)]),
            ])
        let query = ExportQuery(plant: pot.plant, metrics: ["other", "temperature", "lamps"])
        #expect(query.header == "time,device_id,other,temperature,lamps\r\n")
        #expect(
            try await records(pot, query) == [
                "\(start),\(pot.devices[0]),,20,1e+100", "\(start.adding(seconds: 1)),\(pot.devices[0]),-0.125,,",
            ])
    }

    @Test(arguments: TestDatabase.kinds)
    func `a plant without readings, and one that is not there, have none`(kind: TimeSeriesKind) async throws {
        let pot = try await pot(kind)
        try write(pot, pot.devices[0], [reading(start, [.temperature: 20])])
        let other = try await makePlant(pot.store)
        for plant in [other, EntityID.make()] {
            #expect(try await records(pot, ExportQuery(plant: plant)) == [])
        }
        let before = ExportQuery(plant: pot.plant, to: start)
        #expect(try await records(pot, before) == [])
    }

    @Test(arguments: ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
    func `no time is too far away to be asked for`(text: String) async throws {
        let pot = try await pot(.native)
        try write(pot, pot.devices[0], [reading(start, [.temperature: 20])])
        let time = try #require(Timestamp(rfc3339: text))
        let isAfter = time < start
        #expect(try await records(pot, ExportQuery(plant: pot.plant, from: time)).count == (isAfter ? 1 : 0))
        #expect(try await records(pot, ExportQuery(plant: pot.plant, to: time)).count == (isAfter ? 0 : 1))
    }

    @Test func `a page of long records holds no more than it may, and no less than one`() async throws {
        let pot = try await pot(.native)
        let extras = (0..<16).map { ExtraValue(name: String(repeating: "x", count: 60) + "\($0)", value: 0.1) }
        try write(
            pot, pot.devices[0], (0..<200).map { reading(start.adding(seconds: Double($0)), [:], extras: extras) })
        let page = try await pot.store.exportPage(ExportQuery(plant: pot.plant), bytes: 10_000)
        #expect((10_000..<13_000).contains(page.csv.count))
        let all = try await records(pot, ExportQuery(plant: pot.plant), bytes: 10_000)
        #expect(all.count == 200)
        #expect(Set(all).count == 200)
    }

    @Test(arguments: TestDatabase.kinds)
    func `buckets are exported with mean, least, most and number, summarized already or not`(
        kind: TimeSeriesKind
    ) async throws {
        let pot = try await pot(kind)
        // 10, 11, 12 °C in each hour, and one of them has an extra metric.
        let lamps = [ExtraValue(name: "lamps", value: 7)]
        let readings: [Reading] = (0..<9).map { index in
            let (hour, third) = (index / 3, index % 3)
            let time = start.adding(seconds: Double(hour * 3600 + third * 600))
            return reading(time, [.temperature: Double(10 + third)], extras: index == 4 ? lamps : [])
        }
        for device in pot.devices { try write(pot, device, readings) }
        let query = ExportQuery(plant: pot.plant, metrics: ["temperature", "lamps"], resolution: .oneHour)
        #expect(
            query.header
                == "time,device_id,readings,temperature_avg,temperature_min,temperature_max,temperature_count,"
                + "lamps_avg,lamps_min,lamps_max,lamps_count\r\n")
        var expected: [String] = []
        for hour in 0..<3 {
            let (time, extra) = (start.adding(seconds: Double(hour) * 3600), hour == 1 ? "7,7,7,1" : ",,,")
            for device in pot.devices { expected.append("\(time),\(device),3,11,10,12,3,\(extra)") }
        }
        let everything = ExportQuery(plant: pot.plant, resolution: .oneHour)
        #expect(everything.header.hasPrefix("time,device_id,readings,soil_moisture_avg,"))
        #expect(everything.header.hasSuffix(",rssi_count,extra\r\n"))
        let upkeep = SeriesUpkeep(pot.database.options, logger: Logger(label: "test"))
        // Plain tables learn of what comes late when it is summarized; TimescaleDB reads it live until then.
        for round in kind == .timescale ? ["live", "summarized"] : ["summarized"] {
            if round == "summarized" {
                try await eventually("everything is summarized") {
                    try await upkeep.summarize(zone: .utc, at: .now())
                    return try await pot.store.exportPage(query).csv.count > 0
                }
            }
            for rows in [1, 2, 3, 6, 7, 100] {
                #expect(try await records(pot, query, rows: rows) == expected, "\(round), pages of \(rows)")
            }
            let all = try await records(pot, everything)
            try #require(all.count == 6)
            #expect(all[2].contains(#","{""lamps"": [7, 7, 7, 1]}"#), "\(all[2])")
            let fine = ExportQuery(plant: pot.plant, resolution: .fiveMinutes)
            #expect(try await records(pot, fine).count == 18)
            let days = ExportQuery(plant: pot.plant, metrics: ["temperature"], resolution: .oneDay)
            let found = try await records(pot, days)
            #expect(found.count == 2)
            #expect(found.allSatisfy { $0.hasSuffix(",9,11,10,12,9") }, "\(found)")
        }
    }
}
