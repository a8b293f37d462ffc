import Foundation
import MQTT
import PlantDomain
import PlantPipeline
import PlantStore
import Sealing
import TestSupport
import Testing

@Suite struct BrokerControlTests {
    /// Whether the broker refuses a publication, by its answer or by hanging up.
    private func refuses(_ options: MQTTOptions, _ topic: String) throws -> Bool {
        let client = try MQTTClient(options)
        try client.connect()
        do {
            return try !client.publishAndWait(topic: topic, "{}")
        } catch is MQTTError {
            return true
        }
    }

    @Test func `a device publishes under its own topics and nowhere else`() async throws {
        let harness = try PipelineHarness()
        try await harness.controlling { access in
            let (id, options) = try await harness.device(access)
            let (other, _) = try await harness.device(access)
            let client = try MQTTClient(options)
            try client.connect()
            for topic in ["telemetry", "heartbeat", "status", "commands/result"] {
                #expect(try client.publishAndWait(topic: "devices/\(id)/\(topic)", "{}"), "\(topic)")
            }
            for topic in [
                "devices/\(other)/telemetry", "devices/\(id)/commands", "devices/\(id)", "plants", "$SYS/x",
                "$CONTROL/dynamic-security/v1",
            ] {
                #expect(try refuses(options, topic), "\(topic)")
            }
        }
    }

    @Test func `a device hears what is meant for it and cannot listen elsewhere`() async throws {
        let harness = try PipelineHarness()
        try await harness.controlling { access in
            let (id, options) = try await harness.device(access)
            let (other, _) = try await harness.device(access)
            let client = try MQTTClient(options)
            try client.connect()
            try client.subscribe("devices/\(id)/commands")
            for filter in ["devices/\(other)/#", "devices/+/telemetry", "#", "$SYS/#", "$CONTROL/#"] {
                let error = #expect(throws: MQTTError.self, "\(filter)") { try client.subscribe(filter) }
                #expect(error?.code == .refused)
            }
        }
    }

    @Test func `strangers and wrong passwords are refused`() async throws {
        let harness = try PipelineHarness()
        try await harness.controlling { access in
            let (id, _) = try await harness.device(access)
            for options in [try TestBroker.anyone(), try TestBroker.device(id, password: "wrong")] {
                let error = #expect(throws: MQTTError.self) { try MQTTClient(options).connect() }
                #expect(error?.code == .refused)
            }
        }
    }

    @Test func `new credentials end the old password and the session under it`() async throws {
        let harness = try PipelineHarness()
        try await harness.controlling { access in
            let (id, old) = try await harness.device(access)
            let client = try MQTTClient(old)
            try client.connect()
            let new = try await access.rotate(id)
            #expect(throws: MQTTError.self) {
                for _ in 1...100 { try client.turn(milliseconds: 100) }
            }
            #expect(throws: MQTTError.self) { try MQTTClient(old).connect() }
            try MQTTClient(new).connect()
        }
    }

    @Test func `a device whose access was taken away is out at once`() async throws {
        let harness = try PipelineHarness()
        try await harness.controlling { access in
            let (id, options) = try await harness.device(access)
            let client = try MQTTClient(options)
            try client.connect()
            #expect(try await access.store.deleteDevice(id))
            await access.broker.settle(id)
            #expect(throws: MQTTError.self) {
                for _ in 1...100 { try client.turn(milliseconds: 100) }
            }
            #expect(throws: MQTTError.self) { try MQTTClient(options).connect() }
            // Again: nothing to take away is no error.
            await access.broker.settle(id)
        }
    }

    @Test func `without a broker the caller is told within seconds`() async throws {
        var options = try TestBroker.backend()
        options.port = 1
        let nowhere = options
        let harness = try PipelineHarness()
        try await harness.controlling(nowhere) { access in
            let offer = try await access.store.offerCredentials(
                registering: try .sample(), rule: .open, sealer: access.sealer, from: testOrigin, at: .now()
            ).get()
            await #expect(throws: Unavailable.self) { try await access.broker.grant(offer) }
        }
    }

    @Test func `the broker's first file names one account and hashes its password`() throws {
        let data = try BrokerSecurityFile.initial(username: "backend", password: Secret("hush-hush"))
        #expect(!String(decoding: data, as: UTF8.self).contains("hush"))
        struct File: Decodable {
            struct Client: Decodable { let username: String }
            struct Access: Decodable { let allow: Bool }
            let clients: [Client]
            let defaultACLAccess: [Access]
        }
        let file = try JSONDecoder().decode(File.self, from: data)
        #expect(file.clients.map(\.username) == ["backend"])
        #expect(file.defaultACLAccess.count == 4)
        #expect(file.defaultACLAccess.allSatisfy { !$0.allow })
    }
}
