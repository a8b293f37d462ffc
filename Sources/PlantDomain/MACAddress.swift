/// The hardware address by which a device is known before it has an identity: six bytes, one device's own.
package struct MACAddress: Hashable, Sendable {
    /// The address in the lower 48 bits.
    let value: UInt64

    /// Reads `AA:BB:CC:DD:EE:FF`, `aa-bb-cc-dd-ee-ff`, `aabb.ccdd.eeff` or `aabbccddeeff`, in either case.
    ///
    /// nil for anything else, and for what is no single device's address: all zero, broadcast, multicast.
    package init?(_ string: String) {
        let bytes = Array(string.utf8)
        let separator: UInt8?
        let group: Int
        switch bytes.count {
        case 12: (separator, group) = (nil, 12)
        case 14: (separator, group) = (UInt8(ascii: "."), 4)
        case 17: (separator, group) = (bytes[2] == UInt8(ascii: "-") ? bytes[2] : UInt8(ascii: ":"), 2)
        default: return nil
        }
        var value: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            if let separator, index % (group + 1) == group {
                guard byte == separator else { return nil }
            } else {
                guard let digit = hexadecimalValue(of: byte) else { return nil }
                value = value << 4 | UInt64(digit)
            }
        }
        // The lowest bit of the first byte marks a group address (IEEE 802); broadcast is one of them.
        let isGroup = value >> 40 & 1 == 1
        guard value != 0, !isGroup else { return nil }
        self.value = value
    }
}

extension MACAddress: CustomStringConvertible {
    /// `AA:BB:CC:DD:EE:FF`.
    package var description: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(17)
        for shift in stride(from: 40, through: 0, by: -8) {
            if shift != 40 { text.append(UInt8(ascii: ":")) }
            text.append(digits[Int(value >> UInt64(shift + 4) & 15)])
            text.append(digits[Int(value >> UInt64(shift) & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
