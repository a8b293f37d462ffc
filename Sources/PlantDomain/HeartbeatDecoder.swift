/// A device's sign of life, every part of it optional.
package struct Heartbeat: Equatable, Sendable {
    /// Since it last started, in seconds.
    package var uptimeSeconds: Double?
    /// Strength of the Wi-Fi signal in dBm, the range of ``Metric/rssi``.
    package var rssi: Double?
    /// Charge in %, the range of ``Metric/battery``.
    package var battery: Double?
    /// Free memory in bytes.
    package var freeHeapBytes: Double?
    /// At most 64 characters, no control character, not empty.
    package var firmwareVersion: String?

    package init(
        uptimeSeconds: Double? = nil, rssi: Double? = nil, battery: Double? = nil, freeHeapBytes: Double? = nil,
        firmwareVersion: String? = nil
    ) {
        self.uptimeSeconds = uptimeSeconds
        self.rssi = rssi
        self.battery = battery
        self.freeHeapBytes = freeHeapBytes
        self.firmwareVersion = firmwareVersion
    }
}

/// Turns the payload of `devices/{device_id}/heartbeat` into a ``Heartbeat``.
package enum HeartbeatDecoder {
    /// A century of uptime and a terabyte of memory: more is a fault of the counter.
    private static let uptimeRange = 0.0...3_155_760_000
    private static let freeHeapRange = 0.0...1_099_511_627_776
    private static let maximumVersionLength = 64

    /// No bytes at all are a heartbeat that says nothing. A field that is of the wrong type or out of range is left
    /// out and said; a payload that is no JSON object gives no heartbeat. Unknown keys are ignored, `null` is absent,
    /// among repeated keys the first counts.
    package static func decode(_ payload: UnsafeRawBufferPointer) -> (heartbeat: Heartbeat?, rejection: Rejection?) {
        if payload.isEmpty { return (Heartbeat(), nil) }
        guard payload.count <= TelemetryDecoder.maximumPayloadBytes else {
            let detail = "\(payload.count) bytes; at most \(TelemetryDecoder.maximumPayloadBytes) are taken"
            return (nil, Rejection(reason: .tooLarge, detail: detail))
        }
        var scanner = JSONScanner(payload)
        var refusals = Refusals()
        do throws(JSONFailure) {
            let heartbeat = try readPayload(&scanner, &refusals)
            try scanner.end()
            return (heartbeat, refusals.rejection)
        } catch {
            return (nil, error.rejection)
        }
    }

    private static func readPayload(
        _ scanner: inout JSONScanner, _ refusals: inout Refusals
    ) throws(JSONFailure) -> Heartbeat? {
        guard case .object = try scanner.kind() else {
            try scanner.skipValue(depth: 0)
            refusals.add(.notAnObject, "the payload is not an object")
            return nil
        }
        var heartbeat = Heartbeat()
        var seen: Set<String> = []
        try scanner.enter(depth: 1)
        var isFirst = true
        while let key = try scanner.nextMember(isFirst: &isFirst) {
            // No key below is longer; a long one is not worth a string.
            let name = key.end - key.start <= 6 * 16 ? scanner.text(of: key) : ""
            switch name {
            case "uptime", "rssi", "battery", "free_heap", "firmware_version":
                if seen.insert(name).inserted {
                    try read(name, of: &scanner, into: &heartbeat, &refusals)
                } else {
                    try scanner.skipValue(depth: 1)
                }
            default: try scanner.skipValue(depth: 1)
            }
        }
        return heartbeat
    }

    private static func read(
        _ name: String, of scanner: inout JSONScanner, into heartbeat: inout Heartbeat, _ refusals: inout Refusals
    ) throws(JSONFailure) {
        switch name {
        case "uptime": heartbeat.uptimeSeconds = try number(name, in: uptimeRange, "s", &scanner, &refusals)
        case "rssi": heartbeat.rssi = try number(name, in: Metric.rssi.range, "dBm", &scanner, &refusals)
        case "battery": heartbeat.battery = try number(name, in: Metric.battery.range, "%", &scanner, &refusals)
        case "free_heap": heartbeat.freeHeapBytes = try number(name, in: freeHeapRange, "bytes", &scanner, &refusals)
        default: heartbeat.firmwareVersion = try version(name, &scanner, &refusals)
        }
    }

    private static func number(
        _ name: String, in range: ClosedRange<Double>, _ unit: String, _ scanner: inout JSONScanner,
        _ refusals: inout Refusals
    ) throws(JSONFailure) -> Double? {
        switch try scanner.kind() {
        case .number:
            let value = try scanner.number()
            if range.contains(value) { return value + 0 }
            let written = value.isFinite ? "\(name) \(plainText(value))" : name
            refusals.add(.valueOutOfRange, "\(written) is outside \(plainText(range, unit: unit))")
            return nil
        case .null:
            try scanner.literal("null")
            return nil
        default:
            try scanner.skipValue(depth: 1)
            refusals.add(.wrongType, "\(name) is not a number")
            return nil
        }
    }

    private static func version(
        _ name: String, _ scanner: inout JSONScanner, _ refusals: inout Refusals
    ) throws(JSONFailure) -> String? {
        switch try scanner.kind() {
        case .string:
            let text = scanner.text(of: try scanner.string())
            if text.isEmpty { return nil }
            let scalars = text.unicodeScalars
            // What `printable` would change is what must not come in.
            if scalars.prefix(maximumVersionLength + 1).count <= maximumVersionLength,
                Rejection.printable(text).unicodeScalars.elementsEqual(scalars)
            {
                return text
            }
            refusals.add(
                .valueOutOfRange, "\(name) is longer than \(maximumVersionLength) or holds control characters")
            return nil
        case .null:
            try scanner.literal("null")
            return nil
        default:
            try scanner.skipValue(depth: 1)
            refusals.add(.wrongType, "\(name) is not a string")
            return nil
        }
    }
}
