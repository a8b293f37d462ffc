/// One reading in the making: takes the members of an object as they come and judges them when all are known.
struct ReadingBuilder {
    /// What stood under the key that counts for a metric, when it was not a number.
    private enum Misfit: UInt8 {
        case none, string, boolean, object, array
    }

    private let receivedAt: Timestamp
    private var time: Timestamp?
    /// Bits by index in ``KnownKey/all``.
    private var seenKeys: UInt64 = 0
    /// Bits by metric: a key other than null was there.
    private var metrics: UInt16 = 0
    private var ranks = SIMD16<UInt8>(repeating: .max)
    private var numbers = SIMD16<Double>.zero
    private var misfits = SIMD16<UInt8>.zero
    private var extras: [ExtraValue] = []
    private var surplusExtras = 0
    /// Hashes of unknown keys that were no usable number, because the first of repeated keys counts. Hashes, so that
    /// a payload of a hundred thousand keys costs no strings; a clash of 64 bits would cost one extra value.
    private var passedOver: Set<Int> = []

    init(receivedAt: Timestamp) {
        self.receivedAt = receivedAt
    }

    /// Consumes the value that belongs to `key`.
    mutating func readMember(
        _ key: JSONString, of scanner: inout JSONScanner, depth: Int, number: Int?, refusals: inout Refusals
    ) throws(JSONFailure) {
        let kind = try scanner.kind()
        guard let index = scanner.withContent(of: key, KnownKey.index) else {
            return try readUnknown(key, kind, of: &scanner, depth: depth, number: number, refusals: &refusals)
        }
        let bit: UInt64 = 1 << UInt64(index)
        guard seenKeys & bit == 0 else { return try scanner.skipValue(depth: depth) }
        seenKeys |= bit
        let known = KnownKey.all[index]
        switch known.meaning {
        case .timestamp: try readTime(kind, of: &scanner, depth: depth)
        case .metric(let metric):
            var value = 0.0
            var misfit = Misfit.none
            switch kind {
            case .null: return try scanner.literal("null")
            case .number: value = try scanner.number()
            case .string: misfit = .string
            case .boolean: misfit = .boolean
            case .object: misfit = .object
            case .array: misfit = .array
            }
            if misfit != .none { try scanner.skipValue(depth: depth) }
            let lane = metric.rawValue
            guard known.rank < ranks[lane] else { return }
            metrics |= 1 << UInt16(lane)
            ranks[lane] = known.rank
            numbers[lane] = value
            misfits[lane] = misfit.rawValue
        }
    }

    /// The reading, or nil if no value is left.
    mutating func finish(number: Int?, refusals: inout Refusals) -> Reading? {
        var values = MetricValues()
        while metrics != 0 {
            let lane = metrics.trailingZeroBitCount
            metrics &= metrics - 1
            guard let metric = Metric(rawValue: lane) else { continue }
            let value = numbers[lane]
            if let misfit = Misfit(rawValue: misfits[lane]), misfit != .none {
                refusals.add(.wrongType, reading: number, "\(metric.name) is \(article(misfit)), not a number")
            } else if metric.range.contains(value) {
                values[metric] = Metric.taken(value)
            } else {
                refusals.add(.valueOutOfRange, reading: number, outOfRange(metric, value))
            }
        }
        if surplusExtras > 0 {
            let limit = TelemetryDecoder.maximumExtras
            refusals.add(
                .tooManyExtras, reading: number, "\(limit + surplusExtras) extra metrics; the first \(limit) were kept")
        }
        guard !values.isEmpty || !extras.isEmpty else {
            refusals.add(.noValues, reading: number, "no value is left to store")
            return nil
        }
        return Reading(
            time: time ?? receivedAt, timeSource: time == nil ? .server : .device, values: values, extras: extras)
    }

    private func outOfRange(_ metric: Metric, _ value: Double) -> String {
        let written = value.isFinite ? "\(metric.name) \(plainText(value))" : "\(metric.name)"
        return "\(written) is outside \(plainText(metric.range, unit: metric.unit))"
    }

    private func article(_ misfit: Misfit) -> String {
        switch misfit {
        case .none: "a number"
        case .string: "a string"
        case .boolean: "a boolean"
        case .object: "an object"
        case .array: "an array"
        }
    }

    private mutating func readTime(
        _ kind: JSONKind, of scanner: inout JSONScanner, depth: Int
    ) throws(JSONFailure) {
        switch kind {
        case .string:
            let string = try scanner.string()
            time = scanner.withContent(of: string) { DeviceTime.plausible(rfc3339: $0, receivedAt: receivedAt) }
        case .number:
            time = DeviceTime.plausible(unix: try scanner.number(), receivedAt: receivedAt)
        default:
            try scanner.skipValue(depth: depth)
        }
    }

    private mutating func readUnknown(
        _ key: JSONString, _ kind: JSONKind, of scanner: inout JSONScanner, depth: Int, number: Int?,
        refusals: inout Refusals
    ) throws(JSONFailure) {
        guard case .number = kind else {
            try scanner.skipValue(depth: depth)
            passedOver.insert(hash(of: key, in: scanner))
            return
        }
        let value = try scanner.number()
        if !passedOver.isEmpty, passedOver.contains(hash(of: key, in: scanner)) { return }
        guard scanner.withContent(of: key, ExtraMetric.isValidName) else {
            passedOver.insert(hash(of: key, in: scanner))
            refusals.add(.badMetricName, reading: number, "\(quoted(key, in: scanner)) cannot be a metric's name")
            return
        }
        let name = scanner.text(of: key)
        guard !extras.contains(where: { $0.name == name }) else { return }
        guard abs(value) <= ExtraMetric.largest else {
            passedOver.insert(hash(of: key, in: scanner))
            refusals.add(.valueOutOfRange, reading: number, "\(name) is too large a number")
            return
        }
        guard extras.count < TelemetryDecoder.maximumExtras else {
            surplusExtras += 1
            return
        }
        extras.append(ExtraValue(name: name, value: Metric.taken(value)))
    }

    private func hash(of key: JSONString, in scanner: JSONScanner) -> Int {
        scanner.withContent(of: key) { bytes in
            var hasher = Hasher()
            hasher.combine(bytes: bytes)
            return hasher.finalize()
        }
    }

    /// The beginning of a key, as a person may see it.
    private func quoted(_ key: JSONString, in scanner: JSONScanner) -> String {
        // 64 scalars are at most 256 bytes; the decoder marks the one that may be cut in two behind them.
        let text = scanner.withContent(of: key) { String(decoding: $0.prefix(260), as: UTF8.self) }
        return "\"\(Rejection.printable(text, limit: 64))\""
    }
}

/// The time a device gave for its reading, if it can be believed.
enum DeviceTime {
    /// Devices buffer for weeks when the network is down; older than that is a clock that was never set.
    static let oldestSeconds = 30 * 86_400.0
    /// A clock that is a little fast is normal.
    static let aheadSeconds = 300.0

    static func plausible(rfc3339 text: UnsafeRawBufferPointer, receivedAt: Timestamp) -> Timestamp? {
        Timestamp(rfc3339: text).flatMap { plausible($0, receivedAt: receivedAt) }
    }

    /// Seconds or milliseconds since 1970, told apart by size: 10¹¹ seconds is the year 5138, 10¹¹ milliseconds 1973.
    static func plausible(unix number: Double, receivedAt: Timestamp) -> Timestamp? {
        let time =
            abs(number) < 1e11 ? Timestamp(seconds: number) : Timestamp(roundingMicroseconds: number * 1000)
        return plausible(time, receivedAt: receivedAt)
    }

    private static func plausible(_ time: Timestamp, receivedAt: Timestamp) -> Timestamp? {
        let ahead = time.seconds(since: receivedAt)
        return -oldestSeconds <= ahead && ahead <= aheadSeconds ? time : nil
    }
}
