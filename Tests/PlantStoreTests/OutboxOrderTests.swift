import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

/// What is told of one alert is told in the order it happened, whatever changes meanwhile.
@Suite(.serialized) struct OutboxOrderTests {
    @Test func `a plant that moves to another room while its alert waits`() async throws {
        let post = try await Outpost(cooldownMinutes: 0)
        let (fern, palm) = (try await post.plant("Fern", room: "Hall"), try await post.plant("Palm", room: "Hall"))
        _ = try await post.channel()
        try await post.fire(palm, at: 0)
        #expect(try await post.tell(at: 5) == ["fired Palm"])
        try await post.fire(fern, at: 20)
        #expect(try await post.tell(at: 30).isEmpty)
        _ = try await post.store.updatePlant(fern, at: post.time(40)) { $0.room = "Kitchen" }
        try await post.resolve(fern, at: 50)
        let told = try await post.pass(from: 60, to: 600, every: 10).joined(separator: ", ")
        let began = try #require(told.firstRange(of: "fired Fern")?.lowerBound, "\(told)")
        let over = try #require(told.firstRange(of: "resolved Fern")?.lowerBound, "\(told)")
        #expect(began < over, "\(told)")
    }

    @Test func `what is over during an outage of ours is not told before it began`() async throws {
        let house = try await Greenhouse()
        let plants = [try await house.plant(name: "Palm"), try await house.plant(name: "Fern")]
        for plant in plants { _ = try await house.store.updatePlant(plant, at: .now()) { $0.room = "Hall" } }
        let devices = [try await house.device(in: plants[0]), try await house.device(in: plants[1])]
        try await house.channel()
        func told(after seconds: Double) async throws -> [String] {
            let now = Timestamp.now().adding(seconds: seconds)
            try await house.store.composeMessages(at: now)
            var lines: [String] = []
            while let message = try await house.store.claimMessages(1, sealer: testSealer(), at: now).first {
                lines.append(message.line)
                try await house.store.settle(message, .sent(status: 200, pauseSeconds: nil), at: now)
            }
            return lines
        }
        try house.send(devices[0], at: 0, moisture: 29)
        #expect(try await told(after: 5) == ["fired Palm"])
        try house.send(devices[1], at: 1, moisture: 29)
        #expect(try await told(after: 10).isEmpty)
        house.writer.resumed(afterOutage: 30, at: .now())
        try house.send(devices[1], at: 2, moisture: 50)
        let lines = try await told(after: 20) + told(after: 400)
        #expect(lines.joined(separator: ", ").contains("fired Fern, resolved Fern"), "\(lines)")
    }
}
