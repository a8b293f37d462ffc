import MQTT
import PlantDomain
import PlantStore
import TestSupport
import Testing

@testable import PlantPipeline

@Suite struct IngestTests {
    @Test(arguments: TestDatabase.kinds)
    func `a message published over TLS is in the table`(kind: TimeSeriesKind) async throws {
        let harness = try PipelineHarness(kind)
        try await harness.controlling { access in
            let (id, options) = try await harness.device(access)
            try await harness.running { _ in
                try send(options, topic: "devices/\(id)/telemetry", [#"{"moisture":45.2,"temp":-3}"#])
                try await eventually("the reading is stored") {
                    try harness.database.int("SELECT count(*) FROM telemetry WHERE device_id = '\(id)'") == 1
                }
                let row = try await harness.database.store().latestTelemetry(of: id)
                #expect(row??.values.mapValues(\.value) == ["soil_moisture": 45.2, "temperature": -3])
                #expect(row??.timeSource == .server)
            }
        }
    }

    @Test func `a message between two bad ones is kept, and the bad ones say why`() async throws {
        let harness = try PipelineHarness()
        try await harness.controlling { access in
            let (id, options) = try await harness.device(access)
            try await harness.running { _ in
                let payloads = [#"{"temperature": NaN}"#, #"{"temperature": 20}"#, "\u{1}\u{2}", "[]"]
                try send(options, topic: "devices/\(id)/telemetry", payloads)
                let mine = "FROM dead_letters WHERE device_id = '\(id)'"
                try await eventually("three dead letters") { try harness.database.int("SELECT count(*) \(mine)") == 3 }
                #expect(try harness.database.int("SELECT count(*) FROM telemetry") == 1)
                #expect(
                    try harness.database.text("SELECT string_agg(reason, ',' ORDER BY id) \(mine)")
                        == "not_json,not_json,empty")
            }
        }
    }

    @Test func `messages sent while the intake is away are stored when it comes back`() async throws {
        let harness = try PipelineHarness()
        try await harness.controlling { access in
            let (id, options) = try await harness.device(access)
            try await harness.running { _ in }
            try send(options, topic: "devices/\(id)/telemetry", (1...20).map { #"{"temperature": \#($0)}"# })
            try await harness.running { _ in
                try await eventually("all of them are stored") {
                    try harness.database.int("SELECT count(*) FROM telemetry") == 20
                }
            }
        }
    }

    @Test func `a reading without a time of its own is stored once when it is delivered twice`() async throws {
        let harness = try PipelineHarness()
        try await harness.controlling { access in
            let (id, options) = try await harness.device(access)
            try await harness.running { _ in }
            // The same words twice: two readings, not one.
            let words = #"{"temperature": 20}"#
            try send(options, topic: "devices/\(id)/telemetry", [words, words])
            try commitWithoutAcknowledging(harness, from: id, messages: 2)
            #expect(try harness.database.int("SELECT count(*) FROM telemetry") == 2)
            try await harness.running { status in
                // And perhaps what other tests' devices sent meanwhile; before it delivers anything new.
                try await eventually("the broker has delivered them again") { status.snapshot.redeliveries >= 2 }
                try send(options, topic: "devices/\(id)/telemetry", [words])
                try await eventually("a new one like them is stored") {
                    try harness.database.int("SELECT count(*) FROM telemetry") == 3
                }
            }
        }
    }

    /// What a crash between commit and acknowledgement leaves behind.
    private func commitWithoutAcknowledging(_ harness: PipelineHarness, from id: EntityID, messages: Int) throws {
        var builder = BatchBuilder()
        let client = try MQTTClient(harness.options.mqtt)
        client.onMessage = { builder.take($0, receivedAt: .now()) }
        try client.connect()
        // Other tests' devices are heard too.
        func isMine(_ item: IngestBatch.Item) -> Bool {
            if case .device(id, _) = item.topic { true } else { false }
        }
        let deadline = monotonicSeconds() + 10
        while builder.batch.items.count(where: isMine) < messages, monotonicSeconds() < deadline {
            if waitReadable([client.socket], milliseconds: 50)[0] { try client.readAvailable() }
        }
        let writer = try IngestWriter(harness.database.options, clientID: harness.options.mqtt.clientID)
        #expect(try writer.commit(builder.batch).stored == messages)
    }

    @Test func `retained telemetry is not taken for news`() async throws {
        let harness = try PipelineHarness()
        try await harness.controlling { access in
            let (id, options) = try await harness.device(access)
            let client = try MQTTClient(options)
            try client.connect()
            try client.publish(topic: "devices/\(id)/telemetry", payload: #"{"temperature": 1}"#, retain: true)
            _ = try client.publishAndWait(topic: "devices/\(id)/heartbeat", "")
            try client.disconnect()
            try await harness.running { _ in
                try send(options, topic: "devices/\(id)/telemetry", [#"{"temperature": 2}"#])
                try await eventually("the live one is stored") {
                    try harness.database.int("SELECT count(*) FROM telemetry WHERE temperature = 2") == 1
                }
                #expect(try harness.database.int("SELECT count(*) FROM telemetry") == 1)
            }
        }
    }

    @Test func `two backends of one group share the stream and store everything once`() async throws {
        let first = try PipelineHarness()
        let group = "g\(EntityID.make().low)"
        let (shared, second) = (
            IngestOptions(mqtt: try TestBroker.backend(), database: first.database.options, sharedGroup: group),
            IngestOptions(mqtt: try TestBroker.backend(), database: first.database.options, sharedGroup: group)
        )
        try await first.controlling { access in
            let (id, device) = try await first.device(access)
            try await PipelineHarness(first.database, shared).running { one in
                try await PipelineHarness(first.database, second).running { two in
                    let payloads = (1...40).map { #"{"temperature": \#(Double($0) / 2)}"# }
                    try send(device, topic: "devices/\(id)/telemetry", payloads)
                    try await eventually("all are stored") {
                        try first.database.int("SELECT count(*) FROM telemetry") == 40
                    }
                    #expect(one.snapshot.totals.stored + two.snapshot.totals.stored == 40)
                    #expect(one.snapshot.totals.stored > 0)
                    #expect(two.snapshot.totals.stored > 0)
                }
            }
        }
    }
}
