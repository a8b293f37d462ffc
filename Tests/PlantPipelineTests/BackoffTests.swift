import Testing

@testable import PlantPipeline

@Suite struct BackoffTests {
    @Test func `waits double up to the longest and start over after a success`() {
        var backoff = Backoff(first: 1, longest: 5, random: { 0 })
        #expect((0..<5).map { _ in backoff.wait() } == [1, 2, 4, 5, 5])
        backoff.reset()
        #expect(backoff.wait() == 1)
    }

    @Test func `chance shortens a wait by half at most`() {
        var backoff = Backoff(first: 4, longest: 4, random: { 0.999 })
        #expect((2.0...2.01).contains(backoff.wait()))
    }
}
