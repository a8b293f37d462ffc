import Configuration
import Foundation
import Sealing

/// Reads settings by name, `NAME_FILE` included, and gathers what is wrong with them.
struct SettingsSource {
    private(set) var problems: [String] = []
    private let config: ConfigReader

    init(_ environment: [String: String]) {
        var resolved = environment
        for (name, path) in environment where name.hasSuffix("_FILE") {
            let plain = String(name.dropLast("_FILE".count))
            guard SettingsNames.known.contains(plain), !path.isEmpty else { continue }
            if environment[plain].map({ !$0.isEmpty }) == true {
                problems.append("\(plain) and \(name) are both set; keep one of them")
            } else if let text = try? String(contentsOfFile: path, encoding: .utf8), text.utf8.count <= 65_536 {
                resolved[plain] = text.trimmingCharacters(in: .newlines)
            } else {
                problems.append("\(name) names a file that cannot be read")
            }
        }
        config = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: resolved))
    }

    mutating func problem(_ text: String) { problems.append(text) }

    /// nil when absent or empty.
    func text(_ name: String, secret: Bool) -> String? {
        let key = ConfigKey(name.lowercased().split(separator: "_").map(String.init))
        return config.string(forKey: key, isSecret: secret).flatMap { $0.isEmpty ? nil : $0 }
    }

    func list(_ name: String) -> [String] {
        (text(name, secret: true) ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    mutating func integer(_ name: String, range: ClosedRange<Int>, default value: Int) -> Int {
        guard let text = text(name, secret: false) else { return value }
        if let number = Int(text), range.contains(number) { return number }
        problem("\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        return value
    }

    mutating func boolean(_ name: String, default value: Bool) -> Bool {
        switch text(name, secret: false)?.lowercased() {
        case nil: return value
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        default:
            problem("\(name) must be true or false")
            return value
        }
    }

    mutating func choice(_ name: String, of values: [String], default value: String) -> String {
        guard let text = text(name, secret: false)?.lowercased() else { return value }
        if values.contains(text) { return text }
        problem("\(name) must be one of \(values.joined(separator: ", "))")
        return value
    }

    mutating func hexKey(_ name: String, required: Bool) -> String? {
        guard let key = text(name, secret: true) else {
            if required { problem("\(name) is missing: 64 hexadecimal digits, made with `openssl rand -hex 32`") }
            return nil
        }
        if Self.isHexKey(key) { return key }
        problem("\(name) must be 64 hexadecimal digits, made with `openssl rand -hex 32`")
        return nil
    }

    /// Keys separated by commas.
    mutating func hexKeys(_ name: String) -> [Secret] {
        var keys: [Secret] = []
        for (index, key) in list(name).enumerated() {
            if Self.isHexKey(key) {
                keys.append(Secret(key))
            } else {
                problem("\(name) must be 64 hexadecimal digits each; number \(index + 1) is not")
            }
        }
        return keys
    }

    static func isHexKey(_ key: String) -> Bool { key.utf8.count == 64 && key.allSatisfy(\.isHexDigit) }
}
