package import MQTT
package import PlantDomain

/// The broker of the tests. Devices and topics are each test's own, so that tests may run side by side.
package enum TestBroker {
    /// Options of the backend's account, under a client id of the test's own.
    package static func backend(clientID: String = "test-\(EntityID.make())") throws -> MQTTOptions {
        var options = try anyone(clientID: clientID)
        options.username = try testSetting("PLANTOPS_TEST_MQTT_USERNAME")
        options.password = try testSetting("PLANTOPS_TEST_MQTT_PASSWORD")
        return options
    }

    package static func device(_ id: EntityID, password: String) throws -> MQTTOptions {
        var options = try anyone(clientID: "device-\(EntityID.make())")
        options.username = id.description
        options.password = password
        return options
    }

    package static func anyone(clientID: String = "nobody-\(EntityID.make())") throws -> MQTTOptions {
        guard let port = Int(try testSetting("PLANTOPS_TEST_MQTT_PORT")) else {
            throw TestSetupError(description: "PLANTOPS_TEST_MQTT_PORT is no number")
        }
        return MQTTOptions(
            host: try testSetting("PLANTOPS_TEST_MQTT_HOST"), port: port,
            security: .tls(caFile: try testSetting("PLANTOPS_TEST_MQTT_CA")), clientID: clientID)
    }
}

extension MQTTClient {
    /// Publishes and waits for the broker's acknowledgement.
    /// - Returns: whether the broker took it.
    package func publishAndWait(topic: String, _ payload: String) throws -> Bool {
        var accepted: Bool?
        var packet: Int32 = -1
        onPublished = { id, taken in if id == packet { accepted = taken } }
        packet = try publish(topic: topic, payload: payload)
        let deadline = monotonicSeconds() + 10
        while accepted == nil {
            guard monotonicSeconds() < deadline else {
                throw TestSetupError(description: "the broker did not acknowledge")
            }
            try turn(milliseconds: 50)
        }
        return accepted ?? false
    }

    /// Reads messages until there are `count`, without acknowledging one.
    package func receive(_ count: Int, seconds: Double = 10) throws -> [(packetID: UInt16, payload: String)] {
        var received: [(UInt16, String)] = []
        onMessage = { received.append(($0.packetID, String(decoding: $0.payload, as: UTF8.self))) }
        let deadline = monotonicSeconds() + seconds
        while received.count < count, monotonicSeconds() < deadline {
            if waitReadable([socket], milliseconds: 50)[0] { try readAvailable() }
        }
        return received
    }
}
