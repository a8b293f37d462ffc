import HTTPTypes
import Hummingbird
import PlantDomain
import PlantStore

/// What to do for a plant, and what people thought of it.
struct CarePlanRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .post, path: "/plants/{id}/analyze", tag: "care", access: .member,
                summary:
                    "A care plan: the newest one if nothing it rests on has changed, else a new one, written by the "
                    + "language model that is set or by the built-in advisor. `refresh` wants a new one in any case",
                body: Self.analyzeSchema, bodyIsOptional: true,
                answer: .ok("The care plan", Self.answerSchema), problems: [404, 409],
                watchesClient: true, handler: analyze),
            Route(
                method: .get, path: "/plants/{id}/care-plan", tag: "care", access: .viewer,
                summary: "The newest care plan; 404 while there is none",
                answer: .ok("The care plan", Schema.ref("CarePlan")), problems: [404], handler: newest),
            Route(
                method: .get, path: "/plants/{id}/care-plans", tag: "care", access: .viewer,
                summary: "Care plans, newest first, without their evidence", query: Route.QueryParameter.page,
                answer: .ok("A page of care plans", Schema.page("care_plans", of: "CarePlanSummary")), problems: [404],
                handler: list),
            Route(
                method: .put, path: "/plants/{id}/care-plans/{plan_id}/feedback", tag: "care", access: .member,
                summary: "Say what became of a part of a care plan; null takes it back", body: Self.feedbackSchema,
                answer: .ok("The care plan", Schema.ref("CarePlan")), problems: [404], handler: judge),
        ]
    }

    // MARK: handlers

    @Sendable private func analyze(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("plant")
        let advisor = environment.advisor
        let outcome = try await request.whileConnected { body in
            var isRefresh = false
            if let body {
                var fields = try Fields(body)
                isRefresh = fields.boolean("refresh").value ?? false
                try fields.finish()
            }
            return try await advisor.analyze(id, isRefresh)
        }
        switch outcome {
        case .plan(let plan, let isCached):
            if !isCached {
                try await environment.store.record(
                    "plant.analyze", AuditEntry.Subject("plant", id, nil), by: context.origin, at: environment.now(),
                    details: ["care_plan": plan.id.description, "source": plan.source.rawValue])
            }
            return try .json(JSONValue(plan, more: ["cached": .bool(isCached)]))
        case .noSuchPlant: throw Problem.notFound("plant")
        case .busy(let seconds):
            throw Problem(
                status: .conflict, detail: "a care plan of this plant is being made elsewhere; ask for it in a moment",
                retryAfterSeconds: seconds)
        case .stopping: throw Problem.unavailable("the backend", retryAfterSeconds: 5)
        }
    }

    @Sendable private func newest(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("plant")
        guard let plans = try await environment.store.carePlans(of: id, limit: 1, offset: 0) else {
            throw Problem.notFound("plant")
        }
        guard let plan = plans.items.first else {
            throw Problem(
                status: .notFound, detail: "there is no care plan yet: POST /api/plants/\(id)/analyze makes one")
        }
        return try .json(JSONValue(plan))
    }

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("plant")
        var query = QueryParameters(request)
        let (limit, offset) = query.page()
        try query.finish()
        guard let plans = try await environment.store.carePlans(of: id, limit: limit, offset: offset) else {
            throw Problem.notFound("plant")
        }
        return try .page("care_plans", plans) { JSONValue($0, withEvidence: false) }
    }

    @Sendable private func judge(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("plant")
        let plan = try context.id("care plan", "plan_id")
        var fields = try Fields(try await request.json())
        let item = fields.keep("item", fields.choice("item", of: CareItem.self)).value ?? .plan
        let feedback = fields.choice("feedback", of: CareVerdict.self)
        if case .unchanged = feedback { _ = fields.require("feedback", feedback) }
        try fields.finish()
        let judged = try await environment.store.setCareFeedback(
            feedback.value, on: item, of: plan, plant: id, user: context.principal?.user?.id, by: context.origin,
            at: environment.now())
        guard let judged else { throw Problem.notFound("care plan of this plant") }
        return try .json(JSONValue(judged))
    }

    // MARK: schemas

    private static let analyzeSchema = Schema.change(["refresh": Schema.nullable(Schema.boolean)])
    private static let feedbackSchema = Schema.object(
        [
            "item": Schema.choice(CareItem.allCases.map(\.rawValue)),
            "feedback": Schema.nullable(Schema.choice(CareVerdict.allCases.map(\.rawValue))),
        ], optional: ["item"])

    private static let evidence = Schema.array(
        Schema.object([
            "id": Schema.text, "topic": Schema.choice(CareTopic.allCases.map(\.rawValue)),
            "kind": Schema.choice(CareFact.Kind.allCases.map(\.rawValue)), "metric": Schema.nullable(Schema.text),
            "value": Schema.nullable(Schema.number), "text": Schema.nullable(Schema.text),
            "unit": Schema.nullable(Schema.text), "time": Schema.nullable(Schema.time),
            "hours": Schema.nullable(Schema.number),
        ]))
    static let schema = schema(["evidence": evidence])
    static let summarySchema = schema([:])
    private static let answerSchema = schema(["evidence": evidence, "cached": Schema.boolean])

    private static func schema(_ more: [String: JSONValue]) -> JSONValue {
        let range = Schema.object(["current": Schema.text, "ideal": Schema.text, "recommendation": Schema.text])
        let day: JSONValue = ["type": "string", "format": "date"]
        let fields: [String: JSONValue] = [
            "id": Schema.id, "plant_id": Schema.id, "summary": Schema.text,
            "watering": Schema.object([
                "frequency": Schema.text, "amount": Schema.text, "next_date": Schema.nullable(day),
            ]),
            "light": range, "humidity": range, "temperature": range, "alerts": Schema.array(Schema.text),
            "tips": Schema.array(Schema.text), "generated_at": Schema.time,
            "source": Schema.choice(CareSource.allCases.map(\.rawValue)), "model": Schema.nullable(Schema.text),
            "note": Schema.nullable(Schema.text), "reason": Schema.choice(CareReason.allCases.map(\.rawValue)),
            "changes": Schema.array(Schema.text),
            "feedback": Schema.array(
                Schema.object([
                    "item": Schema.choice(CareItem.allCases.map(\.rawValue)),
                    "feedback": Schema.choice(CareVerdict.allCases.map(\.rawValue)), "at": Schema.time,
                    "by": Schema.nullable(Schema.text),
                ])),
        ]
        return Schema.object(fields.merging(more) { $1 })
    }
}

extension JSONValue {
    fileprivate init(_ plan: CarePlan, withEvidence: Bool = true, more: [String: JSONValue] = [:]) {
        let advice = plan.advice
        var fields: [String: JSONValue] = [
            "id": JSONValue(plan.id), "plant_id": JSONValue(plan.plantID), "summary": .string(advice.summary),
            "watering": [
                "frequency": .string(advice.watering.frequency), "amount": .string(advice.watering.amount),
                "next_date": JSONValue(advice.watering.nextDate?.text),
            ],
            "light": JSONValue(advice.light), "humidity": JSONValue(advice.humidity),
            "temperature": JSONValue(advice.temperature), "alerts": JSONValue(advice.alerts),
            "tips": JSONValue(advice.tips), "generated_at": JSONValue(plan.generatedAt),
            "source": .string(plan.source.rawValue), "model": JSONValue(plan.model), "note": JSONValue(plan.note),
            "reason": .string(plan.reason.rawValue), "changes": JSONValue(plan.changes),
            "feedback": .array(plan.feedback.map { JSONValue($0) }),
        ]
        if withEvidence { fields["evidence"] = .array(plan.facts.facts.map { JSONValue($0) }) }
        self = .object(fields.merging(more) { $1 })
    }

    private init(_ range: CareAdvice.Range) {
        self = [
            "current": .string(range.current), "ideal": .string(range.ideal),
            "recommendation": .string(range.recommendation),
        ]
    }

    private init(_ fact: CareFact) {
        self = [
            "id": .string(fact.id), "topic": .string(fact.topic.rawValue), "kind": .string(fact.kind.rawValue),
            "metric": JSONValue(fact.metric), "value": JSONValue(fact.value), "text": JSONValue(fact.text),
            "unit": JSONValue(fact.unit), "time": JSONValue(fact.time), "hours": JSONValue(fact.hours),
        ]
    }

    private init(_ feedback: CareFeedback) {
        self = [
            "item": .string(feedback.item.rawValue), "feedback": .string(feedback.verdict.rawValue),
            "at": JSONValue(feedback.at), "by": JSONValue(feedback.by),
        ]
    }
}
