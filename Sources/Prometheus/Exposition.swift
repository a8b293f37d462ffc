/// How the text format spells names, labels and numbers.
///
/// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format (version 0.0.4) and
/// https://prometheus.io/docs/concepts/data_model/. Pure functions: whatever goes in, what comes out is valid.
enum Exposition {
    /// Most Unicode scalars of a label's value that are kept, so that a value from outside costs at most 1 KiB.
    static let valueLimit = 256

    /// A label of swift-metrics as a metric's name, `[a-zA-Z_][a-zA-Z0-9_]*`, with the suffix unless it has it already.
    ///
    /// A colon becomes `_` too: the data model allows it, but keeps it for recording rules.
    static func name(_ label: String, suffix: String = "") -> String {
        let name = identifier(label)
        return name.hasSuffix(suffix) ? name : name + suffix
    }

    /// Dimensions as they stand between the braces: `a="1",b="2"`; empty without dimensions.
    ///
    /// The same dimensions in any order give the same text, and different ones give a different one, so it serves as
    /// the series' key. A dimension with an empty value is left out, since Prometheus cannot tell it from a missing
    /// one. Dimensions whose names become equal share one label, values joined by `;` in the order of the names, as in
    /// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-attributes.
    static func labels(_ dimensions: [(String, String)]) -> String {
        let sorted = dimensions.filter { !$0.1.isEmpty }
            .map { (name: labelName($0.0), dimension: $0.0, value: $0.1) }
            .sorted { $0 < $1 }
        var labels: [(name: String, value: String)] = []
        for (name, _, value) in sorted {
            if let last = labels.indices.last, labels[last].name == name {
                labels[last].value += ";" + value
            } else {
                labels.append((name, value))
            }
        }
        return labels.map { "\($0.name)=\"\(escapedValue($0.value))\"" }.joined(separator: ",")
    }

    /// One line: name, labels if there are any, value.
    static func sample(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// `NaN`, `+Inf`, `-Inf`, whole numbers without a point, else the shortest digits that read back as this number.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let digits = value.description
        return digits.hasSuffix(".0") ? String(digits.dropLast(2)) : digits
    }

    /// "HELP lines may contain any sequence of UTF-8 characters (after the metric name), but the backslash and the line
    /// feed characters have to be escaped as \\ and \n, respectively."
    static func escapedHelp(_ text: String) -> String { escaped(text.unicodeScalars, quotes: false) }

    private static func escapedValue(_ text: String) -> String {
        escaped(text.unicodeScalars.prefix(valueLimit), quotes: true)
    }

    /// By scalar: as a `Character`, "\r\n" is one, and its line feed would slip through.
    private static func escaped(_ text: some Sequence<Unicode.Scalar>, quotes: Bool) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text {
            switch scalar {
            case "\\": result.append(contentsOf: #"\\"#.unicodeScalars)
            case "\n": result.append(contentsOf: #"\n"#.unicodeScalars)
            case "\"" where quotes: result.append(contentsOf: #"\""#.unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// `__…` belongs to Prometheus itself, `le` and `quantile` to histograms and summaries. The latter get the prefix
    /// Prometheus gives to a label in its way.
    private static func labelName(_ dimension: String) -> String {
        let name = identifier(dimension)
        if name == "le" || name == "quantile" { return "exported_" + name }
        return name.hasPrefix("__") ? "_" + name.drop { $0 == "_" } : name
    }

    private static func identifier(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": result.append(scalar)
            case "0"..."9":
                if result.isEmpty { result.append("_") }
                result.append(scalar)
            default: result.append("_")
            }
        }
        return result.isEmpty ? "_" : String(result)
    }
}
