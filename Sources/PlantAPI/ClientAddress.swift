import Glibc

/// A block of IPv4 or IPv6 addresses: `127.0.0.0/8`, `::1`.
package struct AddressBlock: Sendable, Equatable {
    private let bytes: [UInt8]
    private let prefix: Int

    /// - Returns: nil for anything that is no address or block.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let bytes = Self.bytes(of: String(parts[0])) else { return nil }
        var prefix = bytes.count * 8
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...prefix).contains(given) else { return nil }
            prefix = given
        }
        self.bytes = bytes
        self.prefix = prefix
    }

    package func contains(_ address: String) -> Bool {
        guard let other = Self.bytes(of: address), other.count == bytes.count else { return false }
        for index in 0..<bytes.count {
            let bits = min(8, max(0, prefix - index * 8))
            let mask = bits == 0 ? 0 : UInt8(truncatingIfNeeded: 0xFF << (8 - bits))
            if bytes[index] & mask != other[index] & mask { return false }
        }
        return true
    }

    /// 4 or 16 bytes; an IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`) counts as IPv4.
    static func bytes(of text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: &four) { Array($0) } }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: &six) { Array($0) }
        return bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) ? Array(bytes[12...]) : bytes
    }
}

/// From where a request comes.
struct ClientAddress: Sendable, Equatable {
    /// What attempts to sign in are counted by: an IPv4 address, or the /64 of an IPv6 address, since one household
    /// has 2^64 of them.
    let counted: String
    /// Whether the client spoke HTTPS, to us or to a proxy we trust.
    let isSecure: Bool
    /// Whether a proxy we trust brought the request.
    let isForwarded: Bool

    /// - Parameters:
    ///   - peer: the other end of the connection.
    ///   - forwardedFor: `X-Forwarded-For`. Only its last entry was written by the proxy we talk to.
    init(peer: String?, forwardedFor: String?, forwardedProto: String?, trusted: [AddressBlock]) {
        let peer = peer ?? ""
        guard trusted.contains(where: { $0.contains(peer) }) else {
            counted = Self.counted(peer)
            isSecure = false
            isForwarded = false
            return
        }
        let last = forwardedFor?.split(separator: ",").last.map { $0.filter { $0 != " " } }
        counted = Self.counted(last.flatMap { AddressBlock.bytes(of: $0) == nil ? nil : $0 } ?? peer)
        isForwarded = true
        isSecure = forwardedProto?.lowercased() == "https"
    }

    private static func counted(_ address: String) -> String {
        guard let bytes = AddressBlock.bytes(of: address) else { return address }
        if bytes.count == 4 { return bytes.map { "\($0)" }.joined(separator: ".") }
        let words = stride(from: 0, to: 8, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        return words.map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
    }
}
