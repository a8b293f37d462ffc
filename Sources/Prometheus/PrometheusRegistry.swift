package import CoreMetrics
internal import Synchronization

/// A backend of swift-metrics that keeps everything in memory and writes it in Prometheus' text format.
///
/// | swift-metrics | Prometheus | name |
/// |---|---|---|
/// | `Counter`, `FloatingPointCounter` | counter | `…_total` |
/// | `Meter`, `Gauge`, `Recorder(aggregate: false)` | gauge | |
/// | `Recorder` | histogram | |
/// | `Timer` | histogram, in seconds | `…_seconds` |
///
/// What a name or a label may not contain becomes `_`. Handles with the same name and dimensions, in any order, share
/// one series. Nothing here throws or traps: what cannot be kept gets a handle that records nothing, and
/// `prometheus_series_dropped_total` counts each time one was handed out, by reason:
///
/// - `conflict`: the name is already that of another kind of metric, or collides with the `_bucket`, `_sum` or `_count`
///   of a histogram. The first one stays as it is.
/// - `limit`: the series would be one too many.
///
/// Recording takes an atomic operation or the series' own lock; making and destroying handles, and the beginning of
/// `text`, take the registry's. So keep handles that record often.
package final class PrometheusRegistry: MetricsFactory, Sendable {
    /// The media type of `text()`.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    /// Upper bounds of buckets unless the label has its own, made for seconds: 1 ms … 10 s.
    package static let defaultBuckets: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    private let buckets: [String: [Double]]
    private let help: [String: String]
    private let table: Mutex<FamilyTable>
    private let hooks = Mutex<[@Sendable () -> Void]>([])
    private let conflicts = CounterSeries(dropped("conflict"))
    private let overLimit = CounterSeries(dropped("limit"))

    /// - Parameters:
    ///   - buckets: upper bounds for the histogram of a label, in its unit (seconds for timers), in any order; `+Inf`
    ///     is always there, and what is not finite is ignored. None at all leaves `+Inf` alone.
    ///   - help: one sentence for a label. Both dictionaries take the label as the program writes it (`http.requests`)
    ///     or the name as Prometheus shows it (`http_requests_total`); the latter comes first.
    ///   - seriesLimit: most time series in all, as Prometheus counts them: a histogram is one for each bucket, and
    ///     three more. The registry's own two come on top.
    package init(buckets: [String: [Double]] = [:], help: [String: String] = [:], seriesLimit: Int = 10_000) {
        self.buckets = Self.byName(buckets).mapValues { Set($0.filter(\.isFinite)).sorted() }
        self.help = Self.byName(help)
        table = Mutex(
            FamilyTable(
                limit: max(0, seriesLimit), permanent: [conflicts, overLimit],
                help: "How often a metric was asked for that could not be kept, by reason."))
    }

    /// Registers what is to run before every `text()`, in the order of registration, to set gauges that are only
    /// known when asked for.
    ///
    /// It runs on the thread that calls `text()`, on several at once if several do, and holds the answer up: no
    /// waiting there. It may make and set metrics; it must not call `text()`. There is no way to unregister.
    package func collect(_ body: @escaping @Sendable () -> Void) {
        hooks.withLock { $0.append(body) }
    }

    /// Everything in the text format, version 0.0.4: families by name, series by labels.
    ///
    /// The lines of one histogram are of one moment; those of different series need not be.
    package func text() -> String {
        // Outside the lock, which hooks need to make metrics.
        for hook in hooks.withLock({ $0 }) { hook() }
        let families = table.withLock { $0.families }
        return families.sorted { $0.key < $1.key }.map { $0.value.text($0.key) }.joined()
    }

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(CounterSeries.self, label, dimensions, suffix: "_total") ?? NOOPMetricsHandler.instance
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(CounterSeries.self, label, dimensions, suffix: "_total") ?? NOOPMetricsHandler.instance
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(GaugeSeries.self, label, dimensions) ?? NOOPMetricsHandler.instance
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate {
            series(HistogramSeries.self, label, dimensions) ?? NOOPMetricsHandler.instance
        } else {
            series(GaugeSeries.self, label, dimensions) ?? NOOPMetricsHandler.instance
        }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(HistogramSeries.self, label, dimensions, suffix: "_seconds") ?? NOOPMetricsHandler.instance
    }

    /// Forgets the series at once, for every handle that shares it; what those record from then on is lost. A handle
    /// made later begins at 0, and once a name has no series left it may become another kind.
    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    // MARK: private

    /// The series of this label and these dimensions; nil, and counted, if it cannot be kept.
    private func series<S: Series>(
        _ type: S.Type, _ label: String, _ dimensions: [(String, String)], suffix: String = ""
    ) -> S? {
        let (plain, name) = (Exposition.name(label), Exposition.name(label, suffix: suffix))
        let id = SeriesID(family: name, labels: Exposition.labels(dimensions))
        let help = help[name] ?? help[plain]
        let boundaries = S.kind == .histogram ? buckets[name] ?? buckets[plain] ?? Self.defaultBuckets : []
        do throws(FamilyTable.Refusal) {
            return try table.withLock { table throws(FamilyTable.Refusal) in
                try table.series(type, id, help: help, boundaries: boundaries)
            }
        } catch {
            switch error {
            case .conflict: conflicts.increment(by: 1 as Int64)
            case .limit: overLimit.increment(by: 1 as Int64)
            }
            return nil
        }
    }

    private func remove(_ handler: AnyObject) {
        guard let series = handler as? any Series else { return }
        table.withLock { $0.remove(series) }
    }

    private static func dropped(_ reason: String) -> SeriesID {
        SeriesID(family: "prometheus_series_dropped_total", labels: Exposition.labels([("reason", reason)]))
    }

    /// Keys as metric names; of labels with the same name the first in order.
    private static func byName<Value>(_ settings: [String: Value]) -> [String: Value] {
        Dictionary(
            settings.sorted { $0.key < $1.key }.map { (Exposition.name($0.key), $0.value) },
            uniquingKeysWith: { first, _ in first })
    }
}
