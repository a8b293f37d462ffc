import Foundation
import HTTPTypes
import PlantDomain
import Testing

@testable import PlantAPI

@Suite struct RouteTableTests {
    @Test func `a sane correlation id is kept and anything else replaced`() {
        #expect(RequestMiddleware.correlationID("abc-123_X.y") == "abc-123_X.y")
        for bad in ["", "a b", "a\nb", "{}", String(repeating: "a", count: 129), "ü"] {
            let made = RequestMiddleware.correlationID(bad)
            #expect(made != bad)
            #expect(made.count == 36)
        }
        #expect(RequestMiddleware.correlationID(nil) != RequestMiddleware.correlationID(nil))
    }

    @Test func `fields report everything that is wrong, with pointers`() throws {
        var fields = try Fields(["name": "", "x": "1", "list": [1], "inner": ["min": true], "gone": .null])
        _ = fields.text("name", length: 1...5)
        _ = fields.number("x", range: 0...1)
        _ = fields.texts("list", most: 3, length: 1...5)
        _ = fields.nested("inner") { $0.number("min", range: 0...1) }
        _ = fields.require("missing", fields.text("missing", length: 1...5))
        _ = fields.keep("gone", fields.text("gone", length: 1...5))
        #expect(fields.errors.map(\.pointer) == ["/name", "/x", "/list", "/inner/min", "/missing", "/gone"])
        let problem = #expect(throws: Problem.self) { try fields.finish() }
        #expect(problem?.status.code == 422)
    }

    @Test func `pointers are RFC 6901, and thousands of mistakes are not all repeated`() throws {
        let names = Dictionary(uniqueKeysWithValues: (0..<5000).map { ("x/~\($0)", JSONValue.string("no")) })
        var fields = try Fields(.object(names))
        for name in fields.names { _ = fields.number(name, range: 0...1) }
        #expect(fields.errors.count == 100)
        #expect(fields.errors.allSatisfy { $0.pointer.hasPrefix("/x~1~0") })
    }

    @Test func `absent, null and a value are told apart`() throws {
        var fields = try Fields(["cleared": .null, "set": " Fern "])
        var field: String? = "before"
        fields.text("absent", length: 1...5).apply(to: &field)
        #expect(field == "before")
        fields.text("set", length: 1...5).apply(to: &field)
        #expect(field == "Fern")
        fields.text("cleared", length: 1...5).apply(to: &field)
        #expect(field == nil)
    }

    @Test func `a body that is no object is refused`() {
        #expect(throws: Problem.self) { try Fields([1, 2]) }
    }

    @Test func `JSON keeps its numbers, nulls and nesting`() throws {
        let text = #"{"a":[1,2.5,null,true,"x",{"b":{}}],"c":-3}"#
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        #expect(value == ["a": [1, .number(2.5), .null, true, "x", ["b": [:]]], "c": -3])
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(String(decoding: try encoder.encode(value), as: UTF8.self) == text)
    }
}
