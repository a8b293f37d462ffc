/// What a payload held: the good part is kept, and what was refused is said. Both may be there.
package struct DecodedTelemetry: Equatable, Sendable {
    /// In the order they came.
    package var readings: [Reading]
    /// The first reason, and a list of all that was refused.
    package var rejection: Rejection?

    package init(readings: [Reading], rejection: Rejection?) {
        self.readings = readings
        self.rejection = rejection
    }
}

/// Turns the payload of `devices/{device_id}/telemetry` into readings: one object, or an array of objects.
///
/// On the hot path, hence a scanner of its own. Two things are decided for everybody here: among repeated keys the
/// first one counts, as with Foundation's JSONDecoder; and a metric's own name counts before its aliases, which count
/// in the order ``Metric`` lists them, wherever they stand in the object.
package struct TelemetryDecoder {
    package static let maximumPayloadBytes = 1_048_576
    package static let maximumReadings = 500
    package static let maximumExtras = 16
    package static let maximumDepth = JSONScanner.maximumDepth

    /// - Parameters:
    ///   - payload: JSON in UTF-8; only read during the call.
    ///   - receivedAt: when it arrived; the times devices give are judged by it.
    ///   - nextServerTime: gives the instant for a reading whose own is absent or not plausible; each call returns a
    ///     strictly later instant. Called only for readings that are kept, in their order.
    package static func decode(
        _ payload: UnsafeRawBufferPointer,
        receivedAt: Timestamp,
        nextServerTime: () -> Timestamp
    ) -> DecodedTelemetry {
        if payload.isEmpty { return refused(.empty, "the payload is empty") }
        if payload.count > maximumPayloadBytes {
            return refused(.tooLarge, "\(payload.count) bytes; at most \(maximumPayloadBytes) are taken")
        }
        var decoder = TelemetryDecoder(scanner: JSONScanner(payload), receivedAt: receivedAt)
        do throws(JSONFailure) {
            try decoder.readPayload()
        } catch {
            return DecodedTelemetry(readings: [], rejection: error.rejection)
        }
        // Only now, so that no instant is spent on a payload that turns out to be broken.
        for index in decoder.readings.indices where decoder.readings[index].timeSource == .server {
            decoder.readings[index].time = nextServerTime()
        }
        return DecodedTelemetry(readings: decoder.readings, rejection: decoder.refusals.rejection)
    }

    private static func refused(_ reason: RejectReason, _ detail: String) -> DecodedTelemetry {
        DecodedTelemetry(readings: [], rejection: Rejection(reason: reason, detail: detail))
    }

    private var scanner: JSONScanner
    private let receivedAt: Timestamp
    private var readings: [Reading] = []
    private var refusals = Refusals()

    private init(scanner: JSONScanner, receivedAt: Timestamp) {
        self.scanner = scanner
        self.receivedAt = receivedAt
    }

    private mutating func readPayload() throws(JSONFailure) {
        switch try scanner.kind() {
        case .object: try readObject(depth: 1, number: nil)
        case .array: try readArray()
        default:
            try scanner.skipValue(depth: 0)
            refusals.add(.notAnObject, "the payload is neither an object nor an array of objects")
        }
        try scanner.end()
    }

    private mutating func readArray() throws(JSONFailure) {
        try scanner.enter(depth: 1)
        var count = 0
        var isFirst = true
        while try scanner.nextElement(isFirst: &isFirst) {
            count += 1
            if count > TelemetryDecoder.maximumReadings {
                try scanner.skipValue(depth: 1)
            } else if case .object = try scanner.kind() {
                try readObject(depth: 2, number: count)
            } else {
                try scanner.skipValue(depth: 1)
                refusals.add(.notAnObject, reading: count, "not an object")
            }
        }
        if count == 0 { refusals.add(.empty, "the array is empty") }
        if count > TelemetryDecoder.maximumReadings {
            readings = []
            refusals = Refusals()
            refusals.add(.tooManyReadings, "\(count) readings; at most \(TelemetryDecoder.maximumReadings) are taken")
        }
    }

    private mutating func readObject(depth: Int, number: Int?) throws(JSONFailure) {
        var builder = ReadingBuilder(receivedAt: receivedAt)
        try scanner.enter(depth: depth)
        var isFirst = true
        while let key = try scanner.nextMember(isFirst: &isFirst) {
            try builder.readMember(key, of: &scanner, depth: depth, number: number, refusals: &refusals)
        }
        if let reading = builder.finish(number: number, refusals: &refusals) { readings.append(reading) }
    }
}
