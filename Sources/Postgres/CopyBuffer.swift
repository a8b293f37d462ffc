/// Rows in COPY's binary format, gathered to be sent in one go.
///
/// Binary rather than text: nothing to escape, no number to print and parse again, and no value that the format
/// itself could misread (PostgreSQL manual, COPY, "Binary Format").
package struct CopyBuffer: Sendable {
    var bytes: [UInt8] = []
    package private(set) var rows = 0

    package init() {
        bytes.reserveCapacity(64 * 1024)
        start()
    }

    /// Empties the buffer, keeping its memory for the next batch.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        rows = 0
        start()
    }

    private mutating func start() {
        // Signature, flags, length of the header extension.
        bytes.append(contentsOf: [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00])
        bytes.appendBigEndian(Int32(0))
        bytes.appendBigEndian(Int32(0))
    }

    /// Begins a row; exactly `columns` values follow.
    @inline(__always)
    package mutating func beginRow(columns: Int16) {
        bytes.appendBigEndian(columns)
        rows += 1
    }

    @inline(__always)
    package mutating func uuid(_ high: UInt64, _ low: UInt64) {
        bytes.appendBigEndian(Int32(16))
        bytes.appendBigEndian(high)
        bytes.appendBigEndian(low)
    }

    @inline(__always)
    package mutating func null() { bytes.appendBigEndian(Int32(-1)) }

    @inline(__always)
    package mutating func double(_ value: Double?) { bytes.appendSized(value?.bitPattern) }

    /// Microseconds since 1970-01-01 UTC.
    @inline(__always)
    package mutating func timestamp(_ microseconds: Int64?) {
        bytes.appendSized(microseconds.map { $0 &- PostgresValue.epochOffset })
    }

    @inline(__always)
    package mutating func int32(_ value: Int32) { bytes.appendSized(Optional(value)) }

    @inline(__always)
    package mutating func bool(_ value: Bool) {
        bytes.appendBigEndian(Int32(1))
        bytes.append(value ? 1 : 0)
    }

    @inline(__always)
    package mutating func text(_ value: String) {
        bytes.appendBigEndian(Int32(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    @inline(__always)
    package mutating func optionalText(_ value: String?) {
        if let value { text(value) } else { null() }
    }

    /// A bytea column.
    package mutating func bytes(_ value: some Collection<UInt8>) {
        bytes.appendBigEndian(Int32(value.count))
        bytes.append(contentsOf: value)
    }

    /// A jsonb column from JSON text.
    @inline(__always)
    package mutating func json(_ value: [UInt8]) {
        bytes.appendBigEndian(Int32(value.count + 1))
        bytes.append(1)
        bytes.append(contentsOf: value)
    }

    /// The bytes to send: rows and the trailer.
    mutating func finished() -> [UInt8] {
        bytes.appendBigEndian(Int16(-1))
        return bytes
    }
}
