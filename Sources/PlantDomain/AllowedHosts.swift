/// The hosts that channels may reach although they are private addresses or speak plain HTTP. None by default.
package struct AllowedHosts: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        let host: URLHost
        /// nil: every port.
        let port: Int?
        /// nil: either.
        var scheme: WebAddress.Scheme?
    }

    private let entries: [Entry]

    /// Nobody is excepted.
    package static let none = AllowedHosts(entries: [])

    private init(entries: [Entry]) { self.entries = entries }

    /// Of these servers' schemes, hosts and ports alone.
    init(_ servers: some Sequence<WebAddress>) {
        entries = servers.map { Entry(host: $0.host, port: $0.port, scheme: $0.scheme) }
    }

    /// - Parameter items: `host` or `host:port` each: a name, an IPv4 address, or an IPv6 address in brackets, in
    ///   either case. Spaces around them and empty items do not count.
    /// - Throws: for the first item that is malformed.
    package init(_ items: some Sequence<some StringProtocol>) throws(AllowedHostsError) {
        var entries: [Entry] = []
        for (index, item) in items.enumerated() {
            let text = item.trimmed
            if text.isEmpty { continue }
            // Which of the rules for hosts it breaks is for those who type a whole address.
            guard let authority = Authority(text), let host = try? URLHost(authority.host) else {
                throw AllowedHostsError(position: index + 1)
            }
            entries.append(Entry(host: host, port: authority.port))
        }
        self.entries = entries
    }

    /// Reads the value of `CHANNEL_ALLOWED_HOSTS`.
    /// - Parameter list: items with commas between them.
    /// - Throws: for the first item that is malformed.
    package init(list: String) throws(AllowedHostsError) {
        // Empty ones are kept for the sake of the count.
        try self.init(list.split(separator: ",", omittingEmptySubsequences: false))
    }

    func contains(_ host: URLHost, port: Int, scheme: WebAddress.Scheme) -> Bool {
        entries.contains { $0.host == host && ($0.port ?? port) == port && ($0.scheme ?? scheme) == scheme }
    }
}

/// An item of `CHANNEL_ALLOWED_HOSTS` that is no `host[:port]`.
package struct AllowedHostsError: Error, CustomStringConvertible, Sendable, Equatable {
    /// Counted from 1. Not the item itself, which could be a whole address with a token.
    package let position: Int

    package var description: String {
        "item \(position) is no host[:port]: write a name or an address such as receiver.lan, 192.168.1.5:8080 or "
            + "[fd00::5]:8080, without scheme and path"
    }
}

/// `host[:port]`, taken apart; the host may still be nonsense.
struct Authority: Equatable {
    /// An IPv6 address still in its brackets.
    let host: String
    let port: Int?

    /// - Returns: nil when the port is none (1…65535, digits only) or an address is not in brackets.
    init?(_ text: some StringProtocol) {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = String(text[...end])
            let rest = text[text.index(after: end)...]
            if rest.isEmpty {
                port = nil
            } else {
                guard rest.first == ":", let number = Self.port(rest.dropFirst()) else { return nil }
                port = number
            }
            return
        }
        guard let colon = text.firstIndex(of: ":") else {
            host = String(text)
            port = nil
            return
        }
        guard let number = Self.port(text[text.index(after: colon)...]) else { return nil }
        host = String(text[..<colon])
        port = number
    }

    private static func port(_ text: some StringProtocol) -> Int? {
        // Int(_:) would also take a sign.
        guard text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let port = Int(text) else {
            return nil
        }
        return 1...65_535 ~= port ? port : nil
    }
}

extension StringProtocol {
    /// Without white space at either end.
    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
