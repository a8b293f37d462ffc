import CoreMetrics
import Testing

@testable import Prometheus

/// Names, labels and the order of things.
@Suite struct NameTests {
    private let registry = PrometheusRegistry()

    @Test(arguments: [
        ("http.server-requests", "http_server_requests"), ("5xx", "_5xx"), ("", "_"), ("job:rate", "job_rate"),
        ("Wärme °C", "W_rme__C"), ("a\r\nb", "a__b"), ("__x", "__x"), ("x{y=\"z\"} 1\n", "x_y__z___1_"),
    ])
    func `what a name may not contain becomes an underscore`(label: String, name: String) {
        Meter(label: label, factory: registry).set(1)
        #expect(registry.metrics() == "# TYPE \(name) gauge\n\(name) 1\n")
    }

    @Test func `a suffix that is there is not added again`() {
        Counter(label: "a.total", factory: registry).increment()
        Counter(label: "a", factory: registry).increment()
        #expect(registry.metrics() == "# TYPE a_total counter\na_total 2\n")
        Timer(label: "b.seconds", factory: registry).recordSeconds(1)
        #expect(registry.metrics().contains("\nb_seconds_count 1\n"))
    }

    @Test(arguments: [
        (#"C:\new"#, #"C:\\new"#), (#"say "hi""#, #"say \"hi\""#), ("two\nlines", #"two\nlines"#),
        ("two\r\nlines", "two\r\\nlines"), ("a,b=c}", "a,b=c}"), ("größer 🌱", "größer 🌱"),
        (#"\"#, #"\\"#), ("\\\n\"", #"\\\n\""#), (" ", " "),
    ])
    func `a label's value is escaped and reads back`(value: String, escaped: String) throws {
        Meter(label: "m", dimensions: [("v", value)], factory: registry).set(1)
        #expect(registry.metrics() == "# TYPE m gauge\nm{v=\"\(escaped)\"} 1\n")
        let sample = try #require(try ExpositionParser.parse(registry.text()).first)
        #expect(sample.labels == ["v": value])
    }

    @Test func `a zero byte stays, for Prometheus takes it`() {
        Meter(label: "m", dimensions: [("v", "zero\0")], factory: registry).set(1)
        #expect(registry.metrics() == "# TYPE m gauge\nm{v=\"zero\0\"} 1\n")
    }

    @Test(arguments: [
        ("http.method", "http_method"), ("__name__", "_name__"), ("___", "_"), ("1st", "_1st"), ("", "_"),
        ("le", "exported_le"), ("quantile", "exported_quantile"), ("ns:x", "ns_x"), ("é", "_"),
    ])
    func `a label's name keeps clear of what Prometheus reserves`(dimension: String, name: String) {
        Meter(label: "m", dimensions: [(dimension, "v")], factory: registry).set(1)
        #expect(registry.metrics() == "# TYPE m gauge\nm{\(name)=\"v\"} 1\n")
    }

    @Test func `a histogram's own le is the only one`() {
        Timer(label: "t", dimensions: [("le", "mine")], factory: registry).recordSeconds(1)
        #expect(registry.metrics().contains("t_seconds_bucket{exported_le=\"mine\",le=\"1\"} 1\n"))
    }

    @Test func `dimensions in another order are the same series`() {
        Counter(label: "c", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        Counter(label: "c", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        #expect(registry.metrics() == "# TYPE c_total counter\nc_total{a=\"1\",b=\"2\"} 2\n")
    }

    @Test func `an empty value is no label, for Prometheus knows no difference`() {
        Counter(label: "c", dimensions: [("a", "")], factory: registry).increment()
        Counter(label: "c", factory: registry).increment()
        #expect(registry.metrics() == "# TYPE c_total counter\nc_total 2\n")
    }

    @Test func `dimensions whose names become the same share a label, in any order`() {
        Counter(label: "c", dimensions: [("a_b", "2"), ("a.b", "1"), ("a-b", "")], factory: registry).increment()
        Counter(label: "c", dimensions: [("a.b", "1"), ("a_b", "2")], factory: registry).increment()
        #expect(registry.metrics() == "# TYPE c_total counter\nc_total{a_b=\"1;2\"} 2\n")
    }

    @Test func `values cannot be arranged to look like another series`() {
        Counter(label: "c", dimensions: [("a", "1\",b=\"2")], factory: registry).increment()
        Counter(label: "c", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        #expect(registry.metrics().split(separator: "\n").count == 3)
    }

    @Test func `a long value is cut`() {
        Meter(label: "m", dimensions: [("v", String(repeating: "ü", count: 5000))], factory: registry).set(1)
        #expect(registry.metrics().hasSuffix("m{v=\"\(String(repeating: "ü", count: 256))\"} 1\n"))
    }

    @Test func `families and series are sorted, whenever they were made`() {
        Meter(label: "z", factory: registry).set(1)
        for value in ["b", "a", "10", "9"] { Meter(label: "m", dimensions: [("v", value)], factory: registry).set(1) }
        Meter(label: "m", factory: registry).set(1)
        Counter(label: "a", factory: registry).increment()
        #expect(
            registry.metrics() == """
                # TYPE a_total counter
                a_total 1
                # TYPE m gauge
                m 1
                m{v="10"} 1
                m{v="9"} 1
                m{v="a"} 1
                m{v="b"} 1
                # TYPE z gauge
                z 1

                """)
    }
}
