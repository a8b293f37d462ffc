import HTTPTypes
import Hummingbird
import Logging
import Metrics
import PlantDomain
import PlantStore
import Sealing

/// How devices get their identity, and new credentials.
struct EnrollmentRoutes {
    private let environment: APIEnvironment
    private let registrations = KeyedQueue<MACAddress>()
    private let registered = Self.counter("registered")
    private let refused = Dictionary(
        uniqueKeysWithValues: EnrollmentRefusal.allCases.map { ($0, Self.counter($0.rawValue)) })

    init(_ environment: APIEnvironment) { self.environment = environment }

    private static func counter(_ outcome: String) -> Counter {
        Counter(label: "plantops_registrations_total", dimensions: [("outcome", outcome)])
    }

    var routes: [Route] {
        [
            Route(
                method: .post, path: "/devices/register", tag: "devices", access: .enrollment,
                summary: "A device asks for its identity; a known MAC address keeps its id and gets a new password",
                body: Self.registrationSchema,
                answer: .created("Credentials, shown this once", Schema.ref("Credentials")), problems: [409, 429],
                handler: register),
            Route(
                method: .post, path: "/devices/{id}/approve", tag: "devices", access: .member,
                summary: "Let a device in that waits for it, or its new credentials",
                answer: .ok("The device", Schema.ref("Device")),
                problems: [404, 409], handler: approve),
            Route(
                method: .post, path: "/devices/{id}/reject", tag: "devices", access: .member,
                summary: "Turn away what waits for approval: new credentials, or a device that is then forgotten",
                answer: .noContent, problems: [404, 409], handler: reject),
            Route(
                method: .post, path: "/devices/{id}/rotate-credentials", tag: "devices", access: .member,
                summary: "Give a device a new password; the old one, and a session under it, end at once",
                answer: .ok("Credentials, shown this once", Schema.ref("Credentials")), problems: [404, 409],
                handler: rotate),
        ]
    }

    // MARK: handlers

    @Sendable private func register(_ request: Request, _ context: PlantContext) async throws -> Response {
        var fields = try Fields(try await request.json())
        let address = fields.text("mac_address", length: 1...40)
        let firmware = fields.text("firmware_version", length: 1...64)
        let sensors = fields.texts("sensor_types", most: 32, length: 1...64)
        let name = fields.text("name", length: DeviceRoutes.nameLength)
        let interval = fields.integer("reporting_interval_seconds", range: DeviceRoutes.intervalRange)
        let token = fields.secret("enrollment_token", length: 1...200)
        let mac = fields.require("mac_address", address).flatMap { MACAddress($0) }
        if address.value != nil, mac == nil {
            fields.refuse("mac_address", "must be the address of one network interface, such as A4:CF:12:0B:33:7E")
        }
        try fields.finish()
        guard let mac else { throw Problem.invalid(fields.errors) }
        let device = Device(
            id: .make(), macAddress: mac, name: name.value ?? "Sensor \(mac.description.suffix(5))",
            firmwareVersion: firmware.value, sensorTypes: sensors.value ?? [],
            reportingIntervalSeconds: interval.value, plantID: nil, createdAt: environment.now(), lastSeenAt: nil,
            announcedOnline: nil, battery: nil, rssi: nil)
        let rule: EnrollmentRule =
            switch environment.policy.enrollment {
            case .open: .open
            case .approval: .approval
            case .token: .token(token.value.map { Accounts.hash($0) })
            }
        let offer = try await registrations.run(mac) {
            try await offerAndGrant(registering: device, rule, context)
        }
        registered.increment()
        context.logger.info(
            "device registered",
            metadata: [
                "device_id": "\(offer.device)", "known_before": "\(!offer.isNew)", "approval": "\(offer.approval)",
            ])
        return try .json(
            credentials(offer), status: .created, headers: [.location: "/api/devices/\(offer.device)"])
    }

    private func offerAndGrant(
        registering device: Device, _ rule: EnrollmentRule, _ context: PlantContext
    ) async throws -> CredentialsOffer {
        try await environment.broker.reach()
        let offered = try await environment.store.offerCredentials(
            registering: device, rule: rule, sealer: environment.sealer, from: context.origin, at: environment.now())
        switch offered {
        case .success(let offer):
            // Its old credentials hold until a member approves the new ones: nothing to tell the broker yet.
            if offer.approval == .awaitedBehindOldCredentials { return offer }
            let origin = Origin.device(
                offer.device, device.macAddress, address: context.client.counted, correlationID: context.correlationID)
            try await put(offer, into: "device.register", by: origin)
            return offer
        case .failure(let refusal):
            refused[refusal]?.increment()
            context.logger.notice(
                "registration refused",
                metadata: ["reason": "\(refusal.rawValue)", "address": "\(context.client.counted)"])
            switch refusal {
            case .tooManyWaiting:
                throw Problem(status: .tooManyRequests, detail: refusal.advice, retryAfterSeconds: 600)
            case .othersWait: throw Problem(status: .conflict, detail: refusal.advice)
            case .tokenMissing, .tokenUnknown, .tokenExpired, .tokenUsedUp, .deviceDisabled:
                throw Problem(status: .forbidden, detail: refusal.advice)
            }
        }
    }

    /// Tells the broker of new credentials and makes them the device's.
    /// - Throws: `Unavailable` when the broker does not answer: then the old ones, if any, stay.
    private func put(_ offer: CredentialsOffer, into action: String, by origin: Origin) async throws {
        do {
            try await environment.broker.grant(offer)
            let mayConnect = try await environment.store.accept(
                offer, action: action, sealer: environment.sealer, by: origin, at: environment.now())
            if let mayConnect {
                // Somebody shut it out, or let it in, while the broker was being told.
                if mayConnect != offer.mayConnect { await environment.broker.settle(offer.device) }
                return
            }
        } catch {
            // The broker may have carried it out although it did not say so.
            try await environment.store.withdraw(offer)
            await environment.broker.settle(offer.device)
            throw error
        }
        await environment.broker.settle(offer.device)
        throw Problem(
            status: .conflict, detail: "the device was deleted or registered once more meanwhile; ask again")
    }

    private func credentials(_ offer: CredentialsOffer) -> JSONValue {
        let access = environment.access
        return [
            "device_id": JSONValue(offer.device), "mqtt_username": JSONValue(offer.device),
            "mqtt_password": .string(offer.password.reveal()), "mqtt_client_id": .string(offer.clientID),
            "mqtt_host": .string(access.host),
            "mqtt_port": .integer(Int64(access.port)), "ca_certificate": JSONValue(access.caCertificate),
        ]
    }

    @Sendable private func approve(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("device")
        let found: Bool
        do {
            found = try await environment.store.approve(
                id, sealer: environment.sealer, by: context.origin, at: environment.now())
        } catch is SealedValueError {
            throw Problem(
                status: .conflict,
                detail: "its new credentials cannot be read any more (was the encryption key changed?); "
                    + "let the device register once more")
        }
        guard found else { throw Problem.notFound("device") }
        await environment.broker.settle(id)
        return try await answer(with: id)
    }

    @Sendable private func reject(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("device")
        switch try await environment.store.reject(id, by: context.origin, at: environment.now()) {
        case .done: break
        case .noSuchDevice: throw Problem.notFound("device")
        case .nothingWaits: throw Problem(status: .conflict, detail: "nothing of this device waits for approval")
        }
        await environment.broker.settle(id)
        return .noContent
    }

    @Sendable private func rotate(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("device")
        try await environment.broker.reach()
        let offer: CredentialsOffer
        switch try await environment.store.offerCredentials(to: id, sealer: environment.sealer, at: environment.now()) {
        case .offered(let offered): offer = offered
        case .noSuchDevice: throw Problem.notFound("device")
        case .othersWait:
            throw Problem(
                status: .conflict,
                detail: "new credentials of this device wait for approval; approve or reject them first")
        }
        try await put(offer, into: "device.rotate_credentials", by: context.origin)
        return try .json(credentials(offer))
    }

    private func answer(with id: EntityID) async throws -> Response {
        guard let device = try await environment.store.device(id) else { throw Problem.notFound("device") }
        return try .json(JSONValue(device, now: environment.now()))
    }

    // MARK: shapes

    private static let registrationSchema = Schema.object(
        [
            "mac_address": Schema.text(1...40), "enrollment_token": Schema.text(1...200),
            "firmware_version": Schema.text(1...64),
            "sensor_types": Schema.array(Schema.text(1...64)), "name": Schema.text(DeviceRoutes.nameLength),
            "reporting_interval_seconds": Schema.integer(
                minimum: DeviceRoutes.intervalRange.lowerBound, maximum: DeviceRoutes.intervalRange.upperBound),
        ], optional: ["enrollment_token", "firmware_version", "sensor_types", "name", "reporting_interval_seconds"])

    static let credentialsSchema = Schema.object([
        "device_id": Schema.id, "mqtt_username": Schema.text, "mqtt_password": Schema.text,
        "mqtt_client_id": Schema.text, "mqtt_host": Schema.text,
        "mqtt_port": ["type": "integer"], "ca_certificate": Schema.nullable(Schema.text),
    ])
}
