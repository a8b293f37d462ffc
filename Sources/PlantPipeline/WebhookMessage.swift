import Foundation
package import PlantDomain
package import Sealing

/// What a generic webhook receives.
package enum WebhookMessage {
    /// The message as JSON. The same message gives the same bytes: keys are sorted, nothing depends on the clock.
    /// - Parameter publicOrigin: what links begin with (`https://plants.example.org`); nil: no links.
    package static func body(_ message: AlertMessage, publicOrigin: String?) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let notices = message.notices.map { Notice(notice: $0, publicOrigin: publicOrigin) }
        return [UInt8](
            try encoder.encode(
                Body(
                    id: message.id, kind: message.kind, createdAt: message.createdAt,
                    summary: AlertText.summary(message), notices: notices, omitted: message.omitted)))
    }

    /// `X-PlantOps-Delivery`, `X-PlantOps-Timestamp` and, with a secret, `X-PlantOps-Signature`.
    ///
    /// The receiver computes `v1=` and the hexadecimal HMAC-SHA256 of `<timestamp>.<body>` with the secret, and
    /// compares; the time within what is signed keeps what was overheard from being sent again much later.
    package static func headers(
        id: EntityID, body: [UInt8], secret: Secret?, at time: Timestamp
    ) -> [(name: String, value: String)] {
        let seconds = "\(Int64(time.seconds.rounded(.down)))"
        var headers = [
            (name: "X-PlantOps-Delivery", value: id.description), (name: "X-PlantOps-Timestamp", value: seconds),
        ]
        if let secret {
            let key = secret.withBytes { [UInt8]($0) }
            let signature = Crypto.hex(Crypto.hmacSHA256(key: key, Array("\(seconds).".utf8) + body))
            headers.append((name: "X-PlantOps-Signature", value: "v1=" + signature))
        }
        return headers
    }
}

private struct Body: Encodable {
    let id: EntityID
    let kind: AlertMessage.Kind
    let createdAt: Timestamp
    let summary: String
    let notices: [Notice]
    let omitted: Int

    enum CodingKeys: String, CodingKey {
        case id, kind, summary, notices, omitted
        case createdAt = "created_at"
    }
}

private struct Notice: Encodable {
    let notice: AlertNotice
    let publicOrigin: String?

    enum CodingKeys: String, CodingKey {
        case event, at, kind, severity, room, metric, unit, direction, value, limit, detail, summary, url
        case alertID = "alert_id"
        case plantID = "plant_id"
        case plantName = "plant_name"
        case deviceID = "device_id"
        case deviceName = "device_name"
        case startedAt = "started_at"
        case firedAt = "fired_at"
        case resolvedAt = "resolved_at"
    }

    /// Every key, null where there is nothing: what the compiler would write leaves those out.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(notice.event, forKey: .event)
        try container.encode(notice.at, forKey: .at)
        try container.encode(notice.alertID, forKey: .alertID)
        try container.encode(notice.kind, forKey: .kind)
        try container.encode(notice.severity, forKey: .severity)
        try container.encode(notice.plantID, forKey: .plantID)
        try container.encode(notice.plantName, forKey: .plantName)
        try container.encode(notice.room, forKey: .room)
        try container.encode(notice.deviceID, forKey: .deviceID)
        try container.encode(notice.deviceName, forKey: .deviceName)
        try container.encode(notice.metric, forKey: .metric)
        try container.encode(notice.unit, forKey: .unit)
        try container.encode(notice.direction, forKey: .direction)
        // JSON has no infinity, and one such value must not keep the whole message from being sent.
        try container.encode(notice.value.flatMap { $0.isFinite ? $0 : nil }, forKey: .value)
        try container.encode(notice.limit.flatMap { $0.isFinite ? $0 : nil }, forKey: .limit)
        try container.encode(notice.detail, forKey: .detail)
        try container.encode(notice.startedAt, forKey: .startedAt)
        try container.encode(notice.firedAt, forKey: .firedAt)
        try container.encode(notice.resolvedAt, forKey: .resolvedAt)
        try container.encode(AlertText.line(notice), forKey: .summary)
        try container.encode(publicOrigin.map { $0 + notice.path }, forKey: .url)
    }
}

extension AlertNotice {
    /// Where the dashboard shows what it is about.
    var path: String {
        switch kind {
        case .threshold: plantID.map { "/plants/\($0)" } ?? "/alerts"
        case .deviceOffline, .batteryLow, .sensorStuck: "/devices"
        case .certificateExpiring, .diskFilling, .ingestStalled, .deadLetters: "/alerts"
        }
    }
}
