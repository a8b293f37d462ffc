import MQTT
import PlantDomain

/// When something falls due, and how it ends.
extension SimulatedDevice {
    /// The monotonic time at which something falls due without anything coming in.
    func nextDue(now: Double, time: Timestamp) -> Double {
        switch link {
        case .waiting(let until): return until
        case .connecting: return now + 0.1
        case .online:
            guard counters.isLive else { return now + 0.02 }
            let message = nextMessage.map { now + Double($0 - time.microseconds) / 1e6 } ?? .infinity
            return min(message, nextHeartbeat)
        case .enrolling, .failed: return .infinity
        }
    }

    /// The end is near: an attempt to connect that would have waited is made at once.
    func hurry() { if case .waiting = link { link = .waiting(until: 0) } }

    /// Something is left that ought to reach the broker and may still do so.
    func owes(mayPublish: Bool) -> Bool {
        switch link {
        case .enrolling, .failed: false
        case .waiting, .connecting, .online: outbox.unacknowledged > 0 || (mayPublish && outbox.hasWaiting)
        }
    }

    func sayGoodbye() throws(MQTTError) {
        guard let client else { return }
        farewell = (try client.publish(topic: topics.status, payload: "offline", retain: true), false)
    }
}
