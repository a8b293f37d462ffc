/// Where a channel's messages go: an absolute URL that has been looked at, in one spelling.
///
/// What cannot be told without asking the DNS is not told here: a name may still lead to a private address, so whoever
/// connects judges each address with ``permits(_:)``.
///
/// It contains a token, so it prints as its hint.
package struct ChannelAddress: Sendable, Equatable {
    /// Its path and query contain the token.
    package let web: WebAddress
    /// Listed in `CHANNEL_ALLOWED_HOSTS`: may be private and plain HTTP.
    package let isExcepted: Bool

    /// - Parameters:
    ///   - text: spaces around it do not count.
    ///   - allowed: who is excepted from HTTPS and from public addresses.
    /// - Throws: what is wrong with it, and how to mend it. Never tells more of the text than host and port.
    package init(_ text: String, allowed: AllowedHosts) throws(ChannelAddressError) {
        let web: WebAddress
        do { web = try WebAddress(text) } catch { throw .malformed(error) }
        isExcepted = allowed.contains(web.host, port: web.port, scheme: web.scheme)
        if !isExcepted {
            guard web.scheme == .https else { throw .plain(host: web.host, port: web.port) }
            if case .address(let address) = web.host, let purpose = address.special {
                throw .notPublic(address, purpose, host: web.host, port: web.port)
            }
        }
        self.web = web
    }

    /// The whole URL, in one spelling. Contains the token.
    package var url: String { web.url }

    /// For people: the port only where it is not the usual one.
    package var hostAndPort: String { web.hostAndPort }

    /// Enough to tell addresses apart: `https://discord.com/…wxyz`.
    package var hint: String {
        guard web.target != "/" else { return web.origin + "/" }
        // The last part is what is secret. Its end is shown only if that leaves enough unsaid.
        let token = web.target.split { "/?&=".contains($0) }.last ?? ""
        return web.origin + "/" + Channel.hint(ofSecret: String(token))
    }

    /// Whether a connection may go there.
    package func permits(_ address: IPAddress) -> Bool { isExcepted || address.isPublic }
}

extension ChannelAddress: CustomStringConvertible, CustomReflectable {
    package var description: String { hint }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What is wrong with a channel's address.
package enum ChannelAddressError: Error, Sendable, Equatable {
    case malformed(WebAddressError)
    /// Plain HTTP to a host that is not excepted.
    case plain(host: URLHost, port: Int)
    /// The address, and what it is reserved for.
    case notPublic(IPAddress, String, host: URLHost, port: Int)
}

extension ChannelAddressError: CustomStringConvertible {
    /// What is wrong and how to mend it, for people; begins with a verb or an address. Never contains the token.
    package var description: String {
        switch self {
        case .malformed(let error): error.description
        case .plain(let host, let port):
            "must begin with https://; plain http is for hosts that the setting CHANNEL_ALLOWED_HOSTS lists: add "
                + "\(host):\(port) there if that is meant"
        case .notPublic(let address, let purpose, let host, let port):
            "leads to \(address), a \(purpose) address: channels reach public addresses and what the setting "
                + "CHANNEL_ALLOWED_HOSTS lists; add \(host):\(port) there if that is meant"
        }
    }
}
