#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An IPv4 or IPv6 address, without port and without zone.
package struct IPAddress: Hashable, Sendable {
    /// 4 or 16 bytes, in network order.
    package let bytes: [UInt8]

    /// Reads the usual text: four decimal numbers, or the hexadecimal words of RFC 4291 §2.2; no brackets, no zone.
    /// - Returns: nil for anything else, also for what `inet_aton` takes for an IPv4 address: `127.1`, `0x7f000001`,
    ///   `017700000001`, `2130706433`.
    package init?(_ text: String) {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: &four) { Array($0) }
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        bytes = withUnsafeBytes(of: &six) { Array($0) }
    }

    private init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    package var isVersion6: Bool { bytes.count == 16 }

    /// Whether anybody on the internet would be reached by it: a unicast address that no registry reserves for
    /// something else. See ``special``.
    package var isPublic: Bool { special == nil }

    /// What the address is reserved for ("loopback", "private"…); nil for a public one.
    ///
    /// All of the special-purpose registries of IANA is refused, also the few blocks of it that are reachable, such as
    /// anycast of the AS112 project: nobody has a webhook there. Of IPv6 only 2000::/3 is in use for unicast. What
    /// carries an IPv4 address that a translator would send on to is judged by that address; 6to4 and Teredo, which
    /// carry one, too, have had their day and are refused.
    ///
    /// Sources: iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry (RFC 6890), RFC 6052
    /// (NAT64), RFC 4291 §2.5.5 (IPv4-mapped), RFC 5771 (multicast).
    package var special: String? {
        guard isVersion6 else { return Self.blocks4.first { $0.contains(bytes) }?.purpose }
        if Self.mapped.contains(bytes) || Self.translated.contains(bytes) {
            return IPAddress(bytes: bytes.suffix(4)).special
        }
        return Self.blocks6.first { $0.contains(bytes) }?.purpose
            ?? (Self.unicast6.contains(bytes) ? nil : "reserved")
    }

    /// Whether it is this machine or a network of its owner's: loopback, private (RFC 1918, RFC 4193), or a provider's or
    /// a VPN's shared space (RFC 6598, Tailscale). Never where a cloud tells its machines their credentials.
    package var isLocal: Bool {
        guard let special, !isMetadataService, !Self.localTranslation.contains(bytes) else { return false }
        return ["loopback", "private", "carrier-NAT"].contains(special)
    }

    /// Whether a cloud's own services answer there, of which some hand out credentials to whoever asks. Those at
    /// link-local addresses, which most are, are ``special`` already.
    package var isMetadataService: Bool {
        if Self.mapped.contains(bytes) || Self.translated.contains(bytes) {
            return IPAddress(bytes: bytes.suffix(4)).isMetadataService
        }
        return Self.metadata.contains { $0.contains(bytes) }
    }

    /// Alibaba; Azure; AWS; Google. Of AWS, all of the prefix: others of its services are there, too.
    private static let metadata = [
        Block("100.100.100.200", 32, ""), Block("168.63.129.16", 32, ""), Block("fd00:ec2::", 32, ""),
        Block("fd20:ce::254", 128, ""),
    ]
    /// NAT64 within an organization (RFC 8215): "private", yet it may carry any IPv4 address.
    private static let localTranslation = Block("64:ff9b:1::", 48, "")
    /// IPv4 in IPv6 clothes.
    private static let mapped = Block("::ffff:0:0", 96, "")
    /// NAT64: on a network without IPv4, the resolver gives every IPv4 host such an address.
    private static let translated = Block("64:ff9b::", 96, "")
    private static let unicast6 = Block("2000::", 3, "")

    private static let blocks4 = [
        Block("0.0.0.0", 8, "unspecified"), Block("10.0.0.0", 8, "private"), Block("100.64.0.0", 10, "carrier-NAT"),
        Block("127.0.0.0", 8, "loopback"), Block("169.254.0.0", 16, "link-local"), Block("172.16.0.0", 12, "private"),
        Block("192.0.0.0", 24, "protocol"), Block("192.0.2.0", 24, "documentation"),
        Block("192.31.196.0", 24, "protocol"), Block("192.52.193.0", 24, "protocol"),
        Block("192.88.99.0", 24, "6to4 relay"), Block("192.168.0.0", 16, "private"),
        Block("192.175.48.0", 24, "protocol"), Block("198.18.0.0", 15, "benchmarking"),
        Block("198.51.100.0", 24, "documentation"), Block("203.0.113.0", 24, "documentation"),
        Block("224.0.0.0", 4, "multicast"), Block("255.255.255.255", 32, "broadcast"),
        Block("240.0.0.0", 4, "reserved"),
    ]

    /// The first that fits counts. All but a few lie outside 2000::/3 and are here for their names only.
    private static let blocks6 = [
        Block("::", 128, "unspecified"), Block("::1", 128, "loopback"), Block("64:ff9b:1::", 48, "private"),
        Block("100::", 64, "discarded"), Block("2001::", 32, "Teredo"), Block("2001:2::", 48, "benchmarking"),
        Block("2001::", 23, "protocol"), Block("2001:db8::", 32, "documentation"), Block("2002::", 16, "6to4"),
        Block("2620:4f:8000::", 48, "protocol"), Block("3fff::", 20, "documentation"),
        Block("5f00::", 16, "segment-routing"), Block("fc00::", 7, "private"), Block("fe80::", 10, "link-local"),
        Block("fec0::", 10, "site-local"), Block("ff00::", 8, "multicast"),
    ]
}

extension IPAddress: CustomStringConvertible {
    /// As RFC 5952 wants it, but for an address whose last words the C library shows as IPv4.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isVersion6 ? AF_INET6 : AF_INET
        // Fails only if there is too little room, and there is room for the longest.
        inet_ntop(family, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The addresses that begin with the same bits.
private struct Block: Sendable {
    let bytes: [UInt8]
    let prefix: Int
    /// An adjective, for people.
    let purpose: String

    init(_ address: String, _ prefix: Int, _ purpose: String) {
        // Only the literals above come here. A typing error would make a block that no address is in; the tests ask
        // for an address of each.
        bytes = IPAddress(address)?.bytes ?? []
        self.prefix = prefix
        self.purpose = purpose
    }

    func contains(_ other: [UInt8]) -> Bool {
        guard other.count == bytes.count else { return false }
        for index in bytes.indices {
            let bits = min(8, max(0, prefix - index * 8))
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
            if (bytes[index] ^ other[index]) & mask != 0 { return false }
        }
        return true
    }
}
