import HTTPTypes
import Hummingbird
import PlantDomain
import PlantStore
import Sealing

/// Where notifications go.
struct ChannelRoutes {
    static let nameLength = 1...100
    static let secretLength = 8...200
    static let listLimit = 200

    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        let channel = Route.Answer.ok("The channel", Schema.ref("Channel"))
        return [
            Route(
                method: .get, path: "/channels", tag: "channels", access: .member,
                summary: "Where notifications go, oldest first", query: Route.QueryParameter.page,
                answer: .ok("A page of channels", Schema.page("channels", of: "Channel")), handler: list),
            Route(
                method: .post, path: "/channels", tag: "channels", access: .member,
                summary: "Add a channel; a secret that is made for a webhook is shown this once",
                body: Self.creationSchema, answer: .created("The new channel", Schema.ref("Channel")), problems: [409],
                handler: create),
            Route(
                method: .get, path: "/channels/{id}", tag: "channels", access: .member, summary: "One channel",
                answer: channel, problems: [404], handler: get),
            Route(
                method: .put, path: "/channels/{id}", tag: "channels", access: .member,
                summary: "Change a channel: absent fields stay, null clears", body: Self.changeSchema, answer: channel,
                problems: [404], handler: change),
            Route(
                method: .delete, path: "/channels/{id}", tag: "channels", access: .member,
                summary: "Remove a channel, and what it was to be told", answer: .noContent, problems: [404],
                handler: delete),
            Route(
                method: .post, path: "/channels/{id}/test", tag: "channels", access: .member,
                summary: "Send a test message now; 502 says why it did not arrive",
                answer: .ok("It arrived", Self.testSchema), problems: [404, 502], handler: test),
        ]
    }

    // MARK: handlers

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        var query = QueryParameters(request)
        let (limit, offset) = query.page()
        try query.finish()
        return try .page("channels", try await environment.store.channels(limit: limit, offset: offset)) {
            JSONValue($0)
        }
    }

    @Sendable private func get(_ request: Request, _ context: PlantContext) async throws -> Response {
        guard let channel = try await environment.store.channel(try context.id("channel")) else {
            throw Problem.notFound("channel")
        }
        return try .json(JSONValue(channel))
    }

    @Sendable private func create(_ request: Request, _ context: PlantContext) async throws -> Response {
        var fields = try Fields(try await request.json())
        let change = ChannelChange(&fields)
        let kind = fields.require("kind", fields.choice("kind", of: ChannelKind.self))
        let name = fields.require("name", change.name)
        let url = fields.require("url", change.url)
        if kind == .discord, change.secret.value != nil {
            fields.refuse("secret", "Discord does not check signatures; only a webhook has a secret")
        }
        let address = await check(url, &fields)
        try fields.finish()
        guard let kind, let name, let url, let address else { throw Problem.invalid(fields.errors) }

        let now = environment.now()
        var channel = Channel(
            id: .make(at: now), kind: kind, name: name, urlHint: address.hint, createdAt: now, updatedAt: now)
        change.apply(to: &channel)
        var secret = change.secret.value
        var shownSecret: String?
        // `null` asks for messages that are not signed.
        if kind == .webhook, case .unchanged = change.secret {
            let made = try Crypto.randomToken()
            secret = Secret(made)
            shownSecret = made
        }
        channel.secretHint = secret.map { Channel.hint(ofSecret: $0.reveal()) }
        let outcome = try await environment.store.createChannel(
            channel, url: url, secret: secret, sealer: environment.sealer, by: context.origin)
        switch outcome {
        case .created: break
        case .tooMany:
            throw Problem(status: .conflict, detail: "there are \(Store.channelsLimit) channels already; remove one")
        case .unknownPlants(let ids): throw Self.unknown(ids)
        }
        guard case .object(var body) = JSONValue(channel) else { throw Problem.notFound("channel") }
        if let shownSecret { body["secret"] = .string(shownSecret) }
        return try .json(
            JSONValue.object(body), status: .created, headers: [.location: "/api/channels/\(channel.id)"])
    }

    @Sendable private func change(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("channel")
        guard let before = try await environment.store.channel(id) else { throw Problem.notFound("channel") }
        var fields = try Fields(try await request.json())
        let change = ChannelChange(&fields)
        if let kind = fields.choice("kind", of: ChannelKind.self).value, kind != before.kind {
            fields.refuse("kind", "cannot be changed; make another channel")
        }
        if before.kind == .discord, change.secret.value != nil {
            fields.refuse("secret", "Discord does not check signatures; only a webhook has a secret")
        }
        _ = fields.keep("url", change.url)
        let url = change.url.value
        let address = await check(url, &fields)
        try fields.finish()
        let now = environment.now()
        let outcome = try await environment.store.updateChannel(
            id, url: url, secret: change.secret, sealer: environment.sealer, by: context.origin, at: now
        ) { channel in
            change.apply(to: &channel)
            if let address { channel.urlHint = address.hint }
            switch change.secret {
            case .unchanged: break
            case .cleared: channel.secretHint = nil
            case .set(let secret): channel.secretHint = Channel.hint(ofSecret: secret.reveal())
            }
        }
        switch outcome {
        case .updated(let channel): return try .json(JSONValue(channel))
        case .noSuchChannel: throw Problem.notFound("channel")
        case .unknownPlants(let ids): throw Self.unknown(ids)
        }
    }

    @Sendable private func delete(_ request: Request, _ context: PlantContext) async throws -> Response {
        let deleted = try await environment.store.deleteChannel(
            try context.id("channel"), by: context.origin, at: environment.now())
        guard deleted else { throw Problem.notFound("channel") }
        return .noContent
    }

    @Sendable private func test(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("channel")
        guard let channel = try await environment.store.channel(id) else { throw Problem.notFound("channel") }
        let started = environment.now()
        let answer: APIEnvironment.ChannelTest
        if let target = try await target(id) {
            answer = await environment.channels.test(target)
        } else {
            answer = APIEnvironment.ChannelTest(
                problem: "its address cannot be opened with ENCRYPTION_KEY; set the address again")
        }
        let now = environment.now()
        try await environment.store.record(
            "channel.test", AuditEntry.Subject("channel", id, channel.name), by: context.origin, at: now,
            details: ["outcome": answer.problem ?? "delivered"])
        if let problem = answer.problem { throw Problem(status: .badGateway, detail: problem) }
        return try .json(
            [
                "delivered": true, "status": JSONValue(answer.status),
                "milliseconds": .integer(Int64(now.seconds(since: started) * 1000)),
            ] as JSONValue)
    }

    private func target(_ id: EntityID) async throws -> ChannelTarget? {
        do {
            return try await environment.store.channelTarget(id, sealer: environment.sealer)
        } catch is SealedValueError {
            return nil
        }
    }

    /// Looks at an address, and asks where its name leads.
    private func check(_ url: Secret?, _ fields: inout Fields) async -> ChannelAddress? {
        guard let url else { return nil }
        do {
            let address = try ChannelAddress(url.reveal(), allowed: environment.channels.allowedHosts)
            guard let problem = await environment.channels.check(url) else { return address }
            fields.refuse("url", problem)
        } catch {
            fields.refuse("url", "\(error)")
        }
        return nil
    }

    private static func unknown(_ ids: [EntityID]) -> Problem {
        .invalid(ids.prefix(20).map { Problem.FieldError(pointer: "/plant_ids", detail: "there is no plant \($0)") })
    }

    /// The fields of a channel that people set.
    private struct ChannelChange: Sendable {
        let name: Change<String>
        let url: Change<Secret>
        let secret: Change<Secret>
        let minSeverity: Change<AlertSeverity>
        let plantIDs: Change<[EntityID]>
        let rooms: Change<[String]>
        let isEnabled: Change<Bool>
        let quietHours: Change<QuietHours?>
        let inheritsQuietHours: Change<Bool>
        let digest: Change<Bool>

        init(_ fields: inout Fields) {
            name = fields.keep("name", fields.text("name", length: ChannelRoutes.nameLength))
            url = fields.secret("url", length: 1...WebAddress.mostBytes)
            secret = fields.secret("secret", length: ChannelRoutes.secretLength)
            minSeverity = fields.keep("min_severity", fields.choice("min_severity", of: AlertSeverity.self))
            plantIDs = fields.ids("plant_ids", most: ChannelRoutes.listLimit)
            rooms = fields.texts("rooms", most: ChannelRoutes.listLimit, length: ChannelRoutes.nameLength)
            isEnabled = fields.keep("enabled", fields.boolean("enabled"))
            quietHours = fields.nested("quiet_hours") { $0.quietHours() }
            inheritsQuietHours = fields.keep("inherits_quiet_hours", fields.boolean("inherits_quiet_hours"))
            digest = fields.boolean("digest")
        }

        func apply(to channel: inout Channel) {
            name.apply(to: &channel.name)
            minSeverity.apply(to: &channel.minSeverity)
            plantIDs.apply(to: &channel.plantIDs)
            rooms.apply(to: &channel.rooms)
            isEnabled.apply(to: &channel.isEnabled)
            switch quietHours {
            case .unchanged: break
            case .cleared: channel.quietHours = nil
            case .set(let hours): channel.quietHours = hours
            }
            inheritsQuietHours.apply(to: &channel.inheritsQuietHours)
            digest.apply(to: &channel.digest)
        }
    }

    // MARK: shapes

    static let quietHoursSchema = Schema.object([
        "from": ["type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"],
        "to": ["type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"], "time_zone": Schema.text,
    ])

    private static let settable: [String: JSONValue] = [
        "name": Schema.text(nameLength), "url": Schema.text(1...WebAddress.mostBytes),
        "secret": Schema.nullable(Schema.text(secretLength)),
        "min_severity": Schema.choice(AlertSeverity.allCases.map(\.rawValue)),
        "plant_ids": Schema.nullable(Schema.array(Schema.id)),
        "rooms": Schema.nullable(Schema.array(Schema.text(nameLength))), "enabled": Schema.boolean,
        "quiet_hours": Schema.nullable(Schema.ref("QuietHours")), "inherits_quiet_hours": Schema.boolean,
        "digest": Schema.nullable(Schema.boolean),
    ]
    private static let kindSchema = Schema.choice(ChannelKind.allCases.map(\.rawValue))
    private static let creationSchema = Schema.object(
        settable.merging(["kind": kindSchema]) { $1 }, optional: Set(settable.keys).subtracting(["name", "url"]))
    private static let changeSchema = Schema.change(settable)
    private static let testSchema = Schema.object([
        "delivered": Schema.boolean, "status": Schema.nullable(["type": "integer"]),
        "milliseconds": ["type": "integer", "minimum": 0],
    ])

    static let schema = Schema.object(
        settable.merging([
            "id": Schema.id, "kind": kindSchema, "url": Schema.text, "secret": Schema.nullable(Schema.text),
            "created_at": Schema.time, "updated_at": Schema.time,
            "delivery": Schema.object([
                "waiting": ["type": "integer", "minimum": 0], "failed": ["type": "integer", "minimum": 0],
                "last_delivered_at": Schema.nullable(Schema.time), "last_error": Schema.nullable(Schema.text),
                "last_error_at": Schema.nullable(Schema.time),
            ]),
        ]) { $1 })
}

extension Fields {
    /// The fields of quiet hours; nil when something is wrong with them.
    mutating func quietHours() -> QuietHours? {
        let from = require("from", text("from", length: 1...10))
        let to = require("to", text("to", length: 1...10))
        let zone = require("time_zone", text("time_zone", length: 1...100))
        guard let from, let to, let zone else { return nil }
        do {
            return try QuietHours(from: from, to: to, timeZone: zone)
        } catch {
            for problem in error.problems { refuse(problem.field.rawValue, problem.detail) }
            return nil
        }
    }
}

extension JSONValue {
    init(_ hours: QuietHours?) {
        self =
            hours.map {
                ["from": .string($0.from), "to": .string($0.to), "time_zone": .string($0.timeZone)]
            } ?? .null
    }

    fileprivate init(_ channel: Channel) {
        self = [
            "id": JSONValue(channel.id), "kind": .string(channel.kind.rawValue), "name": .string(channel.name),
            "url": .string(channel.urlHint), "secret": JSONValue(channel.secretHint),
            "min_severity": .string(channel.minSeverity.rawValue),
            "plant_ids": channel.plantIDs.map { .array($0.map { JSONValue($0) }) } ?? .null,
            "rooms": channel.rooms.map { JSONValue($0) } ?? .null, "enabled": .bool(channel.isEnabled),
            "quiet_hours": JSONValue(channel.quietHours), "inherits_quiet_hours": .bool(channel.inheritsQuietHours),
            "digest": channel.digest.map { .bool($0) } ?? .null, "created_at": JSONValue(channel.createdAt),
            "updated_at": JSONValue(channel.updatedAt),
            "delivery": [
                "waiting": .integer(Int64(channel.delivery.waiting)),
                "failed": .integer(Int64(channel.delivery.failed)),
                "last_delivered_at": JSONValue(channel.delivery.lastDeliveredAt),
                "last_error": JSONValue(channel.delivery.lastError),
                "last_error_at": JSONValue(channel.delivery.lastErrorAt),
            ],
        ]
    }
}
