import Testing

@testable import PlantDomain

@Suite struct WateringDetectorTests {
    private static let device = EntityID(high: 1, low: 1)
    private static let other = EntityID(high: 2, low: 2)
    private static let start = Timestamp(microseconds: 1_795_219_200_000_000)

    /// One value every so many minutes.
    private func samples(_ values: [Double], every minutes: Double = 5, from: Double = 0) -> [WateringDetector.Sample] {
        values.enumerated().map { index, value in
            WateringDetector.Sample(start: at(from + Double(index) * minutes), mean: value)
        }
    }

    private func at(_ minutes: Double) -> Timestamp { Self.start.adding(seconds: minutes * 60) }

    private func found(_ values: [Double], every minutes: Double = 5) -> [DetectedWatering] {
        WateringDetector.waterings(in: [Self.device: samples(values, every: minutes)])
    }

    private func flat(_ value: Double, _ count: Int) -> [Double] { Array(repeating: value, count: count) }

    @Test(arguments: [5.0, 10, 15, 20, 30, 60])
    func `a watering is found however rare the readings`(minutes: Double) throws {
        let watering = try #require(found(flat(30, 20) + flat(60, 20), every: minutes).first)
        #expect(watering.at == at(20 * minutes))
        #expect(watering.since == at(19 * minutes))
        #expect((watering.before, watering.after, watering.device) == (30, 60, Self.device))
        #expect(found(flat(30, 20) + flat(60, 20), every: minutes).count == 1)
    }

    @Test func `readings more than an hour apart tell of none`() {
        #expect(found(flat(30, 9) + flat(60, 9), every: 66).isEmpty)
    }

    @Test(arguments: [(5.0, 1), (4.99, 0), (8, 1), (0, 0), (-20, 0)])
    func `it takes a rise of 5 points`(rise: Double, count: Int) {
        #expect(found(flat(40, 20) + flat(40 + rise, 20)).count == count)
    }

    @Test(arguments: [(5.0, 0), (7, 0), (8, 1), (20, 1)])
    func `noise takes a larger rise`(rise: Double, count: Int) {
        // Values jump by 4 points: a deviation of noise of 2.8, four times that is 11.3, of which noise itself may be 4.
        let noise = (0..<60).map { 40 + ($0 % 2 == 0 ? -2.0 : 2) }
        #expect(found(noise).isEmpty)
        #expect(found(noise + noise.map { $0 + rise }).count == count)
    }

    @Test(arguments: [(6, 0), (7, 1), (12, 1)])
    func `it must hold for half an hour`(samplesUp: Int, count: Int) {
        #expect(found(flat(30, 20) + flat(60, samplesUp) + flat(30, 20)).count == count)
    }

    @Test func `until it has held for half an hour nothing is said`() {
        let before = flat(30, 20)
        for up in 1...6 { #expect(found(before + flat(60, up)).isEmpty, "\(up)") }
        #expect(found(before + flat(60, 7)).count == 1)
    }

    @Test func `a value that stands alone is none, up or down`() {
        #expect(found(flat(30, 20) + [90] + flat(30, 20)).isEmpty)
        #expect(found(flat(60, 20) + [0] + flat(60, 20)).isEmpty)
        #expect(found(flat(60, 6) + [0] + flat(60, 6), every: 60).isEmpty)
    }

    @Test(arguments: 1...15)
    func `a probe that is pulled out and put back was not watered`(samplesOut: Int) {
        #expect(found(flat(60, 40) + flat(0, samplesOut) + flat(60, 40)).isEmpty)
    }

    @Test func `a drip of an hour and more is one watering, with the value it ends at`() throws {
        let drip = (1...24).map { 30 + Double($0) }
        let waterings = found(flat(30, 20) + drip + flat(54, 24))
        #expect(waterings.count == 1)
        let watering = try #require(waterings.first)
        #expect((watering.before, watering.after) == (30, 54))
        #expect(watering.at == at(24 * 5))
    }

    @Test func `what goes on within an hour is one watering`() {
        let waterings = found(flat(30, 20) + flat(45, 9) + flat(65, 24))
        #expect(waterings.map(\.at) == [at(100)])
        #expect(waterings.map(\.before) == [30])
        #expect(waterings.map(\.after) == [65])
    }

    @Test func `two waterings on one day are two`() {
        let waterings = found(flat(30, 20) + flat(45, 24) + flat(65, 24))
        #expect(waterings.map(\.before) == [30, 45])
        #expect(waterings.map(\.after) == [45, 65])
    }

    @Test func `drying, warm days and cold nights are none`() {
        let week = (0..<2016).map { index -> Double in
            let day = Double(index) / 288
            // A cheap probe: two points up by day, two down by night.
            let phase = day - day.rounded(.down)
            return 70 - 5 * day + 2 * (phase < 0.5 ? 4 * phase - 1 : 3 - 4 * phase)
        }
        #expect(found(week).isEmpty)
    }

    @Test func `several devices in a pot tell of one watering: the first when, the one that rose most how much`() {
        let series = [
            Self.device: samples(flat(30, 20) + flat(50, 20)),
            Self.other: samples(flat(20, 24) + flat(70, 20)),
        ]
        let waterings = WateringDetector.waterings(in: series)
        #expect(
            waterings == [
                DetectedWatering(at: at(100), since: at(95), before: 20, after: 70, device: Self.other)
            ])
        let later = [Self.device: series[Self.device]!, Self.other: samples(flat(20, 40) + flat(70, 20))]
        #expect(WateringDetector.waterings(in: later).map(\.at) == [at(100), at(200)])
    }

    @Test func `little and odd input is survived`() {
        for values in [[], [30], [30, 60], [30, 60, 60], [Double.infinity, 0, .infinity]] as [[Double]] {
            #expect(found(values).isEmpty)
        }
    }

    @Test(arguments: 0..<20)
    func `whatever the noise, what is found is one watering at its time`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let rise = Double.random(in: 8...50, using: &random)
        let place = Int.random(in: 60...200, using: &random)
        var values: [Double] = []
        for index in 0..<300 {
            let dry = 40 - 0.02 * Double(index)
            values.append(dry + (index >= place ? rise : 0) + .random(in: -0.8...0.8, using: &random))
        }
        let waterings = found(values)
        #expect(waterings.count == 1)
        #expect(waterings.first?.at == at(Double(place) * 5))
        #expect(abs((waterings.first?.after ?? 0) - (waterings.first?.before ?? 0) - rise) < 4)
    }

    // MARK: what is known

    private static let id = EntityID(high: 9, low: 9)

    private func known(
        _ minutes: Double, entered: Bool = false, removed: Bool = false, after: Double? = nil, id: EntityID = id
    ) -> KnownWatering {
        KnownWatering(id: id, at: at(minutes), isEntered: entered, isRemoved: removed, after: after)
    }

    @Test func `a watering is told once, and what a person says of it counts`() {
        let found = DetectedWatering(at: at(600), since: at(590), before: 30, after: 60, device: Self.device)
        let far = EntityID(high: 8, low: 8)
        let table: [(String, [KnownWatering], KnownWatering.Settlement)] = [
            ("nothing is known", [], .insert),
            ("another one, long ago", [known(529, after: 60)], .insert),
            ("another one, later", [known(661, after: 60)], .insert),
            ("found before", [known(600, after: 60)], .nothing),
            ("found before by another window", [known(530, after: 60)], .nothing),
            ("it was still rising then", [known(600, after: 50)], .raise(Self.id)),
            ("it has not fallen since", [known(600, after: 70)], .nothing),
            ("removed", [known(600, removed: true, after: 50)], .nothing),
            ("entered", [known(640, entered: true)], .measure(Self.id)),
            ("entered too early", [known(529, entered: true)], .insert),
            ("entered, and measured", [known(640, entered: true, after: 60)], .nothing),
            ("entered twice", [known(650, entered: true, id: far), known(620, entered: true)], .measure(Self.id)),
            (
                "entered twice, one is measured",
                [known(650, entered: true, after: 60, id: far), known(610, entered: true)], .nothing
            ),
            ("entered and removed", [known(600, entered: true, removed: true, after: 60)], .nothing),
        ]
        for (what, known, settlement) in table {
            #expect(KnownWatering.settle(found, among: known) == settlement, "\(what)")
            #expect(KnownWatering.settle(found, among: known.reversed()) == settlement, "\(what), the other way round")
        }
    }
}
