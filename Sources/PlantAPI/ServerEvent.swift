import Foundation

/// Something that happened, for whoever watches live.
package struct ServerEvent: Sendable, Equatable {
    /// A word for what it is, such as `alert`. `reset` is the hub's own.
    package let name: String
    /// JSON.
    package let data: String

    package init(name: String, data: String) {
        self.name = name
        self.data = data
    }

    init(_ name: String, _ value: JSONValue) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        self.init(name: name, data: String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Load everything anew: something may have been missed.
    static let reset = ServerEvent(name: "reset", data: "{}")

    /// As it is sent (WHATWG HTML 9.2, `text/event-stream`).
    func bytes(id: String) -> [UInt8] {
        let lineFeed = UInt8(ascii: "\n")
        var bytes = Array("id: \(id)\nevent: \(name)\n".utf8)
        // A line break would end the field. In JSON there can be one only between tokens; the reader puts the lines
        // together again, with one between them.
        let lines = data.utf8.split { $0 == lineFeed || $0 == UInt8(ascii: "\r") }
        for line in lines {
            bytes += Array("data: ".utf8)
            bytes += line
            bytes.append(lineFeed)
        }
        bytes.append(lineFeed)
        return bytes
    }
}
