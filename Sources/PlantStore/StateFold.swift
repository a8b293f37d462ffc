import PlantDomain
import Postgres

/// What a batch says of each device, folded to one row per device.
struct StateFold {
    private struct State {
        var lastSeen: Timestamp
        var online: (value: Bool, at: Timestamp)?
        var uptime: Double?
        var freeHeap: Double?
        var firmware: String?
        var reading: (at: Timestamp, receivedAt: Timestamp, source: TimeSource)?
        /// From the first reading to the newest, and how many steps there were; what came late or twice is none.
        var pace: (first: Timestamp, newest: Timestamp, steps: Int)?
        var values = MetricValues()
        /// Valid where `values` has a value.
        var times = [Timestamp](repeating: Timestamp(microseconds: .min), count: Metric.allCases.count)
        var extras: [String: LatestTelemetry.Value] = [:]

        /// Seconds between the readings; nil with fewer than two, or when that is no pace a sensor keeps.
        var spacing: Double? {
            guard let pace, pace.steps > 0 else { return nil }
            let spacing = pace.newest.seconds(since: pace.first) / Double(pace.steps)
            return (1...21_600).contains(spacing) ? spacing : nil
        }

        mutating func step(to time: Timestamp) {
            guard let known = pace else {
                pace = (time, time, 0)
                return
            }
            if time > known.newest { pace = (known.first, time, known.steps + 1) }
        }

        mutating func set(_ reading: Reading, _ receivedAt: Timestamp) {
            if self.reading.map({ reading.time > $0.at }) ?? true {
                self.reading = (reading.time, receivedAt, reading.timeSource)
            }
            for metric in Metric.allCases {
                if let value = reading.values[metric] { set(metric, value, at: reading.time) }
            }
            for extra in reading.extras where extras[extra.name].map({ reading.time > $0.time }) ?? true {
                extras[extra.name] = LatestTelemetry.Value(value: extra.value, time: reading.time)
            }
        }

        mutating func set(_ metric: Metric, _ value: Double, at time: Timestamp) {
            guard time > times[metric.rawValue] else { return }
            times[metric.rawValue] = time
            values[metric] = value
        }
    }

    private var states: [EntityID: State] = [:]

    var isEmpty: Bool { states.isEmpty }

    mutating func heard(_ device: EntityID, receivedAt: Timestamp) {
        change(device, receivedAt) { _ in }
    }

    /// - Parameter readings: of one message, in any order.
    mutating func add(_ readings: ArraySlice<Reading>, of device: EntityID, receivedAt: Timestamp) {
        change(device, receivedAt) { state in
            for reading in readings { state.set(reading, receivedAt) }
            if readings.count == 1 {
                for reading in readings { state.step(to: reading.time) }
            } else {
                for time in readings.map(\.time).sorted() { state.step(to: time) }
            }
        }
    }

    mutating func add(_ heartbeat: Heartbeat, of device: EntityID, receivedAt: Timestamp) {
        change(device, receivedAt) { state in
            state.uptime = heartbeat.uptimeSeconds ?? state.uptime
            state.freeHeap = heartbeat.freeHeapBytes ?? state.freeHeap
            state.firmware = heartbeat.firmwareVersion ?? state.firmware
            if let rssi = heartbeat.rssi { state.set(.rssi, rssi, at: receivedAt) }
            if let battery = heartbeat.battery { state.set(.battery, battery, at: receivedAt) }
        }
    }

    mutating func add(online: Bool, of device: EntityID, receivedAt: Timestamp) {
        change(device, receivedAt, isSighting: online) { state in state.online = (online, receivedAt) }
    }

    /// - Parameter isSighting: a last will is the broker's word, not the device's: it was not seen then.
    private mutating func change(
        _ device: EntityID, _ receivedAt: Timestamp, isSighting: Bool = true, _ body: (inout State) -> Void
    ) {
        let never = Timestamp(microseconds: .min)
        var state = states.removeValue(forKey: device) ?? State(lastSeen: never)
        if isSighting { state.lastSeen = max(state.lastSeen, receivedAt) }
        // Whatever a device sends after its will shows that it is there.
        if isSighting, state.online?.value == false { state.online = (true, receivedAt) }
        body(&state)
        states[device] = state
    }

    /// In the order of `IngestSQL.stateColumns`, sorted by device so that two backends lock rows in the same order.
    /// - Parameter memories: what judging has to remember, of the devices whose readings were judged.
    func write(into buffer: inout CopyBuffer, memories: [EntityID: SensorMemory]) {
        for (device, state) in states.sorted(by: { $0.key < $1.key }) {
            buffer.beginRow(columns: IngestSQL.stateColumnCount)
            buffer.uuid(device.high, device.low)
            buffer.timestamp(state.lastSeen.microseconds == .min ? nil : state.lastSeen.microseconds)
            buffer.optionalText(state.online.map { $0.value ? "online" : "offline" })
            buffer.timestamp(state.online?.at.microseconds)
            buffer.double(state.uptime)
            buffer.double(state.freeHeap)
            buffer.optionalText(state.firmware)
            buffer.double(state.spacing)
            buffer.timestamp(state.reading?.at.microseconds)
            buffer.timestamp(state.reading?.receivedAt.microseconds)
            buffer.optionalText(state.reading?.source.rawValue)
            for metric in Metric.allCases {
                let value = state.values[metric]
                buffer.double(value)
                buffer.timestamp(value == nil ? nil : state.times[metric.rawValue].microseconds)
            }
            let newest = state.extras.sorted { ($0.value.time, $1.key) > ($1.value.time, $0.key) }
            buffer.json(ExtraJSON.encodeState(newest.prefix(IngestSQL.extrasKept)))
            let memory = memories[device]
            if let memory { buffer.bytes(memory.encoded) } else { buffer.null() }
            buffer.timestamp(memory?.judgedUntil?.microseconds)
        }
    }
}
