import Hummingbird
import PlantDomain
import PlantStore

/// When a plant will be too dry.
struct ForecastRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/plants/{id}/forecast", tag: "plants", access: .viewer,
                summary: "When soil moisture falls to its minimum if nobody waters, or why that cannot be told",
                answer: .ok("The forecast, or the reason why there is none", Schema.ref("Forecast")), problems: [404],
                handler: forecast)
        ]
    }

    @Sendable private func forecast(_ request: Request, _ context: PlantContext) async throws -> Response {
        let (plant, now) = (try context.id("plant"), environment.now())
        guard let outlook = try await environment.store.dryingOutlook(of: plant, at: now) else {
            throw Problem.notFound("plant")
        }
        return try .json(JSONValue(outlook, of: plant))
    }

    static let schema: JSONValue = {
        let (number, time) = (Schema.nullable(Schema.number), Schema.nullable(Schema.time))
        return Schema.object([
            "plant_id": Schema.id, "metric": Schema.choice([Metric.soilMoisture.name]), "unit": Schema.text,
            "reaches_min_at": time, "low": time, "high": time, "value": number, "measured_at": time,
            "device_id": Schema.nullable(Schema.id), "minimum": number,
            "limit_source": Schema.nullable(Schema.choice(["threshold"])), "time_constant_days": number,
            "basis": Schema.nullable(
                Schema.object([
                    "kind": Schema.choice(DryingOutlook.Basis.Kind.allCases.map(\.rawValue)),
                    "since": Schema.time, "cycles": Schema.integer(minimum: 1, maximum: 5),
                    "residual": Schema.number, "text": Schema.text,
                ])),
            "reason": Schema.nullable(
                Schema.object([
                    "code": Schema.choice(DryingOutlook.Reason.allCases.map(\.rawValue)), "text": Schema.text,
                ])),
        ])
    }()
}

extension JSONValue {
    fileprivate init(_ outlook: DryingOutlook, of plant: EntityID) {
        self = [
            "plant_id": JSONValue(plant), "metric": .string(Metric.soilMoisture.name),
            "unit": .string(Metric.soilMoisture.unit),
            "reaches_min_at": JSONValue(outlook.prediction?.reachesMinimumAt),
            "low": JSONValue(outlook.prediction?.low), "high": JSONValue(outlook.prediction?.high),
            "value": JSONValue(outlook.value), "measured_at": JSONValue(outlook.measuredAt),
            "device_id": JSONValue(outlook.device), "minimum": JSONValue(outlook.minimum),
            "limit_source": outlook.minimum == nil ? .null : "threshold",
            "time_constant_days": JSONValue(outlook.basis.map { rounded($0.timeConstantDays) }),
            "basis": outlook.basis.map { basis in
                [
                    "kind": .string(basis.kind.rawValue), "since": JSONValue(basis.since),
                    "cycles": .integer(Int64(basis.cycles)), "residual": .number(rounded(basis.residual)),
                    "text": .string(basis.text),
                ]
            } ?? .null,
            "reason": outlook.reason.map { reason in
                ["code": .string(reason.rawValue), "text": JSONValue(outlook.reasonText)]
            } ?? .null,
        ]
    }
}

/// To a hundredth: it is no better known.
private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
