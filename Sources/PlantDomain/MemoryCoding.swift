/// Little-endian bytes, as the memory of a device is kept in the database.
struct MemoryReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func byte() -> UInt8? { integer() }

    private mutating func integer<Integer: FixedWidthInteger>(_: Integer.Type = Integer.self) -> Integer? {
        let size = MemoryLayout<Integer>.size
        guard bytes.count - position >= size else { return nil }
        defer { position += size }
        return bytes.withUnsafeBytes {
            Integer(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Integer.self))
        }
    }

    mutating func float() -> Float? { integer(UInt32.self).map { Float(bitPattern: $0) } }
    mutating func double() -> Double? { integer(UInt64.self).map { Double(bitPattern: $0) } }
    mutating func time() -> Timestamp? { integer(Int64.self).map { Timestamp(microseconds: $0) } }

    mutating func id() -> EntityID? {
        guard let high = integer(UInt64.self), let low = integer(UInt64.self) else { return nil }
        return EntityID(high: high, low: low)
    }

    /// At most 255 bytes, after their number.
    mutating func text() -> String? {
        guard let length = byte(), bytes.count - position >= Int(length) else { return nil }
        defer { position += Int(length) }
        return String(validating: bytes[position..<position + Int(length)], as: UTF8.self)
    }
}

extension [UInt8] {
    private mutating func put(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    mutating func put(_ value: Float) { put(littleEndian: value.bitPattern) }
    mutating func put(_ value: Double) { put(littleEndian: value.bitPattern) }
    mutating func put(_ time: Timestamp) { put(littleEndian: time.microseconds) }

    mutating func put(_ id: EntityID) {
        put(littleEndian: id.high)
        put(littleEndian: id.low)
    }

    mutating func put(text: String) {
        append(UInt8(clamping: text.utf8.count))
        append(contentsOf: text.utf8.prefix(255))
    }
}
