internal import CPostgres

/// The rows a statement returned, in binary format. Frees the server's answer when it goes away.
package final class PostgresRows {
    private let result: OpaquePointer
    package let count: Int
    /// Rows that INSERT, UPDATE or DELETE touched.
    package let affected: Int
    /// What the server did, such as `COMMIT` or `INSERT 0 1`.
    package let commandTag: String

    init(owning result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
        commandTag = PQcmdStatus(result).map { String(cString: $0) } ?? ""
        affected = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
    }

    deinit { PQclear(result) }

    package subscript(row: Int) -> PostgresRow {
        precondition(row >= 0 && row < count)
        return PostgresRow(rows: self, index: Int32(row))
    }

    package var first: PostgresRow? { count > 0 ? self[0] : nil }

    package func map<T>(_ transform: (PostgresRow) throws(PostgresError) -> T) throws(PostgresError) -> [T] {
        var mapped: [T] = []
        mapped.reserveCapacity(count)
        for row in 0..<count { mapped.append(try transform(self[row])) }
        return mapped
    }

    func column(_ name: String) -> Int32 { PQfnumber(result, name) }

    func bytes(_ row: Int32, _ column: Int32) -> UnsafeRawBufferPointer? {
        guard PQgetisnull(result, row, column) == 0 else { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
    }

    func type(_ column: Int32) -> UInt32 { PQftype(result, column) }
    func name(_ column: Int32) -> String { PQfname(result, column).map { String(cString: $0) } ?? "column \(column)" }
}

/// One row. Columns are read by position (hot paths) or by name.
package struct PostgresRow {
    let rows: PostgresRows
    let index: Int32

    // MARK: by name

    package func uuid(_ name: String) throws(PostgresError) -> (UInt64, UInt64) { try present(uuid(at(name)), name) }
    package func optionalUUID(_ name: String) throws(PostgresError) -> (UInt64, UInt64)? { try uuid(at(name)) }
    package func text(_ name: String) throws(PostgresError) -> String { try present(text(at(name)), name) }
    package func optionalText(_ name: String) throws(PostgresError) -> String? { try text(at(name)) }
    package func int(_ name: String) throws(PostgresError) -> Int64 { try present(int(at(name)), name) }
    package func optionalInt(_ name: String) throws(PostgresError) -> Int64? { try int(at(name)) }
    package func double(_ name: String) throws(PostgresError) -> Double { try present(double(at(name)), name) }
    package func optionalDouble(_ name: String) throws(PostgresError) -> Double? { try double(at(name)) }
    package func bool(_ name: String) throws(PostgresError) -> Bool { try present(bool(at(name)), name) }
    package func optionalBool(_ name: String) throws(PostgresError) -> Bool? { try bool(at(name)) }
    /// Microseconds since 1970-01-01 UTC.
    package func timestamp(_ name: String) throws(PostgresError) -> Int64 { try present(timestamp(at(name)), name) }
    package func optionalTimestamp(_ name: String) throws(PostgresError) -> Int64? { try timestamp(at(name)) }
    package func bytes(_ name: String) throws(PostgresError) -> [UInt8] {
        try present(optionalBytes(name), name)
    }
    package func optionalBytes(_ name: String) throws(PostgresError) -> [UInt8]? {
        rows.bytes(index, try at(name)).map { [UInt8]($0) }
    }
    package func texts(_ name: String) throws(PostgresError) -> [String] { try present(texts(at(name)), name) }
    package func optionalTexts(_ name: String) throws(PostgresError) -> [String]? { try texts(at(name)) }
    package func optionalUUIDs(_ name: String) throws(PostgresError) -> [(UInt64, UInt64)]? { try uuids(at(name)) }

    // MARK: by position

    package func uuid(_ column: Int32) throws(PostgresError) -> (UInt64, UInt64)? {
        guard let bytes = try field(column, [2950], size: 16) else { return nil }
        return (bytes.bigEndian(at: 0), bytes.bigEndian(at: 8))
    }

    package func text(_ column: Int32) throws(PostgresError) -> String? {
        // text, varchar, name, "char"-like types, json: all plain UTF-8; jsonb has a version byte in front.
        guard let bytes = rows.bytes(index, column) else { return nil }
        switch rows.type(column) {
        case 25, 1043, 19, 114, 705, 1042: return String(decoding: bytes, as: UTF8.self)
        case 3802: return String(decoding: bytes.dropFirst(), as: UTF8.self)
        default: throw mismatch(column, "text")
        }
    }

    package func int(_ column: Int32) throws(PostgresError) -> Int64? {
        guard let bytes = rows.bytes(index, column) else { return nil }
        switch rows.type(column) {
        case 20: return bytes.bigEndian(at: 0)
        case 23: return Int64(bytes.bigEndian(at: 0) as Int32)
        case 21: return Int64(bytes.bigEndian(at: 0) as Int16)
        case 26: return Int64(bytes.bigEndian(at: 0) as UInt32)
        default: throw mismatch(column, "an integer")
        }
    }

    package func double(_ column: Int32) throws(PostgresError) -> Double? {
        guard let bytes = rows.bytes(index, column) else { return nil }
        switch rows.type(column) {
        case 701: return Double(bitPattern: bytes.bigEndian(at: 0))
        case 700: return Double(Float(bitPattern: bytes.bigEndian(at: 0)))
        default: throw mismatch(column, "a floating-point number")
        }
    }

    package func bool(_ column: Int32) throws(PostgresError) -> Bool? {
        try field(column, [16], size: 1).map { $0[0] != 0 }
    }

    package func timestamp(_ column: Int32) throws(PostgresError) -> Int64? {
        guard let bytes = try field(column, [1184, 1114], size: 8) else { return nil }
        return (bytes.bigEndian(at: 0) as Int64) &+ PostgresValue.epochOffset
    }

    /// A bytea column.
    package func bytes(_ column: Int32) -> [UInt8]? { rows.bytes(index, column).map { [UInt8]($0) } }

    package func texts(_ column: Int32) throws(PostgresError) -> [String]? {
        try array(column, of: 1009, "texts") { String(decoding: $0, as: UTF8.self) }
    }

    package func uuids(_ column: Int32) throws(PostgresError) -> [(UInt64, UInt64)]? {
        try array(column, of: 2951, "uuids") { ($0.bigEndian(at: 0), $0.bigEndian(at: 8)) }
    }

    /// array_send's format (see `appendArray`); elements that are NULL are left out.
    private func array<Element>(
        _ column: Int32, of type: UInt32, _ name: String, _ element: (UnsafeRawBufferPointer) -> Element
    ) throws(PostgresError) -> [Element]? {
        guard let bytes = rows.bytes(index, column) else { return nil }
        guard rows.type(column) == type else { throw mismatch(column, "an array of \(name)") }
        guard bytes.bigEndian(at: 0) as Int32 == 1 else { return [] }
        let count: Int32 = bytes.bigEndian(at: 12)
        var offset = 20
        var elements: [Element] = []
        for _ in 0..<count {
            let length = Int(bytes.bigEndian(at: offset) as Int32)
            offset += 4
            guard length >= 0 else { continue }
            elements.append(element(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])))
            offset += length
        }
        return elements
    }

    // MARK: helpers

    private func at(_ name: String) throws(PostgresError) -> Int32 {
        let column = rows.column(name)
        guard column >= 0 else { throw PostgresError(.decoding, "the answer has no column \(name)") }
        return column
    }

    private func present<T>(_ value: T?, _ name: String) throws(PostgresError) -> T {
        guard let value else { throw PostgresError(.decoding, "column \(name) is NULL") }
        return value
    }

    private func field(_ column: Int32, _ types: [UInt32], size: Int) throws(PostgresError) -> UnsafeRawBufferPointer? {
        guard let bytes = rows.bytes(index, column) else { return nil }
        guard bytes.count == size, types.contains(rows.type(column)) else { throw mismatch(column, "\(size) bytes") }
        return bytes
    }

    private func mismatch(_ column: Int32, _ wanted: String) -> PostgresError {
        PostgresError(.decoding, "column \(rows.name(column)) has type \(rows.type(column)), not \(wanted)")
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    func bigEndian<T: FixedWidthInteger>(at offset: Int) -> T {
        T(bigEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}
