import Foundation

/// The whole of a simulation: identities, plants, then the fleet on a thread of its own, with somebody here to enroll
/// again whom the broker no longer knows.
struct Simulation: Sendable {
    let plan: SimulatorPlan
    let seed: UInt64
    let registrar: FleetRegistrar
    let withPlants: Bool
    let mailbox: FleetMailbox
    let report: @Sendable (String) -> Void

    private static let enrollmentsAtOnce = 8

    func run() async throws -> FleetOutcome {
        try allowSockets(for: plan.devices)
        let identities = try await registrar.identities()
        let fresh = identities.count(where: \.isFresh)
        if !plan.quiet { report("\(fresh) devices enrolled, \(identities.count - fresh) remembered") }
        if withPlants { try await registrar.giveEachAPlant() }
        async let services: Void = serve()
        let outcome = await runFleet(identities)
        await services
        return outcome
    }

    /// The fleet blocks in `poll` and in the TLS library, so it must not run on the cooperative pool.
    private func runFleet(_ identities: [DeviceIdentity]) async -> FleetOutcome {
        await withCheckedContinuation { continuation in
            let thread = Thread {
                continuation.resume(
                    returning: Fleet(identities, plan: plan, seed: seed, mailbox: mailbox, report: report).run())
            }
            thread.name = "fleet"
            thread.start()
        }
    }

    /// Does what the fleet asks for, until it has ended.
    private func serve() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await request in mailbox.requests {
                if running == Self.enrollmentsAtOnce {
                    await group.next()
                    running -= 1
                }
                group.addTask { await answer(request) }
                running += 1
            }
            group.cancelAll()
        }
    }

    private func answer(_ request: FleetMailbox.Request) async {
        switch request {
        case .enroll(let index):
            do {
                mailbox.deliver(.identity(try await registrar.enroll(index)))
            } catch {
                mailbox.deliver(.noIdentity(index: index, reason: "\(error)"))
            }
        case .finishedBackfill(let index):
            do {
                try await registrar.finishedBackfill(index)
            } catch {
                report("\(error)")
            }
        }
    }

    /// Each device takes a socket and, in the MQTT library, a pair of sockets to wake it.
    private func allowSockets(for devices: Int) throws(SimulatorError) {
        let needed = rlim_t(devices * 3 + 64)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < needed else { return }
        limit.rlim_cur = min(needed, limit.rlim_max)
        guard setrlimit(resource, &limit) == 0, limit.rlim_cur >= needed else {
            throw SimulatorError(
                .usage,
                "\(devices) devices need \(needed) open files, \(limit.rlim_max) are allowed: ulimit -n, or --devices.")
        }
    }
}
