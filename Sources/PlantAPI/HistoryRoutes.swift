import Hummingbird
import PlantDomain
import PlantStore

/// What was measured in a plant over a span of time.
struct HistoryRoutes {
    private static let usualHours = 24.0
    private static let metricsLimit = 32

    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/plants/{id}/history", tag: "plants", access: .viewer,
                summary: "What was measured in a plant, by columns; the past 24 hours unless asked otherwise",
                query: Self.parameters, answer: .ok("The history", Schema.ref("History")), problems: [404],
                handler: history)
        ]
    }

    @Sendable private func history(_ request: Request, _ context: PlantContext) async throws -> Response {
        let plant = try context.id("plant")
        var query = QueryParameters(request)
        let (from, to) = span(&query)
        let metrics = Self.metrics(&query)
        let resolution = Self.resolution(&query)
        if metrics?.contains(DerivedMetric.dli.name) == true, let resolution, resolution != .oneDay {
            query.refuse(
                "resolution", "\(DerivedMetric.dli.name) is a value of whole days: ask for 1d, or leave it out")
        }
        try query.finish()
        let question = HistoryQuery(plant: plant, from: from, to: to, metrics: metrics, resolution: resolution)
        switch try await environment.store.history(question) {
        case .history(let history): return try .json(HistoryAnswer(plant: plant, from: from, to: to, history))
        case .noSuchPlant: throw Problem.notFound("plant")
        case .tooManyPoints:
            throw Problem.invalid([
                Problem.FieldError(
                    pointer: "?resolution",
                    detail: "that is more than \(HistoryQuery.maximumPoints) points; ask for a shorter span, or coarser"
                )
            ])
        }
    }

    private func span(_ query: inout QueryParameters) -> (from: Timestamp, to: Timestamp) {
        let span = TimeSpan(&query, now: environment.now())
        let to = span.to ?? TimeSpan.end(environment.now())
        let from = span.from ?? to.adding(seconds: -Self.usualHours * 3600)
        if span.to == nil, from >= to {
            query.refuse("from", "must be before to")
        } else if to.seconds(since: from) > TimeSpan.longestHours * 3600 {
            query.refuse("from", "a history covers ten years at most")
        }
        return (from, to)
    }

    private static func metrics(_ query: inout QueryParameters) -> [String]? {
        guard let text = query["metrics"] else { return nil }
        var names: [String] = []
        for name in text.split(separator: ",").map(String.init) where !names.contains(name) {
            if let canonical = Metric.canonicalName(ofAlias: name) {
                query.refuse("metrics", "\(name) is called \(canonical) here")
            }
            names.append(name)
        }
        if names.isEmpty || names.count > metricsLimit || !names.allSatisfy({ ExtraMetric.isValidName($0) }) {
            query.refuse("metrics", "must be 1 to \(metricsLimit) names of metrics, separated by commas")
        }
        return names
    }

    private static func resolution(_ query: inout QueryParameters) -> HistoryResolution? {
        guard let text = query["resolution"], text != "auto" else { return nil }
        guard let resolution = HistoryResolution(rawValue: text) else {
            query.refuse("resolution", "must be auto, raw, 5m, 1h or 1d")
            return nil
        }
        return resolution
    }

    private static let parameters =
        TimeSpan.parameters + [
            Route.QueryParameter(
                name: "metrics", schema: Schema.text,
                description: """
                    Names separated by commas, extra and derived metrics among them; every measured metric unless given. \
                    Derived: \(DerivedMetric.allCases.map(\.name).joined(separator: ", ")).
                    """),
            Route.QueryParameter(
                name: "resolution", schema: Schema.choice(["auto"] + HistoryResolution.allCases.map(\.rawValue)),
                description: """
                    auto answers every reading while there are at most 1000, else buckets, so that there are at most 1000 \
                    points. Days are those of the instance's time zone.
                    """),
        ]

    static let schema: JSONValue = {
        let column = Schema.array(Schema.nullable(Schema.number))
        return Schema.object([
            "plant_id": Schema.id, "from": Schema.time, "to": Schema.time,
            "resolution": ["type": "string", "pattern": "^(raw|5m|1h|[1-9][0-9]*d)$"],
            "time": Schema.array(Schema.time),
            "series": Schema.map(
                Schema.object(["unit": Schema.nullable(Schema.text), "avg": column, "min": column, "max": column])),
        ])
    }()
}

/// Encoded directly rather than through `JSONValue`: it may hold a hundred thousand numbers.
private struct HistoryAnswer: Encodable {
    struct Series: Encodable {
        let unit: String?
        let avg: [Double?]
        let min: [Double?]
        let max: [Double?]

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            // null rather than absent.
            try container.encode(unit, forKey: .unit)
            try container.encode(avg, forKey: .avg)
            try container.encode(min, forKey: .min)
            try container.encode(max, forKey: .max)
        }

        enum Key: CodingKey { case unit, avg, min, max }
    }

    let plantID: String
    let from: String
    let to: String
    let resolution: String
    let time: [String]
    let series: [String: Series]

    enum CodingKeys: String, CodingKey {
        case from, to, resolution, time, series
        case plantID = "plant_id"
    }

    init(plant: EntityID, from: Timestamp, to: Timestamp, _ history: History) {
        plantID = plant.description
        self.from = from.rfc3339
        self.to = to.rfc3339
        resolution = history.resolutionName
        time = history.time.map(\.rfc3339)
        series = Dictionary(
            history.series.map { ($0.name, Series(unit: $0.unit, avg: $0.avg, min: $0.min, max: $0.max)) }
        ) { first, _ in first }
    }
}
