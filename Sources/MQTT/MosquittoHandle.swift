internal import CMosquitto
import Glibc

/// Owns the C handle. The library is initialised once and never cleaned up: mosquitto.h calls `mosquitto_lib_cleanup`
/// "to free resources", which at the end of a process the system does.
struct MosquittoHandle: ~Copyable {
    let pointer: OpaquePointer

    private static let library: Int32 = mosquitto_lib_init()

    init(_ options: MQTTOptions) throws(MQTTError) {
        guard Self.library == 0, let pointer = mosquitto_new(options.clientID, options.cleanStart, nil) else {
            throw MQTTError(.configuration, operation: "new", detail: "the client id is not usable, or memory is out")
        }
        do throws(MQTTError) {
            try Self.configure(pointer, options)
        } catch {
            mosquitto_destroy(pointer)
            throw error
        }
        self.pointer = pointer
    }

    deinit { mosquitto_destroy(pointer) }

    private static func configure(_ pointer: OpaquePointer, _ options: MQTTOptions) throws(MQTTError) {
        let version = options.version == .v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311
        mosquitto_int_option(pointer, MOSQ_OPT_PROTOCOL_VERSION, Int32(version))
        mosquitto_int_option(pointer, MOSQ_OPT_TCP_NODELAY, 1)
        if options.version == .v5 {
            mosquitto_int_option(pointer, MOSQ_OPT_RECEIVE_MAXIMUM, Int32(options.receiveMaximum))
            mosquitto_int_option(pointer, MOSQ_OPT_SEND_MAXIMUM, Int32(options.sendMaximum))
        } else {
            mosquitto_max_inflight_messages_set(pointer, UInt32(options.sendMaximum))
        }
        // With this, packets leave only in `mosquitto_loop_write` (see `MQTTClient`).
        mosquitto_threaded_set(pointer, true)
        if options.username != nil {
            try check(mosquitto_username_pw_set(pointer, options.username, options.password), "credentials")
        }
        if let will = options.will {
            try check(
                mosquitto_will_set(
                    pointer, will.topic, Int32(will.payload.utf8.count), will.payload, 1, will.retain), "will")
        }
        try secure(pointer, options.security, options.clientCertificate)
    }

    private static func secure(
        _ pointer: OpaquePointer, _ security: MQTTOptions.Security, _ own: MQTTOptions.ClientCertificate?
    ) throws(MQTTError) {
        let result: Int32
        var files = own.map { [$0.certificateFile, $0.keyFile] } ?? []
        switch security {
        case .none: return
        case .tls(let caFile):
            files.insert(caFile, at: 0)
            result = mosquitto_tls_set(pointer, caFile, nil, own?.certificateFile, own?.keyFile, nil)
        case .tlsSystemCAs:
            try check(mosquitto_int_option(pointer, MOSQ_OPT_TLS_USE_OS_CERTS, 1), "tls")
            guard let own else {
                result = 0
                break
            }
            // It takes no certificate of ours without naming a place for CAs.
            result = mosquitto_tls_set(pointer, nil, "/etc/ssl/certs", own.certificateFile, own.keyFile, nil)
        }
        guard result == 0 else {
            throw MQTTError(
                .configuration, operation: "tls", detail: "cannot be read: \(files.joined(separator: ", "))")
        }
        // 1 = SSL_VERIFY_PEER. The host name is checked by default; `mosquitto_tls_insecure_set` is never called.
        try check(mosquitto_tls_opts_set(pointer, 1, nil, nil), "tls")
    }

    private static func check(_ result: Int32, _ operation: String) throws(MQTTError) {
        if result != 0 { throw MQTTError.from(result, operation: operation, errno: errno) }
    }

    /// The callbacks capture nothing: they find the client through the userdata, which lives as long as the handle
    /// because the client owns the handle.
    borrowing func install(callbacksOf client: MQTTClient) {
        mosquitto_user_data_set(pointer, Unmanaged.passUnretained(client).toOpaque())
        mosquitto_connect_v5_callback_set(pointer) { _, data, reason, flags, _ in
            owner(data)?.didConnect(reason: reason, flags: flags)
        }
        mosquitto_disconnect_v5_callback_set(pointer) { _, data, reason, _ in
            owner(data)?.didDisconnect(reason: reason)
        }
        mosquitto_subscribe_v5_callback_set(pointer) { _, data, packetID, count, granted, _ in
            let grants = UnsafeBufferPointer(start: granted, count: Int(count)).map { $0 }
            owner(data)?.didSubscribe(packetID: packetID, granted: grants)
        }
        mosquitto_publish_v5_callback_set(pointer) { _, data, packetID, reason, _ in
            owner(data)?.didPublish(packetID: packetID, reason: reason)
        }
        mosquitto_message_v5_callback_set(pointer) { _, data, message, _ in
            if let message { owner(data)?.didReceive(message) }
        }
    }
}

private func owner(_ data: UnsafeMutableRawPointer?) -> MQTTClient? {
    data.map { Unmanaged<MQTTClient>.fromOpaque($0).takeUnretainedValue() }
}
