internal import COpenSSL

/// A text or key that must not be seen: passwords, keys, tokens, connection URLs.
///
/// Printing, logging or interpolating it shows `<redacted>`; only `reveal()` and `withBytes` give the content, and a
/// search for those words finds every place that does. Comparing is left to `Crypto.areEqual`, so that there is no
/// `==` whose time tells how much of a guess was right.
///
/// The bytes are kept once, however often the value is copied, in OpenSSL's secure heap when `SecureMemory.prepare()`
/// was called, and are overwritten when the last copy goes. This does not reach what a `String` leaves behind: the
/// text it was made from, and each text it reveals.
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let storage: Storage

    package init(_ text: String) {
        var text = text
        storage = text.withUTF8 { Storage(copying: UnsafeRawBufferPointer($0)) }
    }

    package init(bytes: [UInt8]) {
        storage = bytes.withUnsafeBytes { Storage(copying: $0) }
    }

    /// Lets `fill` write the content in place, so that it is never anywhere else.
    /// - Parameter fill: writes every byte, and says whether the content may be used.
    /// - Returns: nil when it may not; what was written is overwritten then.
    init?(count: Int, filling fill: (UnsafeMutableRawBufferPointer) -> Bool) {
        guard let storage = Storage(count: count, filling: fill) else { return nil }
        self.storage = storage
    }

    /// The content as text; bytes that are not UTF-8 become U+FFFD.
    package func reveal() -> String { withBytes { String(decoding: $0, as: UTF8.self) } }

    /// Gives the content without a copy. The pointer is good until `body` returns and is never null.
    package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        // The storage owns the memory and could be released after its last use, which is before `body` runs.
        try withExtendedLifetime(storage) { try body($0.bytes) }
    }

    package var isEmpty: Bool { storage.bytes.isEmpty }

    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Bytes outside Swift's heap, overwritten before they are given back.
///
/// Sendable although it holds a pointer: the bytes are written only inside the initialisers, before anyone else has
/// a reference; afterwards they are only read, and `deinit` runs when no reference is left.
private final class Storage: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer

    init?(count: Int, filling fill: (UnsafeMutableRawBufferPointer) -> Bool) {
        let memory = SecureMemory.allocate(count)
        bytes = UnsafeRawBufferPointer(memory)
        // From here on `deinit` gives the memory back, after a nil too.
        guard fill(memory) else { return nil }
    }

    init(copying source: UnsafeRawBufferPointer) {
        let memory = SecureMemory.allocate(source.count)
        memory.copyMemory(from: source)
        bytes = UnsafeRawBufferPointer(memory)
    }

    deinit { SecureMemory.free(bytes) }
}
