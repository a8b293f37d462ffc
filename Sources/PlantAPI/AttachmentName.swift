import Foundation

/// What a browser is to call a file that was made for somebody's words: for a plant's name, say.
struct AttachmentName {
    private static let longest = 80

    /// As it was written, but for what no file system takes.
    let name: String

    /// - Parameter text: any text at all.
    init(_ text: String, suffix: String = "", fileExtension: String = "csv") {
        let refused = Set("/\\:*?\"<>|")
        let kept = text.unicodeScalars.map { scalar -> Character in
            switch scalar.properties.generalCategory {
            // Format characters could make ".csv" look like another ending (U+202E).
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: " "
            default: refused.contains(Character(scalar)) ? "-" : Character(scalar)
            }
        }
        let words = String(kept.map(String.init).joined()).split(separator: " ").joined(separator: " ")
        let trimmed = words.prefix(Self.longest).trimmingCharacters(in: CharacterSet(charactersIn: " ."))
        name = (trimmed.isEmpty ? "plant" : trimmed) + suffix + "." + fileExtension
    }

    /// RFC 6266: `filename` for those who know nothing else, `filename*` (RFC 8187) for everybody else.
    var contentDisposition: String {
        #"attachment; filename="\#(plain)"; filename*=UTF-8''\#(encoded)"#
    }

    /// Letters without their marks, and `-` for what ASCII has nothing for.
    private var plain: String {
        let folded = name.folding(options: .diacriticInsensitive, locale: nil)
        var text = ""
        for scalar in folded.unicodeScalars {
            let isSafe =
                scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789 ._-()".unicodeScalars.contains(scalar))
            let next: Character = isSafe ? Character(scalar) : "-"
            if next != "-" || text.last != "-" { text.append(next) }
        }
        return text
    }

    /// RFC 8187: everything but attr-char as %XX of its UTF-8 bytes.
    private var encoded: String {
        var text = ""
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.append(Character(UnicodeScalar(byte)))
            default:
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}
