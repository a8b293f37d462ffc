import Testing

/// The parser the other tests trust refuses what is wrong.
@Suite struct ExpositionParserTests {
    @Test func `the parser reads what is right`() throws {
        let text = "# HELP a x \\n\n# TYPE a gauge\na{b=\"\\\"\\\\\\n\",c=\"}\"} -1.5e-07\na NaN\n"
        let samples = try ExpositionParser.parse(text)
        #expect(samples.first == .init(name: "a", labels: ["b": "\"\\\n", "c": "}"], value: -1.5e-07))
        #expect(samples.count == 2)
    }

    /// A list rather than arguments, whose line feeds would end up in the log.
    private let wrong = [
        "", "# TYPE a gauge\na 1", "a 1\n", "# TYPE a gauge\n", "# TYPE a gauge\nb 1\n", "# TYPE a summary\na 1\n",
        "# TYPE a gauge\na 1\na 2\n", "# TYPE a gauge\na 1\n# TYPE a gauge\na{b=\"c\"} 1\n", "# TYPE a gauge\na 1\n\n",
        "# TYPE a gauge\na inf\n", "# TYPE a gauge\na 1 \n", "# TYPE a gauge\na{} 1\n", "# TYPE a gauge\na  1\n",
        "# TYPE a gauge\na{b=\"c\",} 1\n", "# TYPE a gauge\na{__b=\"c\"} 1\n", "# TYPE a gauge\na{b=\"\\x\"} 1\n",
        "# TYPE a gauge\na{b=\"c\",b=\"d\"} 1\n", "# TYPE a gauge\na{b=\"c\"d\"} 1\n",
        "# TYPE a gauge\na{le=\"1\"} 1\n", "# TYPE a.b gauge\na.b 1\n", "# TYPE a counter\na -1\n",
        "# HELP a x\n# HELP a x\n# TYPE a gauge\na 1\n", "# HELP a \\x\n# TYPE a gauge\na 1\n",
        "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n",
        "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
        "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n",
        "# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1\n",
        "# TYPE a histogram\na_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
        "# TYPE a histogram\na_sum 1\na_count 1\n",
    ]

    @Test func `the parser refuses what is wrong`() {
        for text in wrong {
            #expect(throws: ExpositionParser.Failure.self, "\(text.debugDescription)") {
                try ExpositionParser.parse(text)
            }
        }
    }
}
