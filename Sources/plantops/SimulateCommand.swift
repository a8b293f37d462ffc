import ArgumentParser
import Foundation
import MQTT
import UnixSignals

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run a fleet of simulated ESP32 sensors against a running backend and its broker.",
        discussion: """
            Each device enrolls over HTTP like a real one, connects to the broker over TLS and publishes readings with \
            QoS 1. Their weather, soil and gardeners are functions of the seed and of time, so that past and live \
            readings join. Ctrl-C says goodbye for all of them and prints what the broker has acknowledged.
            """)

    @Option(help: ArgumentHelp("The backend (default: PLANTOPS_API_URL, or \(defaultURL)).", valueName: "base"))
    var url: String?
    @Option(help: "How many devices.")
    var devices = 6
    @Option(help: ArgumentHelp("From one message of a device to the next.", valueName: "seconds"))
    var interval = 30.0
    @Option(help: ArgumentHelp("From one heartbeat of a device to the next.", valueName: "seconds"))
    var heartbeat = 60.0
    @Option(help: ArgumentHelp("Telemetry messages a second over all devices, instead of --interval.", valueName: "n"))
    var rate: Double?
    @Flag(help: "Send as fast as the broker acknowledges.")
    var flood = false
    @Option(help: ArgumentHelp("Most unacknowledged messages of one device.", valueName: "messages"))
    var window = 200
    @Option(help: ArgumentHelp("Stop when so many telemetry messages are acknowledged.", valueName: "messages"))
    var count: Int?
    @Option(help: ArgumentHelp("Stop after so long.", valueName: "seconds"))
    var duration: Double?
    @Option(help: ArgumentHelp("Readings in each message.", valueName: "n"))
    var readingsPerMessage = 1
    @Option(help: ArgumentHelp("Hours of the past that new devices send first, every 5 minutes.", valueName: "hours"))
    var backfill = 0.0
    @Flag(help: "Give each device that has no plant a plant of its own.")
    var withPlants = false
    @Option(help: ArgumentHelp("Remember the devices in this file (it holds passwords).", valueName: "file"))
    var state: String?
    @Option(help: ArgumentHelp("CA certificate of the broker (default: what enrollment says).", valueName: "file"))
    var ca: String?
    @Option(help: ArgumentHelp("The broker's host, instead of what enrollment says.", valueName: "host"))
    var mqttHost: String?
    @Option(help: ArgumentHelp("The broker's port, instead of what enrollment says.", valueName: "port"))
    var mqttPort: Int?
    @Option(help: ArgumentHelp("For enrolling (default: PLANTOPS_ENROLLMENT_TOKEN).", valueName: "token"))
    var enrollmentToken: String?
    @Option(
        help: ArgumentHelp(
            "For making plants (default: PLANTOPS_API_TOKEN; without it, PLANTOPS_ADMIN_EMAIL and _PASSWORD).",
            valueName: "token"))
    var apiToken: String?
    @Option(help: ArgumentHelp("Decides addresses and weather (default: the state file's, or random).", valueName: "n"))
    var seed: UInt64?
    @Flag(help: "Print the summary as JSON, on the last line of standard output.")
    var json = false
    @Flag(help: "No progress, only what goes wrong.")
    var quiet = false

    private static let defaultURL = "http://127.0.0.1:8000"

    func validate() throws {
        let problems = [
            (devices >= 1, "--devices has to be 1 or more"),
            ((0.001...86_400).contains(interval), "--interval has to be from 0.001 to 86400 seconds"),
            ((1...86_400).contains(heartbeat), "--heartbeat has to be from 1 to 86400 seconds"),
            (rate.map { (0.001...1e6).contains($0) } ?? true, "--rate has to be from 0.001 to 1000000"),
            (!(flood && rate != nil), "--flood and --rate contradict each other"),
            ((1...10_000).contains(window), "--window has to be from 1 to 10000"),
            (count ?? 1 >= 1, "--count has to be 1 or more"),
            (duration ?? 1 > 0, "--duration has to be more than 0"),
            ((1...ReadingBatch.mostReadings).contains(readingsPerMessage), "--readings-per-message: 1 to 500"),
            // The backend takes nothing older than 30 days for a device's own time.
            ((0...719).contains(backfill), "--backfill has to be from 0 to 719 hours"),
            (mqttPort.map { (1...65_535).contains($0) } ?? true, "--mqtt-port has to be from 1 to 65535"),
        ].filter { !$0.0 }.map(\.1)
        guard problems.isEmpty else { throw ValidationError(problems.joined(separator: "; ")) }
    }

    func run() async throws {
        let mailbox = FleetMailbox()
        let work = Task { try await simulate(mailbox) }
        let signals = Task {
            var isSecond = false
            for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
                if isSecond { Foundation.exit(130) }
                isSecond = true
                mailbox.stop()
                work.cancel()
            }
        }
        defer { signals.cancel() }
        do {
            let outcome = try await work.value
            print(json ? outcome.summary.json : outcome.summary.text)
            let problems = outcome.problems + shortcomings(outcome.summary, wasStopped: mailbox.isStopping)
            for problem in problems { Self.say("error: \(problem)") }
            if !problems.isEmpty { throw ExitCode.failure }
        } catch is CancellationError {
            Self.say("stopped before the devices were enrolled")
            throw ExitCode(130)
        } catch let error as SimulatorError {
            Self.say("error: \(error)")
            throw ExitCode.failure
        }
    }

    private func simulate(_ mailbox: FleetMailbox) async throws -> FleetOutcome {
        let remembered = try state.flatMap { try SimulatorState.read($0) }
        let seed = seed ?? remembered?.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        var memory = remembered ?? SimulatorState(seed: seed)
        memory.seed = seed
        let report: @Sendable (String) -> Void = { Self.say($0) }
        let plan = plan
        let settings = FleetRegistrar.Settings(
            devices: devices, seed: seed, stateFile: state, caFile: ca, mqttHost: mqttHost, mqttPort: mqttPort,
            enrollmentToken: Self.option(enrollmentToken, "PLANTOPS_ENROLLMENT_TOKEN"),
            declaredInterval: plan.declaredInterval, backfillHours: backfill)
        let backend = BackendClient(
            base: Self.option(url, "PLANTOPS_API_URL") ?? Self.defaultURL,
            apiToken: Self.option(apiToken, "PLANTOPS_API_TOKEN"), login: Self.login, report: report)
        let registrar = try FleetRegistrar(settings, state: memory, backend: backend)
        let simulation = Simulation(
            plan: plan, seed: seed, registrar: registrar, withPlants: withPlants, mailbox: mailbox, report: report)
        let outcome: Result<FleetOutcome, any Error>
        do { outcome = .success(try await simulation.run()) } catch { outcome = .failure(error) }
        await registrar.cleanUp()
        try await registrar.save()
        return try outcome.get()
    }

    private var plan: SimulatorPlan {
        let pace: SimulatorPlan.Pace =
            if flood { .flood } else if let rate { .rate(perSecond: rate) } else { .interval(seconds: interval) }
        var plan = SimulatorPlan(
            devices: devices, pace: pace, readingsPerMessage: readingsPerMessage, heartbeatSeconds: heartbeat,
            window: window, count: count, durationSeconds: duration, backfillHours: backfill, quiet: quiet)
        if let certificate = Self.option(nil, "MQTT_CLIENT_CERT"), let key = Self.option(nil, "MQTT_CLIENT_KEY") {
            plan.clientCertificate = MQTTOptions.ClientCertificate(certificateFile: certificate, keyFile: key)
        }
        return plan
    }

    private func shortcomings(_ summary: FleetSummary, wasStopped: Bool) -> [String] {
        var problems: [String] = []
        if summary.unacknowledged > 0 {
            problems.append("\(summary.unacknowledged) messages were not acknowledged within 5 s of the end.")
        }
        if summary.refused > 0 {
            problems.append(
                "the broker refused \(summary.refused) messages. Devices may publish only under devices/{their id}/.")
        }
        if let count, summary.acknowledged < count, !wasStopped {
            problems.append("\(summary.acknowledged) of \(count) messages were acknowledged.")
        }
        return problems
    }

    /// The option, else the variable; empty counts as absent.
    private static func option(_ given: String?, _ variable: String) -> String? {
        [given, ProcessInfo.processInfo.environment[variable]].compactMap(\.self).first { !$0.isEmpty }
    }

    private static var login: BackendClient.Login? {
        guard let email = option(nil, "PLANTOPS_ADMIN_EMAIL"), let password = option(nil, "PLANTOPS_ADMIN_PASSWORD")
        else { return nil }
        return BackendClient.Login(email: email, password: password)
    }

    private static func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
