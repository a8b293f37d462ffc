import PlantDomain

/// JSON Schema (2020-12, as OpenAPI 3.1 uses it) in a few words.
enum Schema {
    static let boolean: JSONValue = ["type": "boolean"]
    static let number: JSONValue = ["type": "number"]
    static let id: JSONValue = ["type": "string", "format": "uuid"]
    static let time: JSONValue = ["type": "string", "format": "date-time"]
    static let text: JSONValue = ["type": "string"]
    static let anyObject: JSONValue = ["type": "object"]

    static func text(_ length: ClosedRange<Int>) -> JSONValue {
        [
            "type": "string", "minLength": .integer(Int64(length.lowerBound)),
            "maxLength": .integer(Int64(length.upperBound)),
        ]
    }

    static func choice(_ values: [String]) -> JSONValue { ["type": "string", "enum": JSONValue(values)] }

    static func integer(minimum: Int, maximum: Int, default value: Int? = nil) -> JSONValue {
        var schema: [String: JSONValue] = [
            "type": "integer", "minimum": .integer(Int64(minimum)), "maximum": .integer(Int64(maximum)),
        ]
        if let value { schema["default"] = .integer(Int64(value)) }
        return .object(schema)
    }

    static func number(_ range: ClosedRange<Double>) -> JSONValue {
        ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    }

    static func nullable(_ schema: JSONValue) -> JSONValue { ["anyOf": [schema, ["type": "null"]]] }
    static func array(_ items: JSONValue) -> JSONValue { ["type": "array", "items": items] }
    static func ref(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    /// An object whose fields are all there, but for those named optional.
    static func object(_ fields: [String: JSONValue], optional: Set<String> = []) -> JSONValue {
        [
            "type": "object", "properties": .object(fields),
            "required": JSONValue(fields.keys.filter { !optional.contains($0) }.sorted()),
        ]
    }

    /// An object of which any field may be left out, as in a change.
    static func change(_ fields: [String: JSONValue]) -> JSONValue {
        ["type": "object", "properties": .object(fields)]
    }

    static func map(_ values: JSONValue) -> JSONValue { ["type": "object", "additionalProperties": values] }

    /// `{"<name>": […], "total": n}`
    static func page(_ name: String, of item: String) -> JSONValue {
        object([name: array(ref(item)), "total": ["type": "integer", "minimum": 0]])
    }

    /// Named shapes, by their names in the document.
    static let components: [String: JSONValue] = [
        "Problem": object(
            [
                "type": text, "title": text, "status": ["type": "integer"], "detail": text, "instance": text,
                "correlation_id": text, "errors": array(object(["pointer": text, "detail": text])),
            ], optional: ["errors"]),
        "Health": HealthRoutes.schema,
        "Device": DeviceRoutes.schema,
        "Plant": PlantRoutes.schema,
        "Thresholds": ThresholdsChange.schema,
        "Position": PlantRoutes.positionSchema,
        "LatestTelemetry": DeviceRoutes.latestSchema,
        "History": HistoryRoutes.schema,
        "Reject": RejectRoutes.schema,
        "Me": AuthRoutes.schema,
        "User": UserRoutes.schema,
        "Token": TokenRoutes.schema,
        "EnrollmentToken": EnrollmentTokenRoutes.schema,
        "Credentials": EnrollmentRoutes.credentialsSchema,
        "DeviceCommand": DeviceCommandRoutes.schema,
        "AuditEntry": AuditRoutes.schema,
        "Alert": AlertRoutes.schema,
        "Channel": ChannelRoutes.schema,
        "QuietHours": ChannelRoutes.quietHoursSchema,
        "AlertSettings": AlertSettingsRoutes.schema,
        "Replay": ReplayRoutes.schema,
        "Storage": SystemRoutes.schema,
        "Species": SpeciesRoutes.schema,
        "HealthCheck": HealthCheckRoutes.schema,
        "CarePlan": CarePlanRoutes.schema,
        "CarePlanSummary": CarePlanRoutes.summarySchema,
        "LLMSettings": LLMSettingsRoutes.schema,
        "PlantEvent": PlantEventRoutes.schema,
        "Forecast": ForecastRoutes.schema,
        "Sparklines": SparklineRoutes.schema,
        "Connection": SystemRoutes.connectionSchema,
    ]
}
