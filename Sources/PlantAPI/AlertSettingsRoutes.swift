import HTTPTypes
import Hummingbird
import PlantDomain
import PlantStore

/// How alerts are judged and told.
struct AlertSettingsRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        let answer = Route.Answer.ok("The settings", Schema.ref("AlertSettings"))
        return [
            Route(
                method: .get, path: "/settings/alerts", tag: "settings", access: .member,
                summary: "How alerts are judged and told", answer: answer, handler: get),
            Route(
                method: .put, path: "/settings/alerts", tag: "settings", access: .member,
                summary: "Change that: absent fields stay", body: Self.changeSchema, answer: answer, handler: change),
        ]
    }

    @Sendable private func get(_ request: Request, _ context: PlantContext) async throws -> Response {
        try .json(JSONValue(try await environment.store.alertSettings()))
    }

    @Sendable private func change(_ request: Request, _ context: PlantContext) async throws -> Response {
        var fields = try Fields(try await request.json())
        let seconds = fields.keep(
            "for_seconds", fields.integer("for_seconds", range: AlertSettings.forSecondsRange))
        let cooldown = fields.keep(
            "cooldown_minutes", fields.integer("cooldown_minutes", range: AlertSettings.cooldownMinutesRange))
        let hysteresis = fields.keep(
            "hysteresis_percent", fields.number("hysteresis_percent", range: AlertSettings.hysteresisPercentRange))
        let hours = fields.nested("quiet_hours") { $0.quietHours() }
        let digest = fields.keep("digest", fields.boolean("digest"))
        let zone = fields.keep("time_zone", fields.text("time_zone", length: 1...100))
        if let zone = zone.value, KnownTimeZone(zone) == nil {
            fields.refuse("time_zone", "must be the name of a time zone, such as Europe/Berlin or UTC")
        }
        try fields.finish()
        let settings = try await environment.store.updateAlertSettings(
            by: context.origin, at: environment.now()
        ) { settings in
            seconds.apply(to: &settings.forSeconds)
            cooldown.apply(to: &settings.cooldownMinutes)
            hysteresis.apply(to: &settings.hysteresisPercent)
            switch hours {
            case .unchanged: break
            case .cleared: settings.quietHours = nil
            case .set(let hours): settings.quietHours = hours
            }
            digest.apply(to: &settings.digest)
            zone.apply(to: &settings.timeZone)
        }
        return try .json(JSONValue(settings))
    }

    private static let fields: [String: JSONValue] = {
        let (seconds, minutes) = (AlertSettings.forSecondsRange, AlertSettings.cooldownMinutesRange)
        return [
            "for_seconds": Schema.integer(minimum: seconds.lowerBound, maximum: seconds.upperBound),
            "cooldown_minutes": Schema.integer(minimum: minutes.lowerBound, maximum: minutes.upperBound),
            "hysteresis_percent": Schema.number(AlertSettings.hysteresisPercentRange),
            "quiet_hours": Schema.nullable(Schema.ref("QuietHours")), "digest": Schema.boolean,
            "time_zone": Schema.text,
        ]
    }()
    static let schema = Schema.object(fields)
    private static let changeSchema = Schema.change(fields)
}

extension JSONValue {
    fileprivate init(_ settings: AlertSettings) {
        self = [
            "for_seconds": .integer(Int64(settings.forSeconds)),
            "cooldown_minutes": .integer(Int64(settings.cooldownMinutes)),
            "hysteresis_percent": .number(settings.hysteresisPercent),
            "quiet_hours": JSONValue(settings.quietHours), "digest": .bool(settings.digest),
            "time_zone": .string(settings.timeZone),
        ]
    }
}
