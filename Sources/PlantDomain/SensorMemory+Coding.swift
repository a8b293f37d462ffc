extension SensorMemory {
    private static let version: UInt8 = 1
    private static let extraMark: UInt8 = 255

    /// Without `judgedUntil`.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64 + traces.count * 80)
        bytes.append(Self.version)
        bytes.append(UInt8(plant == nil ? 0 : 1))
        if let plant { bytes.put(plant) }
        clock.encode(into: &bytes)
        battery.encode(into: &bytes)
        watering.encode(into: &bytes)
        bytes.append(UInt8(clamping: traces.count))
        for trace in traces.prefix(255) {
            switch trace.key {
            case .metric(let metric): bytes.append(UInt8(metric.rawValue))
            case .extra(let name):
                bytes.append(Self.extraMark)
                bytes.put(text: name)
            }
            trace.low.encode(into: &bytes)
            trace.high.encode(into: &bytes)
            trace.filter.encode(into: &bytes)
            trace.run.encode(into: &bytes)
        }
        return bytes
    }

    /// - Returns: nil for what no version of this program wrote, or one that is newer.
    package init?(encoded bytes: [UInt8]) {
        var reader = MemoryReader(bytes)
        guard reader.byte() == Self.version, let hasPlant = reader.byte(), hasPlant <= 1 else { return nil }
        if hasPlant == 1 {
            guard let plant = reader.id() else { return nil }
            self.plant = plant
        }
        guard let clock = ClockOffset(&reader), let battery = ConditionState(&reader),
            let watering = WateringTrace(&reader), let count = reader.byte()
        else { return nil }
        self.clock = clock
        self.battery = battery
        self.watering = watering
        traces.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let trace = Self.trace(&reader) else { return nil }
            traces.append(trace)
        }
        guard reader.isAtEnd else { return nil }
    }

    private static func trace(_ reader: inout MemoryReader) -> MetricTrace? {
        guard let mark = reader.byte() else { return nil }
        let key: MetricKey
        if mark == extraMark {
            guard let name = reader.text(), ExtraMetric.isValidName(name) else { return nil }
            key = .extra(name)
        } else {
            guard let metric = Metric(rawValue: Int(mark)) else { return nil }
            key = .metric(metric)
        }
        var trace = MetricTrace(key)
        guard let low = ConditionState(&reader), let high = ConditionState(&reader),
            let filter = SpikeFilter(&reader), let run = SensorRun(&reader)
        else { return nil }
        trace.low = low
        trace.high = high
        trace.filter = filter
        trace.run = run
        return trace
    }
}
