import Foundation
import Logging
import MQTT
import PlantDomain
import Testing

@testable import plantops

@Suite struct SettingsTests {
    private let complete = [
        "DATABASE_URL": "postgresql://plantops:hush@localhost/plantops", "MQTT_BACKEND_PASSWORD": "hush",
        "ENCRYPTION_KEY": String(repeating: "0f", count: 32), "MQTT_USE_TLS": "false",
    ]

    private func with(_ changes: [String: String]) -> [String: String] { complete.merging(changes) { $1 } }

    @Test func `what is not said has its default`() throws {
        let settings = try Settings(environment: complete)
        #expect((settings.httpHost, settings.httpPort) == ("127.0.0.1", 8000))
        #expect((settings.mqtt.host, settings.mqtt.port) == ("localhost", 8883))
        #expect(settings.mqtt.username == "backend")
        #expect(settings.mqttSharedGroup == nil)
        #expect((settings.logLevel, settings.logFormat) == (.info, .console))
        #expect(settings.warnings.isEmpty)
    }

    @Test func `all problems are reported at once, by name, without values`() {
        let secret = "hush-hush"
        let error = #expect(throws: SettingsError.self) {
            try Settings(environment: [
                "DATABASE_URL": "mysql://\(secret)", "ENCRYPTION_KEY": secret, "ENCRYPTION_KEYS_OLD": secret,
                "HTTP_PORT": "99999\(secret)", "MQTT_PORT": "0", "MQTT_CA_CERT": "/nowhere/\(secret)",
                "LOG_LEVEL": secret, "DB_POOL_SIZE": "x", "PUBLIC_URL": secret, "MQTT_SHARED_GROUP": "a/b",
                "POSTGRES_PASSWORD_FILE": "/nowhere/\(secret)",
            ])
        }
        for name in [
            "DATABASE_URL", "ENCRYPTION_KEY ", "ENCRYPTION_KEYS_OLD", "HTTP_PORT", "MQTT_PORT", "MQTT_CA_CERT",
            "LOG_LEVEL", "DB_POOL_SIZE", "PUBLIC_URL", "MQTT_SHARED_GROUP", "POSTGRES_PASSWORD_FILE",
            "MQTT_BACKEND_PASSWORD",
        ] {
            #expect(error?.problems.contains { $0.hasPrefix(name) } == true, "\(name)")
        }
        #expect(error.map { !"\($0)".contains(secret) } == true)
    }

    @Test func `a value may come from a file`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "plantops-\(UUID())")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("secret from a file\n".utf8).write(to: file)
        var environment = complete
        environment["MQTT_BACKEND_PASSWORD"] = nil
        environment["MQTT_BACKEND_PASSWORD_FILE"] = file.path
        #expect(try Settings(environment: environment).mqtt.password == "secret from a file")
        environment["MQTT_BACKEND_PASSWORD"] = "both"
        let error = #expect(throws: SettingsError.self) { try Settings(environment: environment) }
        #expect(error?.problems.count == 1)
    }

    @Test(arguments: ["postgresql://u:p@hunter2@localhost/db", "postgresql://u:hunter2/3@localhost:5432/db"])
    func `an address whose password breaks it is refused without showing it`(url: String) {
        let error = #expect(throws: SettingsError.self) { try Settings(environment: with(["DATABASE_URL": url])) }
        #expect(error?.problems.count == 1)
        #expect(error.map { "\($0)".contains("DATABASE_URL") && !"\($0)".contains("hunter2") } == true)
    }

    @Test func `backends that share the stream need an id each`() throws {
        let error = #expect(throws: SettingsError.self) {
            try Settings(environment: with(["MQTT_SHARED_GROUP": "g"]))
        }
        #expect(error?.problems.first?.hasPrefix("MQTT_CLIENT_ID") == true)
        _ = try Settings(environment: with(["MQTT_SHARED_GROUP": "g", "MQTT_CLIENT_ID": "one"]))
    }

    @Test func `the pieces of an address do as well as the address`() throws {
        var environment = with(["POSTGRES_HOST": "db", "POSTGRES_PASSWORD": "hush"])
        environment["DATABASE_URL"] = nil
        _ = try Settings(environment: environment)
    }

    @Test func `the client id is stable, nothing to be guessed, and can be set`() throws {
        let first = try Settings(environment: complete).mqtt.clientID
        #expect(try Settings(environment: complete).mqtt.clientID == first)
        let other = with(["ENCRYPTION_KEY": String(repeating: "1f", count: 32)])
        #expect(try Settings(environment: other).mqtt.clientID != first)
        #expect(try Settings(environment: with(["MQTT_CLIENT_ID": "mine"])).mqtt.clientID == "mine")
    }

    @Test(arguments: [
        ("PLANTOPS_HTTPPORT", true), ("LOG_LEVL", true), ("MQTT_HOTS", true), ("DATABSE_URL", true),
        ("PLANTOPS_HTTP_PORT", false), ("HOME", false), ("PATH", false), ("MQTT_BACKEND_PASSWORD_FILE", false),
    ])
    func `a misspelt name is a warning`(name: String, warns: Bool) {
        #expect(SettingsNames.warnings([name: "x"]).isEmpty != warns)
    }

    @Test func `every setting is written down, and every one that is written down is known`() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/configuration.md")
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
        // What the program itself reads is in the first table.
        let rows = lines.drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }
        let first = rows.compactMap { $0.split(separator: "|").first }
        let names = first.flatMap { $0.matches(of: /`([A-Z0-9_]+)`/).map { String($0.output.1) } }
        #expect(names.count > 20)
        for name in names { #expect(SettingsNames.warnings([name: "x"]).isEmpty, "\(name)") }
        let text = rows.joined()
        for name in SettingsNames.known {
            #expect(
                text.contains(name)
                    || text.contains("`_\(name.split(separator: "_").dropFirst().joined(separator: "_"))`"), "\(name)")
        }
    }

    @Test func `language models are asked where the operator says, else at the providers' own`() throws {
        let usual = try Settings(environment: complete).llmServers
        #expect(usual == LLMServers())
        let own = try Settings(
            environment: with([
                "ANTHROPIC_BASE_URL": "http://gateway.lan:4000/", "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1",
            ])
        ).llmServers
        #expect(try own.address(of: .anthropic, base: nil).text == "http://gateway.lan:4000")
        #expect(try own.address(of: .openai, base: nil).text == "http://127.0.0.1:11434/v1")
        let error = #expect(throws: SettingsError.self) {
            try Settings(
                environment: with(["ANTHROPIC_BASE_URL": "gateway.lan", "OPENAI_BASE_URL": "https://u:hush@x/"]))
        }
        #expect(error?.problems.map { $0.prefix { $0 != " " } } == ["ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"])
        #expect(error.map { !"\($0)".contains("hush") } == true)
    }

    @Test(
        arguments: [
            (nil, 400, false), ("400", 400, false), ("0", nil, false), ("35", 35, false), ("36500", 36_500, false),
            ("34", 35, true), ("1", 35, true),
        ] as [(String?, Int?, Bool)])
    func `readings are kept for so many days, and never less than devices may be late`(
        text: String?, days: Int?, warns: Bool
    ) throws {
        let settings = try Settings(environment: with(text.map { ["RETENTION_RAW_DAYS": $0] } ?? [:]))
        #expect(settings.retentionDays == days)
        #expect(settings.warnings.contains { $0.contains("RETENTION_RAW_DAYS") } == warns)
    }

    @Test(arguments: ["-1", "36501", "1.5", "a year", "400d", "99999999999999999999"])
    func `a span that is none is a problem like the others`(text: String) {
        let error = #expect(throws: SettingsError.self) {
            try Settings(environment: with(["RETENTION_RAW_DAYS": text, "HTTP_PORT": "0"]))
        }
        #expect(error?.problems.count == 2)
        #expect(error?.problems.contains { $0.hasPrefix("RETENTION_RAW_DAYS") } == true)
    }
}
