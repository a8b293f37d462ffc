import MQTT
import PlantDomain
import TestSupport
import Testing

/// What the whole design rests on, asked of the real broker: what is read is not acknowledged until it is flushed.
@Suite struct AcknowledgementTests {
    private func options() throws -> MQTTOptions {
        var options = try TestBroker.backend()
        options.cleanStart = false
        options.sessionExpirySeconds = 60
        options.receiveMaximum = 100
        return options
    }

    private func publish(_ payloads: [String], to device: EntityID) throws {
        // The backend may publish commands, and hears everything below devices/.
        let client = try MQTTClient(TestBroker.backend())
        try client.connect()
        for payload in payloads {
            #expect(try client.publishAndWait(topic: "devices/\(device)/commands", payload))
        }
        try client.disconnect()
    }

    private func end(_ options: MQTTOptions) throws {
        var options = options
        options.cleanStart = true
        options.sessionExpirySeconds = 0
        let client = try MQTTClient(options)
        try client.connect()
        try client.disconnect()
    }

    @Test func `what was read but not flushed is delivered again under the same packet id`() throws {
        let (options, device) = (try options(), EntityID.make())
        defer { #expect(throws: Never.self) { try end(options) } }
        var client: MQTTClient? = try MQTTClient(options)
        #expect(try client?.connect() == false)
        try client?.subscribe("devices/\(device)/commands")
        try client?.flush()
        try publish(["one", "two", "three"], to: device)
        let first = try client?.receive(3) ?? []
        #expect(first.map(\.payload) == ["one", "two", "three"])
        client = nil

        let again = try MQTTClient(options)
        #expect(try again.connect())
        let second = try again.receive(3)
        #expect(second.map(\.payload) == ["one", "two", "three"])
        #expect(second.map(\.packetID) == first.map(\.packetID))
    }

    @Test func `what was flushed is not delivered again`() throws {
        let (options, device) = (try options(), EntityID.make())
        defer { #expect(throws: Never.self) { try end(options) } }
        var client: MQTTClient? = try MQTTClient(options)
        try client?.connect()
        try client?.subscribe("devices/\(device)/commands")
        try client?.flush()
        try publish(["one"], to: device)
        #expect(try client?.receive(1).count == 1)
        try client?.flush()
        try client?.disconnect()
        client = nil

        let again = try MQTTClient(options)
        try again.connect()
        try publish(["two"], to: device)
        #expect(try again.receive(1).map(\.payload) == ["two"])
    }

    @Test func `connecting to a session that holds messages acknowledges none of them`() throws {
        let (options, device) = (try options(), EntityID.make())
        defer { #expect(throws: Never.self) { try end(options) } }
        var client: MQTTClient? = try MQTTClient(options)
        try client?.connect()
        try client?.subscribe("devices/\(device)/commands")
        try client?.disconnect()
        try publish(["one", "two"], to: device)
        // The messages come right behind the broker's answer, and subscribing again reads some of them.
        let filters = ["commands", "telemetry", "status"].map { "devices/\(device)/\($0)" }
        for _ in 1...3 {
            client = try MQTTClient(options)
            var heard = 0
            client?.onMessage = { _ in heard += 1 }
            #expect(try client?.connect(subscribingTo: filters) == true)
            for _ in 1...100 where client?.isSubscribed == false || heard < 2 {
                if waitReadable([client?.socket ?? -1], milliseconds: 100)[0] { try client?.readAvailable() }
            }
            #expect(heard == 2)
            client = nil
        }
        let last = try MQTTClient(options)
        try last.connect()
        #expect(try last.receive(2).map(\.payload) == ["one", "two"])
    }

    @Test func `a certificate for another name is refused`() throws {
        var options = try options()
        // The same machine, under a name the certificate does not have.
        options.host = "127.1"
        let error = #expect(throws: MQTTError.self) { try MQTTClient(options).connect() }
        #expect(error?.code == .tls)
    }

    @Test func `a CA file that is not there is said by name`() throws {
        var options = try options()
        options.security = .tls(caFile: "/nowhere/ca.crt")
        let error = #expect(throws: MQTTError.self) { try MQTTClient(options) }
        #expect(error?.detail.contains("/nowhere/ca.crt") == true)
    }
}
