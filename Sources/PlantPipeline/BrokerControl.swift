import Foundation
package import Logging
package import MQTT
package import PlantDomain
import Sealing
import ServiceLifecycle
import Synchronization

/// The broker answered, and will not do it.
struct BrokerRefusal: Error, CustomStringConvertible {
    let command: String
    let reason: String
    var description: String { "the broker refused \(command): \(reason)" }
}

/// Tells the broker who may come in, over a connection of its own.
///
/// Requests from asynchronous code are handed to one thread, which owns the connection, and answered from there.
package final class BrokerControl: Service {
    private enum Work {
        case change([DynamicSecurity.Command])
        case publish(topic: String, payload: String, expirySeconds: UInt32)
    }

    private struct Request {
        let id: String
        let work: Work
        let deadline: Double
        let answer: CheckedContinuation<[DynamicSecurity.Responses.Response], any Error>
        /// Of a message that was published.
        var packetID: Int32?
    }

    private struct State {
        var waiting: [Request] = []
        var isConnected = false
        var certificateExpiry: Timestamp?
        var isStopped = false
    }

    /// Longest a request waits for the broker, in seconds.
    private static let patience = 5.0

    /// The broker shows its certificate only to who connects, and may have been given a new one since: so the
    /// connection is made anew now and then, in seconds, and sooner while the certificate is about to expire.
    private static let freshSeconds = 3600.0
    private static let freshSecondsBeforeExpiry = 60.0
    private static let beforeExpirySeconds = 31.0 * 86_400

    private let options: MQTTOptions
    private let logger: Logger
    private let wake = WakeSignal()
    private let stop = StopFlag()
    private let state = Mutex(State())

    package init(_ options: MQTTOptions, logger: Logger) {
        var options = options
        // No session to keep, so no name to share: several backends may be at it.
        options.clientID += "-control-\(EntityID.make())"
        self.options = options
        self.logger = logger
    }

    package var isConnected: Bool { state.withLock { $0.isConnected } }

    /// When the certificate expires that the broker showed last; nil without TLS, or before the first connection.
    package var brokerCertificateExpiry: Timestamp? { state.withLock { $0.certificateExpiry } }

    /// Called on the control thread whenever a connection is up, the first one included.
    private let connections = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// Waits a moment for a connection that is being made.
    /// - Throws: `Unavailable` when there is none then.
    package func waitUntilConnected(seconds: Double = 2) async throws {
        let deadline = monotonicSeconds() + seconds
        while !isConnected {
            guard monotonicSeconds() < deadline else {
                throw Unavailable("the MQTT broker", reason: "no connection")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// An element for every time the broker was reached (again). For one reader.
    package var connected: AsyncStream<Void> { connections.stream }

    /// Hands a message to the broker, which keeps it for at most `expirySeconds` if its receiver is away.
    /// - Throws: `Unavailable` when the broker does not take it in time.
    package func publish(topic: String, payload: String, expirySeconds: UInt32) async throws {
        _ = try await carryOut(.publish(topic: topic, payload: payload, expirySeconds: expirySeconds))
    }

    /// Carries out changes to the broker's accounts.
    /// - Returns: an answer for each command.
    /// - Throws: `Unavailable` when the broker does not confirm in time, `BrokerRefusal`.
    func execute(_ commands: [DynamicSecurity.Command]) async throws -> [DynamicSecurity.Responses.Response] {
        try await carryOut(.change(commands))
    }

    private func carryOut(_ work: Work) async throws -> [DynamicSecurity.Responses.Response] {
        let id = EntityID.make().description
        return try await withCheckedThrowingContinuation { answer in
            let request = Request(id: id, work: work, deadline: monotonicSeconds() + Self.patience, answer: answer)
            let isStopped = state.withLock { state in
                if !state.isStopped { state.waiting.append(request) }
                return state.isStopped
            }
            if isStopped {
                answer.resume(throwing: Unavailable("the MQTT broker", reason: "the program is stopping"))
            } else {
                wake.signal()
            }
        }
    }

    package func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await DedicatedThread.run(name: "broker-control") { self.loop() }
        } onCancelOrGracefulShutdown: {
            self.stop.raise()
            self.wake.signal()
        }
    }

    // MARK: the thread

    private func loop() {
        // Shorter than the intake's: it costs the broker little, and people wait for it.
        var backoff = Backoff(longest: 2)
        var lastProblem = ""
        while !stop.isRaised {
            do {
                try session { backoff.reset() }
            } catch {
                let level: Logger.Level = lastProblem == "\(error)" ? .debug : .warning
                lastProblem = "\(error)"
                logger.log(level: level, "no control connection to the broker", metadata: ["reason": "\(error)"])
            }
            state.withLock { $0.isConnected = false }
            let until = monotonicSeconds() + backoff.wait()
            while !stop.isRaised, monotonicSeconds() < until {
                failOverdue()
                if waitReadable([wake.descriptor], milliseconds: 100)[0] { wake.clear() }
            }
        }
        let left = state.withLock { state in
            state.isStopped = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for request in left {
            request.answer.resume(throwing: Unavailable("the MQTT broker", reason: "the program is stopping"))
        }
    }

    private func session(connected: () -> Void) throws {
        let client = try MQTTClient(options)
        // The request the broker is working on; one at a time keeps the order of changes to a device.
        var current: Request?
        defer {
            current?.answer.resume(
                throwing: Unavailable("the MQTT broker", reason: "the connection ended", mayHaveHappened: true))
        }
        client.onMessage = { message in
            guard let request = current, let outcome = Self.outcome(of: request, in: message.payload) else { return }
            current = nil
            request.answer.resume(with: outcome)
        }
        client.onPublished = { packetID, accepted in
            guard let request = current, request.packetID == packetID else { return }
            current = nil
            request.answer.resume(
                with: accepted ? .success([]) : .failure(Unavailable("the MQTT broker", reason: "it refused a message"))
            )
        }
        try client.connect()
        try client.subscribe(DynamicSecurity.responseTopic)
        let expiry = client.brokerCertificateExpiry.map { Timestamp(microseconds: $0 * 1_000_000) }
        state.withLock { state in
            state.isConnected = true
            state.certificateExpiry = expiry
        }
        connected()
        connections.continuation.yield()
        let isExpiring = expiry.map { $0.seconds(since: .now()) < Self.beforeExpirySeconds } ?? false
        let fresh = monotonicSeconds() + (isExpiring ? Self.freshSecondsBeforeExpiry : Self.freshSeconds)
        while !stop.isRaised {
            if current == nil, monotonicSeconds() > fresh { break }
            if current == nil, let next = takeNext() {
                current = next
                // Known before anything is read, and so before its acknowledgement can be.
                current?.packetID = try send(next, over: client)
                try client.flush()
            }
            let readable = waitReadable([client.socket, wake.descriptor], milliseconds: 500)
            if readable[1] { wake.clear() }
            try client.turn(milliseconds: 0)
            if let request = current, request.deadline < monotonicSeconds() {
                throw MQTTError(.timeout, operation: "control", detail: "the broker did not confirm a change")
            }
            failOverdue()
        }
        try client.disconnect()
    }

    private func takeNext() -> Request? {
        state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
    }

    /// - Returns: the packet id of a message whose acknowledgement is all there is to wait for.
    private func send(_ request: Request, over client: MQTTClient) throws -> Int32? {
        struct Envelope: Encodable { let commands: [DynamicSecurity.Command] }
        switch request.work {
        case .publish(let topic, let payload, let expiry):
            return try client.publish(topic: topic, payload: payload, expirySeconds: expiry)
        case .change(let commands):
            let commands = commands.map { command in
                var command = command
                command.correlationData = request.id
                return command
            }
            let payload = try JSONEncoder().encode(Envelope(commands: commands))
            try client.publish(topic: DynamicSecurity.topic, payload: String(decoding: payload, as: UTF8.self))
            return nil
        }
    }

    /// - Returns: nil when the message answers something else.
    private static func outcome(
        of request: Request, in payload: UnsafeRawBufferPointer
    ) -> Result<[DynamicSecurity.Responses.Response], any Error>? {
        guard case .change(let commands) = request.work,
            let answer = try? JSONDecoder().decode(DynamicSecurity.Responses.self, from: Data(payload)),
            answer.responses.contains(where: { $0.correlationData == request.id })
        else { return nil }
        for (command, response) in zip(commands, answer.responses) {
            if let error = response.error, !command.tolerates.contains(error) {
                return .failure(BrokerRefusal(command: command.command, reason: error))
            }
        }
        return .success(answer.responses)
    }

    private func failOverdue() {
        let now = monotonicSeconds()
        let overdue = state.withLock { state in
            defer { state.waiting.removeAll { $0.deadline < now } }
            return state.waiting.filter { $0.deadline < now }
        }
        for request in overdue {
            request.answer.resume(throwing: Unavailable("the MQTT broker", reason: "no connection"))
        }
    }
}
