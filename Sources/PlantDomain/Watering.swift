/// When a rise of soil moisture is a watering: by at least max(5 points, 4 × noise MAD) within 60 minutes, and it stays
/// up for 30 (docs/science.md).
enum WateringRule {
    /// In points.
    static let leastRise = 5.0
    static let noiseFactor = 4.0
    static let windowSeconds = 3600.0
    static let holdSeconds = 1800.0

    /// How much it must rise, in points.
    /// - Parameter deviation: median absolute deviation of the sensor's noise, in points.
    static func neededRise(deviation: Double) -> Double { max(leastRise, noiseFactor * deviation) }
}

/// Notices while readings come in that a pot was watered. ``WateringDetector`` finds the same afterwards.
struct WateringTrace: Equatable, Sendable {
    /// For so long after a watering nothing is called too wet, in seconds: water drains.
    static let graceSeconds = 86_400.0
    /// The lowest values of the last hour and the five minutes it begins in, in slots of five minutes each.
    private static let slots = 13
    private static let slotMicroseconds: Int64 = 300 * 1_000_000

    /// Slots since 1970 of the newest one, which is the first in `lows`; nil: none.
    private(set) var newest: Int64?
    /// NaN where nothing was measured.
    private(set) var lows = SIMD16<Float>(repeating: .nan)
    private(set) var wateredAt: Timestamp?
    /// What it rose from; valid while `wateredAt` is.
    private(set) var baseline: Float = 0
    /// The watering before, should the last one turn out to be none.
    private(set) var wateredBefore: Timestamp?

    init() {}

    static func == (left: WateringTrace, right: WateringTrace) -> Bool {
        left.newest == right.newest && left.wateredAt == right.wateredAt && left.baseline == right.baseline
            && left.wateredBefore == right.wateredBefore
            && (0..<slots).allSatisfy { left.lows[$0].bitPattern == right.lows[$0].bitPattern }
    }

    mutating func note(_ value: Double, at time: Timestamp, deviation: @autoclosure () -> Double) {
        advance(to: time.microseconds / Self.slotMicroseconds)
        if let wateredAt, time.seconds(since: wateredAt) < WateringRule.holdSeconds,
            value < Double(baseline) + WateringRule.leastRise / 2
        {
            // It did not hold: the probe was moved, not the pot watered.
            self.wateredAt = wateredBefore
            baseline = 0
            wateredBefore = nil
        }
        var from = Float.infinity
        for slot in 0..<Self.slots where lows[slot] < from { from = lows[slot] }
        // Few readings rise so far that the noise matters.
        let rise = value - Double(from)
        if from.isFinite, rise >= WateringRule.leastRise, rise >= WateringRule.neededRise(deviation: deviation()) {
            wateredBefore = wateredAt
            wateredAt = time
            baseline = from
            // Counts from here, or the same rise would be seen for an hour.
            lows = SIMD16(repeating: .nan)
            lows[0] = Float(value)
        } else if !(lows[0] <= Float(value)) {
            lows[0] = Float(value)
        }
    }

    private mutating func advance(to slot: Int64) {
        let (steps, overflow) = slot.subtractingReportingOverflow(newest ?? slot)
        newest = slot
        guard steps != 0 else { return }
        guard !overflow, steps > 0, steps < Self.slots else {
            lows = SIMD16(repeating: .nan)
            return
        }
        var moved = SIMD16<Float>(repeating: .nan)
        for index in 0..<(Self.slots - Int(steps)) { moved[index + Int(steps)] = lows[index] }
        lows = moved
    }

    func isGrace(at time: Timestamp) -> Bool {
        wateredAt.map { time.seconds(since: $0) < Self.graceSeconds } ?? false
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(
            UInt8((newest == nil ? 0 : 1) | (wateredAt == nil ? 0 : 2) | (wateredBefore == nil ? 0 : 4)))
        if let newest {
            bytes.put(Timestamp(microseconds: newest))
            let known = (0..<Self.slots).filter { !lows[$0].isNaN }
            let mask = known.reduce(into: UInt16(0)) { $0 |= 1 << UInt16($1) }
            bytes.append(UInt8(mask & 255))
            bytes.append(UInt8(mask >> 8))
            for slot in known { bytes.put(lows[slot]) }
        }
        if let wateredAt {
            bytes.put(wateredAt)
            bytes.put(baseline)
        }
        if let wateredBefore { bytes.put(wateredBefore) }
    }

    init?(_ reader: inout MemoryReader) {
        guard let flags = reader.byte(), flags < 8 else { return nil }
        if flags & 1 != 0 {
            guard let slot = reader.time(), let low = reader.byte(), let high = reader.byte() else { return nil }
            newest = slot.microseconds
            let mask = UInt16(low) | UInt16(high) << 8
            for slot in 0..<16 where mask & (1 << UInt16(slot)) != 0 {
                guard slot < Self.slots, let value = reader.float(), value.isFinite else { return nil }
                lows[slot] = value
            }
        }
        if flags & 2 != 0 {
            guard let at = reader.time(), let baseline = reader.float(), baseline.isFinite else { return nil }
            wateredAt = at
            self.baseline = baseline
        }
        if flags & 4 != 0 {
            guard let at = reader.time() else { return nil }
            wateredBefore = at
        }
    }
}
