internal import CMosquitto
import Glibc

/// One connection to the broker, driven by the thread that made it.
///
/// Nothing leaves or arrives but in `readAvailable` and `writePending`: libmosquitto queues the PUBACK of a QoS 1
/// message *before* it hands the message over, and with `mosquitto_threaded_set` queued packets leave only in
/// `mosquitto_loop_write`. Whoever calls `writePending` after the commit, and never before, acknowledges what is
/// stored and nothing else. Dropping the object closes the socket without sending anything, so what was not yet
/// written stays unacknowledged and the broker delivers it again.
///
/// Not Sendable: it belongs to one thread from `init` to `deinit`.
package final class MQTTClient {
    private let handle: MosquittoHandle
    private let options: MQTTOptions
    private var failure: MQTTError?
    private var connectResult: ConnectResult?
    /// Subscriptions the broker has not answered yet, by packet id.
    private var awaitedGrants: [Int32: (filters: [String], qos: Int32)] = [:]

    /// Called for each message inside `readAvailable`.
    package var onMessage: (IncomingMessage) -> Void = { _ in }
    /// Called inside `readAvailable` when the broker has acknowledged a message of ours; the packet id, and whether
    /// the broker took it (MQTT 5 reason code below 0x80).
    package var onPublished: (Int32, Bool) -> Void = { _, _ in }

    private struct ConnectResult {
        let reason: Int32
        let sessionPresent: Bool
    }

    package init(_ options: MQTTOptions) throws(MQTTError) {
        self.options = options
        handle = try MosquittoHandle(options)
        handle.install(callbacksOf: self)
    }

    /// The socket to wait on, or -1 when there is no connection.
    package var socket: Int32 { mosquitto_socket(handle.pointer) }

    /// When the broker's certificate expires, in seconds since 1970-01-01 UTC; nil without TLS or a connection.
    package var brokerCertificateExpiry: Int64? {
        guard let ssl = mosquitto_ssl_get(handle.pointer),
            let certificate = SSL_get1_peer_certificate(OpaquePointer(ssl))
        else { return nil }
        defer { X509_free(certificate) }
        var parts = tm()
        guard ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) == 1 else { return nil }
        return Int64(timegm(&parts))
    }

    /// True when something waits to be written (acknowledgements, publications, pings).
    package var wantsWrite: Bool { mosquitto_want_write(handle.pointer) }

    /// Connects and waits for the broker's answer; asks for subscriptions along with it, whose grants come later.
    ///
    /// The subscriptions leave together with CONNECT (MQTT 5, 3.1.4 lets a client send before the answer): a broker
    /// that resumes a session delivers messages right behind its answer, libmosquitto queues their acknowledgements as
    /// it reads them, and anything written after that would carry them out before their commit. So nothing is written
    /// once the broker has answered; messages read meanwhile go to `onMessage`, as always. Mosquitto sends the whole
    /// queue before it grants, a million messages perhaps: `isSubscribed` tells when it has, and a refusal ends the
    /// connection with an error.
    /// - Returns: whether the broker kept a session for this client id.
    /// - Throws: `unreachable`, `tls`, `refused` or `timeout`.
    @discardableResult
    package func connect(subscribingTo filters: [String] = [], timeoutSeconds: Double = 10) throws(MQTTError) -> Bool {
        try begin()
        if !filters.isEmpty { try queueSubscription(filters, qos: 1) }
        let deadline = monotonicSeconds() + timeoutSeconds
        while connectResult == nil {
            try checkDeadline(deadline, "connect")
            if waitReadable([socket], milliseconds: 100)[0] {
                do throws(MQTTError) {
                    try readAvailable { connectResult != nil }
                } catch {
                    // A broker that refuses answers, and hangs up in the same breath: the answer says why.
                    if connectResult == nil { throw error }
                }
                if connectResult != nil { break }
            }
            try writePending()
            try keepAlive()
            if let failure { throw failure }
        }
        return try outcomeOfConnect()
    }

    /// False while the broker has not granted everything asked for.
    package var isSubscribed: Bool { awaitedGrants.isEmpty }

    private func checkDeadline(_ deadline: Double, _ operation: String) throws(MQTTError) {
        if monotonicSeconds() >= deadline {
            throw MQTTError(.timeout, operation: operation, detail: "the broker does not answer")
        }
    }

    /// Opens the connection without waiting for the broker's answer: for a caller that drives many connections.
    package func begin() throws(MQTTError) {
        connectResult = nil
        failure = nil
        var properties: OpaquePointer?
        defer { mosquitto_property_free_all(&properties) }
        if options.version == .v5, options.sessionExpirySeconds > 0 {
            mosquitto_property_add_int32(
                &properties, Int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL.rawValue), options.sessionExpirySeconds)
        }
        let result = mosquitto_connect_bind_v5(
            handle.pointer, options.host, Int32(options.port), options.keepAliveSeconds, nil, properties)
        try check(result, "connect")
    }

    /// nil while the broker has not answered yet; then whether it had kept a session.
    /// - Throws: `refused` with the broker's reason.
    package func connected() throws(MQTTError) -> Bool? {
        connectResult == nil ? nil : try outcomeOfConnect()
    }

    private func outcomeOfConnect() throws(MQTTError) -> Bool {
        guard let connectResult else { return false }
        guard connectResult.reason == 0 else {
            let text =
                options.version == .v5
                ? mosquitto_reason_string(connectResult.reason) : mosquitto_connack_string(connectResult.reason)
            throw MQTTError(.refused, operation: "connect", detail: text.map { String(cString: $0) } ?? "refused")
        }
        return connectResult.sessionPresent
    }

    /// Subscribes and waits for the grant, writing what is queued: for a connection that has nothing to hold back.
    /// - Throws: `refused` when the broker does not grant the QoS asked for.
    package func subscribe(_ filter: String, qos: Int32 = 1, timeoutSeconds: Double = 10) throws(MQTTError) {
        try queueSubscription([filter], qos: qos)
        try flush()
        let deadline = monotonicSeconds() + timeoutSeconds
        while !isSubscribed {
            try checkDeadline(deadline, "subscribe")
            if waitReadable([socket], milliseconds: 100)[0] { try readAvailable { isSubscribed } }
            if let failure { throw failure }
        }
    }

    private func queueSubscription(_ filters: [String], qos: Int32) throws(MQTTError) {
        // What the broker had kept from before we came is not news.
        let subscribeOptions = options.version == .v5 ? Int32(MQTT_SUB_OPT_SEND_RETAIN_NEVER.rawValue) : 0
        var packetID: Int32 = 0
        let names = filters.map { strdup($0) }
        defer { for name in names { free(name) } }
        let result = names.withUnsafeBufferPointer { names in
            mosquitto_subscribe_multiple(
                handle.pointer, &packetID, Int32(names.count), names.baseAddress, qos, subscribeOptions, nil)
        }
        try check(result, "subscribe")
        awaitedGrants[packetID] = (filters, qos)
    }

    /// Queues a message; it leaves with `writePending`.
    /// - Parameter expirySeconds: how long the broker keeps it for a receiver that is away; nil for ever. MQTT 5 only.
    /// - Returns: its packet id, which `onPublished` names once the broker has it.
    @discardableResult
    package func publish(
        topic: String, payload: UnsafeRawBufferPointer, qos: Int32 = 1, retain: Bool = false,
        expirySeconds: UInt32? = nil
    ) throws(MQTTError) -> Int32 {
        var packetID: Int32 = 0
        var properties: OpaquePointer?
        defer { mosquitto_property_free_all(&properties) }
        if let expirySeconds {
            mosquitto_property_add_int32(
                &properties, Int32(MQTT_PROP_MESSAGE_EXPIRY_INTERVAL.rawValue), expirySeconds)
        }
        try check(
            mosquitto_publish_v5(
                handle.pointer, &packetID, topic, Int32(payload.count), payload.baseAddress, qos, retain, properties),
            "publish")
        return packetID
    }

    @discardableResult
    package func publish(
        topic: String, payload: String, qos: Int32 = 1, retain: Bool = false, expirySeconds: UInt32? = nil
    ) throws(MQTTError) -> Int32 {
        var payload = payload
        var outcome: Result<Int32, MQTTError> = .success(0)
        payload.withUTF8 { bytes in
            do throws(MQTTError) {
                outcome = .success(
                    try publish(
                        topic: topic, payload: UnsafeRawBufferPointer(bytes), qos: qos, retain: retain,
                        expirySeconds: expirySeconds))
            } catch {
                outcome = .failure(error)
            }
        }
        return try outcome.get()
    }

    /// Reads until the socket is empty or `enough()` says stop.
    /// - Parameter limit: most packets to read.
    /// - Returns: true when the socket was emptied; false when there may be more, also inside the TLS layer where
    ///   `poll` cannot see it.
    @discardableResult
    package func readAvailable(limit: Int = .max, until enough: () -> Bool = { false }) throws(MQTTError) -> Bool {
        var packets = 0
        while packets < limit, !enough() {
            errno = 0
            let result = mosquitto_loop_read(handle.pointer, 1)
            // libmosquitto reports an empty socket as success and leaves EAGAIN behind; callbacks of a complete
            // packet may leave anything, so errno is looked at only when no callback ran after it (see `touched`).
            let code = errno
            if result != 0 { throw failure ?? MQTTError.from(result, operation: "read", errno: code) }
            if let failure { throw failure }
            if code == EAGAIN || code == EWOULDBLOCK, !touched { return true }
            touched = false
            packets += 1
        }
        return false
    }

    /// Set by every callback, so that `readAvailable` can tell "nothing there" from "a packet was handled".
    private var touched = false

    /// Sends what is queued (acknowledgements, publications, pings) as far as the socket takes it.
    package func writePending() throws(MQTTError) {
        guard mosquitto_want_write(handle.pointer) else { return }
        // Each packet is a TLS record and a system call of its own; corked, a thousand acknowledgements at least do
        // not wake the broker one by one.
        setCork(1)
        defer { setCork(0) }
        try check(mosquitto_loop_write(handle.pointer, 1), "write")
    }

    private func setCork(_ value: Int32) {
        var value = value
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Sends everything queued, waiting for the socket. The queue is first in, first out: reading further messages
    /// before it is empty would put their acknowledgements behind those still waiting, and a later write would send
    /// them without a commit.
    package func flush(timeoutSeconds: Double = 10) throws(MQTTError) {
        let deadline = monotonicSeconds() + timeoutSeconds
        try writePending()
        while mosquitto_want_write(handle.pointer) {
            guard monotonicSeconds() < deadline else {
                throw MQTTError(.timeout, operation: "write", detail: "the broker takes nothing in")
            }
            var set = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
            poll(&set, 1, 100)
            try writePending()
        }
    }

    /// Keep-alive; to be called about once a second.
    package func keepAlive() throws(MQTTError) { try check(mosquitto_loop_misc(handle.pointer), "keep alive") }

    /// Says goodbye: the broker keeps the session (if it has an expiry) and does not send the will. Acknowledgements
    /// still queued leave first.
    package func disconnect() throws(MQTTError) {
        try check(mosquitto_disconnect_v5(handle.pointer, 0, nil), "disconnect")
        try flush(timeoutSeconds: 2)
    }

    /// One turn of reading, writing and keep-alive, for connections that have nothing to hold back.
    package func turn(milliseconds: Int32) throws(MQTTError) {
        if waitReadable([socket], milliseconds: milliseconds)[0] { try readAvailable() }
        try writePending()
        try keepAlive()
        if let failure { throw failure }
    }

    private func check(_ result: Int32, _ operation: String) throws(MQTTError) {
        guard result != 0 else { return }
        throw failure ?? MQTTError.from(result, operation: operation, errno: errno)
    }

    // MARK: what the callbacks report

    func didConnect(reason: Int32, flags: Int32) {
        touched = true
        connectResult = ConnectResult(reason: reason, sessionPresent: flags & 1 == 1)
    }

    func didDisconnect(reason: Int32) {
        touched = true
        if reason > 0, reason < 0x80 {
            failure = MQTTError.from(reason, operation: "connection", errno: errno)
        } else {
            let text = mosquitto_reason_string(reason).map { String(cString: $0) } ?? "reason \(reason)"
            failure = MQTTError(.unreachable, operation: "connection", detail: "ended by the broker: \(text)")
        }
    }

    func didSubscribe(packetID: Int32, granted: [Int32]) {
        touched = true
        guard let asked = awaitedGrants.removeValue(forKey: packetID) else { return }
        guard granted.count == asked.filters.count, granted.allSatisfy({ $0 == asked.qos }) else {
            failure = MQTTError(
                .refused, operation: "subscribe",
                detail: "the broker does not grant \(asked.filters.joined(separator: ", ")) with QoS \(asked.qos)")
            return
        }
    }

    func didPublish(packetID: Int32, reason: Int32) {
        touched = true
        onPublished(packetID, reason < 0x80)
    }

    func didReceive(_ message: UnsafePointer<mosquitto_message>) {
        touched = true
        let message = message.pointee
        guard let topic = message.topic else { return }
        onMessage(
            IncomingMessage(
                topic: UnsafeRawBufferPointer(start: topic, count: strlen(topic)),
                payload: UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen)),
                packetID: UInt16(truncatingIfNeeded: message.mid), qos: Int(message.qos), isRetained: message.retain))
    }
}
