import ArgumentParser
import Foundation
import Logging
import MQTT
import PlantDomain
import PlantStore
import Postgres
import Sealing

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check settings, certificates, database, broker and clock, and say what to do."
    )

    func run() async throws {
        let settings: Settings
        do {
            settings = try Settings(environment: ProcessInfo.processInfo.environment)
        } catch {
            print("FAIL  configuration")
            for problem in error.problems { print("      \(problem)") }
            throw ExitCode(SettingsError.exitStatus)
        }
        let logger = Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
        let findings =
            [Finding(.ok, "configuration", "complete")]
            + settings.warnings.map { Finding(.warning, "configuration", $0) }
            + Checkup.certificate(settings) + Checkup.database(settings, logger) + Checkup.broker(settings)
            + (await Checkup.access(settings, logger))
        for finding in findings { print(finding) }
        if findings.contains(where: { $0.verdict == .fail }) { throw ExitCode.failure }
    }
}

/// One thing that was looked at.
struct Finding: CustomStringConvertible {
    enum Verdict: String {
        case ok = "ok    "
        case warning = "WARN  "
        case fail = "FAIL  "
    }

    let verdict: Verdict
    let subject: String
    /// What was found, and for anything but ok what to do about it.
    let text: String

    init(_ verdict: Verdict, _ subject: String, _ text: String) {
        self.verdict = verdict
        self.subject = subject
        self.text = text
    }

    var description: String { "\(verdict.rawValue)\(subject): \(text)" }
}

enum Checkup {
    /// Devices that meet an expired certificate stop sending; a month is time enough to renew it.
    private static let warnDays = 30

    static func certificate(_ settings: Settings) -> [Finding] {
        guard let file = settings.caFile else { return [] }
        guard let certificate = Certificate(pemFile: file) else {
            return [Finding(.fail, "CA certificate", "cannot be read; set MQTT_CA_CERT, or make one with `make certs`")]
        }
        return [expiry(of: "CA certificate", certificate.notAfter)]
    }

    /// - Parameter notAfter: seconds since 1970-01-01 UTC.
    private static func expiry(of subject: String, _ notAfter: Int64) -> Finding {
        let days = Int(Double(notAfter) - Timestamp.now().seconds) / 86_400
        return switch days {
        case ..<0: Finding(.fail, subject, "expired \(-days) days ago; renew it (certs/README.md)")
        case ..<warnDays: Finding(.warning, subject, "expires in \(days) days; renew it (certs/README.md)")
        default: Finding(.ok, subject, "valid for \(days) more days")
        }
    }

    static func database(_ settings: Settings, _ logger: Logger) -> [Finding] {
        let connection: PostgresConnection
        do {
            connection = try PostgresConnection(settings.database)
        } catch {
            return [Finding(.fail, "database", "\(error.message); is PostgreSQL running, and DATABASE_URL right?")]
        }
        var findings: [Finding] = []
        do {
            let row = try connection.query(
                "SELECT current_setting('server_version') AS version, clock_timestamp() AS now")[0]
            findings.append(Finding(.ok, "database", "PostgreSQL \(try row.text("version")) answers"))
            let difference = abs(
                Timestamp.now().seconds(since: Timestamp(microseconds: try row.timestamp("now"))))
            findings.append(
                difference < 2
                    ? Finding(.ok, "clock", "agrees with the database's")
                    : Finding(
                        .warning, "clock",
                        "differs from the database's by \(Int(difference)) s; let NTP set both, or times will be wrong")
            )
            let (kind, applied, comparison) = try Schema.status(settings.database, logger: logger)
            findings.append(Finding(.ok, "time series", kind.rawValue))
            let version = "version \(applied.last?.version ?? 0)"
            findings.append(
                !comparison.newer.isEmpty
                    ? Finding(
                        .warning, "schema", "\(version) is newer than this program, which can work with it; upgrade")
                    : comparison.pending.isEmpty
                        ? Finding(.ok, "schema", version)
                        : Finding(
                            .warning, "schema",
                            "\(comparison.pending.count) migrations to apply; run `plantops migrate`"))
        } catch {
            let message = (error as? PostgresError)?.message ?? "\(error)"
            findings.append(Finding(.fail, "schema", message))
        }
        return findings
    }

    /// Whether somebody can sign in, nobody else can, and secrets can be opened.
    static func access(_ settings: Settings, _ logger: Logger) async -> [Finding] {
        var findings: [Finding] = []
        if !settings.requiresSignIn {
            findings.append(
                Finding(.warning, "sign-in", "AUTH_MODE is disabled: whoever reaches the API may do everything"))
        }
        if settings.enrollmentMode == .open {
            findings.append(
                Finding(.warning, "enrollment", "ENROLLMENT_MODE is open: whoever reaches the API can add devices"))
        }
        let store = Store(pool: PostgresPool(settings.database, size: 1, logger: logger))
        do {
            if settings.requiresSignIn {
                findings.append(
                    try await store.hasUsers() || settings.firstAdmin != nil
                        ? Finding(.ok, "sign-in", "there are users")
                        : Finding(.fail, "sign-in", "there is nobody; `plantops user create EMAIL --role admin`"))
            }
            findings += try await secrets(store, settings)
        } catch {
            // What is wrong with the database was said already.
        }
        return findings
    }

    private static func secrets(_ store: Store, _ settings: Settings) async throws -> [Finding] {
        var old = 0
        var lost: [String] = []
        for column in SealedColumn.all {
            let outcome = try await store.reseal(column, sealer: settings.sealer, onlyLooking: true)
            old += outcome.resealed
            lost += outcome.lost
        }
        if let first = lost.first {
            return [
                Finding(
                    .fail, "secrets",
                    "\(lost.count) cannot be opened (\(first)); put the key they were sealed under into "
                        + "ENCRYPTION_KEYS_OLD, or enter them again")
            ]
        }
        return [
            old > 0
                ? Finding(.warning, "secrets", "\(old) are under an old key; run `plantops keys rotate`")
                : Finding(.ok, "secrets", "all can be opened")
        ]
    }

    static func broker(_ settings: Settings) -> [Finding] {
        var options = settings.mqtt
        // Not the backend's own id: that would end its session.
        options.clientID = "plantops-doctor-\(EntityID.make())"
        do {
            let client = try MQTTClient(options)
            try client.connect()
            let expiry = client.brokerCertificateExpiry
            try client.disconnect()
            return [Finding(.ok, "broker", "\(options.host):\(options.port) lets the backend in")]
                + (expiry.map { [Self.expiry(of: "broker's certificate", $0)] } ?? [])
        } catch {
            return [Finding(.fail, "broker", "\(error.detail); \(advice(error))")]
        }
    }

    private static func advice(_ error: MQTTError) -> String {
        switch error.code {
        case .tls: "does the certificate name MQTT_HOST, and did the CA in MQTT_CA_CERT sign it?"
        case .refused: "are MQTT_BACKEND_USERNAME and MQTT_BACKEND_PASSWORD those of `plantops broker-init`?"
        case .configuration: "look at MQTT_CA_CERT and MQTT_CLIENT_ID"
        case .unreachable, .timeout, .protocolViolation: "is the broker running, and MQTT_HOST and MQTT_PORT right?"
        }
    }
}
