import Foundation
import MQTT

/// A command as it comes in on `devices/{id}/commands`.
struct DeviceCommand: Decodable {
    struct Arguments: Decodable {
        let seconds: Double?
    }

    let id: String
    let command: String
    let args: Arguments?
}

private struct CommandResult: Encodable {
    let id: String
    let ok: Bool
    let detail: String
}

extension SimulatedDevice {
    /// Commands a device keeps to be answered; more at once are not answered.
    private static let mostCommands = 16

    /// Called while reading: copies, and leaves the answer to `answerCommands`.
    func received(_ message: IncomingMessage) {
        guard message.topic.elementsEqual(topics.commands.utf8), commands.count < Self.mostCommands else { return }
        // What is no command is nothing a device can answer: it has no id.
        if let command = try? JSONDecoder().decode(DeviceCommand.self, from: Data(message.payload)) {
            commands.append(command)
        }
    }

    func answerCommands(report: (String) -> Void) throws(MQTTError) {
        while let command = commands.first, let client {
            commands.removeFirst()
            let (ok, detail) = carryOut(command)
            report("\(identity.macAddress) was told to \(command.command): \(detail)")
            let result = CommandResult(id: command.id, ok: ok, detail: detail)
            guard let json = try? JSONEncoder().encode(result) else { continue }
            try client.publish(topic: topics.result, payload: String(decoding: json, as: UTF8.self))
        }
    }

    private func carryOut(_ command: DeviceCommand) -> (ok: Bool, detail: String) {
        switch command.command {
        case "identify":
            return (true, "the LED blinks for 10 s")
        case "set_interval":
            guard case .interval = plan.pace else {
                return (false, "the pace of this simulation was given as a rate")
            }
            guard let seconds = command.args?.seconds, (0.1...86_400).contains(seconds) else {
                return (false, "args.seconds has to be a number from 0.1 to 86400")
            }
            messageInterval = seconds
            nextMessage = nil
            return (true, "sends every \(seconds) s")
        case "reboot":
            bootTime = monotonicSeconds()
            nextHeartbeat = 0
            return (true, "restarted")
        default:
            return (false, "unknown command")
        }
    }
}
