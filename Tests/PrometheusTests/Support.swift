import Testing

@testable import Prometheus

extension PrometheusRegistry {
    /// `text()`, once the parser has accepted all of it, without the registry's own family.
    func metrics(sourceLocation: SourceLocation = #_sourceLocation) -> String {
        let text = text()
        #expect(throws: Never.self, sourceLocation: sourceLocation) { try ExpositionParser.parse(text) }
        // By scalar, for a line feed may hide in a "\r\n".
        return text.unicodeScalars.split(separator: "\n").map { String($0) + "\n" }
            .filter { !$0.contains("prometheus_series_dropped_total") }.joined()
    }

    /// How often a metric was refused for this reason.
    func dropped(_ reason: String) throws -> Double {
        let samples = try ExpositionParser.parse(text())
        return try #require(
            samples.first { $0.name == "prometheus_series_dropped_total" && $0.labels["reason"] == reason }
        ).value
    }
}
