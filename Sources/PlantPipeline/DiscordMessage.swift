import Foundation
package import PlantDomain

/// What a Discord webhook receives: one embed, within Discord's limits (discord.com/developers/docs/resources/message,
/// "Embed Limits"). Discord does not say what it counts; UTF-16 units are never fewer than characters.
package enum DiscordMessage {
    static let longestTitle = 256
    /// Discord takes 4096, and 6000 of an embed as a whole.
    static let longestDescription = 3800
    static let longestFieldValue = 1024
    /// More are told in groups.
    static let mostLines = 20

    /// The message as JSON. The same message gives the same bytes.
    /// - Parameter publicOrigin: what links begin with (`https://plants.example.org`); nil: no links.
    package static func body(_ message: AlertMessage, publicOrigin: String?) throws -> [UInt8] {
        var embed = embed(message)
        if let publicOrigin { embed.url = publicOrigin + path(message) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(Payload(embeds: [embed])))
    }

    private static func embed(_ message: AlertMessage) -> Embed {
        if message.kind == .test {
            return Embed(
                title: "Test", description: AlertText.summary(message) + ".", color: Color.neutral,
                timestamp: message.createdAt)
        }
        if message.kind == .alerts, message.omitted == 0, message.notices.count == 1 {
            return single(message.notices[0], message)
        }
        let title = escaped(AlertText.summary(message), to: longestTitle)
        let color = message.notices.map(color).max { $0.weight < $1.weight } ?? .neutral
        return Embed(
            title: title, description: description(message), color: color, timestamp: message.createdAt)
    }

    private static func single(_ notice: AlertNotice, _ message: AlertMessage) -> Embed {
        let headline = NoticeGroup.groups(of: [notice]).first?.sentence ?? ""
        var fields: [Embed.Field] = []
        func add(_ name: String, _ text: String?) {
            guard let text, !text.isEmpty else { return }
            fields.append(Embed.Field(name: name, value: text))
        }
        func addNamed(_ name: String, _ text: String?) {
            add(name, text.map { escaped($0, to: longestFieldValue) })
        }
        addNamed("Plant", AlertText.name(notice.plantName))
        addNamed("Room", AlertText.name(notice.room))
        addNamed("Sensor", AlertText.name(notice.deviceName))
        addNamed("Metric", notice.metric == nil ? nil : AlertText.metricName(notice.metric))
        if notice.kind == .threshold || notice.kind == .sensorStuck {
            add("Value", notice.value.map { AlertText.number($0, of: notice, apartFrom: notice.limit) })
        }
        if notice.kind == .threshold {
            let end = notice.direction == .max ? "at most " : "at least "
            add("Limit", notice.limit.map { end + AlertText.number($0, of: notice, apartFrom: notice.value) })
        }
        add("Since", moment(notice.startedAt))
        if notice.event == .resolved { add("Over", moment(notice.resolvedAt ?? notice.at)) }
        return Embed(
            title: escaped("\(word(notice)): \(headline)", to: longestTitle),
            description: escaped(AlertText.line(notice), to: longestDescription), color: color(notice),
            timestamp: message.createdAt, fields: fields)
    }

    /// A line for each notice; for more than fit, a line for each group of those that say the same.
    private static func description(_ message: AlertMessage) -> String {
        var lines: [String]
        if message.notices.count <= mostLines, message.omitted == 0 {
            // A digest tells what happened in its order; else what matters most comes first.
            let isDigest = message.kind == .digest
            let notices = isDigest ? message.notices : byWeight(message.notices)
            lines = notices.map { notice in
                let time = isDigest ? "<t:\(unixSeconds(notice.at)):t> " : ""
                return time + line(word(notice), AlertText.line(notice))
            }
        } else {
            lines = NoticeGroup.groups(of: byWeight(message.notices)).map { group in
                line(group.notices.map(word).first ?? "", group.sentence)
            }
        }
        return joined(lines, to: longestDescription)
    }

    private static func line(_ word: String, _ text: String) -> String {
        "**\(word)** · " + escaped(Wording.cut(text, to: AlertText.longestLine), to: longestDescription)
    }

    /// As many lines as there is room for, and how many are missing.
    static func joined(_ lines: [String], to most: Int) -> String {
        // Room for the last line, ever so many.
        let room = most - "\n… and 9999 more".utf16.count
        var text = ""
        for (index, line) in lines.enumerated() {
            let next = text.isEmpty ? line : "\n" + line
            guard text.utf16.count + next.utf16.count <= room else {
                return text + (text.isEmpty ? "" : "\n") + "… and \(lines.count - index) more"
            }
            text += next
        }
        return text
    }

    /// The worst first, what is over last; else as they come.
    private static func byWeight(_ notices: [AlertNotice]) -> [AlertNotice] {
        notices.enumerated().sorted { left, right in
            let weights = (color(left.element).weight, color(right.element).weight)
            return weights.0 == weights.1 ? left.offset < right.offset : weights.0 > weights.1
        }.map(\.element)
    }

    private static func word(_ notice: AlertNotice) -> String {
        let severity = notice.severity == .critical ? "Critical" : "Warning"
        return switch notice.event {
        case .fired, .escalated: severity
        case .reminder: severity + ", still"
        case .resolved: "Over"
        }
    }

    private static func color(_ notice: AlertNotice) -> Color {
        if notice.event == .resolved { return .over }
        return notice.severity == .critical ? .critical : .warning
    }

    /// Where all of it is shown: the plant's page if it is about one plant alone.
    private static func path(_ message: AlertMessage) -> String {
        let paths = Set(message.notices.map(\.path))
        return paths.count == 1 && message.omitted == 0 ? paths.first ?? "/alerts" : "/alerts"
    }

    private static func unixSeconds(_ time: Timestamp) -> Int64 { Int64(time.seconds.rounded(.down)) }

    /// Date and time and how long ago that is, on the reader's own clock and in the reader's language.
    private static func moment(_ time: Timestamp) -> String {
        "<t:\(unixSeconds(time)):f> (<t:\(unixSeconds(time)):R>)"
    }

    /// Text that is shown as it is: nothing in it is bold, a link, a list or a mention.
    /// - Parameter most: UTF-16 units with the backslashes; cut with an ellipsis.
    static func escaped(_ text: String, to most: Int) -> String {
        var result = ""
        var count = 0
        var rest = text[...]
        while let character = rest.popFirst() {
            // Only what begins a line can be a heading, a quotation or a list; only :// is made a link.
            let isSpecial =
                "\\*_~`|[]<@".contains(character) || (result.isEmpty && "#>-+".contains(character))
                || (character == ":" && rest.first == "/")
            let next = isSpecial ? "\\\(character)" : String(character)
            // The last one may need the room that the ellipsis would.
            guard count + next.utf16.count <= (rest.isEmpty ? most : most - 1) else { return result + "…" }
            result += next
            count += next.utf16.count
        }
        return result
    }
}

private struct Payload: Encodable {
    let username = "PlantOps"
    let embeds: [Embed]
    let allowedMentions = AllowedMentions()

    /// Nobody is notified, whatever a name says.
    struct AllowedMentions: Encodable { let parse: [String] = [] }

    enum CodingKeys: String, CodingKey {
        case username, embeds
        case allowedMentions = "allowed_mentions"
    }
}

private struct Embed: Encodable {
    struct Field: Encodable {
        let name: String
        let value: String
        let inline = true
    }

    let title: String
    let description: String
    var url: String?
    let color: Color
    let timestamp: Timestamp
    var fields: [Field] = []
}

/// 0xRRGGBB of the bar beside an embed.
private enum Color: Int, Encodable {
    case neutral = 0x6B7280
    case over = 0x2E9E5B
    case warning = 0xE69F00
    case critical = 0xD03B3B

    /// What matters most is greatest.
    var weight: Int {
        switch self {
        case .neutral: 0
        case .over: 1
        case .warning: 2
        case .critical: 3
        }
    }
}
