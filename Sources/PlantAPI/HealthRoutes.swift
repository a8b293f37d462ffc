import HTTPTypes
import Hummingbird
import PlantDomain

/// Whether the program lives, can work, and how it is.
struct HealthRoutes {
    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/health", tag: "system", access: .everyone,
                summary: "How the program and its parts are; 200 always",
                answer: .ok("How it is", Schema.ref("Health")), handler: health),
            Route(
                method: .get, path: "/ready", tag: "system", access: .everyone,
                summary:
                    "Whether a message could be taken in and stored now (200), or not (503); not when it is about to end",
                answer: .ok("Ready", Self.readySchema), handler: ready),
            Route(
                method: .get, path: "/live", tag: "system", access: .everyone, summary: "Whether the process runs",
                answer: .ok("It runs", Schema.object(["live": Schema.boolean]))
            ) { _, _ in try .json(["live": true] as JSONValue) },
        ]
    }

    private static let readySchema = Schema.object(
        [
            "ready": Schema.boolean, "stopping": Schema.boolean,
            "checks": Schema.object(["database": Schema.boolean, "mqtt": Schema.boolean]),
        ], optional: ["stopping"])

    static let schema: JSONValue = {
        let part = Schema.object(
            ["status": Schema.choice(["connected", "disconnected"]), "message": Schema.text], optional: ["message"])
        return Schema.object([
            "status": Schema.choice(["healthy", "degraded", "unhealthy"]), "timestamp": Schema.time,
            "version": Schema.text, "uptime_seconds": Schema.number, "memory_bytes": ["type": "integer"],
            "components": Schema.object([
                "database": part, "mqtt": part,
                "ingest": Schema.object([
                    "last_commit_at": Schema.nullable(Schema.time), "lag_seconds": Schema.number,
                ]),
                "certificate": Schema.object(
                    ["days_left": Schema.nullable(["type": "integer"]), "message": Schema.text], optional: ["message"]),
            ]),
        ])
    }()

    /// Days before its end from which a certificate is spoken of.
    private static let certificateWarningDays = 30

    @Sendable private func health(_ request: Request, _ context: PlantContext) async throws -> Response {
        let report = environment.health()
        // Without the database nothing works; without the broker everything but new readings does.
        let status =
            report.databaseConnected ? (report.mqttConnected ? "healthy" : "degraded") : "unhealthy"
        let isKnown = await isSignedIn(request, report)
        func part(_ connected: Bool, _ message: String) -> JSONValue {
            var part: [String: JSONValue] = ["status": connected ? "connected" : "disconnected"]
            if isKnown { part["message"] = .string(message) }
            return .object(part)
        }
        let trouble = report.problem ?? "it does not answer"
        let days = report.certificateExpiry.map { Int(($0.seconds(since: environment.now()) / 86_400).rounded(.down)) }
        var certificate: [String: JSONValue] = ["days_left": JSONValue(days)]
        if isKnown, let days, days <= Self.certificateWarningDays {
            certificate["message"] = .string(
                days < 0
                    ? "the broker's certificate has expired: no device can connect; renew it (make renew-certs)"
                    : "the broker's certificate expires in \(days) days; renew it (make renew-certs)")
        }
        return try .json(
            [
                "status": .string(status), "timestamp": JSONValue(environment.now()),
                "version": .string(environment.version), "uptime_seconds": .number(report.uptimeSeconds.rounded()),
                "memory_bytes": .integer(Int64(report.memoryBytes)),
                "components": [
                    "database": part(
                        report.databaseConnected, report.databaseConnected ? "readings are being stored" : trouble),
                    "mqtt": part(
                        report.mqttConnected, report.mqttConnected ? "readings are being taken in" : trouble),
                    "ingest": [
                        "last_commit_at": JSONValue(report.lastCommitAt), "lag_seconds": .number(report.lagSeconds),
                    ],
                    "certificate": .object(certificate),
                ],
            ] as JSONValue)
    }

    /// Health is told even when the database is away; then nobody can be recognized.
    private func isSignedIn(_ request: Request, _ report: HealthReport) async -> Bool {
        guard report.databaseConnected else { return false }
        return (try? await Gatekeeper(environment).principal(of: request)) != nil
    }

    @Sendable private func ready(_ request: Request, _ context: PlantContext) throws -> Response {
        let report = environment.health()
        var answer: [String: JSONValue] = [
            "ready": .bool(report.isReady),
            "checks": ["database": .bool(report.databaseConnected), "mqtt": .bool(report.mqttConnected)],
        ]
        // Then the checks say nothing: what they look at ends.
        if report.isStopping { answer["stopping"] = true }
        return try .json(
            .object(answer) as JSONValue, status: report.isReady ? .ok : .serviceUnavailable,
            headers: report.isReady ? [:] : [.retryAfter: "5"])
    }
}
