import PlantDomain
import Testing

@Suite("Rejections")
struct RejectionTests {
    @Test("have stable codes")
    func codes() {
        #expect(
            RejectReason.allCases.map(\.rawValue) == [
                "not_json", "too_large", "too_deep", "not_an_object", "empty", "no_values", "too_many_readings",
                "value_out_of_range", "wrong_type", "bad_metric_name", "too_many_extras", "unknown_device", "bad_topic",
                "unknown_command", "storage_refused",
            ])
    }

    @Test("say how to mend it", arguments: RejectReason.allCases)
    func advice(reason: RejectReason) {
        #expect(reason.advice.count > 30)
        #expect(reason.advice.hasSuffix("."))
    }

    @Test("never carry a control or formatting character of a device into a log")
    func printable() {
        var rejection = Rejection(reason: .notJSON, detail: "a\u{1B}[31m\nb\u{0}\u{7F}\u{85}\u{202E}\u{2028}é")
        #expect(rejection.detail == "a\u{FFFD}[31m\u{FFFD}b\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}é")
        rejection.detail = "\t"
        #expect(rejection.detail == "\u{FFFD}")
    }

    @Test("are bounded, also against piles of combining marks")
    func bounded() {
        let long = Rejection(reason: .notJSON, detail: String(repeating: "ab", count: 1000))
        #expect(long.detail.count == 500)
        let zalgo = Rejection(reason: .notJSON, detail: "e" + String(repeating: "\u{301}", count: 100_000))
        #expect(zalgo.detail.utf8.count < 1100)
    }
}
