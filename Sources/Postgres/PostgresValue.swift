/// Types by their OIDs in `pg_type`, which never change.
package enum PostgresType: UInt32, Sendable {
    case bool = 16
    case bytes = 17
    case int = 20
    case text = 25
    case double = 701
    case timestamp = 1184
    case uuid = 2950
    case json = 3802
}

/// A value bound to a statement, sent in PostgreSQL's binary format with its type named, so that the server never
/// guesses and a text never becomes SQL.
package enum PostgresValue: Sendable {
    /// SQL NULL of a type: a statement is prepared once, and its types with it.
    case null(PostgresType)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case text(String)
    /// A UUID as its two 64-bit halves, most significant first.
    case uuid(UInt64, UInt64)
    /// Microseconds since 1970-01-01 UTC.
    case timestamp(Int64)
    case bytes([UInt8])
    case json(String)
    case uuids([(UInt64, UInt64)])
    case texts([String])
    case ints([Int64])
    /// NULL in the place of an array.
    case nullUUIDs
    case nullTexts

    /// The type's OID in `pg_type`.
    var oid: UInt32 {
        switch self {
        case .null(let type): type.rawValue
        case .bool: PostgresType.bool.rawValue
        case .bytes: PostgresType.bytes.rawValue
        case .int: PostgresType.int.rawValue
        case .text: PostgresType.text.rawValue
        case .double: PostgresType.double.rawValue
        case .timestamp: PostgresType.timestamp.rawValue
        case .uuid: PostgresType.uuid.rawValue
        case .json: PostgresType.json.rawValue
        case .texts, .nullTexts: 1009
        case .ints: 1016
        case .uuids, .nullUUIDs: 2951
        }
    }

    /// PostgreSQL counts from 2000-01-01: 10 957 days after 1970.
    package static let epochOffset: Int64 = 946_684_800_000_000

    /// Appends the binary form; nil stands for SQL NULL.
    func encode(into buffer: inout [UInt8]) -> Bool {
        switch self {
        case .null, .nullUUIDs, .nullTexts: return false
        case .bool(let value): buffer.append(value ? 1 : 0)
        case .int(let value): buffer.appendBigEndian(value)
        case .double(let value): buffer.appendBigEndian(value.bitPattern)
        case .text(let value): buffer.append(contentsOf: value.utf8)
        case .uuid(let high, let low):
            buffer.appendBigEndian(high)
            buffer.appendBigEndian(low)
        case .timestamp(let value): buffer.appendBigEndian(value &- Self.epochOffset)
        case .bytes(let value): buffer.append(contentsOf: value)
        case .json(let value):
            buffer.append(1)  // jsonb_recv: version 1, then the text.
            buffer.append(contentsOf: value.utf8)
        case .uuids(let values):
            buffer.appendArray(of: 2950, values) { buffer, value in
                buffer.appendBigEndian(Int32(16))
                buffer.appendBigEndian(value.0)
                buffer.appendBigEndian(value.1)
            }
        case .texts(let values):
            buffer.appendArray(of: 25, values) { buffer, value in
                buffer.appendBigEndian(Int32(value.utf8.count))
                buffer.append(contentsOf: value.utf8)
            }
        case .ints(let values):
            buffer.appendArray(of: 20, values) { $0.appendSized(Optional($1)) }
        }
        return true
    }
}

extension [UInt8] {
    @inline(__always)
    mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    /// A field with its length in front, as COPY and arrays want it; -1 stands for NULL.
    @inline(__always)
    mutating func appendSized<Value: FixedWidthInteger>(_ value: Value?) {
        guard let value else { return appendBigEndian(Int32(-1)) }
        appendBigEndian(Int32(MemoryLayout<Value>.size))
        appendBigEndian(value)
    }

    /// array_send's format: dimensions, has-nulls, element type, length, lower bound, elements.
    mutating func appendArray<Item>(
        of oid: Int32, _ values: [Item], _ element: (inout [UInt8], Item) -> Void
    ) {
        appendBigEndian(Int32(values.isEmpty ? 0 : 1))
        appendBigEndian(Int32(1))
        appendBigEndian(oid)
        guard !values.isEmpty else { return }
        appendBigEndian(Int32(values.count))
        appendBigEndian(Int32(1))
        for value in values { element(&self, value) }
    }
}
