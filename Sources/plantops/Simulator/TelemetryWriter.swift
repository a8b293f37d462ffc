import PlantDomain

/// Writes readings as JSON into one buffer that is used again and again: about 170 bytes per reading and no allocation.
struct TelemetryWriter {
    private var bytes: [UInt8] = []
    /// The second whose text is in `clock`.
    private var second = Int64.min
    /// `2026-11-21T03:38:33`
    private var clock: [UInt8] = []

    init() { bytes.reserveCapacity(4096) }

    /// One reading as an object, several as an array, in the order of time.
    mutating func write(_ batch: ReadingBatch, of weather: inout DeviceWeather) {
        bytes.removeAll(keepingCapacity: true)
        if batch.count > 1 { bytes.append(UInt8(ascii: "[")) }
        for index in 0..<batch.count {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            let time = batch.time(index)
            write(weather.reading(at: time), at: time)
        }
        if batch.count > 1 { bytes.append(UInt8(ascii: "]")) }
    }

    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // `withUnsafeBytes` of Array rethrows untyped errors.
        try bytes.span.withUnsafeBytes(body)
    }

    private mutating func write(_ reading: SimulatedReading, at time: Int64) {
        append("{\"timestamp\":\"")
        writeTime(time)
        append("\",\"soil_moisture\":")
        write(tenths: reading.soilMoisture)
        append(",\"temperature\":")
        write(tenths: reading.temperature)
        append(",\"humidity\":")
        write(tenths: reading.humidity)
        append(",\"light_level\":")
        write(reading.light)
        append(",\"battery\":")
        write(reading.battery)
        append(",\"rssi\":")
        write(reading.rssi)
        append("}")
    }

    /// RFC 3339 with six digits of fraction: (device, time) is unique even at thousands of messages a second.
    private mutating func writeTime(_ microseconds: Int64) {
        let (whole, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        if whole != second {
            second = whole
            clock = Array(Timestamp(microseconds: whole * 1_000_000).rfc3339.utf8.dropLast())
        }
        bytes.append(contentsOf: clock)
        bytes.append(UInt8(ascii: "."))
        var divisor: Int64 = 100_000
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: fraction / divisor % 10))
            divisor /= 10
        }
        bytes.append(UInt8(ascii: "Z"))
    }

    private mutating func write(tenths value: Int) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let magnitude = abs(value)
        write(magnitude / 10)
        bytes.append(UInt8(ascii: "."))
        bytes.append(UInt8(ascii: "0") + UInt8(magnitude % 10))
    }

    private mutating func write(_ value: Int) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let magnitude = abs(value)
        var divisor = 1
        while magnitude / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(magnitude / divisor % 10))
            divisor /= 10
        }
    }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

/// The climate of one device, with the conditions of the second that was asked for last.
struct DeviceWeather {
    private let climate: SimulatedClimate
    private var second = Int64.min
    private var conditions: SimulatedClimate.Conditions

    init(_ climate: SimulatedClimate) {
        self.climate = climate
        conditions = climate.conditions(second: 0)
    }

    /// - Parameter microseconds: since 1970
    mutating func reading(at microseconds: Int64) -> SimulatedReading {
        let whole = microseconds / 1_000_000
        if whole != second {
            second = whole
            conditions = climate.conditions(second: whole)
        }
        return climate.reading(conditions, at: microseconds)
    }
}
