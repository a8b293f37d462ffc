import Testing

@testable import plantops

@Suite("The outbox of a simulated device")
struct SimulatorOutboxTests {
    private func single(_ time: Int64) -> ReadingBatch { ReadingBatch(first: time, step: 1, count: 1) }

    @Test("joins readings in the same step while there is no connection")
    func joins() {
        var outbox = Outbox()
        for time in [100, 110, 120, 135, 150] { #expect(outbox.add(single(Int64(time)), joining: true) == 0) }
        #expect(outbox.waitingReadings == 5)
        #expect(outbox.next() == ReadingBatch(first: 100, step: 10, count: 3))
        #expect(outbox.next() == ReadingBatch(first: 135, step: 15, count: 2))
        #expect(outbox.next() == nil)
        #expect(outbox.waitingReadings == 0)
    }

    @Test("keeps messages apart while there is one")
    func keepsApart() {
        var outbox = Outbox()
        for time in 1...3 { _ = outbox.add(single(Int64(time)), joining: false) }
        #expect(outbox.next() == single(1))
        #expect(outbox.next() == single(2))
    }

    @Test("carries at most 500 readings in a message")
    func longMessages() {
        var outbox = Outbox()
        for time in 0..<1200 { _ = outbox.add(single(Int64(time)), joining: true) }
        #expect([outbox.next()?.count, outbox.next()?.count, outbox.next()?.count] == [500, 500, 200])
    }

    @Test("drops the oldest readings when it is full, and says how many")
    func drops() {
        var outbox = Outbox(capacity: 10)
        var dropped = 0
        for time in 0..<25 { dropped += outbox.add(single(Int64(time)), joining: true) }
        #expect(dropped == 15)
        #expect(outbox.waitingReadings == 10)
        var times: [Int64] = []
        while let batch = outbox.next() { times += (0..<batch.count).map(batch.time) }
        #expect(times == Array(15..<25))
    }

    @Test("finds answered messages in any order, and sends the others again in the old one")
    func answers() {
        var outbox = Outbox()
        for packet in 1...5 { outbox.sent(single(Int64(packet)), packetID: Int32(packet)) }
        #expect(outbox.answered(packetID: 2) == single(2))
        #expect(outbox.answered(packetID: 1) == single(1))
        #expect(outbox.answered(packetID: 9) == nil)
        #expect(outbox.unacknowledged == 3)
        _ = outbox.add(single(6), joining: false)
        #expect(outbox.takeBack() == 3)
        #expect(outbox.unacknowledged == 0)
        #expect((3...6).allSatisfy { outbox.next() == single($0) })
        #expect(outbox.isEmpty)
    }

    @Test("stays in order over many messages")
    func many() {
        var outbox = Outbox()
        var expected: Int64 = 0
        for time in 0..<5000 {
            _ = outbox.add(single(Int64(time)), joining: false)
            guard let batch = outbox.next() else { continue }
            outbox.sent(batch, packetID: Int32(time))
            if time >= 200 {
                #expect(outbox.answered(packetID: Int32(time - 200)) == single(expected))
                expected += 1
            }
        }
        #expect(outbox.unacknowledged == 200)
    }

    @Test(
        "covers a past without its end",
        arguments: [(0, 0, 0), (0, 1, 1), (0, 300, 1), (0, 301, 2), (600, 300 * 1002, 1000)])
    func covers(start: Int64, end: Int64, count: Int) {
        let batches = ReadingBatch.covering(start, end, step: 300)
        let times = batches.flatMap { batch in (0..<batch.count).map(batch.time) }
        #expect(times == Array(stride(from: start, to: end, by: 300)))
        #expect(times.count == count)
        #expect(batches.allSatisfy { $0.count <= ReadingBatch.mostReadings })
    }
}
