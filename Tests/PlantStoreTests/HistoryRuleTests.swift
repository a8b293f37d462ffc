import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// Rules of a history that hold wherever its points come from: the single readings or the rollups.
@Suite(.serialized) struct HistoryRuleTests {
    /// A whole day, a few days ago.
    private let start = Timestamp.now().rounded(downTo: .oneDay).days(-4)

    private func ask(
        _ log: ReadingLog, _ plant: EntityID, from: Timestamp, to: Timestamp, _ metrics: [String]?,
        _ resolution: HistoryResolution?
    ) async throws -> History {
        let query = HistoryQuery(plant: plant, from: from, to: to, metrics: metrics, resolution: resolution)
        guard case .history(let history) = try await log.database.store().history(query) else {
            throw TestSetupError(description: "no history")
        }
        return history
    }

    /// The answer from readings, and the same as if they had been dropped.
    private func askBoth(
        _ log: ReadingLog, _ plant: EntityID, hours: Double, _ metrics: [String]?, _ resolution: HistoryResolution
    ) async throws -> [History] {
        try log.database.execute("UPDATE rollup_state SET raw_from = NULL")
        try await log.summarize(at: .now())
        var answers: [History] = []
        for setting in ["NULL", "'2100-01-01'"] {
            try log.database.execute("UPDATE rollup_state SET raw_from = \(setting)")
            answers.append(try await ask(log, plant, from: start, to: start.hours(hours), metrics, resolution))
        }
        return answers
    }

    @Test(arguments: TestDatabase.kinds)
    func `each device of a plant counts the same, however often it measures`(kind: TimeSeriesKind) async throws {
        let log = try ReadingLog(kind)
        let plant = try await makePlant(log.database.store())
        let (quick, slow, third) = (EntityID.make(), EntityID.make(), EntityID.make())
        try log.write(
            (0..<120).map {
                LoggedReading(
                    time: start.adding(seconds: Double($0) * 60), device: quick, plant: plant,
                    values: ["soil_moisture": 10, "sap_flow": 1])
            })
        try log.write(
            (0..<12).map {
                LoggedReading(
                    time: start.adding(seconds: Double($0) * 600 + 7), device: slow, plant: plant,
                    values: ["soil_moisture": $0 % 2 == 0 ? 30 : 50, "sap_flow": 3])
            })
        // Has nothing to say of moisture, and stands in another plant later.
        try log.write(
            (0..<4).map {
                LoggedReading(
                    time: start.adding(seconds: Double($0) * 1800 + 3), device: third,
                    plant: $0 < 2 ? plant : .make(), values: ["co2": 400, "sap_flow": 8])
            })
        for history in try await askBoth(log, plant, hours: 2, ["soil_moisture", "sap_flow", "co2"], .oneHour) {
            #expect(history.time == [start, start.hours(1)])
            #expect(history.series.map(\.name) == ["soil_moisture", "sap_flow", "co2"])
            #expect(history.series[0].avg == [25, 25])
            #expect(history.series[0].min == [10, 10])
            #expect(history.series[0].max == [50, 50])
            #expect(history.series[1].avg == [4, 2])
            #expect(history.series[1].max == [8, 3])
            #expect(history.series[1].unit == nil)
            #expect(history.series[2].avg == [400, nil])
        }
    }

    @Test(arguments: TestDatabase.kinds)
    func `gaps are null in every resolution, whatever the points are made of`(kind: TimeSeriesKind) async throws {
        let log = try ReadingLog(kind)
        let plant = try await makePlant(log.database.store())
        // Every minute for ten minutes, and again an hour, three hours and two days later.
        let (device, starts) = (EntityID.make(), [0.0, 1, 3, 48])
        try log.write(
            starts.flatMap { hour in
                (0..<10).map {
                    LoggedReading(
                        time: start.hours(hour).adding(seconds: Double($0) * 60), device: device, plant: plant,
                        values: ["co2": 400 + hour])
                }
            })
        let expected: [(HistoryResolution, [Double?])] = [
            (.fiveMinutes, [400, 400, nil, 401, 401, nil, 403, 403, nil, 448, 448]),
            (.oneHour, [400, 401, nil, 403, nil, 448]), (.oneDay, [401 + 1 / 3.0, nil, 448]),
        ]
        for (resolution, values) in expected {
            for history in try await askBoth(log, plant, hours: 72, nil, resolution) {
                #expect(history.series.map(\.name) == ["co2"])
                #expect(history.series[0].avg.count == values.count)
                for (value, wanted) in zip(history.series[0].avg, values) {
                    #expect((value == nil) == (wanted == nil))
                    #expect(abs((value ?? 0) - (wanted ?? 0)) < 1e-9)
                }
            }
        }
        let raw = try await ask(log, plant, from: start, to: start.days(3), nil, .raw)
        #expect(raw.time.count == 43)
        #expect(raw.series[0].avg.count { $0 == nil } == 3)
    }

    @Test(arguments: TestDatabase.kinds)
    func `the light of a day and what follows from means are the same from readings and rollups`(
        kind: TimeSeriesKind
    ) async throws {
        let log = try ReadingLog(kind)
        let plant = try await makePlant(log.database.store())
        let device = EntityID.make()
        // 5 000 lx from 8 to 18 o'clock on each of three days: 50 000 lx·h.
        try log.write(
            (0..<(3 * 144)).map { index in
                let hour = index / 6 % 24
                return LoggedReading(
                    time: start.adding(seconds: Double(index) * 600), device: device, plant: plant,
                    values: [
                        "light_level": (8..<18).contains(hour) ? 5000 : 0, "temperature": 25, "humidity": 50,
                    ])
            })
        for history in try await askBoth(log, plant, hours: 72, ["dli_mol_m2_d", "vpd_kpa"], .oneDay) {
            #expect(history.series.map(\.name) == ["dli_mol_m2_d", "vpd_kpa"])
            #expect(history.series[0].avg == [3.33, 3.33, 3.33])
            let expected = PlantScience.airVPD(temperature: 25, humidity: 50)
            #expect(history.series[1].avg.allSatisfy { abs(($0 ?? 0) - expected) <= 0.0005 })
        }
    }

    @Test(arguments: TestDatabase.kinds)
    func `an answer nobody chose the resolution of has a thousand points at most`(
        kind: TimeSeriesKind
    ) async throws {
        let log = try ReadingLog(kind)
        let store = log.database.store()
        let (plant, other) = (try await makePlant(store), try await makePlant(store))
        func readings(_ count: Int, in plant: EntityID, _ second: (Int) -> Double) -> [LoggedReading] {
            let device = EntityID.make()
            return (0..<count).map {
                LoggedReading(
                    time: start.adding(seconds: second($0)), device: device, plant: plant, values: ["co2": 400])
            }
        }
        // Every minute; the first is out of the second span.
        try log.write(readings(1001, in: plant) { Double($0) * 60 })
        // Few enough, but for two gaps.
        try log.write(readings(999, in: other) { Double($0) * 60 + ($0 > 300 ? 3600 : 0) + ($0 > 600 ? 3600 : 0) })
        try await log.summarize(at: .now())
        let (all, fewer) = (
            try await ask(log, plant, from: start, to: start.days(1), nil, nil),
            try await ask(log, plant, from: start.adding(seconds: 1), to: start.days(1), nil, nil)
        )
        #expect((all.resolution, all.time.count) == (.fiveMinutes, 201))
        #expect((fewer.resolution, fewer.time.count) == (.raw, 1000))
        #expect(try await ask(log, other, from: start, to: start.days(1), nil, nil).resolution == .fiveMinutes)
        #expect(try await ask(log, other, from: start, to: start.hours(5), nil, nil).resolution == .raw)
        // All of it is there for who asks for it.
        #expect(try await ask(log, plant, from: start, to: start.days(1), nil, .raw).time.count == 1001)

        // Spans that begin and end anywhere, full of readings.
        try log.write(readings(4000, in: plant) { Double($0) * 80 + 0.5 })
        try await log.summarize(at: .now())
        for (from, seconds) in [(0.0, 300_000.0), (1, 300_000), (299, 299_702), (100, 299_900), (17, 320_000)] {
            let first = start.adding(seconds: from)
            let history = try await ask(log, plant, from: first, to: first.adding(seconds: seconds), nil, nil)
            #expect(history.resolution != .raw)
            #expect(history.time.count <= HistoryQuery.automaticPoints, "\(from) \(seconds)")
            #expect(history.time.count > 60)
        }
    }

    @Test func `more points than one answer holds are refused`() async throws {
        let log = try ReadingLog(.native)
        let plant = try await makePlant(log.database.store())
        try log.database.execute(
            """
            SELECT telemetry_ensure_partitions('\(start.rfc3339)', '\(start.days(1).rfc3339)');
            INSERT INTO telemetry (time, device_id, plant_id, co2, time_source, received_at)
            SELECT '\(start.rfc3339)'::timestamptz + n * INTERVAL '1 second', '\(EntityID.make())', '\(plant)', 400,
                'device', now()
            FROM generate_series(1, \(HistoryQuery.maximumPoints + 1)) n
            """)
        func outcome(_ to: Timestamp) async throws -> HistoryOutcome {
            try await log.database.store().history(
                HistoryQuery(plant: plant, from: start, to: to, metrics: nil, resolution: .raw))
        }
        guard case .tooManyPoints = try await outcome(start.days(1)) else {
            Issue.record("all of them were answered")
            return
        }
        guard case .history(let history) = try await outcome(start.adding(seconds: 20_001)) else {
            Issue.record("not one too many")
            return
        }
        #expect(history.time.count == HistoryQuery.maximumPoints)
    }
}
