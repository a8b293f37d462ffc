import Foundation
import PlantDomain
import Sealing
import Testing

@testable import PlantPipeline

@Suite struct MessageFormatTests {
    private let origin = "https://plants.example.org"

    private func discord(_ message: AlertMessage, origin: String? = nil) throws -> [String: Any] {
        let bytes = try DiscordMessage.body(message, publicOrigin: origin)
        return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    private func embed(_ message: AlertMessage, origin: String? = nil) throws -> [String: Any] {
        let embeds = try #require(try discord(message, origin: origin)["embeds"] as? [[String: Any]])
        #expect(embeds.count == 1)
        return try #require(embeds.first)
    }

    private func webhook(_ message: AlertMessage, origin: String?) throws -> [String: Any] {
        let bytes = try WebhookMessage.body(message, publicOrigin: origin)
        return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    // MARK: Discord

    @Test func `Discord is told one notice with all its facts`() throws {
        let notice = Fixture.notice(room: "Living room", device: "Sensor 2", severity: .critical, value: 12.4)
        let embed = try embed(Fixture.message([notice]), origin: origin)
        #expect(embed["title"] as? String == "Critical: Fern is too dry")
        #expect(embed["description"] as? String == "Fern: soil moisture is 12 %, below 25 % for 3 h")
        #expect(embed["url"] as? String == origin + "/plants/\(Fixture.id(1001))")
        #expect(embed["color"] as? Int == 0xD03B3B)
        #expect(embed["timestamp"] as? String == "2026-11-21T12:00:00Z")
        let fields = try #require(embed["fields"] as? [[String: Any]])
        #expect(
            fields.map { "\($0["name"] ?? "")=\($0["value"] ?? "")" } == [
                "Plant=Fern", "Room=Living room", "Sensor=Sensor 2", "Metric=soil moisture", "Value=12 %",
                "Limit=at least 25 %", "Since=<t:1795262400:f> (<t:1795262400:R>)",
            ])
    }

    @Test func `nobody is ever notified by a name`() throws {
        let hostile = "@everyone <@&123> <#1> [x](https://evil.example) **b** __u__ ~~s~~ `c` ||p|| \\ # h"
        let notice = Fixture.notice(plant: hostile, room: hostile, device: hostile)
        let body = try discord(Fixture.message([notice]))
        #expect((body["allowed_mentions"] as? [String: [String]]) == ["parse": []])
        #expect(body["username"] as? String == "PlantOps")
        let text = String(
            decoding: try DiscordMessage.body(Fixture.message([notice]), publicOrigin: nil), as: UTF8.self)
        for marker in ["@everyone", "<@", "<#", "[x]", "**b", "__u", "~~s", "`c", "||p", "https://"] {
            // In JSON a backslash is written as two.
            let bare = text.matches(of: try Regex("[^\\\\]" + NSRegularExpression.escapedPattern(for: marker)))
            #expect(bare.isEmpty, "\(marker)")
        }
    }

    @Test func `what is special is escaped and cut within bounds`() {
        #expect(DiscordMessage.escaped("# a_b @x", to: 50) == ##"\# a\_b \@x"##)
        #expect(DiscordMessage.escaped("a # b - c: d", to: 50) == "a # b - c: d")
        #expect(DiscordMessage.escaped("http://x", to: 50) == #"http\://x"#)
        #expect(DiscordMessage.escaped("****", to: 8) == #"\*\*\*\*"#)
        #expect(DiscordMessage.escaped("****", to: 7) == #"\*\*\*…"#)
        #expect(DiscordMessage.escaped("****", to: 6) == #"\*\*…"#)
        #expect(DiscordMessage.escaped("👍👍👍", to: 5) == "👍👍…")
    }

    /// A hundred notices, with names of a hundred characters that all need a backslash.
    private func storm(_ count: Int, distinct: Bool = false) -> [AlertNotice] {
        (0..<count).map { number in
            let name = String(repeating: ["*", "_", "`", "@", "👩🏽‍🌾"][number % 5], count: 98) + "\(number % 100)"
            return Fixture.notice(
                number % 3 == 0 ? .resolved : .fired, number % 4 == 0 ? .deviceOffline : .threshold, number: number,
                plant: name, room: name, device: name, metric: distinct ? "extra_\(number)" : "temperature",
                severity: number % 7 == 0 ? .critical : .warning, detail: name)
        }
    }

    @Test(arguments: [1, 2, 5, 20, 21, 100, 140], [AlertMessage.Kind.alerts, .digest])
    func `Discord's limits are kept in a storm`(count: Int, kind: AlertMessage.Kind) throws {
        for distinct in [false, true] {
            let embed = try embed(Fixture.message(storm(count, distinct: distinct), kind: kind), origin: origin)
            let title = try #require(embed["title"] as? String)
            let description = try #require(embed["description"] as? String)
            let fields = try #require(embed["fields"] as? [[String: Any]])
            #expect(1...256 ~= title.utf16.count)
            #expect(1...4096 ~= description.utf16.count)
            #expect(fields.count <= 25)
            var total = title.utf16.count + description.utf16.count
            for field in fields {
                let (name, value) = (field["name"] as? String ?? "", field["value"] as? String ?? "")
                #expect(1...256 ~= name.utf16.count)
                #expect(1...1024 ~= value.utf16.count)
                total += name.utf16.count + value.utf16.count
            }
            #expect(total <= 6000)
        }
    }

    @Test func `a few are told line by line, the worst first, what is over last`() throws {
        let notices = [
            Fixture.notice(.resolved, number: 1, plant: "Over", value: 30), Fixture.notice(number: 2, plant: "Warm"),
            Fixture.notice(.escalated, number: 3, plant: "Bad", severity: .critical),
        ]
        let embed = try embed(Fixture.message(notices), origin: origin)
        let lines = try #require(embed["description"] as? String).split(separator: "\n")
        #expect(
            lines.map { String($0.prefix(22)) } == [
                "**Critical** · Bad: so", "**Warning** · Warm: so", "**Over** · Over: soil ",
            ])
        #expect(embed["url"] as? String == origin + "/alerts")
        #expect(embed["color"] as? Int == 0xD03B3B)
    }

    @Test func `a digest keeps the order and says when`() throws {
        let notices = [Fixture.notice(minutes: 1), Fixture.notice(.resolved, value: 30, minutes: 2)]
        let embed = try embed(Fixture.message(notices, kind: .digest))
        let lines = try #require(embed["description"] as? String).split(separator: "\n")
        #expect(lines.first?.hasPrefix("<t:1795262460:t> **Warning** · Fern") == true)
        #expect(lines.last?.hasPrefix("<t:1795262520:t> **Over** · Fern") == true)
        #expect((embed["title"] as? String)?.hasPrefix("During the quiet hours") == true)
    }

    @Test func `many are told in groups`() throws {
        let notices = (1...60).map { Fixture.notice(number: $0, plant: "P\($0)", room: "Hall") }
        let embed = try embed(Fixture.message(notices))
        #expect(
            embed["description"] as? String
                == "**Warning** · 60 plants in Hall are too dry: P1, P2, P3, P4, P5 and 55 more")
        #expect(embed["url"] == nil)
    }

    @Test func `lines that do not fit are counted`() {
        let text = DiscordMessage.joined(Array(repeating: String(repeating: "x", count: 30), count: 50), to: 100)
        #expect(text.utf16.count <= 100)
        #expect(text.hasSuffix("\n… and 48 more"))
    }

    @Test func `a test says so and needs no notices`() throws {
        let embed = try embed(Fixture.message([], kind: .test), origin: origin)
        #expect(embed["title"] as? String == "Test")
        #expect((embed["description"] as? String)?.contains("test") == true)
    }

    // MARK: Webhook

    @Test func `a webhook gets every fact, and null for those there are not`() throws {
        let body = try webhook(
            Fixture.message([
                Fixture.notice(room: "Hall"),
                Fixture.notice(
                    .fired, .diskFilling,
                    plant: nil, value: .infinity),
            ]), origin: origin)
        #expect(
            Set(body.keys) == ["id", "kind", "created_at", "summary", "notices", "omitted"])
        #expect(body["id"] as? String == Fixture.id(1).description)
        #expect(body["kind"] as? String == "alerts")
        #expect(body["omitted"] as? Int == 0)
        let notices = try #require(body["notices"] as? [[String: Any]])
        let keys: Set = [
            "event", "at", "alert_id", "kind", "severity", "plant_id", "plant_name", "room", "device_id",
            "device_name", "metric", "unit", "direction", "value", "limit", "detail", "started_at", "fired_at",
            "resolved_at", "summary", "url",
        ]
        #expect(notices.count == 2 && notices.allSatisfy { Set($0.keys) == keys })
        let first = notices[0]
        #expect(first["event"] as? String == "fired")
        #expect(first["at"] as? String == "2026-11-21T15:00:00Z")
        #expect(first["unit"] as? String == "%")
        #expect(first["value"] as? Double == 12)
        #expect(first["url"] as? String == origin + "/plants/\(Fixture.id(1001))")
        #expect(first["summary"] as? String == AlertText.line(Fixture.notice()))
        #expect(["device_id", "device_name", "detail", "resolved_at"].allSatisfy { first[$0] is NSNull })
        #expect(["value", "plant_id", "metric", "unit"].allSatisfy { notices[1][$0] is NSNull })
        #expect(notices[1]["url"] as? String == origin + "/alerts")
    }

    @Test func `a webhook gets no links when nobody knows our address`() throws {
        let body = try webhook(Fixture.message([Fixture.notice()]), origin: nil)
        #expect((body["notices"] as? [[String: Any]])?.first?["url"] is NSNull)
    }

    @Test func `what is left out is counted`() throws {
        let body = try webhook(Fixture.message(storm(140)), origin: nil)
        #expect((body["notices"] as? [Any])?.count == 100)
        #expect(body["omitted"] as? Int == 40)
    }

    @Test func `the same message is the same bytes`() throws {
        for kind in [AlertMessage.Kind.alerts, .digest] {
            let message = Fixture.message(storm(30), kind: kind)
            // As the store does between two attempts.
            let again = try JSONDecoder().decode(AlertMessage.self, from: JSONEncoder().encode(message))
            #expect(again == message)
            #expect(
                try WebhookMessage.body(message, publicOrigin: origin)
                    == WebhookMessage.body(again, publicOrigin: origin))
            #expect(
                try DiscordMessage.body(message, publicOrigin: origin)
                    == DiscordMessage.body(again, publicOrigin: origin))
        }
    }

    /// Computed with Python: `hmac.new(b"0123456789abcdef", b"1795262401." + body, "sha256").hexdigest()`.
    @Test func `a signature is what others compute`() throws {
        let body = try WebhookMessage.body(Fixture.message([], kind: .test), publicOrigin: nil)
        #expect(
            String(decoding: body, as: UTF8.self)
                == #"{"created_at":"2026-11-21T12:00:00Z","id":"00000000-0000-7000-0000-000000000001","kind":"test","#
                + #""notices":[],"omitted":0,"summary":"This is a test: what PlantOps has to tell arrives here"}"#)
        let time = Fixture.start.adding(seconds: 1.9)
        let headers = WebhookMessage.headers(
            id: Fixture.id(1), body: body, secret: Secret("0123456789abcdef"), at: time)
        #expect(
            headers.map { "\($0.name): \($0.value)" } == [
                "X-PlantOps-Delivery: 00000000-0000-7000-0000-000000000001", "X-PlantOps-Timestamp: 1795262401",
                "X-PlantOps-Signature: v1=e434fb8e7ac6e751a4ce7bb2fbe4bdbf6e6bad2300c0659e13e20169258c6410",
            ])
        let unsigned = WebhookMessage.headers(id: Fixture.id(1), body: body, secret: nil, at: time)
        #expect(unsigned.map(\.name) == ["X-PlantOps-Delivery", "X-PlantOps-Timestamp"])
    }
}
