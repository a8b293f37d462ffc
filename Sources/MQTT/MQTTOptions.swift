/// How to reach the broker, and as whom.
package struct MQTTOptions: Sendable {
    package enum Security: Sendable {
        /// TLS 1.2 or newer; the broker's certificate must chain to this CA and name the host connected to.
        case tls(caFile: String)
        /// The system's CA store, for a broker with a public certificate.
        case tlsSystemCAs
        /// No encryption. Only for a broker reached over loopback or a private container network.
        case none
    }

    package enum ProtocolVersion: Sendable { case v311, v5 }

    /// What a client shows a broker that asks for certificates (mutual TLS), as PEM files.
    package struct ClientCertificate: Sendable {
        package let certificateFile: String
        package let keyFile: String
        package init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    package var host: String
    package var port: Int
    package var security: Security
    package var clientCertificate: ClientCertificate?
    package var username: String?
    package var password: String?
    package var clientID: String
    package var version: ProtocolVersion = .v5
    /// false resumes the session the broker kept for this client id.
    package var cleanStart: Bool = true
    /// How long the broker keeps session and queue after the connection ends, in seconds. MQTT 5 ends the session at
    /// once without it, and every message not yet acknowledged is gone.
    package var sessionExpirySeconds: UInt32 = 0
    /// Most QoS 1 messages the broker may have under way to us, unacknowledged (1 … 65 535).
    package var receiveMaximum: Int = 100
    /// Most QoS 1 messages under way from us, unacknowledged (1 … 65 535).
    package var sendMaximum: Int = 100
    package var keepAliveSeconds: Int32 = 30
    package var will: Will?

    package struct Will: Sendable {
        package var topic: String
        package var payload: String
        package var retain: Bool
        package init(topic: String, payload: String, retain: Bool) {
            self.topic = topic
            self.payload = payload
            self.retain = retain
        }
    }

    package init(host: String, port: Int, security: Security, clientID: String) {
        self.host = host
        self.port = port
        self.security = security
        self.clientID = clientID
    }
}

/// One message as it arrived. The pointers are valid only during the callback that hands it over.
package struct IncomingMessage {
    package let topic: UnsafeRawBufferPointer
    package let payload: UnsafeRawBufferPointer
    /// The broker's packet id; 0 for QoS 0. A redelivery in a resumed session carries the same id.
    package let packetID: UInt16
    package let qos: Int
    /// Set only on a message the broker had kept from before we subscribed.
    package let isRetained: Bool
}
