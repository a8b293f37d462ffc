import MQTT
import PlantDomain

/// One ESP32 as its firmware would behave: measures in its rhythm, keeps what the broker has not acknowledged, connects
/// again when the connection goes. Belongs to the fleet's thread.
final class SimulatedDevice {
    /// Where it stands with the broker.
    enum Link {
        /// The monotonic time of the next attempt.
        case waiting(until: Double)
        case connecting(deadline: Double)
        case online
        /// An enrollment is under way.
        case enrolling
        /// Given up, with the reason.
        case failed(String)
    }

    let index: Int
    let plan: SimulatorPlan
    let counters: FleetCounters
    var identity: DeviceIdentity
    var client: MQTTClient?
    var link: Link
    var topics: DeviceTopics
    var outbox = Outbox()
    var weather: DeviceWeather

    /// Attempts to connect that failed in a row, and those the broker refused for the password's sake.
    var failures = 0
    var refusals = 0
    var tlsFailures = 0
    /// The broker has taken the password there is now.
    var passwordWorked = false
    var hasEverConnected = false
    var hasSubscribed = false

    /// Past readings still to be sent, oldest last; live operation begins when they have arrived.
    var backfill: [ReadingBatch] = []
    var isBackfilling = false

    /// Seconds from message to message; nil when it is as fast as possible.
    var messageInterval: Double?
    /// Microseconds since 1970 of the next message that falls due; nil before live operation.
    var nextMessage: Int64?
    var lastReading = Int64.min
    /// Monotonic times.
    var nextHeartbeat = 0.0
    var nextKeepAlive = 0.0
    var bootTime = monotonicSeconds()

    /// Packet id of the farewell, and whether the broker has it.
    var farewell: (packetID: Int32, isAcknowledged: Bool)?
    /// Commands that came in and are to be answered.
    var commands: [DeviceCommand] = []

    init(_ identity: DeviceIdentity, plan: SimulatorPlan, seed: UInt64, counters: FleetCounters, now: Timestamp) {
        index = identity.index
        self.plan = plan
        self.counters = counters
        self.identity = identity
        link = .waiting(until: 0)
        topics = DeviceTopics(deviceID: identity.deviceID)
        weather = DeviceWeather(SimulatedClimate(seed: seed, device: identity.index))
        messageInterval = plan.messageInterval
        prepareBackfill(now: now)
    }

    /// Lays out the past this device has still to tell of, oldest last.
    func prepareBackfill(now: Timestamp) {
        guard identity.backfillHours > 0 else { return }
        // On full steps, so that a backfill that is repeated after a crash gives the same times.
        let step = Int64(SimulatorPlan.backfillStepSeconds * 1e6)
        let start = now.microseconds - Int64(identity.backfillHours * 3600e6)
        backfill = ReadingBatch.covering((start + step - 1) / step * step, now.microseconds, step: step).reversed()
        isBackfilling = !backfill.isEmpty
    }

    var isOnline: Bool { if case .online = link { true } else { false } }
    var hasFailed: Bool { if case .failed = link { true } else { false } }
}

struct DeviceTopics {
    let telemetry: String
    let heartbeat: String
    let status: String
    let commands: String
    let result: String

    init(deviceID: String) {
        let prefix = "devices/\(deviceID)/"
        telemetry = prefix + "telemetry"
        heartbeat = prefix + "heartbeat"
        status = prefix + "status"
        commands = prefix + "commands"
        result = prefix + "commands/result"
    }
}

/// What the whole fleet counts together, and the buffer its messages are written in. Belongs to the fleet's thread.
final class FleetCounters {
    var summary = FleetSummary()
    var writer = TelemetryWriter()
    /// The most messages to be sent and not refused; nil: no end.
    let limit: Int?
    /// False while the fleet comes to its end.
    var isLive = true
    /// False until live telemetry may begin.
    var isOpen = false

    init(limit: Int?) { self.limit = limit }

    /// Whether one more message may be sent without going beyond the number asked for.
    var mayPublish: Bool { limit.map { summary.published - summary.refused < $0 } ?? true }
    var isComplete: Bool { limit.map { summary.acknowledged >= $0 } ?? false }
}
