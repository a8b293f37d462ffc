import Foundation
import PlantDomain
import Testing

@Suite("JSON in a payload")
struct JSONValidityTests {
    @Test(
        "is refused where RFC 8259 says so",
        arguments: [
            "{", "}", "nonsense", "  ", #"{"co2":600"#, #"{"co2":600,}"#, #"{"co2":600}}"#, #"{"co2":600} x"#,
            #"{"co2":600}"# + "\0", #"[{"co2":600},]"#, #"[,{"co2":600}]"#, #"[{"co2":600} {"co2":600}]"#,
            #"{"co2" 600}"#, #"{"co2":}"#, #"{,"co2":600}"#, #"{co2:600}"#, #"{'co2':600}"#, #"{"co2":600;}"#,
            #"{"co2":NaN}"#, #"{"co2":nan}"#, #"{"co2":Infinity}"#, #"{"co2":-Infinity}"#, #"{"co2":inf}"#,
            #"{"co2":0600}"#, #"{"co2":-01}"#, #"{"co2":+1}"#, #"{"co2":.5}"#, #"{"co2":1.}"#, #"{"co2":1.e3}"#,
            #"{"co2":1e}"#, #"{"co2":1e+}"#, #"{"co2":-}"#, #"{"co2":0x10}"#, #"{"co2":1_000}"#, #"{"co2":1,5}"#,
            #"{"co2":600/*ppm*/}"#, "{\"co2\":600//\n}", #"{"co2":True}"#, #"{"co2":tru}"#, #"{"co2":nul}"#,
            #"{"x":"\ud800","co2":1}"#, #"{"x":"\udc00","co2":1}"#, #"{"x":"\ud800\u0041","co2":1}"#,
            #"{"x":"\ud800\ud800","co2":1}"#, #"{"x":"\udc00\udc00","co2":1}"#, #"{"\udfff":1,"co2":1}"#,
            #"{"x":"\q"}"#, #"{"x":"\u12g4"}"#,
            #"{"x":"\u12"#, "{\"x\":\"a\tb\",\"co2\":1}", "{\"x\":\"a\nb\",\"co2\":1}", "{\"x\":\"a\0b\",\"co2\":1}",
            #"{"x":"abc,"co2":1}"#, #"{"x":"abc\"}"#, "\u{0B}{}", "\u{A0}{\"co2\":1}", "\u{FEFF}", "\u{FEFF}\u{FEFF}{}",
            #"{"co2":1}\n"#, #"{"x":[1,],"co2":1}"#, #"{"x":{"y":1,},"co2":1}"#, #"{"x":[1}"#, #"{"x":{"y":1]}"#,
        ])
    func refused(payload: String) {
        let decoded = decodeTelemetry(payload)
        #expect(decoded.readings == [])
        #expect(decoded.rejection?.reason == .notJSON)
    }

    @Test(
        "is refused where it is not UTF-8",
        arguments: [
            [0xFF], [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x8C],
        ] as [[UInt8]])
    func refusedBytes(bytes: [UInt8]) {
        let payload = Array(#"{"co2":600,"x":""#.utf8) + bytes + Array(#""}"#.utf8)
        #expect(decodeTelemetry(payload).rejection?.reason == .notJSON)
        #expect(decodeTelemetry(payload).readings == [])
        #expect((try? JSONDecoder().decode(JSONValue.self, from: Data(payload))) == nil)
        let truncated = Array(#"{"co2":600,"x":""#.utf8) + bytes
        #expect(decodeTelemetry(truncated).rejection?.reason == .notJSON)
    }

    @Test(
        "is accepted where RFC 8259 says so",
        arguments: [
            " \t\r\n{ \"co2\" : 600 } \n", "\u{FEFF}{\"co2\":600}", #"{"co2":6e2}"#, #"{"co2":6E+2}"#,
            #"{"co2":60000e-2}"#, #"{"co2":600.000}"#, #"{"co2":0.6e3}"#, #"{"co2":0.6e0000000003}"#,
            #"{"co2":600,"x":"\"\\\/\b\f\n\r\t\u00e9\ud83c\udf31\u0000"}"#, #"{"co2":600,"x":"é🌱ࠀ퟿"}"#,
            "{\"co2\":600,\"x\":\"\u{7F}\u{10FFFF}\u{FFFF}\"}", #"{"co2":600,"x":[],"y":{},"z":[[],{}],"":"",":":"}"}"#,
        ])
    func accepted(payload: String) throws {
        let decoded = decodeTelemetry(payload)
        #expect(decoded.readings.map(\.values) == [values([.co2: 600])])
        #expect(decoded.rejection == nil)
        _ = try JSONDecoder().decode(JSONValue.self, from: Data(payload.utf8))
    }

    @Test(
        "has numbers that are rounded as Foundation rounds them",
        arguments: [
            "0", "-0.5", "45.2", "0.1", "1e-7", "9007199254740993", "0.30000000000000004", "123456789012345678",
            "12345678901234567890123", "2.2250738585072014e-99", "1.7976931348623157e99",
            "8.5e22", "8.5e23", "1e-22", "1e-23", "179769313486231570000000000000000000000e61",
            "0.000000000000000000000000000001234567890123456789", "3.14159265358979323846264338327950288",
        ])
    func numbers(text: String) throws {
        let expected = try JSONDecoder().decode(Double.self, from: Data(text.utf8))
        #expect(decodeTelemetry("{\"x\":\(text)}").readings.first?.extras.first?.value == expected)
    }

    @Test("has numbers of any length that are rounded as Foundation rounds them")
    func randomNumbers() throws {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<3000 {
            let digits =
                UInt64.random(in: 0...(.max), using: &generator) >> UInt64.random(in: 0...60, using: &generator)
            // Not zero: JSONDecoder refuses 0e1.
            var text = String(max(digits, 1))
            if Bool.random(using: &generator) { text = "0." + text }
            text += "e\(Int.random(in: -40...40, using: &generator))"
            let expected = try JSONDecoder().decode(Double.self, from: Data(text.utf8))
            #expect(decodeTelemetry("{\"x\":-\(text)}").readings.first?.extras.first?.value == -expected, "\(text)")
        }
    }

    @Test("has numbers beyond what means can be made of, which are refused", arguments: ["1e101", "-1e300", "1e999"])
    func hugeExtras(text: String) {
        let decoded = decodeTelemetry("{\"x\":\(text),\"co2\":500}")
        #expect(decoded.readings.first?.extras.isEmpty == true)
        #expect(decoded.readings.first?.values == values([.co2: 500]))
        #expect(decoded.rejection?.reason == .valueOutOfRange)
    }

    @Test(
        "has numbers too small to tell from zero, which are zero",
        arguments: ["1e-400", "5e-324", "1e-101", "0e999", "-0e5", "0.0e-99"])
    func tinyNumbers(text: String) {
        #expect(decodeTelemetry("{\"co2\":\(text)}").readings.first?.values == values([.co2: 0]))
        #expect(decodeTelemetry("{\"x\":\(text)}").readings.first?.extras.first?.value == 0)
    }

    @Test("has exponents that no row of zeros hides")
    func longExponent() {
        let zeros = String(repeating: "0", count: 99_999)
        #expect(decodeTelemetry("{\"co2\":0.\(zeros)1e100000}").readings.first?.values == values([.co2: 1]))
        let decoded = decodeTelemetry("{\"co2\":0.\(zeros)1e1000000}")
        #expect(decoded.readings == [])
        #expect(decoded.rejection?.reason == .valueOutOfRange)
    }

    @Test("is read sixteen levels deep and not one more")
    func depth() {
        func nested(_ depth: Int, open: String, close: String) -> String {
            String(repeating: open, count: depth) + String(repeating: close, count: depth)
        }
        for (open, close) in [("[", "]"), ("{\"a\":", "0}")] {
            let inner = nested(14, open: open, close: close).replacingOccurrences(of: "0}", with: "}")
            let deepest = open == "[" ? inner : inner.replacingOccurrences(of: ":}", with: ":{}}")
            #expect(decodeTelemetry("{\"co2\":600,\"x\":\(deepest)}").readings.count == 1)
            #expect(decodeTelemetry("[{\"co2\":600,\"x\":\(deepest)}]").readings.count == (open == "[" ? 1 : 0))
        }
        let seventeen = decodeTelemetry("{\"co2\":600,\"x\":\(nested(16, open: "[", close: "]"))}")
        #expect(seventeen.readings == [])
        #expect(seventeen.rejection?.reason == .tooDeep)
        #expect(decodeTelemetry(nested(500_000, open: "[", close: "]")).rejection?.reason == .tooDeep)
    }

    @Test(
        "must be an object or an array",
        arguments: ["1", "\"x\"", "true", "false", "null", " -1.5e3 "])
    func notAnObject(payload: String) {
        #expect(decodeTelemetry(payload).rejection?.reason == .notAnObject)
        #expect(decodeTelemetry(payload).readings == [])
    }

    @Test("is refused when there is none of it")
    func emptyPayload() {
        #expect(decodeTelemetry("").rejection?.reason == .empty)
    }

    @Test("may be one mebibyte and not a byte more")
    func size() {
        let reading = #"{"co2":600}"#
        let padding = String(repeating: " ", count: TelemetryDecoder.maximumPayloadBytes - reading.utf8.count)
        #expect(decodeTelemetry(reading + padding).readings.count == 1)
        #expect(decodeTelemetry(reading + padding + " ").readings == [])
        #expect(decodeTelemetry(reading + padding + " ").rejection?.reason == .tooLarge)
    }
}
