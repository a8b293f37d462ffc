import ArgumentParser
import Foundation
import PlantPipeline
import Sealing

struct BrokerInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker-init",
        abstract: "Write the file Mosquitto's dynamic security starts with: the backend's account and nobody else.",
        discussion: "Takes MQTT_BACKEND_USERNAME (backend) and MQTT_BACKEND_PASSWORD, or MQTT_BACKEND_PASSWORD_FILE.")

    @Option(help: "The file to write; the broker must be able to read and replace it.")
    var output: String

    @Flag(help: "Replace the file, and with it every device's credentials.")
    var force = false

    func run() throws {
        var source = SettingsSource(ProcessInfo.processInfo.environment)
        let username = source.text("MQTT_BACKEND_USERNAME", secret: false) ?? "backend"
        let password = source.text("MQTT_BACKEND_PASSWORD", secret: true)
        if password == nil { source.problem("MQTT_BACKEND_PASSWORD is missing") }
        guard source.problems.isEmpty, let password else {
            FileHandle.standardError.write(Data("\(SettingsError(problems: source.problems))\n".utf8))
            throw ExitCode(SettingsError.exitStatus)
        }
        guard force || !FileManager.default.fileExists(atPath: output) else {
            throw ValidationError("\(output) is there already and holds the devices' credentials; --force replaces it")
        }
        let data = try BrokerSecurityFile.initial(username: username, password: Secret(password))
        // Created unreadable for others, not made so afterwards.
        umask(0o077)
        try data.write(to: URL(fileURLWithPath: output), options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: output)
        print("wrote \(output)")
    }
}
