import HTTPTypes
import Hummingbird
import PlantDomain
import PlantStore

/// What limits would have found in the past: to try them before they are set.
struct ReplayRoutes {
    private static let daysRange = 1...365
    private static let defaultDays = 30

    private let environment: APIEnvironment
    /// One at a time: a year of readings takes a connection to the database for seconds.
    private let queue = KeyedQueue<String>()

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .post, path: "/plants/{id}/thresholds/replay", tag: "alerts", access: .viewer,
                summary: "How often these limits would have fired lately",
                body: Schema.change([
                    "thresholds": Schema.nullable(Schema.ref("Thresholds")),
                    "days": Schema.integer(
                        minimum: Self.daysRange.lowerBound, maximum: Self.daysRange.upperBound,
                        default: Self.defaultDays),
                ]),
                answer: .ok("What they would have found", Schema.ref("Replay")), problems: [404], handler: replay)
        ]
    }

    @Sendable private func replay(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("plant")
        guard let plant = try await environment.store.plant(id) else { throw Problem.notFound("plant") }
        var fields = try Fields(try await request.json())
        let thresholds = ThresholdsChange.wanted(&fields, else: plant.thresholds)
        let days = fields.integer("days", range: Self.daysRange).value ?? Self.defaultDays
        try fields.finish()
        let settings = try await environment.store.alertSettings()
        let rules = PlantRules(thresholds, hysteresisPercent: settings.hysteresisPercent)
        let now = environment.now()
        let from = now.adding(seconds: -Double(days) * 86_400)
        let fresh = LimitReplay(
            plant: id, rules: rules, forSeconds: Double(settings.forSeconds),
            zone: KnownTimeZone(settings.timeZone) ?? .utc, longestGap: LightDay.longestGap)
        let replay =
            rules.isEmpty
            ? fresh
            : try await queue.run("replay", most: 8) { [environment] in
                try await environment.store.replay(fresh, metrics: rules.metrics, of: id, from: from, to: now)
            }
        let byMetric = Dictionary(grouping: replay.episodes, by: \.metric).mapValues(\.count)
        return try .json(
            [
                "days": .integer(Int64(days)), "would_have_fired": .integer(Int64(replay.episodes.count)),
                "by_metric": .object(byMetric.mapValues { .integer(Int64($0)) }),
                "episodes": .array(replay.episodes.map { JSONValue($0) }),
            ] as JSONValue)
    }

    static let schema = Schema.object([
        "days": ["type": "integer"], "would_have_fired": ["type": "integer", "minimum": 0],
        "by_metric": Schema.map(["type": "integer", "minimum": 1]),
        "episodes": Schema.array(
            Schema.object([
                "metric": Schema.text, "direction": Schema.choice(LimitDirection.allCases.map(\.rawValue)),
                "severity": Schema.choice(AlertSeverity.allCases.map(\.rawValue)), "from": Schema.time,
                "to": Schema.nullable(Schema.time),
            ])),
    ])
}

extension JSONValue {
    fileprivate init(_ episode: LimitReplay.Episode) {
        self = [
            "metric": .string(episode.metric), "direction": .string(episode.direction.rawValue),
            "severity": .string(episode.severity.rawValue), "from": JSONValue(episode.from),
            "to": JSONValue(episode.to),
        ]
    }
}
