internal import COpenSSL
import Glibc

/// Memory for secrets: locked, so that it is never swapped to disk, and left out of core dumps.
package enum SecureMemory {
    /// Reserves that memory and forbids core dumps, for this process and those it starts. Call it first thing in
    /// `main`: a `Secret` made earlier stays in ordinary memory, and OpenSSL must not be asked for memory meanwhile.
    ///
    /// Calling it again does nothing. Where the system refuses, for instance because RLIMIT_MEMLOCK is too low, the
    /// program works all the same, with less protection.
    package static func prepare() { _ = prepared }

    /// "The size must be a power of 2"; the smallest piece is what one key takes. 1 MiB holds thousands of secrets
    /// and is well below the 8 MiB that Linux lets a process lock since 5.16.
    private static let prepared: Void = {
        // 1: reserved and locked; 2: reserved, but a lock or guard page was refused; 0: nothing. All will do.
        _ = CRYPTO_secure_malloc_init(1 << 20, 32)

        // The secure heap marks itself MADV_DONTDUMP; what Swift's strings leave behind is elsewhere. The kernel does
        // not heed this limit when it pipes dumps to a program (core(5)), though systemd-coredump then does.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    }()

    /// Bytes of the secure heap in use; 0 without one.
    static var used: Int { CRYPTO_secure_used() }

    /// Uninitialised memory, from the secure heap while that has room. Give it back with `free`.
    static func allocate(_ count: Int) -> UnsafeMutableRawBufferPointer {
        // One byte at least: OpenSSL gives null for none, and some of its functions take a null for "the key before".
        let size = max(count, 1)
        // Without a secure heap CRYPTO_secure_malloc uses the ordinary one by itself; with a full one it gives null.
        guard let memory = CRYPTO_secure_malloc(size, #fileID, #line) ?? CRYPTO_malloc(size, #fileID, #line) else {
            // As everywhere in Swift, having no memory ends the program.
            fatalError("no memory for a secret of \(count) bytes")
        }
        return UnsafeMutableRawBufferPointer(start: memory, count: count)
    }

    /// Overwrites and releases memory from `allocate`; OpenSSL sees for itself which heap it came from.
    static func free(_ bytes: UnsafeRawBufferPointer) {
        CRYPTO_secure_clear_free(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, #fileID, #line)
    }
}
