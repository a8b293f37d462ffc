import PlantDomain
import Testing

@Suite("A telemetry payload")
struct TelemetryDecoderTests {
    @Test("with one object is one reading")
    func oneObject() {
        let decoded = decodeTelemetry(
            #"{"timestamp":"2026-11-21T03:38:30Z","soil_moisture":45.2,"temperature":22.5,"humidity":65.0,"#
                + #""light_level":800}"#)
        let expected = Reading(
            time: arrival.adding(seconds: -3), timeSource: .device,
            values: values([.soilMoisture: 45.2, .temperature: 22.5, .humidity: 65, .lightLevel: 800]))
        #expect(decoded == DecodedTelemetry(readings: [expected], rejection: nil))
    }

    @Test("may hold every metric")
    func everyMetric() {
        for metric in Metric.allCases {
            for value in [metric.range.lowerBound, metric.range.upperBound] {
                let decoded = decodeTelemetry("{\"\(metric.name)\":\(value)}")
                #expect(decoded.readings.first?.values == values([metric: value]))
                #expect(decoded.rejection == nil)
            }
        }
    }

    @Test("accepts the aliases of metrics")
    func aliases() {
        for metric in Metric.allCases {
            for alias in metric.aliases {
                #expect(decodeTelemetry("{\"\(alias)\":50}").readings.first?.values == values([metric: 50]))
            }
        }
    }

    @Test(
        "prefers a metric's own name to an alias, wherever they stand",
        arguments: [
            #"{"temperature":22,"temp":1}"#, #"{"temp":1,"temperature":22}"#, #"{"temperature":null,"temp":22}"#,
            #"{"temp":22,"temperature":null}"#, #"{"temp":"x","temperature":22}"#, #"{"temp":999,"temperature":22}"#,
        ])
    func nameWins(payload: String) {
        let decoded = decodeTelemetry(payload)
        #expect(decoded.readings.first?.values == values([.temperature: 22]))
        #expect(decoded.rejection == nil)
    }

    @Test("does not fall back to an alias when the metric's own value is bad")
    func badNameWins() {
        let decoded = decodeTelemetry(#"{"temp":22,"temperature":"22","lux":5}"#)
        #expect(decoded.readings.first?.values == values([.lightLevel: 5]))
        #expect(decoded.rejection?.reason == .wrongType)
    }

    @Test("prefers aliases in their order")
    func aliasOrder() {
        #expect(decodeTelemetry(#"{"lux":1,"light":2}"#).readings.first?.values == values([.lightLevel: 2]))
    }

    @Test(
        "counts the first of repeated keys, as JSONDecoder does",
        arguments: [
            (#"{"co2":600,"co2":700}"#, 600), (#"{"co2":600,"co2":"x"}"#, 600),
            (#"{"co2":600,"c\u006f2":700}"#, 600), (#"{"battery":1,"co2":null,"co2":700}"#, nil),
        ] as [(String, Double?)])
    func repeatedKeys(payload: String, expected: Double?) {
        let decoded = decodeTelemetry(payload)
        #expect(decoded.readings.count == 1)
        #expect(decoded.readings.first?.values[.co2] == expected)
        #expect(decoded.rejection == nil)
    }

    @Test("counts the first of repeated extra keys too")
    func repeatedExtras() {
        let decoded = decodeTelemetry(#"{"a":1,"a":2,"b":"x","b":3,"c":null,"c":4,"D":"x","D":5}"#)
        #expect(decoded.readings.first?.extras == [ExtraValue(name: "a", value: 1)])
        #expect(decoded.rejection == nil)
    }

    @Test("compares keys as they read, not as they are spelt")
    func escapedKeys() {
        let decoded = decodeTelemetry(#"{"soil\u005fmoisture":45.2,"\u0070h":6.5,"co2\u0000":3}"#)
        #expect(decoded.readings.first?.values == values([.soilMoisture: 45.2]))
        #expect(decoded.readings.first?.extras == [ExtraValue(name: "ph", value: 6.5)])
        #expect(decoded.rejection?.reason == .badMetricName, "a key with a zero byte behind it is another key")
    }

    @Test(
        "loses a bad value and keeps the rest of the reading",
        arguments: [
            (#""temperature":"22.5""#, .wrongType, "temperature is a string, not a number"),
            (#""temperature":true"#, .wrongType, "temperature is a boolean, not a number"),
            (#""temperature":{"v":1}"#, .wrongType, "temperature is an object, not a number"),
            (#""temp":[22.5]"#, .wrongType, "temperature is an array, not a number"),
            (#""temperature":85.01"#, .valueOutOfRange, "temperature 85.01 is outside −40…85 °C"),
            (#""temperature":-41"#, .valueOutOfRange, "temperature −41 is outside −40…85 °C"),
            (#""temperature":1e999"#, .valueOutOfRange, "temperature is outside −40…85 °C"),
            (#""temperature":-1e999"#, .valueOutOfRange, "temperature is outside −40…85 °C"),
            (#""ph":1e999"#, .valueOutOfRange, "ph is too large a number"),
            (#""pH":6.5"#, .badMetricName, "\"pH\" cannot be a metric's name"),
            (#""":6.5"#, .badMetricName, "\"\" cannot be a metric's name"),
            (#""a\nb":6.5"#, .badMetricName, "\"a\u{FFFD}b\" cannot be a metric's name"),
        ] as [(String, RejectReason, String)])
    func badValue(field: String, reason: RejectReason, detail: String) {
        let decoded = decodeTelemetry("{\(field),\"co2\":600}")
        #expect(decoded.readings.map(\.values) == [values([.co2: 600])])
        #expect(decoded.readings.first?.extras == [])
        #expect(decoded.rejection == Rejection(reason: reason, detail: detail))
    }

    @Test("ignores what is null and metadata of a device's own")
    func ignored() {
        let decoded = decodeTelemetry(
            #"{"device":"esp32-7","Ok":true,"fw":{"v":[1,2,{"x":null}]},"tags":["a"],"co2":600,"humidity":null,"n":null}"#
        )
        #expect(decoded.readings.map(\.values) == [values([.co2: 600])])
        #expect(decoded.readings.first?.extras == [])
        #expect(decoded.rejection == nil)
    }

    @Test("keeps other numbers under their own names, in their order")
    func extras() {
        let decoded = decodeTelemetry(#"{"ph":6.5,"co2":600,"leaf_wetness":-0.0,"a":12345678901234567890}"#)
        #expect(
            decoded.readings.first?.extras == [
                ExtraValue(name: "ph", value: 6.5), ExtraValue(name: "leaf_wetness", value: 0),
                ExtraValue(name: "a", value: 1.2345678901234567e19),
            ])
        #expect(decoded.rejection == nil)
        #expect(decodeTelemetry(#"{"ph":6.5}"#).readings.count == 1, "an extra alone is a reading")
    }

    @Test("keeps sixteen extras and says that there were more")
    func tooManyExtras() {
        let sixteen = (0..<16).map { "\"x\($0)\":\($0)" }.joined(separator: ",")
        #expect(decodeTelemetry("{\(sixteen),\"x3\":9}").rejection == nil, "a repeated key is not one more")
        let decoded = decodeTelemetry("{\(sixteen),\"y\":1,\"z\":2,\"co2\":600}")
        #expect(decoded.readings.first?.extras.map(\.name) == (0..<16).map { "x\($0)" })
        #expect(decoded.readings.first?.values == values([.co2: 600]))
        let detail = "18 extra metrics; the first 16 were kept"
        #expect(decoded.rejection == Rejection(reason: .tooManyExtras, detail: detail))
    }

    @Test("writes minus zero as zero")
    func minusZero() {
        #expect(decodeTelemetry(#"{"rssi":-0}"#).readings.first?.values[.rssi]?.sign == .plus)
    }

    @Test(
        "without any value stores nothing",
        arguments: [#"{}"#, #"{"timestamp":1795232313}"#, #"{"co2":null}"#, #"{"name":"x"}"#, "[{}]"])
    func noValues(payload: String) {
        let decoded = decodeTelemetry(payload)
        #expect(decoded.readings == [])
        #expect(decoded.rejection?.reason == .noValues)
    }

    @Test("whose only value is bad stores nothing and says the cause first")
    func onlyBadValue() {
        let decoded = decodeTelemetry(#"{"temperature":999}"#)
        #expect(decoded.readings == [])
        let detail = "temperature 999 is outside −40…85 °C; no value is left to store"
        #expect(decoded.rejection == Rejection(reason: .valueOutOfRange, detail: detail))
    }
}
