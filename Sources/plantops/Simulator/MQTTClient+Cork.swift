import Foundation
import MQTT

extension MQTTClient {
    /// Writes what is queued in segments as large as they can be. Each MQTT packet is a TLS record and a system call of
    /// its own; corked, they at least do not wake the broker one by one.
    func writeTogether() throws(MQTTError) {
        setCork(1)
        defer { setCork(0) }
        try writePending()
    }

    private func setCork(_ value: Int32) {
        var value = value
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
