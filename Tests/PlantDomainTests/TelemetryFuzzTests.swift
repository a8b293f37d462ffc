import PlantDomain
import Testing

@Suite("On thousands of generated payloads the decoder")
struct TelemetryFuzzTests {
    @Test("agrees with a reference built on JSONDecoder", arguments: [UInt64(1), 2, 3, 4])
    func agreesWithReference(seed: UInt64) {
        var generator = PayloadGenerator(seed: seed)
        var stored = 0
        var refused = 0
        var unrepresentable = 0
        for _ in 0..<1500 {
            let payload = generator.payload()
            let decoded = decodeTelemetry(payload)
            let reference = TelemetryReference(payload)
            let text = String(decoding: payload, as: UTF8.self)
            // JSONDecoder calls a number that does not fit a Double broken; here it is JSON with a value out of range.
            if reference.reasons == [.notJSON], decoded.rejection?.reason != .notJSON,
                text.contains(/[0-9][eE][+-]?[0-9]/)
            {
                unrepresentable += 1
                continue
            }
            let readings = decoded.readings.map(\.asReference)
            #expect(readings == reference.readings, "\(text.debugDescription)")
            if let reason = decoded.rejection?.reason {
                #expect(reference.reasons.contains(reason), "\(text.debugDescription)")
                refused += 1
            } else {
                #expect(reference.reasons.isEmpty, "\(text.debugDescription)")
            }
            stored += readings.count
        }
        // The corpus is worth something only if it reaches both sides.
        #expect(stored > 400)
        #expect(refused > 500)
        #expect(unrepresentable < 100)
    }

    @Test("never traps and never reads outside the payload")
    func neverTraps() {
        var generator = SeededGenerator(seed: 5)
        let alphabet =
            Array(#"{}[]":,\u0123456789dceE+-.tfn "#.utf8) + [0, 9, 0x80, 0xC3, 0xE2, 0xED, 0xF0, 0xF4, 0xFF]
        for round in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...60, using: &generator) {
                let any = UInt8.random(in: 0...255, using: &generator)
                bytes.append(round % 4 == 0 ? any : alphabet[Int(any) % alphabet.count])
            }
            if round % 2 == 0 { bytes = Array("{\"a".utf8) + bytes }
            _ = decodeTelemetry(bytes)
            _ = bytes.withUnsafeBytes(HeartbeatDecoder.decode)
        }
    }

    @Test("refuses every beginning of a payload that lacks its end")
    func prefixes() {
        let whole = Array(
            #"[{"timestamp":"2026-11-21T03:38:30Z","co2":6.0e2,"x\u00e9\ud83c\udf31":"é🌱","y":[true,false,null]},{"a":1}]"#
                .utf8)
        for length in 1..<whole.count {
            let decoded = decodeTelemetry(Array(whole[..<length]))
            #expect(decoded.readings == [])
            #expect(decoded.rejection?.reason == .notJSON)
        }
        #expect(decodeTelemetry(whole).readings.count == 2)
        #expect(decodeTelemetry(whole).rejection == nil)
    }
}

extension Reading {
    fileprivate var asReference: TelemetryReference.Reading {
        var reference = TelemetryReference.Reading()
        for metric in Metric.allCases { reference.values[metric.name] = values[metric] }
        for extra in extras { reference.extras[extra.name] = extra.value }
        reference.time = timeSource == .device ? time : nil
        return reference
    }
}

/// Payloads such as devices send, then some of them damaged.
private struct PayloadGenerator {
    private var random: SeededGenerator

    private let keys =
        Metric.allCases.flatMap { [$0.name] + $0.aliases } + [
            "timestamp", "timestamp", #"soil\u005fmoisture"#, #"t\u0065mp"#, "ph", "leaf_wetness", #"p\u0068"#, "pH",
            "",
            "device", "é", #"\ud83c\udf31"#, "co2 ", "Temperature", #"a\/b"#, #"a\nb"#, #"temp\u0000"#,
        ]
    private let values = [
        "null", "true", "false", #""45.2""#, #""""#, "{}", "[]", #"{"a":[1,{"b":null}]}"#, "0", "-0", "1e3", "1E-2",
        "12.50e+1", "100", "100.0001", "-40", "85", "300", "1795232313", "1795232300123", "1795232300.25",
        #""2026-11-21T03:38:30Z""#, #""2026-11-20t03:38:30.5+01:00""#, #""2026-02-30T00:00:00Z""#, "1e999", "0.1",
        #""\ud83c\udf31é\n\\""#, "12345678901234567890", "0.30000000000000004", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
    ]
    private let damage = Array(#"{}[]":,\/u0019.-+eEtfn 'NaI"#.utf8) + [0, 9, 10, 0x1F, 0x7F, 0x80, 0xC3, 0xED, 0xFF]

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func payload() -> [UInt8] {
        var text = chance(20) ? "\u{FEFF}" : ""
        if chance(3) {
            var elements: [String] = []
            for _ in 0..<below(5) { elements.append(chance(10) ? pick(values) : object()) }
            text += "[" + elements.joined(separator: "," + space()) + space() + "]"
        } else {
            text += object()
        }
        var bytes = Array(text.utf8)
        if chance(2) {
            for _ in 0...below(3) { damage(&bytes) }
        }
        return bytes
    }

    private mutating func object() -> String {
        var members: [String] = []
        for _ in 0..<below(8) {
            members.append("\"\(pick(keys))\"" + space() + ":" + space() + value())
        }
        return space() + "{" + members.joined(separator: space() + ",") + "}"
    }

    private mutating func value() -> String {
        if chance(2) { return pick(values) }
        let number = Double(Int.random(in: -5000...12_000, using: &random)) / 100
        return chance(2) ? "\(number)" : "\(Int(number))"
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let position = below(bytes.count)
        switch below(5) {
        case 0: bytes[position] = pick(damage)
        case 1: bytes.insert(pick(damage), at: position)
        case 2: bytes.remove(at: position)
        case 3: bytes.removeLast(below(min(bytes.count, 8)))
        default:
            let length = below(min(20, bytes.count - position))
            bytes.insert(contentsOf: Array(bytes[position..<position + length]), at: below(bytes.count))
        }
    }

    private mutating func below(_ bound: Int) -> Int { bound <= 0 ? 0 : .random(in: 0..<bound, using: &random) }
    private mutating func chance(_ oneIn: Int) -> Bool { below(oneIn) == 0 }
    private mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
    private mutating func space() -> String { chance(6) ? pick([" ", "\n", "\t ", "\r\n"]) : "" }
}
