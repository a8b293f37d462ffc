import Hummingbird
import PlantDomain
import PlantStore

/// How a plant is, in plain words.
struct HealthCheckRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .post, path: "/plants/{id}/health-check", tag: "plants", access: .viewer,
                summary: "How a plant is, in plain words: what is wrong, and where its values are going",
                answer: .ok("What was found", Schema.ref("HealthCheck")), problems: [404], handler: check)
        ]
    }

    /// There is nothing to say in the body; one that is sent is not read.
    @Sendable private func check(_ request: Request, _ context: PlantContext) async throws -> Response {
        let now = environment.now()
        guard let subject = try await environment.store.healthSubject(of: try context.id("plant"), at: now) else {
            throw Problem.notFound("plant")
        }
        return try .json(JSONValue(HealthCheck(subject, at: now), of: subject.plant.id))
    }

    static let schema: JSONValue = {
        let number = Schema.nullable(Schema.number)
        let text = Schema.nullable(Schema.text)
        return Schema.object([
            "plant_id": Schema.id, "status": Schema.choice(PlantStatus.allCases.map(\.rawValue)),
            "summary": Schema.text, "checked_at": Schema.time,
            "issues": Schema.array(
                Schema.object([
                    "kind": Schema.choice(HealthIssue.Kind.allCases.map(\.rawValue)), "metric": text,
                    "severity": Schema.choice(HealthIssue.Severity.allCases.map(\.rawValue)), "text": Schema.text,
                    "value": number, "unit": text, "limit": number, "since": Schema.nullable(Schema.time),
                ])),
            "trends": Schema.array(
                Schema.object([
                    "metric": Schema.text, "unit": text, "now": number, "mean": Schema.number, "min": Schema.number,
                    "max": Schema.number, "change": number, "change_hours": number,
                    "direction": Schema.choice(HealthTrend.Direction.allCases.map(\.rawValue)), "text": Schema.text,
                ])),
        ])
    }()
}

extension JSONValue {
    fileprivate init(_ check: HealthCheck, of plant: EntityID) {
        self = [
            "plant_id": JSONValue(plant), "status": .string(check.status.rawValue), "summary": .string(check.summary),
            "issues": .array(check.issues.map { JSONValue($0) }), "trends": .array(check.trends.map { JSONValue($0) }),
            "checked_at": JSONValue(check.checkedAt),
        ]
    }

    private init(_ issue: HealthIssue) {
        self = [
            "kind": .string(issue.kind.rawValue), "metric": JSONValue(issue.metric),
            "severity": .string(issue.severity.rawValue), "text": .string(issue.text),
            "value": JSONValue(issue.value.map(rounded)), "unit": JSONValue(issue.unit),
            "limit": JSONValue(issue.limit), "since": JSONValue(issue.since),
        ]
    }

    private init(_ trend: HealthTrend) {
        self = [
            "metric": .string(trend.metric), "unit": JSONValue(trend.unit), "now": JSONValue(trend.now),
            "mean": .number(rounded(trend.mean)), "min": .number(trend.min), "max": .number(trend.max),
            "change": JSONValue(trend.change.map(rounded)), "change_hours": JSONValue(trend.changeHours.map(rounded)),
            "direction": .string(trend.direction.rawValue), "text": .string(trend.text),
        ]
    }
}

/// To three digits after the point: means and slopes are no finer.
private func rounded(_ value: Double) -> Double {
    abs(value) < 1e12 ? (value * 1000).rounded() / 1000 + 0 : value
}
