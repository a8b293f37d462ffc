/// Reads the text format, version 0.0.4, and accepts less than Prometheus does: everything of a family stands together,
/// TYPE is never missing, nothing occurs twice, and histograms add up.
///
/// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
struct ExpositionParser {
    struct Sample: Equatable {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    private struct Series: Hashable {
        let name: String
        let labels: [String: String]
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var samples: [Sample] = []
    private var finished: Set<String> = []
    private var helped: Set<String> = []
    private var family = ""
    private var kind = ""
    private var inFamily: [Sample] = []
    private var seen: Set<Series> = []

    /// - Throws: `Failure`, naming the first line that is wrong.
    static func parse(_ text: String) throws(Failure) -> [Sample] {
        var parser = ExpositionParser()
        guard text.unicodeScalars.last == "\n" else { throw Failure(description: "the last line has no end") }
        for line in text.unicodeScalars.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            try parser.read(String(line))
        }
        try parser.finish()
        return parser.samples
    }

    private mutating func read(_ line: String) throws(Failure) {
        func check(_ condition: Bool, _ what: String) throws(Failure) {
            if !condition { throw Failure(description: "\(what): \(line)") }
        }
        if line.hasPrefix("# ") {
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            try check(words.count == 4 && ["HELP", "TYPE"].contains(words[1]), "neither HELP nor TYPE")
            try check(words[2].wholeMatch(of: /[a-zA-Z_][a-zA-Z0-9_]*/) != nil, "bad name")
            if words[1] == "HELP" {
                try check(helped.insert(words[2]).inserted && family != words[2], "HELP twice or late")
                try check(words[3].wholeMatch(of: /([^\\]|\\\\|\\n)*/) != nil, "bad escape")
            } else {
                try finish()
                (family, kind) = (words[2], words[3])
                try check(["counter", "gauge", "histogram"].contains(kind), "unknown type")
                try check(!finished.contains(family), "family twice")
            }
            return
        }
        guard let match = line.wholeMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)(?:\{(.+)\})? (\S+)/.dotMatchesNewlines()),
            let value = Self.number(String(match.3))
        else { throw Failure(description: "no sample: \(line)") }
        let name = String(match.1)
        let suffixes = kind == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        try check(suffixes.contains { name == family + $0 }, "not of family \(family)")
        let labels = try match.2.map { text throws(Failure) in try Self.labels(String(text)) } ?? [:]
        try check((labels["le"] != nil) == (kind == "histogram" && name.hasSuffix("_bucket")), "le out of place")
        let sample = Sample(name: name, labels: labels, value: value)
        try check(seen.insert(Series(name: name, labels: labels)).inserted, "series twice")
        try check(kind != "counter" || (value >= 0 && value.isFinite), "no counter's value")
        inFamily.append(sample)
        samples.append(sample)
    }

    private mutating func finish() throws(Failure) {
        if !family.isEmpty {
            if inFamily.isEmpty { throw Failure(description: "family without samples: \(family)") }
            if kind == "histogram" { try checkHistograms() }
            finished.insert(family)
        }
        inFamily = []
    }

    /// For each combination of labels: ascending bounds up to `+Inf`, counts that never fall, `_sum`, and a `_count`
    /// equal to the last bucket.
    private func checkHistograms() throws(Failure) {
        let groups = Dictionary(grouping: inFamily) { $0.labels.filter { $0.key != "le" } }
        for (labels, lines) in groups {
            let buckets = lines.filter { $0.name == family + "_bucket" }
            let bounds = buckets.compactMap { Self.number($0.labels["le"] ?? "") }
            let counts = buckets.map(\.value)
            let total = lines.filter { $0.name == family + "_count" }.map(\.value)
            let sums = lines.filter { $0.name == family + "_sum" }.count
            guard bounds.count == buckets.count, bounds.last == .infinity, bounds == Set(bounds).sorted(),
                counts == counts.sorted(), total == [counts[counts.count - 1]], sums == 1
            else { throw Failure(description: "histogram \(family) \(labels) does not add up") }
        }
    }

    private static func labels(_ text: String) throws(Failure) -> [String: String] {
        var labels: [String: String] = [:]
        var rest = text[...]
        let label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^\\"\n]|\\\\|\\"|\\n)*)"(,(?=.)|$)/
            .matchingSemantics(.unicodeScalar)
        while !rest.isEmpty {
            guard let match = rest.prefixMatch(of: label), !match.1.hasPrefix("__"), !match.2.isEmpty,
                labels.updateValue(unescaped(match.2), forKey: String(match.1)) == nil
            else { throw Failure(description: "bad labels: \(rest)") }
            rest = rest[match.range.upperBound...]
        }
        return labels
    }

    private static func unescaped(_ text: Substring) -> String {
        var result = String.UnicodeScalarView()
        var isEscape = false
        for scalar in text.unicodeScalars {
            if !isEscape && scalar == "\\" {
                isEscape = true
            } else {
                result.append(isEscape && scalar == "n" ? "\n" : scalar)
                isEscape = false
            }
        }
        return String(result)
    }

    private static func number(_ text: String) -> Double? {
        switch text {
        case "NaN": .nan
        case "+Inf": .infinity
        case "-Inf": -.infinity
        default: text.wholeMatch(of: /-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?/) == nil ? nil : Double(text)
        }
    }
}
