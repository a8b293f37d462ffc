import PlantDomain
import Testing

@testable import PlantPipeline

@Suite struct AlertTextTests {
    @Test(
        arguments: [
            (Fixture.notice(), "Fern: soil moisture is 12 %, below 25 % for 3 h"),
            (Fixture.notice(minutes: 0.5), "Fern: soil moisture is 12 %, below 25 %"),
            (Fixture.notice(.reminder), "Fern: soil moisture is still 12 %, below 25 % for 3 h"),
            (
                Fixture.notice(.escalated, severity: .critical, value: 4.4),
                "Fern: soil moisture has become critical: 4 %, below 25 % for 3 h"
            ),
            (Fixture.notice(.resolved, value: 31.2), "Fern: soil moisture is back at 31 %, after 3 h"),
            (Fixture.notice(.resolved, value: 12), "Fern: the alert about soil moisture is over, after 3 h"),
            (Fixture.notice(.resolved, value: nil), "Fern: the alert about soil moisture is over, after 3 h"),
            (Fixture.notice(value: nil), "Fern: soil moisture is below 25 % for 3 h"),
            (Fixture.notice(limit: nil), "Fern: soil moisture is 12 %, too low for 3 h"),
            (Fixture.notice(plant: nil), "A plant: soil moisture is 12 %, below 25 % for 3 h"),
            (Fixture.notice(plant: " \n"), "A plant: soil moisture is 12 %, below 25 % for 3 h"),
            (
                Fixture.notice(metric: "temperature", direction: .max, value: 31.27, limit: 30, minutes: 60 * 24 * 3),
                "Fern: temperature is 31.3 °C, above 30 °C for 3 days"
            ),
            (
                Fixture.notice(metric: "humidity", value: 39.96, limit: 40, minutes: 12),
                "Fern: humidity is 39.96 % RH, below 40 % RH for 12 min"
            ),
            (
                Fixture.notice(metric: "light_level", value: 812.4, limit: 2000, minutes: 2880),
                "Fern: light level is 812 lx on average, below 2000 lx for 2 days"
            ),
            (
                Fixture.notice(metric: "soil_ec", direction: .max, value: 3120, limit: 2500),
                "Fern: soil EC is 3120 µS/cm, above 2500 µS/cm for 3 h"
            ),
            (
                Fixture.notice(metric: "co2", direction: .max, value: 1600, limit: 1500),
                "Fern: CO₂ is 1600 ppm, above 1500 ppm for 3 h"
            ),
            (
                Fixture.notice(metric: "leaf_wetness", value: 0.125, limit: 3.5),
                "Fern: leaf wetness is 0.125, below 3.5 for 3 h"
            ),
        ] as [(AlertNotice, String)])
    func `a limit is told with its value`(notice: AlertNotice, line: String) {
        #expect(AlertText.line(notice) == line)
    }

    @Test(
        arguments: [
            (.fired, .deviceOffline, "Sensor 2 (Fern) has not been heard of for 12 min"),
            (.reminder, .deviceOffline, "Sensor 2 (Fern) has still not been heard of for 12 min"),
            (.escalated, .deviceOffline, "Sensor 2 (Fern) has not been heard of for 12 min: critical by now"),
            (.resolved, .deviceOffline, "Sensor 2 (Fern) is heard of again, after 12 min"),
            (.fired, .batteryLow, "Sensor 2 (Fern): the battery is at 12 %"),
            (.reminder, .batteryLow, "Sensor 2 (Fern): the battery is still at 12 %"),
            (.escalated, .batteryLow, "Sensor 2 (Fern): the battery has become critical: 12 %"),
            (.resolved, .batteryLow, "Sensor 2 (Fern): the battery is back at 12 %"),
            (.fired, .sensorStuck, "Sensor 2 (Fern): soil moisture has not changed from 12 % for 12 min"),
            (.reminder, .sensorStuck, "Sensor 2 (Fern): soil moisture has still not changed from 12 % for 12 min"),
            (.resolved, .sensorStuck, "Sensor 2 (Fern): soil moisture changes again"),
            (.fired, .certificateExpiring, "It is worth a look"),
            (.escalated, .certificateExpiring, "Critical by now: it is worth a look"),
            (.resolved, .certificateExpiring, "The broker's certificate does not expire soon any more"),
            (.fired, .diskFilling, "The disk is filling up: it is worth a look"),
            (.reminder, .diskFilling, "Still: the disk is filling up: it is worth a look"),
            (.resolved, .ingestStalled, "Readings are being taken in again"),
            (.fired, .deadLetters, "It is worth a look"),
        ] as [(AlertEvent, AlertKind, String)])
    func `a sensor and the system are told without a limit`(event: AlertEvent, kind: AlertKind, line: String) {
        let notice = Fixture.notice(event, kind, device: "Sensor 2", detail: "it is worth a look", minutes: 12)
        #expect(AlertText.line(notice) == line)
    }

    @Test(
        arguments: [
            (.threshold, .recovered, "Fern: soil moisture is back at 12 %, after 12 min"),
            (.threshold, .limitRemoved, "Fern: the alert about soil moisture is over: there is no such limit any more"),
            (
                .deviceOffline, .deviceRemoved,
                "S (Fern): the alert about its silence is over: the sensor was taken away"
            ),
            (.batteryLow, .deviceRemoved, "S (Fern): the alert about its battery is over: the sensor was taken away"),
            (.sensorStuck, .plantDeleted, "S (Fern): the alert about soil moisture is over: the plant was deleted"),
        ] as [(AlertKind, AlertResolution, String)])
    func `what ends without getting better is not said to be well`(
        kind: AlertKind, resolution: AlertResolution, line: String
    ) {
        let notice = Fixture.notice(.resolved, kind, device: "S", resolution: resolution, minutes: 12)
        #expect(AlertText.line(notice) == line)
        if resolution != .recovered { #expect(summary([notice, notice]).contains("no longer watched")) }
    }

    @Test func `every kind and event has a line, whatever is missing`() {
        for kind in AlertKind.allCases {
            for event in AlertEvent.allCases {
                let line = AlertText.line(
                    Fixture.notice(
                        event, kind, plant: nil, metric: nil, direction: nil, value: nil, limit: nil, minutes: 0))
                #expect(!line.isEmpty && !line.contains("nil"))
                #expect(line.first?.isUppercase == true)
            }
        }
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 1e100, -1e300, -0.0, 1e-9])
    func `any number is told`(value: Double) {
        for metric in ["soil_moisture", "leaf_wetness"] {
            let line = AlertText.line(Fixture.notice(metric: metric, value: value, limit: 5e12))
            #expect(line.contains("is "))
            #expect(!line.contains("-0 ") && !line.contains("-0,"))
        }
    }

    @Test func `a line stays one line, and short`() {
        let name = "a\r\nb\u{2028}c\td\u{202E}e\u{0}" + String(repeating: "👩‍👩‍👧‍👦", count: 5000)
        for kind in AlertKind.allCases {
            let line = AlertText.line(
                Fixture.notice(.fired, kind, plant: name, device: name, metric: name, detail: name))
            #expect(line.utf16.count <= AlertText.longestLine)
            #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x2028 || $0.value == 0x202E })
        }
        #expect(AlertText.name(name)?.hasPrefix("a b c de") == true)
    }

    @Test(
        arguments: [
            (0, "0 s"), (99, "99 s"), (100, "2 min"), (3600, "60 min"), (5969, "99 min"), (5970, "2 h"),
            (10_800, "3 h"), (170_999, "47 h"), (171_000, "2 days"), (8_640_000, "100 days"), (-5, "0 s"),
        ] as [(Double, String)])
    func `a duration has one unit`(seconds: Double, text: String) {
        #expect(AlertText.duration(seconds) == text)
    }

    // MARK: Summaries

    private func summary(_ notices: [AlertNotice], kind: AlertMessage.Kind = .alerts) -> String {
        AlertText.summary(Fixture.message(notices, kind: kind))
    }

    private func several(
        _ count: Int, _ event: AlertEvent = .fired, room: String? = "Living room", metric: String = "soil_moisture",
        direction: LimitDirection = .min, value: Double = 12
    ) -> [AlertNotice] {
        (1...count).map {
            Fixture.notice(
                event, number: $0, plant: "Plant \($0)", room: room, metric: metric, direction: direction,
                value: value)
        }
    }

    @Test func `plants with the same trouble are told together`() {
        #expect(summary(several(3)) == "3 plants in Living room are too dry: Plant 1, Plant 2, Plant 3")
        #expect(
            summary(several(9, room: nil))
                == "9 plants are too dry: Plant 1, Plant 2, Plant 3, Plant 4, Plant 5 and 4 more")
        #expect(
            summary(several(2, .resolved, value: 30))
                == "2 plants in Living room are no longer too dry: Plant 1, Plant 2")
        #expect(
            summary(several(2, .resolved, value: 3))
                == "soil moisture is no longer watched for 2 plants in Living room: Plant 1, Plant 2")
        #expect(
            summary(several(2, metric: "co2", direction: .max))
                == "CO₂ is too high for 2 plants in Living room: Plant 1, Plant 2")
        #expect(summary(several(1) + several(1, .reminder)) == "Plant 1 is too dry")
    }

    @Test func `a plant in another room is not said to be in this one`() {
        let notices = several(2) + [Fixture.notice(number: 3, plant: "Palm", room: "Hall")]
        #expect(summary(notices) == "3 plants are too dry: Plant 1, Plant 2, Palm")
    }

    @Test func `sensors are told together`() {
        func sensors(_ kind: AlertKind, _ event: AlertEvent) -> String {
            summary((1...2).map { Fixture.notice(event, kind, number: $0, plant: nil, device: "S\($0)") })
        }
        #expect(sensors(.deviceOffline, .fired) == "2 sensors are not heard of: S1, S2")
        #expect(sensors(.deviceOffline, .resolved) == "2 sensors are heard of again: S1, S2")
        #expect(sensors(.batteryLow, .fired) == "2 sensors are low on battery: S1, S2")
        #expect(sensors(.sensorStuck, .fired) == "2 sensors are stuck at one value: S1, S2")
    }

    @Test func `what has nothing in common is counted`() {
        let mixed =
            several(9) + [
                Fixture.notice(.resolved, number: 20, value: 30), Fixture.notice(.escalated, number: 21),
                Fixture.notice(.reminder, .deviceOffline, number: 22, device: "S"),
            ]
        #expect(summary(mixed) == "12 alerts: 9 began, 1 grew worse, 1 still going on, 1 ended")
        #expect(
            summary([Fixture.notice(), Fixture.notice(.resolved, value: 30)], kind: .digest)
                == "During the quiet hours: 1 alert: 1 began, 1 ended")
        #expect(summary(several(130)) == "100 alerts: 100 began; 30 more left out")
    }

    @Test func `a single notice is its own summary, and a test says that it is one`() {
        #expect(summary([Fixture.notice()]) == AlertText.line(Fixture.notice()))
        #expect(summary([], kind: .test).hasPrefix("This is a test"))
        #expect(summary([], kind: .digest) == "During the quiet hours: nothing happened")
    }
}
