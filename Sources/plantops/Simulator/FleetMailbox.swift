import MQTT
import Synchronization

/// What the fleet's thread and the rest of the program tell each other.
final class FleetMailbox: Sendable {
    /// From the fleet.
    enum Request: Sendable {
        /// The broker no longer takes this device's password.
        case enroll(Int)
        case finishedBackfill(Int)
    }

    /// To the fleet.
    enum Delivery: Sendable {
        case identity(DeviceIdentity)
        case noIdentity(index: Int, reason: String)
    }

    let wake = WakeSignal()
    let requests: AsyncStream<Request>
    private let continuation: AsyncStream<Request>.Continuation
    private let state = Mutex(State())

    private struct State {
        var isStopping = false
        var deliveries: [Delivery] = []
    }

    init() {
        // Bounded by the fleet: one request of each kind per device at most.
        (requests, continuation) = AsyncStream.makeStream(of: Request.self)
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        wake.signal()
    }

    func deliver(_ delivery: Delivery) {
        state.withLock { $0.deliveries.append(delivery) }
        wake.signal()
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    func takeDeliveries() -> [Delivery] {
        state.withLock { state in
            defer { state.deliveries = [] }
            return state.deliveries
        }
    }

    func request(_ request: Request) { continuation.yield(request) }

    /// No request follows.
    func finish() { continuation.finish() }
}
