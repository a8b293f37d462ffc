import PlantDomain
import Testing

@Suite struct DerivedMetricTests {
    private let all: [Metric: Double] = [
        .temperature: 25, .humidity: 50, .lightLevel: 5000, .soilEC: 1000, .soilTemperature: 20,
    ]

    @Test(arguments: [
        (DerivedMetric.vpd, 1.584, "kPa"), (.dewPoint, 13.86, "°C"), (.absoluteHumidity, 11.51, "g/m³"),
        (.ppfd, 92.5, "µmol/m²/s"), (.soilEC25, 1105, "µS/cm"),
    ])
    func `values follow from all of their inputs`(metric: DerivedMetric, expected: Double, unit: String) throws {
        let value = try #require(metric.value(of: { all[$0] }, lightSource: .sun))
        #expect(metric.rounded(value) == expected)
        #expect(metric.unit == unit)
        #expect(DerivedMetric.named(metric.name) == metric)
        for missing in metric.inputs {
            #expect(metric.value(of: { $0 == missing ? nil : all[$0] }, lightSource: .sun) == nil)
            #expect(metric.value(of: { $0 == missing ? .nan : all[$0] }, lightSource: .sun) == nil)
        }
        // Nothing else is asked for.
        #expect(metric.value(of: { metric.inputs.contains($0) ? all[$0] : .nan }, lightSource: .sun) == value)
    }

    @Test func `an instant has no light of a day`() {
        #expect(DerivedMetric.dli.value(of: { all[$0] }, lightSource: .sun) == nil)
    }

    @Test func `names are names an extra metric may have, and no metric has one`() {
        for metric in DerivedMetric.allCases {
            #expect(ExtraMetric.isValidName(metric.name))
            #expect(Metric.named(metric.name) == nil)
            #expect(Metric.canonicalName(ofAlias: metric.name) == nil)
        }
        #expect(DerivedMetric.named("VPD_KPA") == nil)
    }

    @Test func `rounding leaves no zero below zero`() {
        #expect(DerivedMetric.dewPoint.rounded(-0.001).sign == .plus)
        #expect(DerivedMetric.vpd.rounded(1.23449) == 1.234)
    }

    // MARK: Series

    private func history(_ resolution: HistoryResolution, _ columns: [(String, [Double?])]) -> History {
        var history = History(
            resolution: resolution,
            series: columns.map { name, values in
                var series = History.Series(name: name, unit: Metric.named(name)?.unit)
                (series.avg, series.min, series.max) = (values, values.map { $0.map { $0 - 1 } }, values)
                return series
            })
        history.time = (columns.first?.1 ?? []).indices.map { Timestamp(seconds: 1.8e9 + Double($0) * 3600) }
        return history
    }

    @Test func `readings have a value each, with itself as least and most`() throws {
        var history = history(.raw, [("temperature", [25, 20, nil, 20]), ("humidity", [50, 60, 60, nil])])
        history.addDerived([.vpd, .dewPoint], lightSource: .sun)
        #expect(history.series.map(\.name) == ["temperature", "humidity", "vpd_kpa", "dew_point_celsius"])
        let vpd = history.series[2]
        #expect(vpd.unit == "kPa")
        #expect(vpd.avg == [1.584, 0.935, nil, nil])
        #expect(vpd.min == vpd.avg && vpd.max == vpd.avg)
        #expect(history.series[3].avg == [13.86, 12, nil, nil])
    }

    @Test func `buckets have the value of their means, and no least or most`() {
        var history = history(.oneHour, [("light_level", [1000, nil, 0])])
        history.addDerived([.ppfd], lightSource: .whiteLED)
        #expect(history.series[1].avg == [17, nil, 0])
        #expect(history.series[1].min == [nil, nil, nil])
        #expect(history.series[1].max == [nil, nil, nil])
    }

    @Test func `an extra metric of the same name gives way, in its place`() {
        var history = history(.raw, [("vpd_kpa", [9, 9]), ("temperature", [25, 25]), ("humidity", [50, nil])])
        history.addDerived([.vpd], lightSource: .sun)
        #expect(history.series.map(\.name) == ["vpd_kpa", "temperature", "humidity"])
        #expect(history.series[0].avg == [1.584, nil])
        #expect(history.series[0].unit == "kPa")
    }

    @Test func `without the series of its inputs a value is null everywhere`() {
        var history = history(.raw, [("temperature", [25, 25])])
        history.addDerived(DerivedMetric.allCases, lightSource: .sun)
        #expect(history.series.count == 1 + DerivedMetric.allCases.count)
        #expect(history.series.dropFirst().allSatisfy { $0.isEmpty && $0.avg.count == 2 && $0.max.count == 2 })
        var empty = self.history(.raw, [])
        empty.addDerived([.vpd], lightSource: .sun)
        #expect(empty.series[0].avg == [])
    }

    @Test func `the light of days stands where they begin`() throws {
        let day = try #require(LocalDay("2026-06-21", in: .utc))
        let days = [
            (day: day, light: LightSum(luxHours: 50_000, coverage: 1)),
            (day: day.next, light: LightSum(luxHours: 50_000, coverage: 0.7)),
        ]
        var history = History(resolution: .oneDay, series: [])
        history.time = [day.previous.start, day.start, day.next.start]
        history.addDailyLight(days, lightSource: .sun)
        #expect(history.series.map(\.name) == ["dli_mol_m2_d"])
        #expect(history.series[0].avg == [nil, 3.33, nil])
        #expect(history.series[0].max == [nil, nil, nil])
    }
}
