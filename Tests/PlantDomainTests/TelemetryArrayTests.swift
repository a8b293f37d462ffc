import PlantDomain
import Testing

@Suite("An array of readings")
struct TelemetryArrayTests {
    @Test("keeps its order, and the good readings among bad ones")
    func keepsGoodOnes() {
        let decoded = decodeTelemetry(
            #"[{"co2":1},null,{"co2":2},{"temperature":999},"x",[{"co2":9}],{"co2":3,"battery":"full"},7]"#)
        #expect(decoded.readings.map { $0.values[.co2] } == [1, 2, 3])
        #expect(
            decoded.rejection
                == Rejection(
                    reason: .notAnObject,
                    detail: "reading 2: not an object; reading 4: temperature 999 is outside −40…85 °C; "
                        + "reading 4: no value is left to store; and 4 more"))
    }

    @Test("may hold 500 readings, not 501")
    func limit() {
        func array(_ count: Int) -> String {
            "[" + Array(repeating: #"{"co2":1}"#, count: count).joined(separator: ",") + "]"
        }
        #expect(decodeTelemetry(array(500)).readings.count == 500)
        #expect(decodeTelemetry(array(500)).rejection == nil)
        let over = decodeTelemetry(array(501))
        #expect(over.readings == [])
        #expect(over.rejection == Rejection(reason: .tooManyReadings, detail: "501 readings; at most 500 are taken"))
        #expect(decodeTelemetry(array(501).dropLast() + ",]").rejection?.reason == .notJSON)
    }

    @Test("that is empty is refused as such", arguments: ["[]", " [ ] "])
    func emptyArray(payload: String) {
        #expect(decodeTelemetry(payload).rejection?.reason == .empty)
        #expect(decodeTelemetry(payload).readings == [])
    }

    @Test("gives readings without a time later and later ones")
    func serverTimes() {
        let decoded = decodeTelemetry(#"[{"co2":1},{"co2":2,"timestamp":1795232000},{},{"co2":3,"timestamp":12}]"#)
        #expect(decoded.readings.map(\.timeSource) == [.server, .device, .server])
        #expect(
            decoded.readings.map(\.time) == [
                arrival, Timestamp(seconds: 1_795_232_000), arrival.adding(microseconds: 1),
            ])
    }

    @Test("spends no server time when the payload turns out to be broken")
    func noServerTimeSpent() {
        var calls = 0
        Array(#"[{"co2":1},{"co2":2}"#.utf8).withUnsafeBytes { payload in
            let decoded = TelemetryDecoder.decode(payload, receivedAt: arrival) {
                calls += 1
                return arrival
            }
            #expect(decoded.readings == [])
            #expect(decoded.rejection?.reason == .notJSON)
        }
        #expect(calls == 0)
    }

    @Test("describes thousands of faults in a bounded detail")
    func boundedDetail() {
        let name = String(repeating: "X", count: 2000)
        let object = "{" + (0..<40).map { "\"\(name)\($0)\":1" }.joined(separator: ",") + "}"
        let decoded = decodeTelemetry("[\(object),\(object)]")
        #expect(decoded.rejection?.reason == .badMetricName)
        #expect(decoded.rejection?.detail.hasSuffix("; and 79 more") == true)
        #expect((decoded.rejection?.detail.count ?? 0) <= 500)
    }
}

@Suite("A reading's time")
struct TelemetryTimeTests {
    @Test(
        "is the device's when it is plausible",
        arguments: [
            (#""2026-11-21T03:38:30.250Z""#, -2.75), (#""2026-11-21 04:38:30+01:00""#, -3),
            (#""2026-11-21T03:38:30\u005a""#, -3), ("1795232310", -3), ("1795232310.5", -2.5), ("1.79523231e9", -3),
            ("1795232310000", -3000 / 1000), ("1795232310500", -2.5), ("1795232310500.25", -2.49975),
            ("1795232613", 300), (#""2026-11-21T03:43:33Z""#, 300), ("1792640313", -2_592_000),
        ] as [(String, Double)])
    func deviceTime(timestamp: String, secondsAfterArrival: Double) throws {
        let decoded = decodeTelemetry("{\"co2\":600,\"timestamp\":\(timestamp)}")
        let reading = try #require(decoded.readings.first)
        #expect(reading.timeSource == .device)
        #expect(reading.time == arrival.adding(seconds: secondsAfterArrival))
        #expect(decoded.rejection == nil)
    }

    @Test(
        "is the server's when it is absent, unreadable or not plausible, and that is no fault",
        arguments: [
            nil, "null", "true", "{}", "[1795232310]", #""""#, #""yesterday""#, #""2026-11-21T03:38:30""#,
            #""1795232310""#, "0", "-1", "86400000", "1795232613.1", "1792640312.9", "1e300", "-1e300", "1e999",
            #""2026-11-21T03:43:33.000001Z""#, #""2026-10-22T03:38:32.999999Z""#, #""2026-02-30T00:00:00Z""#,
            "1795232310500250", "1795232310500250000",
        ] as [String?])
    func serverTime(timestamp: String?) throws {
        let member = timestamp.map { ",\"timestamp\":\($0)" } ?? ""
        let decoded = decodeTelemetry("{\"co2\":600\(member)}")
        let reading = try #require(decoded.readings.first)
        #expect(reading.timeSource == .server)
        #expect(reading.time == arrival)
        #expect(decoded.rejection == nil)
    }

    @Test("counts once: the first of repeated timestamps")
    func repeated() {
        let decoded = decodeTelemetry(#"{"timestamp":null,"timestamp":1795232310,"co2":600}"#)
        #expect(decoded.readings.first?.timeSource == .server)
    }
}
