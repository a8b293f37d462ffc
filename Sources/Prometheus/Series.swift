internal import CoreMetrics
internal import Synchronization

/// What Prometheus calls a metric's type; the raw value stands in the TYPE line.
enum MetricKind: String {
    case counter, gauge, histogram

    /// Names that a family of this kind writes samples under, or that its TYPE line takes.
    func sampleNames(_ family: String) -> [String] {
        switch self {
        case .counter, .gauge: [family]
        case .histogram: [family, family + "_bucket", family + "_sum", family + "_count"]
        }
    }
}

/// Which series: the family's name, and the labels as `Exposition.labels` writes them.
struct SeriesID: Hashable, Sendable {
    let family: String
    let labels: String
}

/// One combination of labels, with the values recorded for it.
protocol Series: AnyObject, Sendable {
    static var kind: MetricKind { get }
    var id: SeriesID { get }
    /// How many lines `samples` writes.
    var sampleCount: Int { get }
    /// Upper bounds of the buckets, ascending and finite; only histograms have any.
    init(_ id: SeriesID, boundaries: [Double])
    /// The lines as they are now, each ended by a line feed.
    func samples() -> String
}

/// Counts up. Integers and fractions are added up apart, as in Prometheus' Go client, so that whole numbers stay exact.
///
/// What is negative, infinite or not a number is ignored: a counter only goes up. The whole part wraps at 2^64, which
/// Prometheus takes for a restart.
final class CounterSeries: Series, CounterHandler, FloatingPointCounterHandler {
    static let kind = MetricKind.counter
    let id: SeriesID
    let sampleCount = 1
    private let whole = Atomic<UInt64>(0)
    private let fraction = Atomic<Double>(0)

    init(_ id: SeriesID, boundaries: [Double] = []) { self.id = id }

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        whole.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }

    func increment(by amount: Double) {
        guard amount.isFinite, amount > 0 else { return }
        fraction.add(amount)
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fraction.store(0, ordering: .relaxed)
    }

    func samples() -> String {
        let (whole, fraction) = (whole.load(ordering: .relaxed), fraction.load(ordering: .relaxed))
        let value = fraction == 0 ? String(whole) : Exposition.number(Double(whole) + fraction)
        return Exposition.sample(id.family, id.labels, value)
    }
}

/// The latest value, 0 before the first one.
///
/// Takes anything that is set, infinity and NaN included; steps up or down must be finite, or no later step could ever
/// repair the value.
final class GaugeSeries: Series, MeterHandler, RecorderHandler {
    static let kind = MetricKind.gauge
    let id: SeriesID
    let sampleCount = 1
    private let value = Atomic<Double>(0)

    init(_ id: SeriesID, boundaries: [Double] = []) { self.id = id }

    func set(_ value: Double) { self.value.store(value, ordering: .relaxed) }
    func set(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func record(_ value: Int64) { set(Double(value)) }
    func increment(by amount: Double) { if amount.isFinite { value.add(amount) } }
    func decrement(by amount: Double) { if amount.isFinite { value.add(-amount) } }

    func samples() -> String {
        Exposition.sample(id.family, id.labels, Exposition.number(value.load(ordering: .relaxed)))
    }
}

/// How many values fell into each bucket, and their sum; durations count in seconds.
///
/// Values that are not finite are ignored, since one would spoil the sum until the process ends. A negative duration
/// (a clock set back) counts as 0: the sum of a timer must not go down.
final class HistogramSeries: Series, RecorderHandler, TimerHandler {
    static let kind = MetricKind.histogram
    let id: SeriesID
    private let boundaries: [Double]
    private let tally: Mutex<Tally>

    private struct Tally {
        /// One for each boundary, not cumulative, and one for what lies above them all.
        var counts: [UInt64]
        var sum = 0.0
    }

    /// The buckets, `+Inf`, `_sum` and `_count`.
    var sampleCount: Int { boundaries.count + 3 }

    init(_ id: SeriesID, boundaries: [Double]) {
        self.id = id
        self.boundaries = boundaries
        tally = Mutex(Tally(counts: Array(repeating: 0, count: boundaries.count + 1)))
    }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        let bucket = boundaries.firstIndex { value <= $0 } ?? boundaries.count
        tally.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }

    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(max(0, duration)) / 1e9) }

    func samples() -> String {
        let tally = tally.withLock { $0 }
        let prefix = id.labels.isEmpty ? "" : id.labels + ","
        var lines = ""
        var count: UInt64 = 0
        for (boundary, inBucket) in zip(boundaries + [.infinity], tally.counts) {
            count += inBucket
            let labels = "\(prefix)le=\"\(Exposition.number(boundary))\""
            lines += Exposition.sample(id.family + "_bucket", labels, String(count))
        }
        lines += Exposition.sample(id.family + "_sum", id.labels, Exposition.number(tally.sum))
        lines += Exposition.sample(id.family + "_count", id.labels, String(count))
        return lines
    }
}

extension Atomic where Value == Double {
    /// Adds by compare and exchange; that compares bits, so it ends for NaN as well.
    fileprivate func add(_ amount: Double) {
        var seen = load(ordering: .relaxed)
        while true {
            let (exchanged, original) = weakCompareExchange(
                expected: seen, desired: seen + amount, ordering: .relaxed)
            if exchanged { return }
            seen = original
        }
    }
}
