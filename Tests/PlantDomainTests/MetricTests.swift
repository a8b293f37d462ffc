import PlantDomain
import Testing

@Suite("Metrics")
struct MetricTests {
    @Test(
        "have the names, units and ranges that devices rely on",
        arguments: [
            (.soilMoisture, "soil_moisture", "%", 0...100), (.temperature, "temperature", "°C", -40...85),
            (.humidity, "humidity", "% RH", 0...100), (.lightLevel, "light_level", "lx", 0...200_000),
            (.soilTemperature, "soil_temperature", "°C", -40...85), (.soilEC, "soil_ec", "µS/cm", 0...20_000),
            (.co2, "co2", "ppm", 0...40_000), (.pressure, "pressure", "hPa", 300...1100),
            (.battery, "battery", "%", 0...100), (.batteryVoltage, "battery_voltage", "V", 0...30),
            (.rssi, "rssi", "dBm", -127...0),
        ] as [(Metric, String, String, ClosedRange<Double>)])
    func facts(metric: Metric, name: String, unit: String, range: ClosedRange<Double>) {
        #expect(metric.name == name)
        #expect(metric.unit == unit)
        #expect(metric.range == range)
        #expect(Metric.named(name) == metric)
        #expect(metric.noiseFloor > 0)
        #expect(metric.noiseFloor < (range.upperBound - range.lowerBound) / 20)
    }

    @Test("keep their ordinals, which are lanes of memory and columns of the database")
    func ordinals() {
        let order = Metric.allCases.map(\.name).joined(separator: " ")
        #expect(
            order == "soil_moisture temperature humidity light_level soil_temperature soil_ec co2 pressure battery "
                + "battery_voltage rssi")
        #expect(Metric.allCases.map(\.rawValue) == Array(0..<11))
    }

    @Test("are named by their name alone, not by an alias")
    func aliases() {
        #expect(Metric.lightLevel.aliases == ["light", "lux"])
        #expect(Metric.soilMoisture.aliases == ["moisture"])
        #expect(Metric.temperature.aliases == ["temp"])
        #expect(Metric.humidity.aliases == ["hum"])
        #expect(Metric.allCases.flatMap(\.aliases).allSatisfy { Metric.named($0) == nil })
        #expect(Metric.named("Temperature") == nil)
        let keys = Metric.allCases.flatMap { [$0.name] + $0.aliases }
        #expect(Set(keys).count == keys.count)
        #expect(keys.allSatisfy(ExtraMetric.isValidName))
    }

    @Test("of a device's own have names in a small alphabet")
    func extraNames() {
        let good = ["a", "ph", "leaf_wetness_2", String(repeating: "z", count: 64)]
        let bad = [
            "", "A", "pH", "2co", "_x", "a-b", "a b", "a.b", "é", "a\0", "ａ", String(repeating: "z", count: 65),
        ]
        for name in good { #expect(ExtraMetric.isValidName(name), "\(name)") }
        for name in bad { #expect(!ExtraMetric.isValidName(name), "\(name)") }
    }

    @Test("keep one value each, and give it up when set to nil")
    func values() {
        var values = MetricValues()
        #expect(values.isEmpty)
        for metric in Metric.allCases { values[metric] = Double(metric.rawValue) - 5 }
        for metric in Metric.allCases { #expect(values[metric] == Double(metric.rawValue) - 5) }
        for metric in Metric.allCases where metric != .co2 { values[metric] = nil }
        #expect(values[.temperature] == nil)
        #expect(!values.isEmpty)
        var once = MetricValues()
        once[.co2] = 1
        #expect(values == once)
        values[.co2] = nil
        #expect(values.isEmpty)
        #expect(values == MetricValues())
        once[.co2] = 0
        #expect(once != MetricValues(), "zero is a value")
    }

    @Test("are visited in their order, only where there is a value")
    func forEach() {
        var visited: [String] = []
        func visit(metric: Metric, value: Double) { visited.append("\(metric.name) \(value)") }
        PlantDomainTests.values([.rssi: -60, .soilMoisture: 45.2]).forEach(visit)
        #expect(visited == ["soil_moisture 45.2", "rssi -60.0"])
    }
}
