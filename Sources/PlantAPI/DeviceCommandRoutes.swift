import Foundation
import HTTPTypes
import Hummingbird
import Logging
import PlantDomain
import PlantStore

/// Telling a device to do something, and what it said of it.
struct DeviceCommandRoutes {
    private static let intervalRange = 1...86_400
    /// A device's memory is small.
    private static let argsLimit = 4096

    private let environment: APIEnvironment

    init(_ environment: APIEnvironment) { self.environment = environment }

    var routes: [Route] {
        [
            Route(
                method: .post, path: "/devices/{id}/commands", tag: "devices", access: .member,
                summary: "Send a device a command; its result comes when the device answers",
                body: Schema.object(
                    ["command": ["type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"], "args": Schema.anyObject],
                    optional: ["args"]),
                answer: Route.Answer(
                    status: 202, description: "The broker has it; `pending`: it may have it",
                    schema: Schema.ref("DeviceCommand")),
                problems: [404, 409], handler: send),
            Route(
                method: .get, path: "/devices/{id}/commands", tag: "devices", access: .viewer,
                summary: "What a device was told, newest first", query: Route.QueryParameter.page,
                answer: .ok("A page of commands", Schema.page("commands", of: "DeviceCommand")), problems: [404],
                handler: list),
        ]
    }

    @Sendable private func send(_ request: Request, _ context: PlantContext) async throws -> Response {
        let device = try context.id("device")
        var fields = try Fields(try await request.json())
        let name = fields.require("command", fields.text("command", length: 1...64))
        if let name, !DeviceCommand.isName(name) {
            fields.refuse("command", "must be lower-case letters, digits and _, such as set_interval")
        }
        let args = try fields.json("args", most: Self.argsLimit)
        if name == "set_interval" {
            _ = fields.nested("args") { $0.require("seconds", $0.integer("seconds", range: Self.intervalRange)) }
            if args.value == nil { fields.refuse("args", "must say the seconds: {\"seconds\": 300}") }
        }
        try fields.finish()
        guard let name else { throw Problem.invalid(fields.errors) }
        let now = environment.now()
        var command = DeviceCommand(
            id: .make(at: now), deviceID: device, command: name, args: args.value ?? "{}", createdAt: now)
        switch try await environment.store.createCommand(command) {
        case .made: break
        case .noSuchDevice: throw Problem.notFound("device")
        case .shutOut:
            throw Problem(status: .conflict, detail: "this device is disabled, or waits for approval: it hears nothing")
        }
        do {
            try await environment.broker.send(command)
            command.sentAt = environment.now()
        } catch let error as Unavailable where error.mayHaveHappened {
            // It stays `pending`: the broker may deliver it yet, and whoever sends it once more may water twice.
            context.logger.warning("a command may have been sent", metadata: ["reason": "\(error)"])
        } catch {
            try await environment.store.withdrawCommand(command.id)
            throw error
        }
        try await environment.store.commandLeft(command, by: context.origin, at: environment.now())
        return try .json(JSONValue(command, now: now, withArgs: true), status: .accepted)
    }

    @Sendable private func list(_ request: Request, _ context: PlantContext) async throws -> Response {
        let device = try context.id("device")
        var query = QueryParameters(request)
        let (limit, offset) = query.page()
        try query.finish()
        guard let page = try await environment.store.commands(of: device, limit: limit, offset: offset) else {
            throw Problem.notFound("device")
        }
        let now = environment.now()
        // They may hold a password, say of a Wi-Fi: nothing for those who only read.
        let mayChange = try context.signedIn().role >= .member
        return try .page("commands", page) { JSONValue($0, now: now, withArgs: mayChange) }
    }

    static let schema = Schema.object([
        "id": Schema.id, "device_id": Schema.id, "command": Schema.text,
        "args": Schema.nullable(Schema.anyObject),
        "status": Schema.choice(DeviceCommand.Status.allCases.map(\.rawValue)), "created_at": Schema.time,
        "sent_at": Schema.nullable(Schema.time), "result_at": Schema.nullable(Schema.time),
        "detail": Schema.nullable(Schema.text),
    ])
}

extension JSONValue {
    fileprivate init(_ command: DeviceCommand, now: Timestamp, withArgs: Bool) {
        let args = withArgs ? try? JSONDecoder().decode(JSONValue.self, from: Data(command.args.utf8)) : nil
        self = [
            "id": JSONValue(command.id), "device_id": JSONValue(command.deviceID), "command": .string(command.command),
            "args": args ?? .null,
            "status": .string(command.status(now: now).rawValue), "created_at": JSONValue(command.createdAt),
            "sent_at": JSONValue(command.sentAt), "result_at": JSONValue(command.resultAt),
            "detail": JSONValue(command.detail),
        ]
    }
}
