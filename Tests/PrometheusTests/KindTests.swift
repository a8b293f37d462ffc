import CoreMetrics
import Testing

@testable import Prometheus

/// What each kind of metric writes, to the letter.
@Suite struct KindTests {
    private let registry = PrometheusRegistry(buckets: ["size": [10, 1, 5, 5, .infinity, .nan]])

    @Test func `a registry nobody used says that it dropped nothing`() throws {
        #expect(
            registry.text() == """
                # HELP prometheus_series_dropped_total How often a metric was asked for that could not be kept, by reason.
                # TYPE prometheus_series_dropped_total counter
                prometheus_series_dropped_total{reason="conflict"} 0
                prometheus_series_dropped_total{reason="limit"} 0

                """)
        _ = try ExpositionParser.parse(registry.text())
        #expect(PrometheusRegistry.contentType == "text/plain; version=0.0.4; charset=utf-8")
    }

    @Test func `a counter ends in _total and counts whole numbers exactly`() {
        let counter = Counter(label: "frames", factory: registry)
        counter.increment()
        counter.increment(by: 9_007_199_254_740_992)  // 2^53, from where a Double skips odd numbers.
        counter.increment(by: -5)
        #expect(registry.metrics() == "# TYPE frames_total counter\nframes_total 9007199254740993\n")
        counter.reset()
        #expect(registry.metrics() == "# TYPE frames_total counter\nframes_total 0\n")
    }

    @Test func `a counter of fractions ignores what would make it fall or spoil it`() {
        let counter = FloatingPointCounter(label: "litres_total", factory: registry)
        for amount in [0.5, 0.25, -1, .nan, .infinity, -.infinity, 0] { counter.increment(by: amount) }
        #expect(registry.metrics() == "# TYPE litres_total counter\nlitres_total 0.75\n")
        counter.reset()
        #expect(registry.metrics() == "# TYPE litres_total counter\nlitres_total 0\n")
    }

    @Test func `whole and broken steps may go to one counter`() {
        Counter(label: "mixed", factory: registry).increment(by: 2)
        FloatingPointCounter(label: "mixed", factory: registry).increment(by: 0.5)
        #expect(registry.metrics() == "# TYPE mixed_total counter\nmixed_total 2.5\n")
    }

    @Test func `a counter wraps rather than trap`() {
        let counter = Counter(label: "big", factory: registry)
        for _ in 0..<2 { counter.increment(by: Int64.max) }
        #expect(registry.metrics().hasSuffix("big_total 18446744073709551614\n"))
        counter.increment(by: 3)
        #expect(registry.metrics().hasSuffix("big_total 1\n"))
    }

    @Test func `a meter goes up and down`() {
        let meter = Meter(label: "sessions", factory: registry)
        #expect(registry.metrics() == "# TYPE sessions gauge\nsessions 0\n")
        meter.set(4)
        meter.increment(by: 1.5)
        meter.decrement()
        meter.increment(by: -0.25)
        meter.increment(by: Double.nan)
        meter.decrement(by: Double.infinity)
        #expect(registry.metrics() == "# TYPE sessions gauge\nsessions 4.25\n")
    }

    @Test(arguments: [
        (Double.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (0, "0"), (-0.0, "-0"), (-3, "-3"),
        (0.1, "0.1"), (1e-7, "1e-07"), (1e100, "1e+100"), (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
        (1_234_567, "1234567"),
    ])
    func `a gauge shows any number the way Prometheus spells it`(value: Double, spelling: String) {
        Gauge(label: "value", factory: registry).record(value)
        #expect(registry.metrics() == "# TYPE value gauge\nvalue \(spelling)\n")
    }

    @Test func `a recorder that does not aggregate is a gauge, as a meter is`() {
        let recorder = Recorder(label: "level", aggregate: false, factory: registry)
        recorder.record(7)
        Meter(label: "level", factory: registry).increment()
        #expect(registry.metrics() == "# TYPE level gauge\nlevel 8\n")
    }

    @Test func `a recorder counts each value in its bucket and in all above, bounds included`() {
        let recorder = Recorder(label: "size", dimensions: [("topic", "a")], factory: registry)
        for value in [0.5, 1, 1.5, 5, 6, 11, .nan, .infinity, -.infinity] { recorder.record(value) }
        recorder.record(Int64(2))
        #expect(
            registry.metrics() == """
                # TYPE size histogram
                size_bucket{topic="a",le="1"} 2
                size_bucket{topic="a",le="5"} 5
                size_bucket{topic="a",le="10"} 6
                size_bucket{topic="a",le="+Inf"} 7
                size_sum{topic="a"} 27
                size_count{topic="a"} 7

                """)
    }

    @Test func `a timer is a histogram in seconds`() {
        let timer = Timer(label: "commit", factory: registry)
        timer.recordMilliseconds(2)
        timer.recordNanoseconds(-1)
        timer.recordSeconds(11)
        #expect(
            registry.metrics() == """
                # TYPE commit_seconds histogram
                commit_seconds_bucket{le="0.001"} 1
                commit_seconds_bucket{le="0.0025"} 2
                commit_seconds_bucket{le="0.005"} 2
                commit_seconds_bucket{le="0.01"} 2
                commit_seconds_bucket{le="0.025"} 2
                commit_seconds_bucket{le="0.05"} 2
                commit_seconds_bucket{le="0.1"} 2
                commit_seconds_bucket{le="0.25"} 2
                commit_seconds_bucket{le="0.5"} 2
                commit_seconds_bucket{le="1"} 2
                commit_seconds_bucket{le="2.5"} 2
                commit_seconds_bucket{le="5"} 2
                commit_seconds_bucket{le="10"} 2
                commit_seconds_bucket{le="+Inf"} 3
                commit_seconds_sum 11.002
                commit_seconds_count 3

                """)
    }

    @Test(arguments: ["http.wait", "http_wait_seconds"])
    func `buckets and help are found under the label and under the name`(key: String) {
        let registry = PrometheusRegistry(buckets: [key: []], help: [key: "A \"wait\",\nwith a \\."])
        Timer(label: "http.wait", factory: registry).recordSeconds(1)
        #expect(
            registry.metrics() == #"""
                # HELP http_wait_seconds A "wait",\nwith a \\.
                # TYPE http_wait_seconds histogram
                http_wait_seconds_bucket{le="+Inf"} 1
                http_wait_seconds_sum 1
                http_wait_seconds_count 1

                """#)
    }
}
