import PlantDomain
import PlantPipeline
import Testing

@Suite struct ClockTrustTests {
    private let start = Timestamp(seconds: 1_800_000_000)

    /// What is said at each step: seconds that have passed, and by how much the clock is off then.
    private func verdicts(_ steps: [(after: Double, off: Double)], seen: Timestamp? = nil) -> [Bool] {
        var clock = ClockTrust()
        return steps.map { step in
            clock.isTrusted(at: start.adding(seconds: step.after + step.off), steady: step.after, lastSeen: seen)
        }
    }

    @Test(arguments: [
        (nil as Double?, true), (0, true), (86_399, true), (86_401, false), (-86_401, false), (4e8, false),
    ])
    func `a clock that goes on from where it was seen is believed`(pause: Double?, isTrusted: Bool) {
        #expect(verdicts([(0, 0)], seen: pause.map { start.adding(seconds: -$0) }) == [isTrusted])
    }

    @Test func `one that was not believed is after an hour of going evenly`() {
        let seen = start.adding(seconds: -4e8)
        let minutes = (0...60).map { (after: Double($0) * 60, off: 0.0) }
        #expect(verdicts(minutes, seen: seen) == Array(repeating: false, count: 60) + [true])
    }

    @Test(arguments: [4e8, -4e8, 61])
    func `one that jumps is not believed, and its hour begins anew`(jump: Double) {
        let steps: [(Double, Double)] = [
            (0, 0), (60, 0), (120, jump), (180, jump), (240, 0), (240 + 3599, 0), (240 + 3600, 0),
        ]
        #expect(verdicts(steps) == [true, true, false, false, false, false, true])
    }
}
