import Foundation
import PlantDomain
import Testing

@Suite("Identity")
struct EntityIDTests {
    private let text = "0193a5c2-9f1e-7abc-8def-0123456789ab"

    @Test("is read in either case and written in lower case")
    func readsAndWrites() throws {
        let lower = try #require(EntityID(text))
        #expect(lower.high == 0x0193_a5c2_9f1e_7abc)
        #expect(lower.low == 0x8def_0123_4567_89ab)
        #expect(EntityID(text.uppercased()) == lower)
        #expect(lower.description == text)
        #expect(EntityID(high: .max, low: 0).description == "ffffffff-ffff-ffff-0000-000000000000")
    }

    @Test(
        "refuses everything but the canonical form",
        arguments: [
            "", "0193a5c29f1e7abc8def0123456789ab", "{0193a5c2-9f1e-7abc-8def-0123456789ab}",
            "0193a5c2-9f1e-7abc-8def-0123456789a", "0193a5c2-9f1e-7abc-8def-0123456789abc",
            "0193a5c2-9f1e-7abc-8def-0123456789ag", "0193a5c29-f1e-7abc-8def-0123456789ab",
            "0193a5c2_9f1e_7abc_8def_0123456789ab", " 193a5c2-9f1e-7abc-8def-0123456789ab",
            "+193a5c2-9f1e-7abc-8def-0123456789ab", "٠193a5c2-9f1e-7abc-8def-0123456789a",
        ])
    func refuses(text: String) {
        #expect(EntityID(text) == nil)
    }

    @Test("is read from bytes only if there are exactly 36")
    func readsBytes() {
        let bytes = Array(text.utf8)
        bytes.withUnsafeBytes { #expect(EntityID(ascii: $0) == EntityID(text)) }
        bytes.dropLast().withUnsafeBytes { #expect(EntityID(ascii: $0) == nil) }
        (bytes + [48]).withUnsafeBytes { #expect(EntityID(ascii: $0) == nil) }
    }

    @Test("agrees with Foundation's UUID")
    func agreesWithFoundation() {
        for _ in 0..<200 {
            let uuid = UUID()
            #expect(EntityID(uuid.uuidString)?.description == uuid.uuidString.lowercased())
        }
    }

    @Test("made new is a UUID of version 7 that carries its time")
    func makesVersion7() {
        let id = EntityID.make(at: Timestamp(microseconds: 0x0193_a5c2_9f1e * 1000 + 999))
        #expect(id.high >> 16 == 0x0193_a5c2_9f1e)
        #expect(id.high >> 12 & 0xF == 7)
        #expect(id.low >> 62 == 0b10)
    }

    @Test("sorts by the microsecond it was made at, also as text")
    func sortsByTime() {
        let made = (0..<3000).map { EntityID.make(at: arrival.adding(microseconds: Int64($0))) }
        #expect(made == made.sorted())
        #expect(made.map(\.description) == made.map(\.description).sorted())
    }

    @Test("is different every time within the same microsecond")
    func isUnique() {
        #expect(Set((0..<1000).map { _ in EntityID.make(at: arrival) }).count == 1000)
    }

    @Test("is made for any time without trapping", arguments: [Int64.min, -1, 0, .max])
    func survivesAnyTime(microseconds: Int64) {
        #expect(EntityID.make(at: Timestamp(microseconds: microseconds)).high >> 12 & 0xF == 7)
    }

    @Test("is a string in JSON, and a bad one throws")
    func codes() throws {
        let id = try #require(EntityID(text))
        #expect(try JSONEncoder().encode([id]) == Data("[\"\(text)\"]".utf8))
        #expect(try JSONDecoder().decode([EntityID].self, from: Data("[\"\(text.uppercased())\"]".utf8)) == [id])
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([EntityID].self, from: Data("[\"nonsense\"]".utf8))
        }
    }
}
