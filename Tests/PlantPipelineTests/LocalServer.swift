import Foundation
import Glibc
import Synchronization
import TestSupport

/// A server as bad as a test wants it, on a port of its own of this machine: blocking sockets, a thread for each
/// connection.
final class LocalServer: Sendable {
    indirect enum Manner: Sendable {
        /// These bytes, whatever they are.
        case answer(String)
        /// These bytes, then one more every few milliseconds, for ever.
        case trickle(String)
        /// These bytes, then so many more, as fast as they are taken.
        case flood(String, Int)
        /// These bytes, and the connection is closed.
        case cutOff(String)
        /// The first request gets the first, and so on; the last one stays.
        case each([Manner])
        /// Reads, and goes on when the gate is opened.
        case held(Gate, Manner)
        /// Reads and says nothing.
        case silence
        /// Reads and breaks the connection.
        case reset
    }

    /// Opened once, for all who wait at it and for those who come later.
    final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)

        func open() { semaphore.signal() }
        func pass() {
            semaphore.wait()
            semaphore.signal()
        }
    }

    struct Request: Sendable {
        /// The request line and the headers, as they came.
        let head: String
        let body: String

        func header(_ name: String) -> String? {
            head.split(separator: "\r\n").dropFirst().first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
                .map { $0.drop { $0 != ":" }.dropFirst().trimmingCharacters(in: .whitespaces) }
        }
    }

    let port: Int
    private let listener: Int32
    private let seen = Mutex<[Request]>([])
    private let flooded = Mutex(0)
    /// Connections that the client has closed, and how many of them were waited for.
    private let ended = Mutex((count: 0, awaited: 0))

    /// - Parameter version6: at ::1 instead of 127.0.0.1.
    init(_ manner: Manner, version6: Bool = false) throws {
        if version6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_addr = in6addr_loopback
            listener = try Self.listen(at: &address)
            port = Int(UInt16(bigEndian: address.sin6_port))
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            listener = try Self.listen(at: &address)
            port = Int(UInt16(bigEndian: address.sin_port))
        }
        // The thread ends when `deinit` shuts the listener down; it holds the descriptor, not the server.
        let (listener, work) = (listener, Work(manner: manner, server: Weak(self)))
        Thread.detachNewThread { Self.acceptAll(listener, work) }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// What was asked so far.
    var requests: [Request] { seen.withLock { $0 } }

    /// How many bytes of floods were taken so far.
    var floodedBytes: Int { flooded.withLock { $0 } }

    /// Waits until so many requests have come, in all.
    func waitForRequests(_ count: Int) async throws {
        try await eventually("\(count) requests", seconds: 60) { requests.count >= count }
    }

    /// Waits until so many more connections have been closed by the client.
    func waitUntilClosed(_ count: Int = 1) async throws {
        let awaited = ended.withLock { ended in
            ended.awaited += count
            return ended.awaited
        }
        try await eventually("\(count) connections are closed", seconds: 60) { ended.withLock(\.count) >= awaited }
    }

    private struct Work: Sendable {
        let manner: Manner
        let server: Weak
    }

    /// Sendable: the reference is set once, and weak references may be read by many threads.
    private final class Weak: @unchecked Sendable {
        private(set) weak var server: LocalServer?
        init(_ server: LocalServer) { self.server = server }
    }

    /// - Parameter address: of any family; the port that the system chose is written into it.
    private static func listen<Address>(at address: inout Address) throws -> Int32 {
        var length = socklen_t(MemoryLayout<Address>.size)
        return try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let descriptor = socket(Int32(address.pointee.sa_family), Int32(SOCK_STREAM.rawValue), 0)
                guard descriptor >= 0, bind(descriptor, address, length) == 0, Glibc.listen(descriptor, 16) == 0,
                    getsockname(descriptor, address, &length) == 0
                else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
                return descriptor
            }
        }
    }

    private static func acceptAll(_ listener: Int32, _ work: Work) {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { break }
            Thread.detachNewThread { serve(connection, work) }
        }
        close(listener)
    }

    private static func serve(_ connection: Int32, _ work: Work) {
        defer { close(connection) }
        guard let request = read(connection) else {
            // Whoever was in a hurry left before all of it was sent.
            work.server.server?.ended.withLock { $0.count += 1 }
            return
        }
        let before = work.server.server?.seen.withLock { seen in
            seen.append(request)
            return seen.count - 1
        }
        var isOpen = true
        var manner = work.manner
        if case .each(let manners) = manner { manner = manners[min(before ?? 0, manners.count - 1)] }
        if case .held(let gate, let then) = manner {
            gate.pass()
            manner = then
        }
        switch manner {
        case .silence, .each, .held: break
        case .cutOff(let text):
            _ = write(text, connection)
            return
        case .flood(let text, let count):
            // The kernel's own buffers must not take it all.
            var room: Int32 = 16_384
            setsockopt(connection, SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size))
            isOpen = write(text, connection)
            let chunk = String(repeating: "x", count: 16_384)
            var left = count
            while isOpen, left > 0 {
                isOpen = write(chunk, connection)
                left -= chunk.utf8.count
                if isOpen { work.server.server?.flooded.withLock { $0 += chunk.utf8.count } }
            }
        case .reset:
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
            return
        case .answer(let text): isOpen = write(text, connection)
        case .trickle(let text):
            isOpen = write(text, connection)
            while isOpen {
                usleep(5000)
                isOpen = write("x", connection)
            }
        }
        // Until the client closes.
        var byte: UInt8 = 0
        while isOpen, recv(connection, &byte, 1, 0) > 0 {}
        work.server.server?.ended.withLock { $0.count += 1 }
    }

    private static func write(_ text: String, _ connection: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }

    private static func read(_ connection: Int32) -> Request? {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            text += buffer[..<count]
            let whole = String(decoding: text, as: UTF8.self)
            guard let end = whole.firstRange(of: "\r\n\r\n") else { continue }
            let request = Request(head: String(whole[..<end.lowerBound]), body: String(whole[end.upperBound...]))
            let length = request.header("Content-Length").flatMap(Int.init) ?? 0
            if request.body.utf8.count >= length { return request }
        }
    }
}
