import Hummingbird
import PlantDomain
import PlantStore

/// Small curves for many plants at once.
struct SparklineRoutes {
    private static let usualHours = 24

    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/plants/sparklines", tag: "plants", access: .viewer,
                summary: "What one metric did of late in the same plants, in the same order, as GET /plants",
                query: [
                    Route.QueryParameter(
                        name: "metric", schema: Self.metrics,
                        description: "\(Metric.soilMoisture.name) unless given."),
                    Route.QueryParameter(
                        name: "hours",
                        schema: Schema.integer(
                            minimum: Sparklines.hours.lowerBound, maximum: Sparklines.hours.upperBound,
                            default: Self.usualHours),
                        description: "How far back. Steps are so wide that there are at most 60."),
                ] + Route.QueryParameter.page,
                answer: .ok("A page of curves", Schema.ref("Sparklines")), handler: list)
        ]
    }

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        var query = QueryParameters(request)
        let metric = Self.metric(&query)
        let hours = query.integer("hours", range: Sparklines.hours, default: Self.usualHours)
        let (limit, offset) = query.page()
        try query.finish()
        let asked = Sparklines(metric, hours: hours, now: environment.now())
        let found = try await environment.store.sparklines(asked, limit: limit, offset: offset)
        return try .json(JSONValue(found))
    }

    private static func metric(_ query: inout QueryParameters) -> Metric {
        guard let name = query["metric"] else { return .soilMoisture }
        if let metric = Metric.named(name) { return metric }
        if let canonical = Metric.canonicalName(ofAlias: name) {
            query.refuse("metric", "\(name) is called \(canonical) here")
        } else {
            query.refuse("metric", "must be one of \(Metric.allCases.map(\.name).joined(separator: ", "))")
        }
        return .soilMoisture
    }

    private static let metrics = Schema.choice(Metric.allCases.map(\.name))

    static let schema = Schema.object([
        "metric": metrics, "unit": Schema.text, "from": Schema.time, "to": Schema.time,
        "step_seconds": ["type": "integer", "minimum": 1],
        "plants": Schema.array(
            Schema.object(["id": Schema.id, "values": Schema.array(Schema.nullable(Schema.number))])),
        "total": ["type": "integer", "minimum": 0],
    ])
}

extension JSONValue {
    fileprivate init(_ found: Sparklines) {
        // No pixel shows a thousandth.
        let lines = found.lines.map { line -> JSONValue in
            [
                "id": JSONValue(line.plant),
                "values": .array(line.values.map { JSONValue($0.map { ($0 * 100).rounded() / 100 }) }),
            ]
        }
        self = [
            "metric": .string(found.metric.name), "unit": .string(found.metric.unit), "from": JSONValue(found.from),
            "to": JSONValue(found.to), "step_seconds": .integer(Int64(found.stepSeconds)), "plants": .array(lines),
            "total": .integer(Int64(found.total)),
        ]
    }
}
