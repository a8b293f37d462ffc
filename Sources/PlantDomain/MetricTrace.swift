/// What is remembered of one metric of one device between readings.
struct MetricTrace: Equatable, Sendable {
    let key: MetricKey
    var low = ConditionState()
    var high = ConditionState()
    var filter = SpikeFilter()
    var run = SensorRun()

    init(_ key: MetricKey) { self.key = key }
}

/// Tells a spike from a step: Hampel's filter over the last 7 values, |x − median| > 3·1.4826·MAD.
///
/// A value that stands out is set aside until the next: if that stands out likewise it was a step, and both count;
/// else it was a spike and never counts.
struct SpikeFilter: Equatable, Sendable {
    static let size = 7
    /// Longer apart, the next value says nothing about the one set aside, in seconds.
    static let confirmationSeconds = 21_600.0

    /// The newest last; `count` of them.
    private(set) var window = SIMD8<Float>(repeating: 0)
    private(set) var count = 0
    private(set) var suspect: (value: Double, time: Timestamp)?

    static func == (left: SpikeFilter, right: SpikeFilter) -> Bool {
        left.window == right.window && left.count == right.count && left.suspect?.value == right.suspect?.value
            && left.suspect?.time == right.suspect?.time
    }

    /// What may be judged now, oldest first: nothing, the value, or the one before and the value.
    /// - Parameter noiseFloor: what stands out less than thrice that never is a spike, however still it was before.
    mutating func admit(
        _ value: Double, at time: Timestamp, noiseFloor: Double
    ) -> (earlier: (value: Double, time: Timestamp)?, isAdmitted: Bool) {
        guard let (centre, allowed) = surroundings(of: value, noiseFloor: noiseFloor) else {
            suspect = nil
            push(value)
            return (nil, true)
        }
        if let before = suspect, (before.value - centre) * (value - centre) > 0, abs(before.value - centre) > allowed {
            // The level has changed: what was before says nothing about what comes.
            self = SpikeFilter()
            push(before.value)
            push(value)
            let belongs = time.seconds(since: before.time) <= Self.confirmationSeconds
            return (belongs ? before : nil, true)
        }
        suspect = (value, time)
        return (nil, false)
    }

    /// From what a value stands out, and from how much on one does; nil if this does not.
    private func surroundings(of value: Double, noiseFloor: Double) -> (centre: Double, allowed: Double)? {
        guard count >= Self.size - 1 else { return nil }
        let values = sorted(with: Self.float(value))
        let centre = Self.middle(values, count + 1)
        let distance = abs(value - Double(centre))
        // So nearly every value ends here, whatever the deviation.
        guard distance > 3 * noiseFloor else { return nil }
        let allowed = max(3 * 1.4826 * Self.deviation(values, count + 1, from: centre), 3 * noiseFloor)
        return distance > allowed ? (Double(centre), allowed) : nil
    }

    /// Takes a value without doubting it.
    mutating func push(_ value: Double) {
        if count == Self.size - 1 {
            for index in 1..<count { window[index - 1] = window[index] }
            window[count - 1] = Self.float(value)
        } else {
            window[count] = Self.float(value)
            count += 1
        }
    }

    /// Extra metrics may be larger than a Float.
    private static func float(_ value: Double) -> Float {
        Float(max(-Double(Float.greatestFiniteMagnitude), min(value, Double(Float.greatestFiniteMagnitude))))
    }

    /// Forgets what was set aside, for somebody who wants every value judged at once.
    mutating func trust() { suspect = nil }

    /// Median absolute deviation of the values so far; 0 with fewer than three.
    var deviation: Double {
        guard count >= 3 else { return 0 }
        // The newest counts twice.
        let values = sorted(with: window[count - 1])
        return Self.deviation(values, count + 1, from: Self.middle(values, count + 1))
    }

    private func sorted(with value: Float) -> SIMD8<Float> {
        var values = window
        values[count] = value
        Self.sort(&values, count + 1)
        return values
    }

    private static func deviation(_ values: SIMD8<Float>, _ number: Int, from centre: Float) -> Double {
        var values = values
        for index in 0..<number { values[index] = abs(values[index] - centre) }
        sort(&values, number)
        return Double(middle(values, number))
    }

    private static func middle(_ sorted: SIMD8<Float>, _ number: Int) -> Float {
        number.isMultiple(of: 2) ? (sorted[number / 2 - 1] + sorted[number / 2]) / 2 : sorted[number / 2]
    }

    /// By insertion: at most seven.
    private static func sort(_ values: inout SIMD8<Float>, _ number: Int) {
        for index in 1..<max(1, number) {
            let value = values[index]
            var place = index
            while place > 0, values[place - 1] > value {
                values[place] = values[place - 1]
                place -= 1
            }
            values[place] = value
        }
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(UInt8(count) | (suspect == nil ? 0 : 128))
        for index in 0..<count { bytes.put(window[index]) }
        if let suspect {
            bytes.put(suspect.time)
            bytes.put(suspect.value)
        }
    }

    init() {}

    init?(_ reader: inout MemoryReader) {
        guard let head = reader.byte(), Int(head & 127) <= Self.size - 1 else { return nil }
        count = Int(head & 127)
        for index in 0..<count {
            guard let value = reader.float(), value.isFinite else { return nil }
            window[index] = value
        }
        guard head & 128 != 0 else { return }
        guard let time = reader.time(), let value = reader.double(), value.isFinite else { return nil }
        suspect = (value, time)
    }
}

/// How long a sensor says the very same, in readings, and whether that has become improbable.
///
/// Runs of equal values are short for a fine sensor and long for a coarse one in a quiet place, so each sensor is
/// measured by its own past: were changes to come at random at its own pace, a run of 14 times the mean length would
/// come once in a million runs. Nights are quieter than days, so a coarse sensor gets a whole day, and twice its
/// longest run.
struct SensorRun: Equatable, Sendable {
    private(set) var value: Float = 0
    private(set) var start = Timestamp(microseconds: 0)
    /// Readings so far; 0: none yet.
    private(set) var length: UInt32 = 0
    /// Of the runs before, in readings.
    private(set) var mean: Float = 0
    private(set) var longest: Float = 0
    private(set) var runs: UInt8 = 0
    private(set) var isStuck = false

    static let knownAfterRuns: UInt8 = 20
    static let fineSeconds = 6 * 3600.0
    static let coarseSeconds = 24 * 3600.0
    static let unknownSeconds = 72 * 3600.0

    enum Change { case stuck, moves }

    /// Takes it as stuck, as an open alert tells, until it says something else than it says next.
    mutating func hold() { isStuck = true }

    mutating func note(_ value: Double, at time: Timestamp) -> Change? {
        let value = Float(value)
        guard length > 0 else {
            begin(value, time)
            return nil
        }
        guard value == self.value else {
            let was = isStuck
            learn()
            begin(value, time)
            isStuck = false
            return was ? .moves : nil
        }
        length = min(length + 1, 1 << 30)
        guard !isStuck, isImprobable(after: time.seconds(since: start)) else { return nil }
        isStuck = true
        return .stuck
    }

    private func isImprobable(after seconds: Double) -> Bool {
        let length = Float(length)
        guard runs >= Self.knownAfterRuns else { return length >= 20 && seconds >= Self.unknownSeconds }
        guard length > 14 * mean, length > 2 * longest else { return false }
        return mean <= 3 ? length >= 60 && seconds >= Self.fineSeconds : seconds >= Self.coarseSeconds
    }

    private mutating func learn() {
        let length = Float(length)
        // Once is a fault; what comes again is how this sensor is.
        longest = max(longest, length)
        guard !isStuck else { return }
        mean = runs == 0 ? length : mean + (length - mean) / Float(min(Int(runs) + 1, 50))
        runs = runs == .max ? .max : runs + 1
    }

    /// There was a long silence, which is not saying the same: the run begins anew, and teaches nothing.
    mutating func interrupt() { length = 0 }

    private mutating func begin(_ value: Float, _ time: Timestamp) {
        self.value = value
        start = time
        length = 1
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(UInt8(isStuck ? 1 : 0))
        bytes.put(value)
        bytes.put(start)
        bytes.put(Float(length))
        bytes.put(mean)
        bytes.put(longest)
        bytes.append(runs)
    }

    init() {}

    init?(_ reader: inout MemoryReader) {
        guard let flags = reader.byte(), flags <= 1, let value = reader.float(), let start = reader.time(),
            let length = reader.float(), (0...0x1p30).contains(length), let mean = reader.float(), mean.isFinite,
            let longest = reader.float(), longest.isFinite, let runs = reader.byte()
        else { return nil }
        isStuck = flags == 1
        self.value = value
        self.start = start
        self.length = UInt32(length)
        self.mean = mean
        self.longest = longest
        self.runs = runs
    }
}
