import Glibc
import TestSupport

/// A client on a bare socket: it reads only when it is told to.
final class RawClient: Sendable {
    private let socket: Int32

    /// - Parameter receiveBuffer: bytes the kernel takes in for a client that does not read.
    init(port: Int, receiveBuffer: Int32? = nil) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer { setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw TestSetupError(description: "no connection: \(errno)") }
    }

    deinit { close(socket) }

    func send(_ method: String = "GET", _ path: String, _ fields: String..., body: String = "") {
        var fields = fields.filter { !$0.isEmpty }
        if !body.isEmpty { fields.append("Content-Length: \(body.utf8.count)") }
        let lines = ["\(method) \(path) HTTP/1.1", "Host: localhost"] + fields + ["", body]
        let bytes = Array(lines.joined(separator: "\r\n").utf8)
        _ = Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// What is there now; nil at the end, however it came about.
    func read() -> [UInt8]? {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                all += buffer[..<count]
            } else if count < 0, errno == EAGAIN {
                return all
            } else {
                return all.isEmpty ? nil : all
            }
        }
    }

    /// Reads until the text is there.
    func text(until part: String, seconds: Double = 10) async throws -> String {
        var text = ""
        try await eventually("\(part) comes", seconds: seconds) {
            guard let bytes = read() else { throw TestSetupError(description: "the end came before \(part): \(text)") }
            text += String(decoding: bytes, as: UTF8.self)
            return text.contains(part)
        }
        return text
    }

    /// Reads up to the end, which has to come.
    func rest(seconds: Double = 10) async throws -> String {
        var text = ""
        try await eventually("the end comes", seconds: seconds) {
            guard let bytes = read() else { return true }
            text += String(decoding: bytes, as: UTF8.self)
            return false
        }
        return text
    }
}
