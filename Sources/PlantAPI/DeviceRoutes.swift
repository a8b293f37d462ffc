import HTTPTypes
import Hummingbird
import Logging
import PlantDomain
import PlantStore

/// Sensor nodes: which there are, where they stand, what they said last.
struct DeviceRoutes {
    static let intervalRange = 1...86_400
    static let nameLength = 1...100

    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        let device = Route.Answer.ok("The device", Schema.ref("Device"))
        return [
            Route(
                method: .get, path: "/devices", tag: "devices", access: .viewer, summary: "All devices, oldest first",
                query: Route.QueryParameter.page,
                answer: .ok("A page of devices", Schema.page("devices", of: "Device")),
                handler: list),
            Route(
                method: .get, path: "/devices/{id}", tag: "devices", access: .viewer, summary: "One device",
                answer: device,
                problems: [404], handler: get),
            Route(
                method: .patch, path: "/devices/{id}", tag: "devices", access: .member, summary: "Change a device",
                body: Self.changeSchema,
                answer: device, problems: [404], handler: change),
            Route(
                method: .delete, path: "/devices/{id}", tag: "devices", access: .member,
                summary: "Remove a device and its access to the broker; its readings stay with their plants",
                answer: .noContent, problems: [404], handler: delete),
            Route(
                method: .post, path: "/devices/{id}/provision", tag: "devices", access: .member,
                summary: "Put a device into a plant",
                body: Schema.object(["plant_id": Schema.id]), answer: device, problems: [404], handler: provision),
            Route(
                method: .post, path: "/devices/{id}/unassign", tag: "devices", access: .member,
                summary: "Take a device out of its plant",
                answer: device, problems: [404], handler: unassign),
            Route(
                method: .get, path: "/devices/{id}/telemetry/latest", tag: "devices", access: .viewer,
                summary: "The newest value of everything a device measures",
                answer: .ok("The newest values", Schema.ref("LatestTelemetry")), problems: [404], handler: latest),
        ]
    }

    // MARK: handlers

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        var query = QueryParameters(request)
        let (limit, offset) = query.page()
        try query.finish()
        let page = try await environment.store.devices(limit: limit, offset: offset)
        let now = environment.now()
        return try .page("devices", page) { JSONValue($0, now: now) }
    }

    @Sendable private func get(_ request: Request, _ context: PlantContext) async throws -> Response {
        try await answer(with: try context.id("device"))
    }

    @Sendable private func change(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("device")
        var fields = try Fields(try await request.json())
        let name = fields.keep("name", fields.text("name", length: Self.nameLength))
        let interval = fields.integer("reporting_interval_seconds", range: Self.intervalRange)
        let enabled = fields.keep("enabled", fields.boolean("enabled"))
        try fields.finish()
        let now = environment.now()
        guard
            let device = try await environment.store.updateDevice(
                id, name: name, reportingIntervalSeconds: interval, isEnabled: enabled, by: context.origin, at: now)
        else { throw Problem.notFound("device") }
        if enabled.value != nil { await environment.broker.settle(id) }
        return try .json(JSONValue(device, now: now))
    }

    @Sendable private func delete(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("device")
        let deleted = try await environment.store.deleteDevice(id, by: context.origin, at: environment.now())
        guard deleted else { throw Problem.notFound("device") }
        await environment.broker.settle(id)
        context.logger.info("device removed", metadata: ["device_id": "\(id)"])
        return .noContent
    }

    @Sendable private func provision(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("device")
        var fields = try Fields(try await request.json())
        let plant = fields.require("plant_id", fields.id("plant_id"))
        try fields.finish()
        guard let plant else { throw Problem.invalid(fields.errors) }
        switch try await environment.store.assign(
            id, to: plant, by: context.origin, at: environment.now())
        {
        case .assigned: return try await answer(with: id)
        case .noSuchDevice: throw Problem.notFound("device")
        case .noSuchPlant: throw Problem.notFound("plant")
        }
    }

    @Sendable private func unassign(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("device")
        let found = try await environment.store.unassign(id, by: context.origin, at: environment.now())
        guard found else { throw Problem.notFound("device") }
        return try await answer(with: id)
    }

    @Sendable private func latest(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("device")
        guard let known = try await environment.store.latestTelemetry(of: id) else { throw Problem.notFound("device") }
        guard let latest = known else {
            throw Problem(status: .notFound, detail: "this device has not sent a reading yet")
        }
        return try .json(JSONValue(latest, device: id))
    }

    private func answer(with id: EntityID) async throws -> Response {
        guard let device = try await environment.store.device(id) else { throw Problem.notFound("device") }
        return try .json(JSONValue(device, now: environment.now()))
    }

    // MARK: shapes

    private static let changeSchema = Schema.change([
        "name": Schema.text(nameLength),
        "reporting_interval_seconds": Schema.nullable(
            Schema.integer(minimum: intervalRange.lowerBound, maximum: intervalRange.upperBound)),
        "enabled": Schema.boolean,
    ])

    static let schema = Schema.object([
        "id": Schema.id, "name": Schema.text, "mac_address": Schema.text,
        "status": Schema.choice(DeviceStatus.allCases.map(\.rawValue)), "plant_id": Schema.nullable(Schema.id),
        "firmware_version": Schema.nullable(Schema.text), "sensor_types": Schema.array(Schema.text),
        "reporting_interval_seconds": Schema.nullable(["type": "integer"]),
        "last_seen_at": Schema.nullable(Schema.time), "battery": Schema.nullable(Schema.number),
        "rssi": Schema.nullable(Schema.number), "created_at": Schema.time,
        "enabled": Schema.boolean, "approved": Schema.boolean, "needs_enrollment": Schema.boolean,
        "requested_at": Schema.nullable(Schema.time), "requested_from": Schema.nullable(Schema.text),
        "expected_interval_seconds": Schema.number, "uptime_seconds": Schema.nullable(Schema.number),
        "free_heap_bytes": Schema.nullable(Schema.number),
    ])

    /// Besides these, one number per metric under its name.
    static let latestSchema = Schema.object(
        [
            "device_id": Schema.id, "timestamp": Schema.time, "received_at": Schema.time,
            "time_source": Schema.choice(["device", "server"]), "measured_at": Schema.map(Schema.time),
        ], optional: ["device_id"])
}

extension JSONValue {
    init(_ device: Device, now: Timestamp) {
        self = [
            "id": JSONValue(device.id), "name": .string(device.name),
            "mac_address": .string(device.macAddress.description),
            "status": .string(device.status(now: now).rawValue), "plant_id": JSONValue(device.plantID),
            "firmware_version": JSONValue(device.firmwareVersion), "sensor_types": JSONValue(device.sensorTypes),
            "reporting_interval_seconds": JSONValue(device.reportingIntervalSeconds),
            "last_seen_at": JSONValue(device.lastSeenAt), "battery": JSONValue(device.battery),
            "rssi": JSONValue(device.rssi), "created_at": JSONValue(device.createdAt),
            "enabled": .bool(device.isEnabled), "approved": .bool(device.isApproved),
            "needs_enrollment": .bool(device.needsEnrollment), "requested_at": JSONValue(device.requestedAt),
            "requested_from": JSONValue(device.requestedFrom),
            "expected_interval_seconds": .number((device.expectedIntervalSeconds * 10).rounded() / 10),
            "uptime_seconds": JSONValue(device.uptimeSeconds), "free_heap_bytes": JSONValue(device.freeHeapBytes),
        ]
    }

    /// The values under their metrics' names, `measured_at` saying when each was measured.
    init(_ latest: LatestTelemetry, device: EntityID? = nil) {
        // An extra metric cannot push one of the fixed fields aside.
        var fields = latest.values.mapValues { JSONValue.number($0.value) }
        fields["timestamp"] = JSONValue(latest.time)
        fields["received_at"] = JSONValue(latest.receivedAt)
        fields["time_source"] = .string(latest.timeSource.rawValue)
        fields["measured_at"] = .object(latest.values.mapValues { JSONValue($0.time) })
        if let device { fields["device_id"] = JSONValue(device) }
        self = .object(fields)
    }
}
