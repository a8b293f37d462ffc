import PlantDomain
import Testing

@Suite("A heartbeat")
struct HeartbeatDecoderTests {
    @Test("may say everything")
    func full() {
        let (heartbeat, rejection) = decodeHeartbeat(
            #"{"uptime":86400.5,"rssi":-61,"battery":87,"free_heap":143360,"firmware_version":"1.4.2-βeta","x":[{}]}"#)
        #expect(
            heartbeat
                == Heartbeat(
                    uptimeSeconds: 86400.5, rssi: -61, battery: 87, freeHeapBytes: 143_360,
                    firmwareVersion: "1.4.2-βeta"))
        #expect(rejection == nil)
    }

    @Test("may say nothing", arguments: ["", "{}", " {} ", #"{"rssi":null,"firmware_version":null}"#])
    func sayingNothing(payload: String) {
        let (heartbeat, rejection) = decodeHeartbeat(payload)
        #expect(heartbeat == Heartbeat())
        #expect(rejection == nil)
    }

    @Test(
        "is none when it is no JSON object",
        arguments: [
            ("{", .notJSON), ("nonsense", .notJSON), ("{} {}", .notJSON), (#"{"rssi":-61,}"#, .notJSON),
            (#"{"rssi":-061}"#, .notJSON), ("[]", .notAnObject), ("1", .notAnObject), ("null", .notAnObject),
            (#"{"a":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"#, .tooDeep),
        ] as [(String, RejectReason)])
    func refusedWhole(payload: String, reason: RejectReason) {
        let (heartbeat, rejection) = decodeHeartbeat(payload)
        #expect(heartbeat == nil)
        #expect(rejection?.reason == reason)
    }

    @Test("is refused above one mebibyte")
    func tooLarge() {
        let (heartbeat, rejection) = decodeHeartbeat("{}" + String(repeating: " ", count: 1_048_575))
        #expect(heartbeat == nil)
        #expect(rejection?.reason == .tooLarge)
    }

    @Test(
        "loses a bad field and keeps the rest",
        arguments: [
            (#""rssi":5"#, .valueOutOfRange), (#""rssi":-128"#, .valueOutOfRange), (#""rssi":"-61""#, .wrongType),
            (#""uptime":-1"#, .valueOutOfRange), (#""uptime":1e999"#, .valueOutOfRange),
            (#""uptime":true"#, .wrongType), (#""free_heap":-1"#, .valueOutOfRange), (#""free_heap":[]"#, .wrongType),
            (#""firmware_version":1.4"#, .wrongType), (#""firmware_version":"a\nb""#, .valueOutOfRange),
            (#""firmware_version":"\u0000""#, .valueOutOfRange),
            ("\"firmware_version\":\"\(String(repeating: "9", count: 65))\"", .valueOutOfRange),
        ] as [(String, RejectReason)])
    func refusedSingly(field: String, reason: RejectReason) {
        let (heartbeat, rejection) = decodeHeartbeat("{\(field),\"battery\":87}")
        #expect(heartbeat == Heartbeat(battery: 87))
        #expect(rejection?.reason == reason)
    }

    @Test("may name a version of 64 characters")
    func longVersion() {
        let version = String(repeating: "é", count: 64)
        #expect(decodeHeartbeat("{\"firmware_version\":\"\(version)\"}").heartbeat?.firmwareVersion == version)
    }

    @Test("names every bad field")
    func detail() {
        let rejection = decodeHeartbeat(#"{"battery":101,"rssi":"x"}"#).rejection
        #expect(
            rejection
                == Rejection(
                    reason: .valueOutOfRange, detail: "battery 101 is outside 0…100 %; rssi is not a number"))
    }

    @Test("counts the first of repeated keys, also when written with escapes")
    func repeatedKeys() {
        #expect(decodeHeartbeat(#"{"\u0072ssi":-61,"rssi":-70}"#).heartbeat == Heartbeat(rssi: -61))
        #expect(decodeHeartbeat(#"{"rssi":null,"rssi":-70}"#).heartbeat == Heartbeat())
    }
}
