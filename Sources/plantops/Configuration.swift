import Foundation
import Logging
import MQTT
import PlantAPI
import PlantDomain
import PlantPipeline
import PlantStore
import Postgres
import Sealing

/// Everything that can be set from outside, checked. One place: name, type, unit, default, and whether it is secret.
struct Settings: Sendable {
    enum LogFormat: String, CaseIterable { case console, json }

    /// `DATABASE_URL`, or `POSTGRES_HOST`, `_PORT` (5432), `_USER`, `_PASSWORD`, `_DB`. Secret.
    let database: PostgresOptions
    /// `DB_POOL_SIZE`: connections of the API; ingest has one more of its own.
    let databasePoolSize: Int
    /// `MQTT_HOST`, `MQTT_PORT`, `MQTT_USE_TLS`, `MQTT_CA_CERT` (the system's CAs unless given),
    /// `MQTT_BACKEND_USERNAME`, `MQTT_BACKEND_PASSWORD` (secret), `MQTT_CLIENT_ID`; for mutual TLS `MQTT_CLIENT_CERT`
    /// and `MQTT_CLIENT_KEY`.
    let mqtt: MQTTOptions
    /// Whether `MQTT_CLIENT_ID` was given; else the database remembers one.
    let hasClientID: Bool
    /// `MQTT_SHARED_GROUP`: set when several backends share the stream.
    let mqttSharedGroup: String?
    /// `PUBLIC_MQTT_HOST`, `PUBLIC_MQTT_PORT`: the broker as devices see it; as the backend does unless given.
    let publicMQTTHost: String
    let publicMQTTPort: Int
    /// `ENCRYPTION_KEY` and, while they are being replaced, `ENCRYPTION_KEYS_OLD`. Secret.
    let sealer: Sealer
    /// `AUTH_MODE`: `required`, or `disabled` for a closed home network.
    let requiresSignIn: Bool
    /// `ENROLLMENT_MODE`: `token`, `approval` or `open`.
    let enrollmentMode: EnrollmentMode
    /// `ADMIN_EMAIL`, `ADMIN_PASSWORD` (secret): the first user, as long as there is none.
    let firstAdmin: FirstAdmin?
    /// `CORS_ORIGINS`: pages of other sites that may use the API.
    let corsOrigins: [String]
    /// `PUBLIC_URL` without its path.
    let publicOrigin: String?
    /// `TRUSTED_PROXIES`: addresses whose `X-Forwarded-For` and `-Proto` are believed; this machine's own unless given.
    let trustedProxies: [AddressBlock]
    /// `HTTP_HOST`, `HTTP_PORT`
    let httpHost: String
    let httpPort: Int
    /// `ENABLE_METRICS`: whether `/metrics` is there, on the backend's own port.
    let enablesMetrics: Bool
    /// `CHANNEL_ALLOWED_HOSTS`: hosts that channels may reach although they are private or speak plain HTTP.
    let channelAllowedHosts: AllowedHosts
    /// `DISCORD_WEBHOOK_URL`: becomes a channel, once. Secret.
    let discordWebhook: Secret?
    /// `ANTHROPIC_BASE_URL`, `OPENAI_BASE_URL`: where language models are asked, unless people set another address; the
    /// providers' own unless given.
    let llmServers: LLMServers
    /// `PLANTOPS_TEST_JUDGING`: off, `make bench` measures what judging readings costs.
    let judgesReadings: Bool
    /// `DISK_PATH`: where the disk is that must not fill up.
    let diskPath: String
    /// `RETENTION_RAW_DAYS`: how many days every single reading is kept; nil (0) keeps them for ever.
    let retentionDays: Int?
    /// `LOG_LEVEL`, `LOG_FORMAT`
    let logLevel: Logger.Level
    let logFormat: LogFormat
    struct FirstAdmin: Sendable {
        let email: String
        let password: Secret
    }

    /// Said at start: misspelt names, and what is taken for something else.
    let warnings: [String]

    /// The CA file that devices get with their credentials, also when the backend itself comes in without TLS.
    let caFile: String?
}

/// What is wrong with the environment: every problem, by name, never a value.
struct SettingsError: Error, CustomStringConvertible {
    /// sysexits.h, EX_CONFIG: "Something was found in an unconfigured or misconfigured state."
    static let exitStatus: Int32 = 78

    let problems: [String]
    var description: String {
        "The configuration cannot be used:\n" + problems.map { "  - \($0)" }.joined(separator: "\n")
    }
}

extension Settings {
    /// - Throws: `SettingsError` with all problems at once.
    init(environment: [String: String]) throws(SettingsError) {
        var source = SettingsSource(environment)
        let database = Self.database(&source)
        let poolSize = source.integer("DB_POOL_SIZE", range: 1...64, default: 4)
        let encryptionKey = source.hexKey("ENCRYPTION_KEY", required: true)
        let old = source.hexKeys("ENCRYPTION_KEYS_OLD")
        let sealer = encryptionKey.flatMap { try? Sealer(current: Secret($0), old: old) }
        let mqtt = Self.mqtt(&source, encryptionKey: encryptionKey)
        let group = source.text("MQTT_SHARED_GROUP", secret: false) ?? ""
        if group.contains(where: { "/+#$ ".contains($0) }) {
            source.problem("MQTT_SHARED_GROUP must not contain /, +, #, $ or spaces")
        }
        if !group.isEmpty, source.text("MQTT_CLIENT_ID", secret: false) == nil {
            source.problem("MQTT_CLIENT_ID is missing: with MQTT_SHARED_GROUP each backend needs an id of its own")
        }
        let publicHost = source.text("PUBLIC_MQTT_HOST", secret: false) ?? mqtt.host
        let publicPort = source.integer("PUBLIC_MQTT_PORT", range: 1...65_535, default: mqtt.port)
        if let url = source.text("PUBLIC_URL", secret: false),
            URL(string: url).map({ ["http", "https"].contains($0.scheme) && $0.host() != nil }) != true
        {
            source.problem("PUBLIC_URL must be a whole address such as https://plants.example.org")
        }
        let publicOrigin = source.text("PUBLIC_URL", secret: false).flatMap { Self.origin(of: $0) }
        let authMode = source.choice("AUTH_MODE", of: ["required", "disabled"], default: "required")
        let enrollment = source.choice(
            "ENROLLMENT_MODE", of: EnrollmentMode.allCases.map(\.rawValue), default: EnrollmentMode.token.rawValue)
        let firstAdmin = Self.firstAdmin(&source)
        let corsOrigins = source.list("CORS_ORIGINS")
        if !corsOrigins.allSatisfy({ Self.origin(of: $0) == $0.lowercased() }) {
            source.problem(
                "CORS_ORIGINS must be origins such as https://example.org, separated by commas; no * or path")
        }
        let proxies =
            source.text("TRUSTED_PROXIES", secret: false) == nil
            ? ["127.0.0.0/8", "::1"] : source.list("TRUSTED_PROXIES")
        let trustedProxies = proxies.compactMap { AddressBlock($0) }
        if trustedProxies.count != proxies.count {
            source.problem("TRUSTED_PROXIES must be addresses or blocks such as 172.18.0.0/16, separated by commas")
        }
        let httpHost = source.text("HTTP_HOST", secret: false) ?? "127.0.0.1"
        let httpPort = source.integer("HTTP_PORT", range: 1...65_535, default: 8000)
        let enablesMetrics = source.boolean("ENABLE_METRICS", default: true)
        let judgesReadings = source.boolean("PLANTOPS_TEST_JUDGING", default: true)
        let (allowedHosts, discord) = Self.channels(&source)
        let llmServers = LLMServers(
            anthropic: Self.llmAddress("ANTHROPIC_BASE_URL", &source),
            openai: Self.llmAddress("OPENAI_BASE_URL", &source))
        let diskPath = source.text("DISK_PATH", secret: false) ?? "/"
        if !FileManager.default.fileExists(atPath: diskPath) {
            source.problem("DISK_PATH must be a folder of this machine, such as the one that holds the database")
        }
        let retention = source.integer("RETENTION_RAW_DAYS", range: 0...36_500, default: 400)
        let level = source.choice("LOG_LEVEL", of: Logger.Level.allCases.map(\.rawValue), default: "info")
        let format = source.choice("LOG_FORMAT", of: LogFormat.allCases.map(\.rawValue), default: "console")
        guard source.problems.isEmpty, let database, let sealer else { throw SettingsError(problems: source.problems) }

        self.database = database
        databasePoolSize = poolSize
        self.mqtt = mqtt
        hasClientID = source.text("MQTT_CLIENT_ID", secret: false) != nil
        self.sealer = sealer
        requiresSignIn = authMode == "required"
        enrollmentMode = EnrollmentMode(rawValue: enrollment) ?? .token
        self.firstAdmin = firstAdmin
        self.corsOrigins = corsOrigins
        self.publicOrigin = publicOrigin
        self.trustedProxies = trustedProxies
        caFile = source.text("MQTT_CA_CERT", secret: false)
        mqttSharedGroup = group.isEmpty ? nil : group
        publicMQTTHost = publicHost
        publicMQTTPort = publicPort
        self.httpHost = httpHost
        self.httpPort = httpPort
        self.enablesMetrics = enablesMetrics
        channelAllowedHosts = allowedHosts
        discordWebhook = discord
        self.llmServers = llmServers
        self.diskPath = diskPath
        retentionDays = retention == 0 ? nil : max(retention, SeriesUpkeep.leastDaysKept)
        self.judgesReadings = judgesReadings
        logLevel = Logger.Level(rawValue: level) ?? .info
        logFormat = LogFormat(rawValue: format) ?? .console
        var warnings = SettingsNames.warnings(environment)
        if 1..<SeriesUpkeep.leastDaysKept ~= retention {
            warnings.append(
                "RETENTION_RAW_DAYS is taken as \(SeriesUpkeep.leastDaysKept): what devices have buffered may be 30 days old, "
                    + "and must not fall into what has been dropped")
        }
        self.warnings = warnings
    }

    /// `https://example.org:8443` of a whole address, in lower case; nil when it is none.
    private static func origin(of address: String) -> String? {
        guard let url = URL(string: address), let scheme = url.scheme?.lowercased(),
            ["http", "https"].contains(scheme),
            let host = url.host()?.lowercased(), !host.isEmpty
        else { return nil }
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(name)" + (url.port.map { ":\($0)" } ?? "")
    }

    private static func channels(_ source: inout SettingsSource) -> (AllowedHosts, Secret?) {
        var allowed = AllowedHosts.none
        do {
            allowed = try AllowedHosts(list: source.text("CHANNEL_ALLOWED_HOSTS", secret: false) ?? "")
        } catch {
            source.problem("CHANNEL_ALLOWED_HOSTS: \(error)")
        }
        guard let webhook = source.text("DISCORD_WEBHOOK_URL", secret: true) else { return (allowed, nil) }
        do {
            _ = try ChannelAddress(webhook, allowed: allowed)
        } catch {
            source.problem("DISCORD_WEBHOOK_URL \(error)")
        }
        return (allowed, Secret(webhook))
    }

    private static func llmAddress(_ name: String, _ source: inout SettingsSource) -> LLMAddress? {
        guard let text = source.text(name, secret: false) else { return nil }
        do {
            return try LLMAddress(operators: text)
        } catch {
            source.problem("\(name) \(error)")
            return nil
        }
    }

    private static func firstAdmin(_ source: inout SettingsSource) -> FirstAdmin? {
        let email = source.text("ADMIN_EMAIL", secret: false)
        let password = source.text("ADMIN_PASSWORD", secret: true)
        switch (email, password) {
        case (nil, nil): return nil
        case (nil, _): source.problem("ADMIN_EMAIL is missing: ADMIN_PASSWORD needs both")
        case (_, nil): source.problem("ADMIN_PASSWORD is missing: ADMIN_EMAIL needs both")
        case (let email?, let password?):
            let address = User.email(email)
            if address == nil { source.problem("ADMIN_EMAIL must be an email address") }
            guard User.passwordLength.contains(password.unicodeScalars.count) else {
                source.problem(
                    "ADMIN_PASSWORD must have \(User.passwordLength.lowerBound) to \(User.passwordLength.upperBound) "
                        + "characters")
                return nil
            }
            return address.map { FirstAdmin(email: $0, password: Secret(password)) }
        }
        return nil
    }

    private static func database(_ source: inout SettingsSource) -> PostgresOptions? {
        if let url = source.text("DATABASE_URL", secret: true) {
            guard url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") else {
                source.problem("DATABASE_URL must begin with postgresql://")
                return nil
            }
            guard PostgresOptions.isUsable(url: url) else {
                source.problem(
                    "DATABASE_URL is no usable address; write special characters of the password percent-encoded (@ as %40)"
                )
                return nil
            }
            return PostgresOptions(url: url)
        }
        let port = source.integer("POSTGRES_PORT", range: 1...65_535, default: 5432)
        guard let host = source.text("POSTGRES_HOST", secret: false) else {
            source.problem(
                "DATABASE_URL is missing: give it, or POSTGRES_HOST, POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB")
            return nil
        }
        return PostgresOptions(
            host: host, port: port, user: source.text("POSTGRES_USER", secret: false) ?? "plantops",
            password: source.text("POSTGRES_PASSWORD", secret: true),
            database: source.text("POSTGRES_DB", secret: false) ?? "plantops")
    }

    private static func mqtt(_ source: inout SettingsSource, encryptionKey: String?) -> MQTTOptions {
        let usesTLS = source.boolean("MQTT_USE_TLS", default: true)
        let caFile = source.text("MQTT_CA_CERT", secret: false)
        if let caFile, Certificate(pemFile: caFile) == nil {
            source.problem("MQTT_CA_CERT must name a readable PEM file with the broker's CA certificate")
        }
        // A client that connects under the same id takes the session over, queue and all: the id must be stable, but
        // nothing a device could guess.
        let clientID =
            source.text("MQTT_CLIENT_ID", secret: false)
            ?? "plantops-"
            + Crypto.hex(Crypto.hmacSHA256(key: Array((encryptionKey ?? "").utf8), "mqtt client id".utf8)).prefix(32)
        var options = MQTTOptions(
            host: source.text("MQTT_HOST", secret: false) ?? "localhost",
            port: source.integer("MQTT_PORT", range: 1...65_535, default: 8883),
            security: usesTLS ? (caFile.map { .tls(caFile: $0) } ?? .tlsSystemCAs) : .none, clientID: clientID)
        switch (source.text("MQTT_CLIENT_CERT", secret: false), source.text("MQTT_CLIENT_KEY", secret: false)) {
        case (nil, nil): break
        case (let certificate?, let key?):
            if Certificate(pemFile: certificate) == nil {
                source.problem("MQTT_CLIENT_CERT must name a readable PEM file with the backend's own certificate")
            }
            if !FileManager.default.isReadableFile(atPath: key) {
                source.problem("MQTT_CLIENT_KEY must name a readable PEM file with the key of MQTT_CLIENT_CERT")
            }
            options.clientCertificate = MQTTOptions.ClientCertificate(certificateFile: certificate, keyFile: key)
        default: source.problem("MQTT_CLIENT_CERT and MQTT_CLIENT_KEY belong together; one of them is missing")
        }
        options.username = source.text("MQTT_BACKEND_USERNAME", secret: false) ?? "backend"
        options.password = source.text("MQTT_BACKEND_PASSWORD", secret: true)
        if options.password == nil {
            source.problem("MQTT_BACKEND_PASSWORD is missing: the password of the backend's account at the broker")
        }
        return options
    }
}
