import PlantDomain
import Testing

@Suite struct HealthCheckTests {
    @Test func `a plant that is well has no issues`() {
        let check = Patient().check
        #expect(check.status == .ok)
        #expect(check.issues == [])
        #expect(check.trends == [])
        #expect(check.summary == "Fern is fine: all that has limits is within them.")
        #expect(check.checkedAt == Patient().now)
    }

    // MARK: Limits

    @Test(
        arguments: [
            (45, []), (25, ["info limit_near"]), (24.9, ["warning limit_exceeded"]), (16, ["warning limit_exceeded"]),
            (15.9, ["critical limit_exceeded"]), (70, ["info limit_near"]), (70.1, ["warning limit_exceeded"]),
            (79, ["warning limit_exceeded"]), (79.1, ["critical limit_exceeded"]),
            // 10 % of the limit, at most 10 % of the span.
            (27.4, ["info limit_near"]), (27.5, []), (65.6, ["info limit_near"]), (65.5, []),
        ] as [(Double, [String])])
    func `a value is beyond its limit, close to it, or neither`(value: Double, expected: [String]) {
        var patient = Patient()
        patient.latest = ["soil_moisture": (value, 0)]
        #expect(patient.found == expected.map { "\($0) soil_moisture" })
        // What the status of the plant says and what is told are one thing.
        let status: PlantStatus =
            expected.first.map { $0.hasPrefix("critical") ? .critical : $0.hasPrefix("warning") ? .warning : .ok }
            ?? .ok
        #expect(patient.check.status == status)
    }

    @Test func `how far beyond a limit, and since when if an alert knows`() throws {
        var patient = Patient()
        patient.latest = ["soil_moisture": (12, 60), "temperature": (33.4, 60)]
        patient.thresholds["temperature"] = Threshold(max: 30)
        #expect(patient.text(.limitExceeded) == "Soil moisture is 12 %, 13 points below its minimum of 25 %.")
        #expect(
            patient.check.issues.map(\.text).last == "Temperature is 33.4 °C, 3.4 °C above its maximum of 30 °C.")
        patient.alerts = [patient.alert(.threshold, metric: "soil_moisture", .min, since: 3 * 3600)]
        let issue = try #require(patient.issue(.limitExceeded))
        #expect(issue.text == "Soil moisture is 12 %, 13 points below its minimum of 25 %, for 3 hours.")
        #expect((issue.value, issue.limit) == (12, 25))
        #expect(issue.unit == "%")
        #expect(issue.since == patient.ago(3 * 3600))
        // One of the other end says nothing of this one.
        patient.alerts = [patient.alert(.threshold, metric: "soil_moisture", .max, since: 3 * 3600)]
        #expect(patient.issue(.limitExceeded)?.since == nil)
        #expect(
            patient.check.summary
                == "Fern needs help now. Soil moisture is 12 %, 13 points below its minimum of 25 %. "
                + "There is 1 more thing to see to.")
    }

    @Test func `numbers that differ do not look the same`() {
        var patient = Patient()
        patient.latest = ["soil_moisture": (24.96, 60)]
        #expect(
            patient.text(.limitExceeded) == "Soil moisture is 24.96 %, 0.04 points below its minimum of 25 %.")
        patient.latest = ["soil_moisture": (24, 60)]
        #expect(patient.text(.limitExceeded) == "Soil moisture is 24 %, 1 point below its minimum of 25 %.")
    }

    @Test func `an alert that is not over yet is told of`() {
        var patient = Patient()
        patient.alerts = [patient.alert(.threshold, metric: "soil_moisture", .min, since: 7200)]
        patient.latest = ["soil_moisture": (26, 60)]
        #expect(
            patient.text(.limitNear)
                == "Soil moisture is 26 %, close to its minimum of 25 %. The alert of 2 hours ago is not over yet.")
        patient.latest = ["soil_moisture": (60, 60)]
        #expect(
            patient.text(.limitNear)
                == "Soil moisture is 60 %, well within its minimum of 25 %. The alert of 2 hours ago is not over yet.")
        patient.alerts = [patient.alert(.threshold, metric: "soil_moisture", .min, state: .pending, since: 7200)]
        #expect(patient.found == [])
    }

    @Test func `extra metrics have limits but no unit`() throws {
        var patient = Patient()
        patient.thresholds = ["leaf_wetness": Threshold(max: 5)]
        patient.latest = ["leaf_wetness": (9, 60)]
        let issue = try #require(patient.issue(.limitExceeded))
        #expect(issue.text == "Leaf wetness is 9, 4 above its maximum of 5.")
        #expect(issue.unit == nil)
    }

    // MARK: What is missing

    @Test(arguments: [(1800.0, false), (1801, true)])
    func `what is older than it may be is not judged`(age: Double, isStale: Bool) throws {
        var patient = Patient()
        patient.latest = ["soil_moisture": (12, age)]
        #expect(
            patient.found == [isStale ? "warning stale_data soil_moisture" : "critical limit_exceeded soil_moisture"])
        #expect(patient.check.status == (isStale ? .stale : .critical))
        guard isStale else { return }
        patient.latest = ["soil_moisture": (12, 5 * 3600)]
        let issue = try #require(patient.issue(.staleData))
        #expect(
            issue.text == "Soil moisture was last measured 5 hours ago by Pod, as 12 %; what it is now is not known.")
        #expect(issue.since == patient.ago(5 * 3600))
        #expect(patient.check.summary == "How Fern is now is not known. \(issue.text)")
        patient.alerts = [patient.alert(.threshold, metric: "soil_moisture", .min, since: 6 * 3600)]
        #expect(patient.text(.staleData)?.hasSuffix("Its alert stays open until it is measured again.") == true)
    }

    @Test func `what has limits and was never measured is missing`() {
        var patient = Patient()
        patient.thresholds["co2"] = Threshold(max: 900)
        #expect(patient.found == ["info missing_data co2"])
        #expect(patient.text(.missingData) == "CO₂ has limits, but no device in this pot has measured it yet.")
        #expect(patient.check.status == .ok)
    }

    @Test func `a pot without a device`() {
        var patient = Patient()
        patient.hasDevice = false
        patient.latest = [:]
        #expect(patient.found == ["warning no_device"])
        #expect(patient.check.status == .unknown)
        #expect(
            patient.check.summary
                == "How Fern is cannot be judged. No device stands in this pot, so nothing is measured.")
    }

    @Test(arguments: [[:], ["co2": Threshold()]] as [Thresholds])
    func `a plant without limits`(thresholds: Thresholds) {
        var patient = Patient()
        patient.thresholds = thresholds
        #expect(patient.found == ["info no_limits"])
        #expect(
            patient.check.summary
                == "How Fern is cannot be judged. No limits are set for this plant, so nothing can be too high or too low."
        )
    }

    // MARK: Devices

    @Test(arguments: [(1800.0, false), (1801, true)])
    func `a device that is silent for too long`(silence: Double, isOffline: Bool) {
        var patient = Patient()
        patient.silentFor = silence
        #expect(patient.found == (isOffline ? ["warning device_offline"] : []))
        if isOffline { #expect(patient.text(.deviceOffline) == "Pod was last heard of 30 minutes ago.") }
        #expect(patient.check.status == .ok)
    }

    @Test func `devices that say they are gone, were never there, wait, or are shut out`() {
        var patient = Patient()
        patient.change = { $0.announcedOnline = false }
        #expect(patient.text(.deviceOffline) == "Pod is offline and was last heard of a minute ago.")
        #expect(patient.check.summary.hasPrefix("Fern is within its limits, but something needs attention. Pod is"))
        patient.silentFor = nil
        #expect(patient.text(.deviceOffline) == "Pod has not been heard of yet.")
        patient.change = { $0.isApproved = false }
        #expect(patient.text(.deviceOffline) == "Pod waits to be approved.")
        patient.change = { $0.isEnabled = false }
        #expect(patient.found == ["info device_disabled"])
    }

    @Test(
        arguments: [
            (80, nil, nil), (20, nil, nil), (19.9, nil, "warning"), (10, nil, "warning"), (9.9, nil, "critical"),
            (25, AlertSeverity.warning, "warning"), (25, .critical, "critical"), (30, .warning, nil),
            (15, .critical, "critical"),
        ] as [(Double, AlertSeverity?, String?)])
    func `a battery that is low`(level: Double, alert: AlertSeverity?, expected: String?) {
        var patient = Patient()
        patient.battery = (level, 60)
        if let alert { patient.alerts = [patient.alert(.batteryLow, severity: alert, since: 86_400)] }
        #expect(patient.found == (expected.map { ["\($0) battery_low battery"] } ?? []))
        #expect(patient.issue(.batteryLow)?.since == (expected == nil || alert == nil ? nil : patient.ago(86_400)))
    }

    @Test func `what a battery said long ago is said to be old`() {
        var patient = Patient()
        patient.battery = (12, 60)
        #expect(patient.text(.batteryLow) == "The battery of Pod is at 12 %.")
        patient.battery = (12, 4 * 3600)
        #expect(patient.text(.batteryLow) == "The battery of Pod is at 12 %, as it said 4 hours ago.")
        patient.battery = nil
        patient.alerts = [patient.alert(.batteryLow, since: 60)]
        #expect(patient.text(.batteryLow) == "The battery of Pod is low.")
        patient.alerts = [patient.alert(.batteryLow, state: .pending, since: 60)]
        #expect(patient.found == [])
    }

    @Test func `a sensor that is stuck`() {
        var patient = Patient()
        patient.alerts = [patient.alert(.sensorStuck, metric: "soil_moisture", value: 45, since: 14 * 3600)]
        #expect(patient.found == ["warning sensor_stuck soil_moisture"])
        #expect(
            patient.text(.sensorStuck)
                == "Pod has said the same soil moisture (45 %) for 14 hours: the sensor may be stuck.")
        patient.alerts = [patient.alert(.sensorStuck, metric: "soil_moisture", state: .pending, since: 14 * 3600)]
        #expect(patient.found == [])
    }

    // MARK: Light and air

    private func lit(_ luxHours: Double, coverage: Double = 1, _ alert: AlertSeverity? = nil) -> Patient {
        var patient = Patient()
        patient.thresholds = ["light_level": Threshold(min: 500, max: 5000)]
        patient.latest = ["light_level": (0, 60)]
        patient.light = LightSum(luxHours: luxHours, coverage: coverage)
        if let alert {
            patient.alerts = [
                patient.alert(.threshold, metric: "light_level", .min, severity: alert, since: 3 * 86_400)
            ]
        }
        return patient
    }

    @Test func `the light of yesterday is compared with limits, not that of now`() {
        #expect(lit(12 * 500).found == [])
        #expect(lit(12 * 5000).found == [])
        #expect(lit(12 * 499).found == ["info light_of_day light_level"])
        #expect(lit(12 * 5001).found == ["info light_of_day light_level"])
        #expect(lit(12 * 320, .critical).found == ["critical light_of_day light_level"])
        #expect(lit(12 * 320, .critical).check.status == .critical)
        #expect(lit(12 * 800, .warning).found == ["warning light_of_day light_level"])
        #expect(
            lit(12 * 320).text(.lightOfDay)
                == "Yesterday's light was 320 lx spread over 12 hours, below the minimum of 500 lx. One such day alone is "
                + "no alert.")
        #expect(
            lit(12 * 320, .warning).text(.lightOfDay)
                == "Yesterday's light was 320 lx spread over 12 hours, below the minimum of 500 lx. It has been so for "
                + "3 days.")
        #expect(
            lit(12 * 800, .warning).text(.lightOfDay)
                == "Yesterday's light was 800 lx spread over 12 hours, which is enough after days below the minimum of "
                + "500 lx. Two such days in a row end the alert.")
    }

    @Test func `a day of which too little is known is said to be`() {
        #expect(lit(6000, coverage: 0.75).found == [])
        #expect(lit(6000, coverage: 0.74).found == ["info light_unknown light_level"])
        #expect(
            lit(6000, coverage: 0.4).text(.lightUnknown)
                == "Light was measured for 40 % of yesterday, too little to judge that day by.")
        var patient = lit(0)
        patient.light = nil
        #expect(patient.found == ["info light_unknown light_level"])
        patient.thresholds = ["soil_moisture": Threshold(min: 20)]
        patient.latest["soil_moisture"] = (40, 60)
        #expect(patient.found == [])
    }

    @Test(
        arguments: [
            (20.0, 60.0, nil), (25, 40, "info air_too_dry vpd_kpa"), (20, 90, "info air_too_humid vpd_kpa"),
            // 1.6 and 0.4 kPa at 20 °C, and just beyond.
            (20, 31.6, nil), (20, 31.5, "info air_too_dry vpd_kpa"), (20, 82.85, nil),
            (20, 82.93, "info air_too_humid vpd_kpa"),
        ] as [(Double, Double, String?)])
    func `air that is too dry or too humid`(temperature: Double, humidity: Double, expected: String?) {
        var patient = Patient()
        patient.latest["temperature"] = (temperature, 60)
        patient.latest["humidity"] = (humidity, 60)
        #expect(patient.found == (expected.map { [$0] } ?? []))
        patient.latest["humidity"] = (humidity, 7200)
        #expect(patient.found == [])
    }

    // MARK: All together

    @Test func `the worst comes first, and always in the same order`() {
        var patient = Patient()
        patient.thresholds = [
            "soil_moisture": Threshold(min: 25), "temperature": Threshold(max: 30), "co2": Threshold(max: 900),
            "humidity": Threshold(min: 40),
        ]
        patient.latest = [
            "soil_moisture": (5, 60), "temperature": (31, 60), "humidity": (39, 60), "battery": (8, 60),
        ]
        patient.battery = (8, 60)
        patient.change = { $0.announcedOnline = false }
        let expected = [
            "critical limit_exceeded soil_moisture", "critical battery_low battery",
            "warning limit_exceeded humidity", "warning limit_exceeded temperature", "warning device_offline",
            "info missing_data co2", "info air_too_dry vpd_kpa",
        ]
        for _ in 0..<20 { #expect(patient.found == expected) }
        #expect(patient.check.summary.hasSuffix(" There are 4 more things to see to."))
    }

    @Test func `names cannot break a sentence`() {
        var patient = Patient()
        patient.name = "Fern\n\u{202E}" + String(repeating: "x", count: 300)
        #expect(patient.check.summary.hasPrefix("Fern xxx"))
        #expect(patient.check.summary.utf16.count < 200)
        patient.name = " "
        #expect(patient.check.summary.hasPrefix("The plant is fine"))
    }

    @Test func `whatever a status says, an issue explains it`() {
        var generator = SeededGenerator(seed: 31)
        for _ in 0..<2000 {
            var patient = Patient()
            patient.thresholds = [:]
            patient.latest = [:]
            for metric in [Metric.soilMoisture, .temperature, .humidity, .lightLevel] {
                if Bool.random(using: &generator) {
                    let limits = [1.0, 20, 60].map { _ in Double.random(in: 1...60, using: &generator) }.sorted()
                    patient.thresholds[metric.name] = Threshold(
                        min: Bool.random(using: &generator) ? limits[0] : nil,
                        max: Bool.random(using: &generator) ? limits[2] : nil)
                }
                if Bool.random(using: &generator) {
                    patient.latest[metric.name] = (
                        .random(in: 0...90, using: &generator), .random(in: 0...3000, using: &generator)
                    )
                }
            }
            let check = patient.check
            let worst = check.issues.first?.severity
            switch check.status {
            case .critical: #expect(worst == .critical)
            case .warning, .stale: #expect(worst == .warning)
            case .unknown: #expect(worst != nil && worst != .critical)
            case .ok: #expect(worst == .info || worst == nil)
            }
        }
    }
}
