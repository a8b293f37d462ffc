/// What a device can measure. This is the one place to add a metric; its column in the database is the other half.
///
/// `rawValue` is the ordinal: the lane in ``MetricValues`` and the order of columns. Append only.
package enum Metric: Int, CaseIterable, Sendable {
    case soilMoisture
    case temperature
    case humidity
    case lightLevel
    case soilTemperature
    case soilEC
    case co2
    case pressure
    case battery
    case batteryVoltage
    case rssi

    /// What is known of a metric.
    struct Facts: Sendable {
        /// Its key in JSON and its column, `[a-z][a-z0-9_]{0,31}`.
        let name: String
        /// As shown to people, after a space.
        let unit: String
        /// What is physically possible or what a sensor can say; a value outside is a fault and is refused.
        let range: ClosedRange<Double>
        /// How much two readings may differ while nothing has changed, in the metric's unit.
        let noiseFloor: Double
        /// Other keys accepted on input, the preferred one first.
        var aliases: [String] = []
    }

    /// Ranges are the contract with devices. Noise floors are the repeatability that data sheets of common sensors
    /// give, rounded up: SHT31 (±0.1 °C, ±0.1–0.2 % RH, drift and draughts on top), BH1750 (a few lx of lamp flicker),
    /// SCD41 (±10 ppm), BMP280 (±0.12 hPa), the ESP32's ADC for capacitive probes and cell voltage, ±2–3 dB of Wi-Fi.
    private var definition: Facts {
        switch self {
        case .soilMoisture:
            Facts(name: "soil_moisture", unit: "%", range: 0...100, noiseFloor: 1, aliases: ["moisture"])
        case .temperature:
            Facts(name: "temperature", unit: "°C", range: -40...85, noiseFloor: 0.3, aliases: ["temp"])
        case .humidity:
            Facts(name: "humidity", unit: "% RH", range: 0...100, noiseFloor: 1, aliases: ["hum"])
        case .lightLevel:
            Facts(name: "light_level", unit: "lx", range: 0...200_000, noiseFloor: 10, aliases: ["light", "lux"])
        case .soilTemperature:
            Facts(name: "soil_temperature", unit: "°C", range: -40...85, noiseFloor: 0.3)
        case .soilEC:
            Facts(name: "soil_ec", unit: "µS/cm", range: 0...20_000, noiseFloor: 20)
        case .co2:
            Facts(name: "co2", unit: "ppm", range: 0...40_000, noiseFloor: 15)
        case .pressure:
            Facts(name: "pressure", unit: "hPa", range: 300...1100, noiseFloor: 0.2)
        case .battery:
            Facts(name: "battery", unit: "%", range: 0...100, noiseFloor: 1)
        case .batteryVoltage:
            Facts(name: "battery_voltage", unit: "V", range: 0...30, noiseFloor: 0.02)
        case .rssi:
            Facts(name: "rssi", unit: "dBm", range: -127...0, noiseFloor: 3)
        }
    }

    /// The name to use instead of an alias; nil when it is none.
    package static func canonicalName(ofAlias alias: String) -> String? {
        allCases.first { $0.aliases.contains(alias) }?.name
    }

    package var name: String { Metric.facts[rawValue].name }
    package var unit: String { Metric.facts[rawValue].unit }
    /// In the metric's unit; both ends are allowed.
    package var range: ClosedRange<Double> { Metric.facts[rawValue].range }
    package var aliases: [String] { Metric.facts[rawValue].aliases }
    /// How much two readings may differ while nothing has changed, in the metric's unit.
    package var noiseFloor: Double { Metric.facts[rawValue].noiseFloor }

    /// The metric of that very name; aliases are for devices only and do not count here.
    package static func named(_ name: String) -> Metric? {
        byName[name]
    }

    /// By ordinal, made once: the range is read for every value of every reading.
    private static let facts: [Facts] = allCases.map(\.definition)

    private static let byName: [String: Metric] = Dictionary(
        uniqueKeysWithValues: allCases.map { ($0.name, $0) })
}

extension Metric {
    /// The least magnitude that is not taken for 0. To PostgreSQL a quotient that is too small for a Double is an error,
    /// and one such reading would make an error of every summary it is part of.
    private static let least = 1e-100

    /// A measured number as it is kept. Adding zero turns −0 into 0.
    static func taken(_ value: Double) -> Double { abs(value) < least ? 0 : value + 0 }
}

/// Numeric keys that are no ``Metric``: kept under their own name.
package enum ExtraMetric {
    /// The largest magnitude taken. PostgreSQL's avg() squares its values, so beyond 1e154 one reading would make every
    /// mean it is part of an error.
    package static let largest = 1e100

    /// Whether the name may be kept: `[a-z][a-z0-9_]{0,63}`.
    package static func isValidName(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { isValidName(UnsafeRawBufferPointer($0)) }
    }

    static func isValidName(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard 1...64 ~= bytes.count, isLowerCaseLetter(bytes[0]) else { return false }
        return bytes.allSatisfy { byte in
            isLowerCaseLetter(byte) || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
    }

    private static func isLowerCaseLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}
