import Foundation

/// What a simulated fleet remembers between runs. It holds passwords: the file is for its owner only.
struct SimulatorState: Codable, Equatable, Sendable {
    /// Decides addresses and weather.
    var seed: UInt64
    /// By MAC address.
    var devices: [String: Entry] = [:]
    /// Each CA certificate (PEM) once.
    var certificates: [String] = []

    struct Entry: Codable, Equatable, Sendable {
        var deviceID: String
        var username: String
        var password: String
        var host: String
        var port: Int
        /// Index into `certificates`; nil when the broker's certificate is a public one.
        var certificate: Int?
        var plantID: String?
        /// Hours of past readings that are still to be sent.
        var backfillHours: Double?
        /// nil in a file written before backends handed them out.
        var clientID: String?

        enum CodingKeys: String, CodingKey {
            case deviceID = "device_id"
            case username = "mqtt_username"
            case password = "mqtt_password"
            case host = "mqtt_host"
            case port = "mqtt_port"
            case certificate = "ca_certificate"
            case plantID = "plant_id"
            case backfillHours = "backfill_hours"
            case clientID = "mqtt_client_id"
        }
    }

    init(seed: UInt64) { self.seed = seed }

    /// The address of a device: locally administered, so that it is no real device's.
    static func macAddress(seed: UInt64, device index: Int) -> String {
        let bits = SimulatorNoise(seed: seed).bits(stream: 0x3AC, Int64(index))
        let digits = String(bits & 0xFF_FFFF_FFFF, radix: 16, uppercase: true)
        let padded = Array("02" + String(repeating: "0", count: 10 - digits.count) + digits)
        return stride(from: 0, to: 12, by: 2).map { String(padded[$0..<$0 + 2]) }.joined(separator: ":")
    }

    /// nil when there is no such file.
    static func read(_ path: String) throws(SimulatorError) -> SimulatorState? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw SimulatorError(
                .state, "\(path) cannot be read as the state of a simulation (\(error)). Delete it, or name another.")
        }
    }

    /// Replaces the file in one step; readable by its owner only from the first byte on.
    func write(_ path: String) throws(SimulatorError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            try writePrivately(encoder.encode(self), to: path)
        } catch let error as SimulatorError {
            throw error
        } catch {
            throw SimulatorError(.state, "the state cannot be written: \(error)")
        }
    }
}

/// Writes a file of mode 0600 beside `path` and moves it there.
func writePrivately(_ data: Data, to path: String) throws(SimulatorError) {
    let draft = path + ".new"
    unlink(draft)
    let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    func failure() -> SimulatorError {
        let reason = String(cString: strerror(errno))
        return SimulatorError(.state, "\(path) cannot be written: \(reason). Check the folder and its permissions.")
    }
    guard file >= 0 else { throw failure() }
    var written = 0
    while written < data.count {
        let count = data.withUnsafeBytes { write(file, $0.baseAddress! + written, $0.count - written) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
            let failure = failure()
            close(file)
            throw failure
        }
        written += count
    }
    let synced = fsync(file) == 0
    guard close(file) == 0, synced, rename(draft, path) == 0 else { throw failure() }
}
