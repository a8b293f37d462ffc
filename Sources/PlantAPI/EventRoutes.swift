import HTTPTypes
import Hummingbird
import Logging
import Metrics
import NIOCore
import PlantDomain
import ServiceLifecycle

/// What happens, as it happens.
struct EventRoutes {
    /// Long enough to cost nothing, and well within the time after which a proxy takes silence for death (nginx: 60 s,
    /// in deploy/nginx).
    static let heartbeat = Duration.seconds(15)

    private let events: EventHub
    private let gatekeeper: Gatekeeper
    private let heartbeat: Duration
    private let slow = Counter(label: "plantops_sse_disconnected_slow_total")

    init(_ environment: APIEnvironment, heartbeat: Duration = Self.heartbeat) {
        events = environment.events
        gatekeeper = Gatekeeper(environment)
        self.heartbeat = heartbeat
    }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/events", tag: "events", access: .viewer,
                summary: "Live events (Server-Sent Events), until the client or the session ends. With Last-Event-ID: "
                    + "what was missed first, or an event `reset`, after which the client loads everything anew",
                answer: .stream(
                    "Events, each with a name, an id and a line of JSON; a comment every 15 s",
                    mediaType: "text/event-stream"),
                handler: watch)
        ]
    }

    @Sendable private func watch(_ request: Request, _ context: PlantContext) async throws -> Response {
        let headers: HTTPFields = [
            .contentType: "text/event-stream", .cacheControl: "no-store", Self.accelBuffering: "no",
        ]
        // The body of an answer to HEAD is thrown away; nobody is to be counted as watching for it.
        guard request.method != .head else { return Response(status: .ok, headers: headers) }
        let principal = try context.signedIn()
        guard let subscription = events.subscribe(lastEventID: request.headers[Self.lastEventID]) else {
            throw Problem(
                status: .serviceUnavailable, detail: "no more clients can watch at the moment; try again later",
                retryAfterSeconds: 10)
        }
        let stream = EventStream(
            subscription: subscription, heartbeat: heartbeat,
            mayWatch: { [gatekeeper] in
                guard let now = try await gatekeeper.principal(of: request) else { return false }
                return now.user?.id == principal.user?.id && now.role >= .viewer
            },
            stop: { [events] in events.finish() }, slow: slow, logger: context.logger)
        // If it is never asked for its body, the answer takes the subscription along when it goes.
        return Response(status: .ok, headers: headers, body: ResponseBody { try await stream.write(request, &$0) })
    }

    private static let accelBuffering = HTTPField.Name("X-Accel-Buffering")!
    private static let lastEventID = HTTPField.Name("Last-Event-ID")!
}

/// One answer that goes on and on.
private struct EventStream: Sendable {
    let subscription: EventSubscription
    let heartbeat: Duration
    /// Whether whoever opened the stream is still signed in. Throws when that cannot be found out.
    let mayWatch: @Sendable () async throws -> Bool
    /// Called when the server stops: it waits for the answers under way, and this one would not end by itself.
    let stop: @Sendable () -> Void
    /// Counts readers that are cut off.
    let slow: Counter
    let logger: Logger

    /// How long the last words may take, where there are any.
    private static let lastWords = Duration.seconds(1)

    /// Said when the program is about to end, or the end would look like a loss: who reads comes back shortly, to its
    /// successor.
    private static let farewell = "event: closing\nretry: 1000\ndata: {}\n\n"

    /// Ends the connection by throwing; cancelling a write that waits for the reader is the only way to get it back.
    private struct CutOff: Error {}

    func write(_ request: Request, _ writer: inout any ResponseBodyWriter) async throws {
        // Hummingbird's writer is a Sendable struct that its protocol does not show as one. From here to the end of the
        // group only the task that sends uses it.
        nonisolated(unsafe) var writer = writer
        try await withGracefulShutdownHandler {
            // Who hangs up is noticed at once, not at the next heartbeat.
            try await request.body.consumeWithInboundCloseHandler { _ in
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    group.addTask {
                        try await send(to: &writer)
                        return true
                    }
                    group.addTask { try await beat() }
                    group.addTask { try await cut() }
                    defer { group.cancelAll() }
                    while try await group.next() == false {}
                }
            } onInboundClosed: {
                subscription.end(.left)
            }
        } onGracefulShutdown: {
            stop()
        }
    }

    private func send(to writer: inout any ResponseBodyWriter) async throws {
        var opening = "retry: 2000\n: live events\n"
        // An id without data is remembered and nothing else happens (WHATWG HTML 9.2.6). Without it, a client that
        // loses the connection before the first event would come back as a new one and not learn what it missed.
        if let start = subscription.start { opening += "id: \(start)\n" }
        try await writer.write(ByteBuffer(string: opening + "\n"))
        while let delivery = await subscription.next() {
            var buffer = ByteBuffer(bytes: delivery.bytes)
            if delivery.isNudged { buffer.writeString(": heartbeat\n\n") }
            try await writer.write(buffer)
        }
        // Without an id: what the reader has seen last stays what it was.
        if Task.isShuttingDownGracefully { try await writer.write(ByteBuffer(string: Self.farewell)) }
        try await writer.finish(nil)
    }

    /// Sees at every heartbeat to it that the reader reads and may read.
    private func beat() async throws -> Bool {
        while true {
            try await Task.sleep(for: heartbeat)
            guard subscription.nudge() else {
                // The last heartbeat still waits: for that long, nothing could be written.
                subscription.end(.stalled)
                return false
            }
            do {
                guard try await mayWatch() else {
                    subscription.end(.dismissed)
                    return false
                }
            } catch {
                // A database that is away has not signed anybody out.
                logger.debug("whether a stream may go on is not known", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// Ends what does not end by itself: a reader that reads nothing keeps the task that sends waiting in a write.
    private func cut() async throws -> Bool {
        let end = await subscription.ended()
        try Task.checkCancellation()
        let isSlow = end == .overflow || end == .stalled
        if isSlow { slow.increment() }
        logger.log(
            level: isSlow ? .info : .debug, isSlow ? "a slow reader of live events is cut off" : "live events end",
            metadata: ["reason": "\(end.rawValue)"])
        if !isSlow { try await Task.sleep(for: Self.lastWords) }
        throw CutOff()
    }
}
