import Foundation
import PlantDomain
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Asks the system for the addresses of a host, as `/etc/hosts` and the DNS have them.
enum AddressResolver {
    enum Answer: Sendable, Equatable {
        /// In the order in which RFC 6724 would try them; may be empty.
        case addresses([IPAddress])
        /// Why there are none just now.
        case failed(String)
    }

    /// Threads that hang in the resolver of a dead network. It gives up after half a minute or so by itself.
    private static let mostThreads = 32
    private static let threads = Atomic(0)

    /// - Parameter deadline: when to stop waiting. The question itself cannot be taken back, so it has a thread of its
    ///   own that ends later.
    static func addresses(of name: String, until deadline: ContinuousClock.Instant) async -> Answer {
        guard threads.add(1, ordering: .relaxed).newValue <= mostThreads else {
            threads.subtract(1, ordering: .relaxed)
            return .failed("too many names are being looked up just now")
        }
        let found = Found()
        let answer = await Bounded.run(until: deadline) { () -> Answer? in
            await DedicatedThread.run(name: "resolver") {
                found.answer.withLock { $0 = ask(name) }
                threads.subtract(1, ordering: .relaxed)
            }
            return found.answer.withLock { $0 }
        }
        return (answer ?? nil) ?? .failed("the name \(name) could not be looked up in time")
    }

    private final class Found: Sendable {
        let answer = Mutex<Answer?>(nil)
    }

    private static func ask(_ name: String) -> Answer {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        guard code == 0 else {
            return .failed(
                code == EAI_NONAME
                    ? "the name \(name) is not known: is it spelt right?" : "the name \(name) could not be looked up")
        }
        defer { freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            var text = [CChar](repeating: 0, count: 64)
            let written = getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            // Each address comes once for every type of socket. One with a zone, fe80::1%eth0, is none of ours.
            guard written == 0, let address = IPAddress(Self.string(text)), !addresses.contains(address) else {
                continue
            }
            addresses.append(address)
        }
        return .addresses(addresses)
    }

    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
