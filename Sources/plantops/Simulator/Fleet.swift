import Foundation
import MQTT
import PlantDomain

/// How a simulation ended.
struct FleetOutcome: Sendable {
    var summary: FleetSummary
    /// What went wrong for good, each said once.
    var problems: [String]
}

/// Drives all devices from one thread: every connection is a socket in one `poll`.
///
/// Not Sendable: it belongs to the thread that runs it, and so do the devices and their MQTT clients.
final class Fleet {
    let plan: SimulatorPlan
    let counters: FleetCounters
    let mailbox: FleetMailbox
    let devices: [SimulatedDevice]
    private let log: FleetLog
    private var problems: [String] = []
    /// When the first attempt to connect was made, and when live telemetry began.
    private let start = monotonicSeconds()
    private var opening: Double?

    /// Handshakes are work for the broker: so many begin in one turn, and so many are under way.
    private static let mostBegunAtOnce = 8
    private static let mostConnecting = 64
    /// Without any connection for so long from the start on, there is no broker, in seconds.
    private static let patience = 60.0
    /// A load is put on when all devices are connected, or so many seconds have passed: handshakes beside it would be
    /// slow, and the rate would say little.
    private static let warmUpSeconds = 30.0
    /// For what is under way at the end, and of it for the farewell, in seconds.
    private static let drainSeconds = 5.0
    private static let farewellSeconds = 1.0

    private var begun = 0
    private var connecting = 0
    private var sockets: [pollfd]

    init(
        _ identities: [DeviceIdentity], plan: SimulatorPlan, seed: UInt64, mailbox: FleetMailbox,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.plan = plan
        self.mailbox = mailbox
        let counters = FleetCounters(limit: plan.count)
        counters.summary.devices = identities.count
        self.counters = counters
        log = FleetLog(isQuiet: plan.quiet, report: report)
        let now = Timestamp.now()
        devices = identities.map { SimulatedDevice($0, plan: plan, seed: seed, counters: counters, now: now) }
        sockets = Array(repeating: pollfd(fd: -1, events: 0, revents: 0), count: identities.count + 1)
        sockets[0] = pollfd(fd: mailbox.wake.descriptor, events: Int16(POLLIN), revents: 0)
    }

    /// Runs until what was asked for is done, somebody stops it, or nothing can be done any more.
    func run() -> FleetOutcome {
        while !isFinished() {
            openWhenWarm()
            turn()
            log.progress(counters.summary, online: devices.count(where: \.isOnline), now: monotonicSeconds())
        }
        drain()
        counters.summary.unacknowledged = devices.reduce(0) { $0 + $1.outbox.unacknowledged }
        counters.summary.dropped += devices.reduce(0) { $0 + $1.outbox.waitingReadings }
        counters.summary.seconds = monotonicSeconds() - (opening ?? start)
        complainOfNoConnection()
        mailbox.finish()
        return FleetOutcome(summary: counters.summary, problems: problems)
    }

    private func isFinished() -> Bool {
        if counters.isComplete || mailbox.isStopping { return true }
        let now = monotonicSeconds()
        if let most = plan.durationSeconds, now - (opening ?? start) >= most { return true }
        if devices.allSatisfy(\.hasFailed) { return true }
        return now - start > Self.patience && !devices.contains(where: \.hasEverConnected)
    }

    /// Nothing was achieved, and no better reason is known.
    private func complainOfNoConnection() {
        guard problems.isEmpty, !mailbox.isStopping, !devices.contains(where: \.hasEverConnected) else { return }
        problems.append(
            """
            no device could connect to \(devices[0].identity.host):\(devices[0].identity.port) \
            (\(log.lastTrouble ?? "no answer")). Start the broker, or name it with --mqtt-host and --mqtt-port.
            """)
    }

    private func openWhenWarm() {
        guard opening == nil else { return }
        if case .interval = plan.pace {
            opening = start
        } else if devices.allSatisfy({ $0.hasEverConnected || $0.hasFailed })
            || monotonicSeconds() - start > Self.warmUpSeconds
        {
            opening = monotonicSeconds()
        }
        counters.isOpen = opening != nil
    }

    /// Everything that is due, then a wait for what comes in, then reading it.
    private func turn() {
        let now = monotonicSeconds()
        let time = Timestamp.now()
        begun = 0
        connecting = devices.count { if case .connecting = $0.link { true } else { false } }
        var earliest = now + 0.5
        for (index, device) in devices.enumerated() {
            attempt(device) { () throws(MQTTError) in try advance(device, now: now, time: time) }
            let socket = device.client?.socket ?? -1
            sockets[index + 1].fd = socket
            sockets[index + 1].events = Int16(POLLIN) | (device.client?.wantsWrite == true ? Int16(POLLOUT) : 0)
            earliest = min(earliest, device.nextDue(now: now, time: time))
        }
        // At least a millisecond, so that what falls due in it is sent together.
        let wait = Int32(max(1, min(500, ((earliest - monotonicSeconds()) * 1000).rounded(.up))))
        guard poll(&sockets, nfds_t(sockets.count), wait) > 0 else { return }
        if sockets[0].revents != 0 {
            mailbox.wake.clear()
            for delivery in mailbox.takeDeliveries() { accept(delivery) }
        }
        for (index, device) in devices.enumerated() where sockets[index + 1].revents != 0 {
            attempt(device) { () throws(MQTTError) in _ = try device.client?.readAvailable() }
        }
    }

    private func advance(_ device: SimulatedDevice, now: Double, time: Timestamp) throws(MQTTError) {
        switch device.link {
        case .waiting(let until):
            guard now >= until, counters.isLive || device.owes(mayPublish: counters.mayPublish),
                begun < Self.mostBegunAtOnce, connecting < Self.mostConnecting
            else {
                break
            }
            begun += 1
            connecting += 1
            try device.connect(now: now)
        case .connecting:
            try device.client?.writePending()
            try device.finishConnecting(now: now)
        case .online, .enrolling, .failed: break
        }
        device.measure(now: time)
        guard device.isOnline, let client = device.client else { return }
        if counters.isLive {
            try device.answerCommands(report: log.say)
            try device.sendHeartbeat(now: now)
        }
        let wasBackfilling = device.isBackfilling
        try device.publishTelemetry()
        if wasBackfilling, !device.isBackfilling { mailbox.request(.finishedBackfill(device.index)) }
        if client.wantsWrite { try client.writePending() }
        if now >= device.nextKeepAlive {
            device.nextKeepAlive = now + 1
            try client.keepAlive()
        }
    }

    /// Does something with a device's connection; if it breaks, does what follows from that.
    private func attempt(_ device: SimulatedDevice, _ body: () throws(MQTTError) -> Void) {
        do throws(MQTTError) {
            try body()
        } catch {
            if device.farewell?.isAcknowledged == true { return }
            let error = device.refusal() ?? error
            let consequence = device.lost(error, now: monotonicSeconds())
            log.trouble("\(device.identity.macAddress): \(error)", now: monotonicSeconds())
            switch consequence {
            case .tryAgain: break
            case .enrollAgain:
                log.say("the broker does not know \(device.identity.macAddress) any more; it enrolls again")
                mailbox.request(.enroll(device.index))
            case .giveUp(let reason): giveUp(reason)
            }
        }
    }

    private func accept(_ delivery: FleetMailbox.Delivery) {
        switch delivery {
        case .identity(let identity): devices[identity.index].take(identity, now: .now())
        case .noIdentity(let index, let reason):
            devices[index].link = .failed(reason)
            giveUp(reason)
        }
    }

    private func giveUp(_ reason: String) {
        guard !problems.contains(reason), problems.count < 8 else { return }
        problems.append(reason)
        log.warn(reason)
    }

    /// Waits for what is under way, says goodbye for every device, and closes the connections.
    private func drain() {
        counters.isLive = false
        let end = monotonicSeconds() + Self.drainSeconds
        for device in devices { device.hurry() }
        while monotonicSeconds() < end - Self.farewellSeconds,
            devices.contains(where: { $0.owes(mayPublish: counters.mayPublish) })
        {
            turn()
        }
        for device in devices where device.isOnline {
            attempt(device) { () throws(MQTTError) in try device.sayGoodbye() }
        }
        while monotonicSeconds() < end, devices.contains(where: { $0.isOnline && $0.farewell?.isAcknowledged == false })
        {
            turn()
        }
        for device in devices where device.isOnline {
            attempt(device) { () throws(MQTTError) in try device.client?.disconnect() }
        }
    }
}
