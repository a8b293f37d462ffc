import PlantDomain

/// When the tests' payloads arrive.
let arrival = Timestamp(microseconds: 1_795_232_313_000_000)  // 2026-11-21T03:38:33Z

/// Decodes as the pipeline does; server times are `arrival` and the microseconds after it.
func decodeTelemetry(_ text: String) -> DecodedTelemetry {
    decodeTelemetry(Array(text.utf8))
}

func decodeTelemetry(_ bytes: [UInt8]) -> DecodedTelemetry {
    var calls: Int64 = 0
    return bytes.withUnsafeBytes { payload in
        TelemetryDecoder.decode(payload, receivedAt: arrival) {
            defer { calls += 1 }
            return arrival.adding(microseconds: calls)
        }
    }
}

func decodeHeartbeat(_ text: String) -> (heartbeat: Heartbeat?, rejection: Rejection?) {
    Array(text.utf8).withUnsafeBytes(HeartbeatDecoder.decode)
}

func values(_ pairs: KeyValuePairs<Metric, Double>) -> MetricValues {
    var values = MetricValues()
    for (metric, value) in pairs { values[metric] = value }
    return values
}

/// SplitMix64: small, good enough for tests, and the same everywhere for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
