/// What devices publish, each under `devices/{device_id}/`.
package enum DeviceTopic: String, Sendable, CaseIterable {
    case telemetry
    case heartbeat
    case status
    case commandResult = "commands/result"

    /// The subscription that covers every device.
    package var filter: String { "devices/+/\(rawValue)" }

    package func topic(of device: EntityID) -> String { "devices/\(device)/\(rawValue)" }

    /// Reads `devices/{device_id}/{topic}` without allocating.
    /// - Returns: nil when it is none of ours.
    package static func parse(_ topic: UnsafeRawBufferPointer) -> (device: EntityID, topic: DeviceTopic)? {
        let prefix: StaticString = "devices/"
        let idLength = 36
        let start = prefix.utf8CodeUnitCount
        guard topic.count > start + idLength + 1,
            zip(topic, UnsafeBufferPointer(start: prefix.utf8Start, count: start)).allSatisfy({ $0 == $1 }),
            topic[start + idLength] == UInt8(ascii: "/"),
            let id = EntityID(ascii: UnsafeRawBufferPointer(rebasing: topic[start..<start + idLength]))
        else { return nil }
        let rest = topic[(start + idLength + 1)...]
        for kind in allCases where rest.elementsEqual(kind.rawValue.utf8) { return (id, kind) }
        return nil
    }
}
