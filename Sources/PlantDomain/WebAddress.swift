/// An absolute URL of the web that has been looked at, in one spelling. Where it may lead is for its users to judge.
///
/// It may contain a token, so it prints as its origin.
package struct WebAddress: Sendable, Equatable {
    package enum Scheme: String, Sendable {
        case http, https

        package var defaultPort: Int { self == .https ? 443 : 80 }
    }

    package let scheme: Scheme
    package let host: URLHost
    /// 1…65535, also when the URL leaves it out.
    package let port: Int
    /// Path and query as they were given, from the first `/`.
    package let target: String

    /// In bytes. Discord's are about 120.
    package static let mostBytes = 2048

    /// - Parameter text: spaces around it do not count.
    /// - Throws: what is wrong with it, and how to mend it. Never tells more of the text than host and port.
    package init(_ text: String) throws(WebAddressError) {
        try self.init(trimmed: text.trimmed)
    }

    private init(trimmed text: String) throws(WebAddressError) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= Self.mostBytes else { throw .tooLong }
        if text.utf8.contains(UInt8(ascii: "#")) { throw .fragment }
        guard let scheme = Self.scheme(of: text) else { throw .scheme }
        let rest = text.dropFirst(scheme.rawValue.count + "://".count)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard !rest[..<end].contains("@") else { throw .userInfo }
        guard let authority = Authority(rest[..<end]) else { throw .hostOrPort }
        host = try URLHost(authority.host)
        let tail = rest[end...]
        guard Self.isWellFormed(tail) else { throw .characters }
        self.scheme = scheme
        port = authority.port ?? scheme.defaultPort
        target = tail.first == "/" ? String(tail) : "/" + tail
    }

    init(scheme: Scheme, host: URLHost, port: Int, target: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.target = target
    }

    /// The whole URL, in one spelling.
    package var url: String { origin + target }

    /// Scheme, host and port, for people: the port only where it is not the usual one.
    package var origin: String { "\(scheme.rawValue)://\(hostAndPort)" }

    /// For people: the port only where it is not the usual one.
    package var hostAndPort: String { port == scheme.defaultPort ? "\(host)" : "\(host):\(port)" }

    private static func scheme(of text: String) -> Scheme? {
        guard let separator = text.firstRange(of: "://") else { return nil }
        return Scheme(rawValue: text[..<separator.lowerBound].lowercased())
    }

    /// Whether it is RFC 3986's path and query. Whatever else there is (spaces, control characters, backslashes, other
    /// alphabets), programs that read URLs do not agree on.
    private static func isWellFormed(_ text: Substring) -> Bool {
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst(), let low = rest.popFirst(), hexadecimalValue(of: high) != nil,
                    hexadecimalValue(of: low) != nil
                else { return false }
            } else if !byte.isLetterOrDigit, !"-._~!$&'()*+,;=:@/?".utf8.contains(byte) {
                return false
            }
        }
        return true
    }
}

extension WebAddress: CustomStringConvertible, CustomReflectable {
    package var description: String { origin }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The host of a URL, in one spelling.
package enum URLHost: Hashable, Sendable {
    /// In lower case, ASCII, without a dot at its end.
    case name(String)
    case address(IPAddress)

    /// - Parameter text: a name, four decimal numbers, or an IPv6 address in brackets.
    /// - Throws: `.hostOrPort`, or `.oddAddress` for what only looks like a name.
    init(_ text: String) throws(WebAddressError) {
        if text.hasPrefix("[") {
            guard text.hasSuffix("]"), let address = IPAddress(String(text.dropFirst().dropLast())),
                address.isVersion6
            else { throw .oddAddress }
            self = .address(address)
            return
        }
        if let address = IPAddress(text), !address.isVersion6 {
            self = .address(address)
            return
        }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 253, let last = labels.last, labels.allSatisfy(Self.isLabel) else {
            throw .hostOrPort
        }
        // What ends in a number is an IPv4 address to the C library and to browsers, in some spelling.
        guard !Self.isNumber(last.lowercased()) else { throw .oddAddress }
        self = .name(text.lowercased())
    }

    /// RFC 1123, and the underscore, which container networks use.
    private static func isLabel(_ label: Substring) -> Bool {
        1...63 ~= label.utf8.count && label.first != "-" && label.last != "-"
            && label.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    private static func isNumber(_ label: String) -> Bool {
        if label.hasPrefix("0x") { return label.utf8.dropFirst(2).allSatisfy { hexadecimalValue(of: $0) != nil } }
        return label.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    }
}

extension URLHost: CustomStringConvertible {
    /// As in a URL: an IPv6 address in brackets.
    package var description: String {
        switch self {
        case .name(let name): name
        case .address(let address): address.isVersion6 ? "[\(address)]" : "\(address)"
        }
    }
}

/// Why a text is no address of the web.
package enum WebAddressError: Error, Sendable, Equatable {
    case empty, tooLong, fragment, scheme, userInfo, hostOrPort, oddAddress, characters
}

extension WebAddressError: CustomStringConvertible {
    /// What is wrong and how to mend it, for people; begins with a verb or an address. Never contains the token.
    package var description: String {
        switch self {
        case .empty: "is empty: give the whole address, beginning with https://"
        case .tooLong: "is longer than \(WebAddress.mostBytes) bytes: use a shorter address"
        case .fragment: "must not contain #: leave out what begins there"
        case .scheme: "must be a whole address that begins with https://"
        case .userInfo: "must not contain a user or a password before the host: leave out what stands before the @"
        case .hostOrPort:
            "must have a valid host after https://, such as example.org, without a dot at its end, and a port only "
                + "from 1 to 65535; names in other alphabets are written in their xn-- form, IPv6 addresses in brackets"
        case .oddAddress:
            "must write an IP address in its usual form: four decimal numbers without leading zeros, or IPv6 in brackets "
                + "without a zone"
        case .characters:
            "contains a character that an address may not contain (a space, a quotation mark, a letter with an accent, "
                + "a lone %…): copy it again, or write the character as %XX"
        }
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
