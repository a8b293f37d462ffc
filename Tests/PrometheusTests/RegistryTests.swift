import CoreMetrics
import Testing

@testable import Prometheus

/// Conflicts, bounds, destruction, hooks and many tasks at once.
@Suite struct RegistryTests {
    private let registry = PrometheusRegistry()

    // MARK: conflicts

    @Test func `a name keeps its first kind, and the second records nowhere`() throws {
        let gauge = Meter(label: "x_total", factory: registry)
        gauge.set(1)
        let counter = Counter(label: "x", factory: registry)
        let other = FloatingPointCounter(label: "x", dimensions: [("a", "b")], factory: registry)
        let recorder = Recorder(label: "x.total", factory: registry)
        let timer = Timer(label: "t", factory: registry)
        let meter = Meter(label: "t_seconds", factory: registry)
        counter.increment(by: 100)
        other.increment(by: 100)
        recorder.record(100)
        timer.recordSeconds(1)
        meter.set(100)
        counter.destroy()
        meter.destroy()
        let text = registry.metrics()
        #expect(text.contains("# TYPE x_total gauge\nx_total 1\n"))
        #expect(text.contains("\nt_seconds_count 1\n"))
        #expect(!text.contains("100"))
        #expect(try registry.dropped("conflict") == 4)
        #expect(try registry.dropped("limit") == 0)
    }

    @Test(arguments: ["size_bucket", "size_sum", "size_count"])
    func `no name collides with the lines of a histogram, whichever came first`(label: String) throws {
        Recorder(label: "size", factory: registry).record(1)
        Meter(label: label, factory: registry).set(1)
        #expect(registry.metrics().hasPrefix("# TYPE size histogram\n"))
        #expect(try registry.dropped("conflict") == 1)

        let other = PrometheusRegistry()
        Meter(label: label, factory: other).set(1)
        Recorder(label: "size", factory: other).record(1)
        #expect(other.metrics() == "# TYPE \(label) gauge\n\(label) 1\n")
        #expect(try other.dropped("conflict") == 1)
    }

    @Test func `a timer and a recorder of the same name share a histogram and its buckets`() {
        let registry = PrometheusRegistry(buckets: ["x": [1]])
        Timer(label: "x", factory: registry).recordSeconds(1)
        Recorder(label: "x_seconds", factory: registry).record(3)
        Recorder(label: "x_seconds", dimensions: [("a", "b")], factory: registry).record(3)
        #expect(
            registry.metrics() == """
                # TYPE x_seconds histogram
                x_seconds_bucket{le="1"} 1
                x_seconds_bucket{le="+Inf"} 2
                x_seconds_sum 4
                x_seconds_count 2
                x_seconds_bucket{a="b",le="1"} 0
                x_seconds_bucket{a="b",le="+Inf"} 1
                x_seconds_sum{a="b"} 3
                x_seconds_count{a="b"} 1

                """)
    }

    // MARK: bounds

    @Test func `beyond the limit new series are counted and not kept, and the old ones go on`() throws {
        for number in 0..<10_500 {
            Counter(label: "c", dimensions: [("n", "\(number)")], factory: registry).increment()
        }
        Counter(label: "c", dimensions: [("n", "7")], factory: registry).increment()
        // Not parsed: that takes seconds in a debug build.
        let lines = registry.text().split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("c_total{") }.count == 10_000)
        #expect(lines.contains("c_total{n=\"7\"} 2") && !lines.contains { $0.contains("n=\"10000\"") })
        #expect(lines.contains("prometheus_series_dropped_total{reason=\"limit\"} 500"))
        #expect(lines.contains("prometheus_series_dropped_total{reason=\"conflict\"} 0"))
    }

    @Test func `a histogram takes as many places as it writes lines, and gives them back`() throws {
        let registry = PrometheusRegistry(buckets: ["h": [1, 2]], seriesLimit: 6)
        let meters = (0..<2).map { Meter(label: "m\($0)", factory: registry) }
        Recorder(label: "h", factory: registry).record(1)
        #expect(try registry.dropped("limit") == 1)
        meters[0].destroy()
        let recorder = Recorder(label: "h", factory: registry)
        recorder.record(1)
        #expect(registry.metrics().contains("h_count 1\n"))
        Meter(label: "m0", factory: registry).set(1)
        #expect(try registry.dropped("limit") == 2)
        recorder.destroy()
        Meter(label: "h_count", factory: registry).set(1)
        #expect(registry.metrics() == "# TYPE h_count gauge\nh_count 1\n# TYPE m1 gauge\nm1 0\n")
    }

    @Test(arguments: [0, -1, Int.max, Int.min])
    func `any limit is bearable`(limit: Int) throws {
        let registry = PrometheusRegistry(seriesLimit: limit)
        Timer(label: "t", factory: registry).recordSeconds(1)
        #expect(try registry.dropped("limit") == (limit == Int.max ? 0 : 1))
    }

    // MARK: destruction

    @Test func `destroyed metrics of every kind are gone`() {
        let counter = Counter(label: "c", factory: registry)
        let fractions = FloatingPointCounter(label: "f", factory: registry)
        let meter = Meter(label: "m", factory: registry)
        let gauge = Gauge(label: "g", factory: registry)
        let recorder = Recorder(label: "r", factory: registry)
        let timer = Timer(label: "t", factory: registry)
        counter.destroy()
        fractions.destroy()
        meter.destroy()
        gauge.destroy()
        recorder.destroy()
        timer.destroy()
        #expect(registry.metrics() == "")
    }

    @Test func `a destroyed handle neither records nor takes its successor along`() {
        let first = Counter(label: "c", factory: registry)
        first.increment(by: 5)
        first.destroy()
        let second = Counter(label: "c", factory: registry)
        second.increment()
        first.increment()
        first.destroy()
        #expect(registry.metrics() == "# TYPE c_total counter\nc_total 1\n")
    }

    @Test func `the registry's own series cannot be destroyed, nor a stranger's`() throws {
        Counter(label: "prometheus_series_dropped", dimensions: [("reason", "limit")], factory: registry).destroy()
        Meter(label: "m", factory: PrometheusRegistry()).destroy()
        registry.destroyMeter(NOOPMetricsHandler.instance)
        #expect(try registry.dropped("limit") == 0)
    }

    @Test func `another registry's series of the same name is not ours to lose`() {
        Meter(label: "m", factory: registry).set(1)
        registry.destroyMeter(PrometheusRegistry().makeMeter(label: "m", dimensions: []))
        #expect(registry.metrics() == "# TYPE m gauge\nm 1\n")
    }

    // MARK: hooks

    @Test func `hooks run before every text, in order, and may make metrics`() {
        let runs = Counter(label: "runs", factory: registry)
        registry.collect { [registry] in
            runs.increment()
            Meter(label: "days", factory: registry).set(30)
        }
        registry.collect { [registry] in Meter(label: "days", factory: registry).decrement() }
        #expect(registry.metrics() == "# TYPE days gauge\ndays 29\n# TYPE runs_total counter\nruns_total 1\n")
        #expect(registry.metrics() == "# TYPE days gauge\ndays 29\n# TYPE runs_total counter\nruns_total 2\n")
    }

    // MARK: concurrency

    @Test func `many tasks lose nothing, while others read`() async throws {
        let (tasks, rounds) = (16, 5000)
        await withTaskGroup { group in
            for task in 0..<tasks {
                group.addTask { [registry] in
                    let fractions = FloatingPointCounter(label: "fractions", factory: registry)
                    let meter = Meter(label: "meter", factory: registry)
                    let recorder = Recorder(label: "recorder", factory: registry)
                    let own = Counter(label: "own", dimensions: [("task", "\(task)")], factory: registry)
                    for round in 0..<rounds {
                        Counter(label: "counter", factory: registry).increment()
                        fractions.increment(by: 0.5)
                        meter.increment(by: 2)
                        meter.decrement()
                        recorder.record(round % 2 == 0 ? 1 : 100)
                        own.increment()
                        if round % 1000 == 0 { Counter(label: "brief", factory: registry).destroy() }
                    }
                }
            }
            for _ in 0..<2 {
                group.addTask { [registry] in
                    for _ in 0..<20 { _ = registry.metrics() }
                }
            }
        }
        let samples = try ExpositionParser.parse(registry.text())
        func value(_ name: String) -> [Double] { samples.filter { $0.name == name }.map(\.value) }
        #expect(value("counter_total") == [80_000])
        #expect(value("fractions_total") == [40_000])
        #expect(value("meter") == [80_000])
        #expect(value("recorder_count") == [80_000])
        #expect(value("recorder_sum") == [4_040_000])
        #expect(samples.first { $0.labels["le"] == "1" }?.value == 40_000)
        #expect(value("own_total") == Array(repeating: 5000, count: tasks))
        #expect(value("brief_total") == [])
    }
}
