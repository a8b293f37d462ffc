import PlantDomain
import Testing

/// What must hold whatever a device says. Each series is made from a seed of its own, which a mistake names.
@Suite struct ConditionPropertyTests {
    private static let thresholds = [
        "soil_moisture": Threshold(min: 25, max: 75), "temperature": Threshold(min: 15, max: 30),
        "humidity": Threshold(min: 40), "par": Threshold(max: 50),
    ]

    /// A random life of a device: values that wander, hover at a limit, jump and spike; waterings; silences.
    private struct Series {
        let seed: Int
        let forSeconds: Double
        let hysteresisPercent: Double
        var readings: [Reading] = []

        init(seed: Int, count: Int = 70) {
            var generator = SeededGenerator(seed: UInt64(seed))
            self.seed = seed
            forSeconds = [0.0, 60, 120, 120, 600].randomElement(using: &generator) ?? 120
            hysteresisPercent = [0.0, 5, 5, 20].randomElement(using: &generator) ?? 5
            let interval: Double = [10.0, 60, 60, 300, 3600].randomElement(using: &generator) ?? 60
            var levels = [
                Double.random(in: 20...80, using: &generator), Double.random(in: 12...33, using: &generator),
                Double.random(in: 30...60, using: &generator), Double.random(in: 30...60, using: &generator),
            ]
            let scales = [2.0, 0.6, 2, 2]
            let limits = [[25.0, 75], [15, 30], [40, 40], [50, 50]]
            let ranges = [0...100.0, -40...85, 0...100, -1e6...1e6]
            var second = 0.0
            for _ in 0..<count {
                second += interval * Double.random(in: 0.7...1.3, using: &generator)
                if Int.random(in: 0..<40, using: &generator) == 0 {
                    second += Double.random(in: 600...200_000, using: &generator)
                }
                var values = levels
                for index in levels.indices {
                    let scale = scales[index]
                    switch Int.random(in: 0..<40, using: &generator) {
                    case 0: levels[index] = limits[index][Int.random(in: 0...1, using: &generator)]
                    case 1: levels[index] += scale * Double.random(in: -15...15, using: &generator)
                    default: levels[index] += scale * Double.random(in: -0.5...0.5, using: &generator)
                    }
                    let range = ranges[index]
                    levels[index] = min(max(levels[index], range.lowerBound), range.upperBound)
                    values[index] = levels[index] + scale * Double.random(in: -0.5...0.5, using: &generator)
                    if Int.random(in: 0..<30, using: &generator) == 0 {
                        values[index] += scale * Double.random(in: -40...40, using: &generator)
                    }
                    values[index] = min(max(values[index], range.lowerBound), range.upperBound)
                }
                var metrics = MetricValues()
                if Int.random(in: 0..<10, using: &generator) > 0 { metrics[.soilMoisture] = values[0] }
                if Int.random(in: 0..<10, using: &generator) > 0 { metrics[.temperature] = values[1] }
                metrics[.humidity] = values[2]
                metrics[.battery] = min(max(15 + (values[3] - 50) / 2, 0), 100)
                readings.append(
                    Reading(
                        time: JudgedDevice.at(second.rounded()), timeSource: .device, values: metrics,
                        extras: [ExtraValue(name: "par", value: values[3])]))
            }
        }

        func device() -> JudgedDevice {
            JudgedDevice(
                ConditionPropertyTests.thresholds, hysteresisPercent: hysteresisPercent, forSeconds: forSeconds)
        }

        /// Each arrives at once and alone.
        func judged() -> JudgedDevice {
            var device = device()
            for reading in readings { device.receive([reading], at: reading.time.seconds(since: arrival)) }
            return device
        }

        func value(of subject: AlertSubject, at time: Timestamp) -> Double? {
            guard let reading = readings.first(where: { $0.time == time }), let name = subject.metric else {
                return nil
            }
            return Metric.named(name).map { reading.values[$0] } ?? reading.extras.first { $0.name == name }?.value
        }

        func rule(of subject: AlertSubject) -> LimitRule? {
            guard let name = subject.metric, let direction = subject.direction else { return nil }
            if subject.kind == .batteryLow {
                return LimitRule(direction: .min, limit: 20, recovery: 30, criticalAt: 10)
            }
            return ConditionPropertyTests.thresholds[name].flatMap {
                LimitRule(direction, of: $0, metric: Metric.named(name), hysteresisPercent: hysteresisPercent)
            }
        }
    }

    /// - Returns: what is wrong with a story, in words.
    private func mistakes(in findings: [AlertFinding], of series: Series) -> [String] {
        var mistakes: [String] = []
        var newest: [AlertSubject: AlertFinding] = [:]
        for finding in findings where finding.subject.kind != .sensorStuck {
            func wrong(_ what: String) {
                mistakes.append("seed \(series.seed): \(what): \(JudgedDevice.words(finding))")
            }
            guard let rule = series.rule(of: finding.subject) else {
                wrong("there is no such limit")
                continue
            }
            let isMin = rule.direction == .min
            let isBeyond: (Double) -> Bool = { isMin ? $0 < rule.limit : $0 > rule.limit }
            let isRecovered: (Double) -> Bool = { isMin ? $0 >= rule.recovery : $0 <= rule.recovery }
            let isCritical: (Double) -> Bool = { isMin ? $0 < rule.criticalAt : $0 > rule.criticalAt }
            let told = series.value(of: finding.subject, at: finding.at)
            if finding.limit != rule.limit { wrong("another limit") }

            let before = newest[finding.subject]
            newest[finding.subject] = finding
            let severity: AlertSeverity? =
                switch before?.change {
                case .fired(_, let severity): severity
                case .escalated: .critical
                default: nil
                }
            let isPending = if case .began = before?.change { true } else { false }
            if let before, finding.at < before.at { wrong("back in time") }

            switch finding.change {
            case .began(let since):
                if isPending || severity != nil { wrong("began twice") }
                if since != finding.at { wrong("began at another time") }
                if told.map(isBeyond) != true || told != finding.value { wrong("began without being beyond") }
                if series.forSeconds == 0 { wrong("began with no time to wait") }
            case .fired(let since, let how):
                if severity != nil { wrong("fired twice") }
                if isPending != (series.forSeconds > 0) { wrong("fired without beginning") }
                if told.map(isBeyond) != true || told != finding.value { wrong("fired without a crossing") }
                if series.value(of: finding.subject, at: since).map(isBeyond) != true { wrong("no crossing then") }
                if finding.at.seconds(since: since) < series.forSeconds { wrong("fired too early") }
                if told.map(isCritical) != (how == .critical) { wrong("another severity") }
                if isPending, case .began(let began)? = before?.change, began != since { wrong("another begin") }
            case .escalated(let since):
                if severity != .warning { wrong("escalated what is no warning") }
                if told.map(isCritical) != true { wrong("escalated without being critical") }
                if case .fired(let began, _)? = before?.change, began != since { wrong("another begin") }
                if let before, finding.at.seconds(since: before.at) < series.forSeconds { wrong("too early") }
            case .resolved:
                if severity == nil { wrong("resolved what did not fire") }
                if told.map(isRecovered) != true || told != finding.value { wrong("resolved without recovery") }
                if let before, finding.at.seconds(since: before.at) < series.forSeconds { wrong("too early") }
                if finding.resolution != .recovered { wrong("another resolution") }
            case .lapsed:
                if !isPending { wrong("lapsed what was not pending") }
                // A watering ends what was about to be too wet.
                let isWet = finding.subject.metric == "soil_moisture" && !isMin
                if !isWet, told.map(isRecovered) != true { wrong("lapsed without recovery") }
            }
        }
        return mistakes
    }

    @Test func `every story is one that can be`() {
        var mistakes: [String] = []
        var counts: [String: Int] = [:]
        for seed in 0..<2000 {
            let series = Series(seed: seed)
            let device = series.judged()
            mistakes += self.mistakes(in: device.findings, of: series)
            for finding in device.findings {
                let kind = "\(finding.change)".prefix { $0 != "(" }
                counts[String(kind), default: 0] += 1
            }
        }
        var kinds: [String: Int] = [:]
        for mistake in mistakes { kinds[String(mistake.split(separator: ":")[1]), default: 0] += 1 }
        #expect(kinds.isEmpty, "\(mistakes.prefix(5))")
        for kind in ["began", "fired", "escalated", "resolved", "lapsed"] {
            #expect(counts[kind, default: 0] > 500, "\(kind): the series are too quiet to tell")
        }
    }

    @Test func `within the limits nothing is ever found`() {
        var stories: [String] = []
        for seed in 0..<500 {
            var series = Series(seed: seed)
            for index in series.readings.indices {
                var values = MetricValues()
                for metric in Metric.allCases {
                    let good: ClosedRange<Double> =
                        switch metric {
                        case .soilMoisture: 25...75
                        case .temperature: 15...30
                        case .humidity: 40...100
                        case .battery: 20...100
                        default: metric.range
                        }
                    values[metric] = series.readings[index].values[metric].map {
                        min(max($0, good.lowerBound), good.upperBound)
                    }
                }
                series.readings[index].values = values
                series.readings[index].extras[0].value = min(series.readings[index].extras[0].value, 50)
            }
            stories += series.judged().findings.filter { $0.subject.kind != .sensorStuck }.map(JudgedDevice.words)
        }
        #expect(stories.count == 0, "\(stories.prefix(5))")
    }

    @Test func `what is redelivered changes nothing`() {
        var mistakes: [String] = []
        for seed in 0..<400 {
            let series = Series(seed: seed)
            let plain = series.judged()
            var generator = SeededGenerator(seed: UInt64(seed) + 1_000_000)
            var device = series.device()
            for (index, reading) in series.readings.enumerated() {
                let now = reading.time.seconds(since: arrival)
                device.receive([reading], at: now)
                guard Int.random(in: 0..<10, using: &generator) == 0 else { continue }
                let before = device.findings.count
                // All of it again, or a part, as one message or as many; a moment later.
                let start = Bool.random(using: &generator) ? 0 : Int.random(in: 0...index, using: &generator)
                let again = Array(series.readings[start...index])
                if Bool.random(using: &generator) {
                    device.receive(again.shuffled(using: &generator), at: now + 0.5)
                } else {
                    for reading in again { device.receive([reading], at: now + 0.5) }
                }
                if device.findings.count != before { mistakes.append("seed \(seed): again at \(now)") }
                if device.memory.judgedUntil != reading.time { mistakes.append("seed \(seed): judged until") }
            }
            if device.findings != plain.findings { mistakes.append("seed \(seed): another story") }
        }
        #expect(mistakes.count == 0, "\(mistakes.prefix(5))")
    }

    @Test func `the same series twice is judged once`() {
        var mistakes: [String] = []
        for seed in 0..<400 {
            let series = Series(seed: seed)
            var device = series.judged()
            let findings = device.findings
            let end = series.readings.last?.time.seconds(since: arrival) ?? 0
            for count in [1, 17, series.readings.count] {
                for reading in series.readings.prefix(count) { device.receive([reading], at: end) }
            }
            if device.findings != findings { mistakes.append("seed \(seed)") }
        }
        #expect(mistakes.count == 0, "\(mistakes.prefix(5))")
    }

    @Test func `a memory that was kept goes on as if it had not been`() {
        var stories: [String] = []
        var memories: [String] = []
        for seed in 0..<400 {
            let series = Series(seed: seed)
            let plain = series.judged()
            var device = series.device()
            for reading in series.readings {
                device.receive([reading], at: reading.time.seconds(since: arrival))
                guard var memory = SensorMemory(encoded: device.memory.encoded) else {
                    stories.append("seed \(seed): not decoded at \(reading.time)")
                    continue
                }
                memory.judgedUntil = device.memory.judgedUntil
                if memory != device.memory { memories.append("seed \(seed): at \(reading.time)") }
                if memory.encoded != device.memory.encoded { stories.append("seed \(seed): other bytes") }
                device.memory = memory
            }
            if device.findings != plain.findings { stories.append("seed \(seed): another story") }
        }
        #expect(stories.count == 0, "\(stories.prefix(5))")
        #expect(memories.count == 0, "\(memories.prefix(5))")
    }

    @Test func `however the readings are put into messages, the story is the same`() {
        var mistakes: [String] = []
        var messages = 0
        var readings = 0
        for seed in 0..<1000 {
            let series = Series(seed: seed)
            let plain = series.judged()
            var generator = SeededGenerator(seed: UInt64(seed) + 2_000_000)
            var device = series.device()
            var batch: [Reading] = []
            for (index, reading) in series.readings.enumerated() {
                batch.append(reading)
                readings += 1
                let next = index + 1 < series.readings.count ? series.readings[index + 1].time : nil
                // As long as the first of them is still news when the last arrives.
                let mayWait = next.map { $0.seconds(since: batch[0].time) <= 300 } ?? false
                if mayWait, Int.random(in: 0..<4, using: &generator) > 0 { continue }
                device.receive(batch.shuffled(using: &generator), at: reading.time.seconds(since: arrival))
                messages += 1
                batch = []
            }
            if device.findings != plain.findings { mistakes.append("seed \(seed)") }
        }
        #expect(mistakes.count == 0, "\(mistakes.prefix(5))")
        #expect(messages * 3 < readings * 2)
    }

    @Test func `silence changes nothing, however long, and no reading is needed to keep it so`() {
        // What is firing at the end of a series is still firing a year later, and is resolved in the usual way.
        var firing = 0
        for seed in 0..<300 {
            let series = Series(seed: seed)
            var device = series.judged()
            var open: Set<AlertSubject> = []
            for finding in device.findings where finding.subject.kind == .threshold {
                switch finding.change {
                case .fired, .escalated: open.insert(finding.subject)
                case .resolved: open.remove(finding.subject)
                case .began, .lapsed: break
                }
            }
            firing += open.count
            let before = device.findings.count
            let year = (series.readings.last?.time.seconds(since: arrival) ?? 0) + 365 * 86_400
            // Well by any limit. The filter needs a second one to believe it.
            for index in 0..<8 {
                device.says(
                    year + Double(index) * 300, [.soilMoisture: 50, .temperature: 22, .humidity: 70, .battery: 90],
                    extras: [ExtraValue(name: "par", value: 10)])
            }
            let resolved = device.findings.dropFirst(before).filter {
                if case .resolved = $0.change { return $0.subject.kind == .threshold }
                return false
            }
            #expect(Set(resolved.map(\.subject)) == open, "seed \(seed)")
            #expect(resolved.count == open.count, "seed \(seed)")
            #expect(resolved.allSatisfy { $0.at >= JudgedDevice.at(year) })
        }
        #expect(firing > 100)
    }

    // MARK: Damaged memories

    /// Decodes what may be anything, and if it can be decoded, goes on with it.
    private func survives(_ bytes: [UInt8], _ series: Series) -> Bool {
        guard let memory = SensorMemory(encoded: bytes) else { return true }
        var device = series.device()
        device.memory = memory
        for reading in series.readings.prefix(10) {
            device.receive([reading], at: reading.time.seconds(since: arrival))
        }
        // It can be kept again.
        return SensorMemory(encoded: device.memory.encoded) != nil
    }

    @Test func `a memory that was cut short is none`() {
        for seed in 0..<20 {
            let bytes = Series(seed: seed).judged().memory.encoded
            #expect(bytes.count > 100)
            let decoded = bytes.indices.filter { SensorMemory(encoded: Array(bytes[..<$0])) != nil }
            #expect(decoded.isEmpty, "seed \(seed)")
        }
    }

    @Test func `a garbled memory is none or one that can be gone on with`() {
        var generator = SeededGenerator(seed: 77)
        var decoded = 0
        var mistakes: [String] = []
        for seed in 0..<100 {
            let series = Series(seed: seed)
            let bytes = series.judged().memory.encoded
            for _ in 0..<60 {
                var garbled = bytes
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let index = Int.random(in: garbled.indices, using: &generator)
                    garbled[index] =
                        [0, 1, 127, 128, 255, UInt8.random(in: 0...255, using: &generator)]
                        .randomElement(using: &generator) ?? 0
                }
                if SensorMemory(encoded: garbled) != nil { decoded += 1 }
                if !survives(garbled, series) { mistakes.append("seed \(seed): \(garbled)") }
            }
        }
        #expect(mistakes.count == 0, "\(mistakes.prefix(1))")
        #expect(decoded > 500)
    }

    @Test func `random bytes are no memory, or one that can be gone on with`() {
        var generator = SeededGenerator(seed: 78)
        let series = Series(seed: 1)
        var mistakes = 0
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...120, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if !bytes.isEmpty { bytes[0] = 1 }
            if bytes.count > 1 { bytes[1] &= 1 }
            if !survives(bytes, series) { mistakes += 1 }
        }
        #expect(mistakes == 0)
    }

    @Test(
        .disabled(
            if: !ConditionPropertyTests.trapsAreFixed,
            "Watering.swift adds 1 to a half hour that may be the largest there is"),
        arguments: [UInt8(0), 127, 128, 255])
    func `a memory whose numbers are the largest or smallest can be gone on with`(last: UInt8) {
        // Every run of eight bytes in turn, so that each time and number is Int64.max, Int64.min, -1 or 0.
        var mistakes = 0
        for seed in 0..<10 {
            let series = Series(seed: seed)
            let bytes = series.judged().memory.encoded
            for start in 0..<bytes.count - 8 {
                var garbled = bytes
                for index in start..<start + 7 { garbled[index] = last == 0 || last == 128 ? 0 : 255 }
                garbled[start + 7] = last
                if !survives(garbled, series) { mistakes += 1 }
            }
        }
        #expect(mistakes == 0)
    }

    static let trapsAreFixed = true
}
