internal import CMosquitto

/// What went wrong between this program and the broker. Never carries a payload, a password or a topic's content.
package struct MQTTError: Error, CustomStringConvertible, Sendable, Equatable {
    package enum Code: String, Sendable {
        /// A setting the library refuses (bad CA file, unusable client id).
        case configuration
        /// No TCP connection, no name, or the connection went away.
        case unreachable
        /// The TLS handshake failed: certificate not trusted, expired, or made for another host name.
        case tls
        /// The broker answered CONNECT or SUBSCRIBE with a refusal.
        case refused
        /// The library or the broker broke the protocol.
        case protocolViolation = "protocol_violation"
        /// The broker did not answer in time.
        case timeout
    }

    package let code: Code
    package let operation: String
    package let detail: String

    package init(_ code: Code, operation: String, detail: String) {
        self.code = code
        self.operation = operation
        self.detail = detail
    }

    package var description: String { "MQTT \(operation): \(detail)" }

    /// Translates a libmosquitto return code.
    ///
    /// mosquitto.h: "MOSQ_ERR_ERRNO: if a system call returned an error. The variable errno contains the error code."
    static func from(_ result: Int32, operation: String, errno code: Int32) -> MQTTError {
        let detail =
            result == Int32(MOSQ_ERR_ERRNO.rawValue) ? systemMessage(code) : String(cString: mosquitto_strerror(result))
        switch UInt32(bitPattern: result) {
        case UInt32(bitPattern: MOSQ_ERR_TLS.rawValue), UInt32(bitPattern: MOSQ_ERR_TLS_HANDSHAKE.rawValue):
            return MQTTError(.tls, operation: operation, detail: detail)
        case UInt32(bitPattern: MOSQ_ERR_INVAL.rawValue), UInt32(bitPattern: MOSQ_ERR_NOT_SUPPORTED.rawValue):
            return MQTTError(.configuration, operation: operation, detail: detail)
        case UInt32(bitPattern: MOSQ_ERR_PROTOCOL.rawValue), UInt32(bitPattern: MOSQ_ERR_MALFORMED_PACKET.rawValue):
            return MQTTError(.protocolViolation, operation: operation, detail: detail)
        default:
            return MQTTError(.unreachable, operation: operation, detail: detail)
        }
    }
}
