import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite(.serialized) struct RollupTests {
    private let now = Timestamp.now()
    private let berlin = KnownTimeZone("Europe/Berlin")!

    @Test(arguments: TestDatabase.kinds)
    func `rollups are exact before, while and after they are summarized`(kind: TimeSeriesKind) async throws {
        let log = try ReadingLog(kind)
        var maker = ReadingMaker(seed: 1)
        try log.write(maker.readings(600, between: now.days(-4), and: now.adding(seconds: 200)))
        // All of it is read from the readings, or from what was summarized when they came late.
        if kind == .timescale { #expect(try log.differences() == []) }
        for step in 0..<4 {
            #expect(try await log.summarize(at: now.hours(Double(step) * 2.6)))
            #expect(try log.differences() == [], "step \(step)")
            // What is new is there at once.
            try log.write(
                maker.readings(
                    20, between: now.hours(Double(step) * 2.6 + 0.1), and: now.hours(Double(step + 1) * 2.6)))
            #expect(try log.differences() == [], "step \(step), with what is new")
        }
        try await log.summarize(zone: berlin, at: now.days(3))
        #expect(try log.differences(zone: berlin) == [])
    }

    @Test(arguments: TestDatabase.kinds)
    func `late readings and duplicates are taken up wherever they belong, once`(kind: TimeSeriesKind) async throws {
        let log = try ReadingLog(kind)
        var maker = ReadingMaker(seed: 2)
        let start = now.days(3)
        let first = maker.readings(200, between: now, and: start)
        try log.write(first)
        try await log.summarize(at: start)
        #expect(try log.differences() == [])
        // The same again, with other values: the first stay.
        try log.write(first.map { LoggedReading(time: $0.time, device: $0.device, values: ["co2": 1]) })
        try await log.summarize(at: start.adding(seconds: 60))
        #expect(try log.differences() == [])
        // A minute, an hour, a day, and a month late.
        for seconds: Double in [60, 3600, 86_400, 30 * 86_400] {
            let end = start.adding(seconds: -seconds)
            try log.write(maker.readings(5, between: end.adding(seconds: -30), and: end))
            try await log.summarize(at: start.adding(seconds: 61))
            #expect(try log.differences() == [], "\(seconds) s late")
        }
    }

    @Test(arguments: TestDatabase.kinds)
    func `a device that stands in two plants and in none within five minutes is three`(
        kind: TimeSeriesKind
    ) async throws {
        let log = try ReadingLog(kind)
        let (device, plants) = (EntityID.make(), [EntityID.make(), nil, EntityID.make(), nil])
        let start = now.days(-1).rounded(downTo: .oneHour)
        try log.write(
            plants.enumerated().map { index, plant in
                LoggedReading(
                    time: start.adding(seconds: Double(index) * 60), device: device, plant: plant,
                    values: ["soil_moisture": Double(index), "sap": Double(index)])
            })
        try await log.summarize(at: now)
        #expect(try log.differences() == [])
        for view in ReadingLog.views { #expect(try log.found(view).count == 3) }
        // One more without a plant, late: it is added, not put beside.
        try log.write([LoggedReading(time: start.adding(seconds: 270), device: device, values: ["soil_moisture": 9])])
        try await log.summarize(at: now)
        #expect(try log.differences() == [])
    }

    @Test(arguments: TestDatabase.kinds)
    func `a reading that is ahead of the clock is in the rollups before and after its time`(
        kind: TimeSeriesKind
    ) async throws {
        let log = try ReadingLog(kind)
        let device = EntityID.make()
        try log.write([LoggedReading(time: now.adding(seconds: 290), device: device, values: ["co2": 400])])
        for minutes: Double in [0, 5, 11, 70, 2900] {
            try await log.summarize(at: now.adding(seconds: minutes * 60))
            #expect(try log.differences() == [], "after \(minutes) minutes")
        }
    }

    @Test(arguments: TestDatabase.kinds)
    func `what the intake stored is summarized, and stays when its device is deleted`(
        kind: TimeSeriesKind
    ) async throws {
        let log = try ReadingLog(kind)
        let store = log.database.store()
        let (device, plant) = (try await makeDevice(store), try await makePlant(store))
        _ = try await store.assign(device, to: plant, at: now.days(-3))
        var maker = BatchMaker()
        for packet in 0..<40 {
            let time = now.adding(seconds: -Double(packet) * 3000)
            let values: [Metric: Double] = [.temperature: Double(packet) / 7, .humidity: Double(packet)]
            maker.telemetry(
                device, [reading(time, values, extras: [ExtraValue(name: "sap_flow", value: 0.25)])],
                packetID: UInt16(packet + 1))
            log.note([
                LoggedReading(
                    time: time, device: device, plant: plant,
                    values: ["temperature": Double(packet) / 7, "humidity": Double(packet), "sap_flow": 0.25])
            ])
        }
        let writer = try IngestWriter(log.database.options, clientID: "t")
        #expect(try writer.commit(maker.batch).stored == 40)
        try await log.summarize(at: now)
        #expect(try log.differences() == [])
        // Delivered again.
        #expect(try writer.commit(maker.batch).duplicates == 40)
        #expect(try await store.deleteDevice(device))
        try await log.summarize(at: now.days(1))
        #expect(try log.differences() == [])
    }

    @Test(arguments: TestDatabase.kinds, [3, 4] as [UInt64])
    func `whatever comes in whichever order, rollups are what the readings add up to`(
        kind: TimeSeriesKind, seed: UInt64
    ) async throws {
        let log = try ReadingLog(kind)
        var maker = ReadingMaker(seed: seed)
        let zones = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"].compactMap { KnownTimeZone($0) }
        var clock = now
        var zone = KnownTimeZone.utc
        var sent: [LoggedReading] = []
        for step in 0..<16 {
            switch Int.random(in: 0..<10, using: &maker.random) {
            case 0..<4:
                let new = maker.readings(25, between: clock, and: clock.adding(seconds: 280))
                try log.write(new)
                sent += new
            case 4..<6:
                let new = maker.readings(25, between: clock.days(-20), and: clock)
                try log.write(new)
                sent += new
            case 6: try log.write(sent.shuffled(using: &maker.random).prefix(20).map { $0 })
            default:
                if Int.random(in: 0..<3, using: &maker.random) == 0 {
                    zone = zones[Int.random(in: 0..<zones.count, using: &maker.random)]
                }
                try await log.summarize(zone: zone, at: clock)
                #expect(try log.differences(zone: zone) == [], "step \(step)")
            }
            clock = clock.adding(seconds: Double(Int.random(in: 0..<20_000, using: &maker.random)))
        }
        try await log.summarize(zone: zone, at: clock)
        #expect(try log.differences(zone: zone) == [])
    }

    @Test(.enabled(if: TestDatabase.kinds.contains(.timescale), "the timescaledb extension is not installed"))
    func `rollups have the same columns on both kinds of database`() throws {
        let databases = try [TestDatabase(.native), TestDatabase(.timescale)]
        for view in ReadingLog.views {
            let columns = try databases.map {
                try $0.text(
                    """
                    SELECT string_agg(column_name || ' ' || data_type, ',' ORDER BY ordinal_position)
                    FROM information_schema.columns WHERE table_name = '\(view)'
                    """)
            }
            #expect(columns[0] != nil)
            #expect(columns[0] == columns[1])
        }
    }
}
