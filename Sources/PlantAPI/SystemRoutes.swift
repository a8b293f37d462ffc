import HTTPTypes
import Hummingbird
import PlantDomain
import PlantStore

/// How the installation itself is doing.
struct SystemRoutes {
    private let environment: APIEnvironment
    private let storage: StorageAnswer

    init(_ environment: APIEnvironment) {
        self.environment = environment
        storage = StorageAnswer(environment)
    }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/system/storage", tag: "system", access: .viewer,
                summary:
                    "How large the database is, how fast it grows, and how long the disk will do; at most a minute "
                    + "old",
                answer: .ok("What takes up how much", Schema.ref("Storage")), handler: storage),
            Route(
                method: .get, path: "/system/connection", tag: "system", access: .viewer,
                summary: "How devices and people reach this installation, and which days its plants have",
                answer: .ok("Nothing secret", Schema.ref("Connection")), handler: connection),
        ]
    }

    @Sendable private func connection(_ request: Request, _ context: PlantContext) async throws -> Response {
        let (access, policy) = (environment.access, environment.policy)
        let alerts = try await environment.store.alertSettings()
        return try .json(
            [
                "mqtt_host": .string(access.host), "mqtt_port": .integer(Int64(access.port)),
                "ca_certificate": JSONValue(access.caCertificate), "public_url": JSONValue(policy.publicOrigin),
                "enrollment_mode": .string(policy.enrollment.rawValue),
                "sign_in_required": .bool(policy.requiresSignIn), "time_zone": .string(alerts.timeZone),
                "broker_certificate_expires_at": JSONValue(environment.health().certificateExpiry),
                "version": .string(environment.version),
            ] as JSONValue)
    }

    static let connectionSchema = Schema.object([
        "mqtt_host": Schema.text, "mqtt_port": Schema.integer(minimum: 1, maximum: 65_535),
        // PEM; null: devices need none, the broker has a public certificate.
        "ca_certificate": Schema.nullable(Schema.text), "public_url": Schema.nullable(Schema.text),
        "enrollment_mode": Schema.choice(EnrollmentMode.allCases.map(\.rawValue)),
        "sign_in_required": Schema.boolean, "time_zone": Schema.text,
        "broker_certificate_expires_at": Schema.nullable(Schema.time), "version": Schema.text,
    ])

    @Sendable private func storage(_ request: Request, _ context: PlantContext) async throws -> Response {
        try .json(try await storage.value(at: environment.now()))
    }

    static let schema: JSONValue = {
        let bytes: JSONValue = ["type": "integer", "minimum": 0]
        let count = bytes
        return Schema.object([
            "database_bytes": bytes,
            "tables": Schema.array(
                Schema.object(["name": Schema.text, "bytes": bytes, "rows_estimate": Schema.nullable(count)])),
            "growth_bytes_per_day": Schema.nullable(["type": "integer"]),
            "growth_basis": Schema.choice(GrowthBasis.allCases.map(\.rawValue)),
            "disk": Schema.nullable(Schema.object(["path": Schema.text, "total_bytes": bytes, "free_bytes": bytes])),
            "days_until_full": Schema.nullable(["type": "integer", "minimum": 0]),
            "readings": Schema.object([
                "oldest_at": Schema.nullable(Schema.time), "newest_at": Schema.nullable(Schema.time),
                "kind": Schema.choice(["timescale", "native"]),
                "compression": Schema.nullable(Schema.object(["before_bytes": bytes, "after_bytes": bytes])),
            ]),
            "retention": Schema.object([
                "raw_days": Schema.nullable(["type": "integer", "minimum": 1]),
                "raw_from": Schema.nullable(Schema.time),
            ]),
            "taken_at": Schema.time,
        ])
    }()
}

/// What the growth was found out from.
private enum GrowthBasis: String, CaseIterable {
    /// The size of the database, noted every hour of the last week.
    case samples
    /// The readings of the last day and what a reading takes: on the first day.
    case estimate
    case unknown
}

/// Asked for once a minute at most: on a large database the sizes of some hundred files are looked up.
private actor StorageAnswer {
    private static let lifetimeSeconds = 60.0
    /// What a reading takes with its entries in two indexes, where there are too few to tell.
    private static let bytesPerReading = 250.0
    private static let fewReadings = 10_000

    private let environment: APIEnvironment
    private var last: (at: Timestamp, value: JSONValue)?
    private var underway: Task<JSONValue, any Error>?

    init(_ environment: APIEnvironment) { self.environment = environment }

    func value(at now: Timestamp) async throws -> JSONValue {
        if let last, abs(now.seconds(since: last.at)) < Self.lifetimeSeconds { return last.value }
        // Whoever comes meanwhile waits for the same answer.
        let task = underway ?? Task { [environment] in try await Self.take(environment, at: now) }
        underway = task
        defer { underway = nil }
        let value = try await task.value
        last = (now, value)
        return value
    }

    private static func take(_ environment: APIEnvironment, at now: Timestamp) async throws -> JSONValue {
        let report = try await environment.store.storageReport(at: now)
        let disk = environment.disk()
        let (growth, basis) = try await growth(environment.store, report, at: now)
        let daysLeft = growth.flatMap { growth in
            disk.flatMap { StorageForecast.daysUntilFull(freeBytes: $0.freeBytes, growthPerDay: growth) }
        }
        return [
            "database_bytes": .integer(report.databaseBytes), "tables": .array(report.tables.map { JSONValue($0) }),
            "growth_bytes_per_day": JSONValue(growth.map { Int($0.rounded()) }),
            "growth_basis": .string(basis.rawValue), "disk": disk.map { JSONValue($0) } ?? .null,
            "days_until_full": JSONValue(daysLeft.map { Int($0.rounded(.down)) }),
            "readings": [
                "oldest_at": JSONValue(report.oldestReading), "newest_at": JSONValue(report.newestReading),
                "kind": .string(report.kind.rawValue),
                "compression": report.compression.map {
                    ["before_bytes": .integer($0.before), "after_bytes": .integer($0.after)]
                } ?? .null,
            ],
            "retention": ["raw_days": JSONValue(environment.retentionDays), "raw_from": JSONValue(report.rawFrom)],
            "taken_at": JSONValue(now),
        ]
    }

    private static func growth(
        _ store: Store, _ report: StorageReport, at now: Timestamp
    ) async throws -> (Double?, GrowthBasis) {
        if let growth = StorageForecast.growthPerDay(report.samples, at: now) { return (growth, .samples) }
        guard report.newestReading != nil else { return (nil, .unknown) }
        let table = report.tables.first { $0.name == "telemetry" }
        let rows = table?.rows ?? 0
        let each = rows < fewReadings ? bytesPerReading : Double(table?.bytes ?? 0) / Double(rows)
        return (Double(try await store.readingsOfLastDay(at: now)) * each, .estimate)
    }
}

extension JSONValue {
    fileprivate init(_ table: StorageReport.Table) {
        self = [
            "name": .string(table.name), "bytes": .integer(table.bytes),
            "rows_estimate": table.rows.map { .integer($0) } ?? .null,
        ]
    }

    fileprivate init(_ disk: APIEnvironment.Disk) {
        self = [
            "path": .string(disk.path), "total_bytes": .integer(Int64(disk.totalBytes)),
            "free_bytes": .integer(Int64(disk.freeBytes)),
        ]
    }
}
