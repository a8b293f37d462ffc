import PlantDomain

/// What a request wants done with limits, metric by metric.
struct ThresholdsChange: Sendable {
    private static let limit = 64

    private struct ThresholdChange: Sendable {
        let min: Change<Double>
        let max: Change<Double>
    }

    private let thresholds: Change<[String: Change<ThresholdChange>]>

    /// Reads the field `thresholds`.
    init(_ fields: inout Fields) {
        thresholds = fields.nested("thresholds") { fields in
            var limits: [String: Change<ThresholdChange>] = [:]
            for name in fields.names { limits[name] = Self.threshold(name, &fields) }
            return limits
        }
    }

    /// Limits to be tried: those of the request and no others, or, when it names none, those there are.
    static func wanted(_ fields: inout Fields, else current: Thresholds) -> Thresholds {
        let change = ThresholdsChange(&fields)
        guard case .set = change.thresholds else { return current }
        var thresholds: Thresholds = [:]
        change.apply(to: &thresholds)
        check(thresholds, &fields)
        return thresholds
    }

    /// What only the whole set of limits can tell.
    static func check(_ thresholds: Thresholds, _ fields: inout Fields) {
        if thresholds.count > limit {
            fields.refuse("thresholds", "at most \(limit) metrics can have limits")
        }
        for (name, threshold) in thresholds.sorted(by: { $0.key < $1.key }) {
            if let min = threshold.min, let max = threshold.max, min >= max {
                fields.refuse(["thresholds", name, "min"], "must be below max (\(plain(max)))")
            }
        }
    }

    func apply(to current: inout Thresholds) {
        switch thresholds {
        case .unchanged: break
        case .cleared: current = [:]
        case .set(let limits): for (name, limit) in limits { Self.apply(limit, name, &current) }
        }
    }

    private static func threshold(_ name: String, _ fields: inout Fields) -> Change<ThresholdChange> {
        if let canonical = Metric.canonicalName(ofAlias: name) {
            fields.refuse(name, "is called \(canonical) here")
            return .unchanged
        }
        let metric = Metric.named(name)
        guard metric != nil || ExtraMetric.isValidName(name) else {
            fields.refuse(name, "is no metric: lower-case letters, digits and _ only")
            return .unchanged
        }
        let range = metric?.range ?? -1e12...1e12
        return fields.nested(name) { fields in
            ThresholdChange(min: fields.number("min", range: range), max: fields.number("max", range: range))
        }
    }

    private static func apply(_ limit: Change<ThresholdChange>, _ name: String, _ thresholds: inout Thresholds) {
        switch limit {
        case .unchanged: break
        case .cleared: thresholds[name] = nil
        case .set(let change):
            var threshold = thresholds[name] ?? Threshold(min: nil, max: nil)
            change.min.apply(to: &threshold.min)
            change.max.apply(to: &threshold.max)
            thresholds[name] = threshold.min == nil && threshold.max == nil ? nil : threshold
        }
    }

    static let schema: JSONValue = {
        let limit = Schema.change(["min": Schema.nullable(Schema.number), "max": Schema.nullable(Schema.number)])
        return [
            "type": "object", "propertyNames": ["pattern": "^[a-z][a-z0-9_]{0,63}$"],
            "additionalProperties": Schema.nullable(limit),
        ]
    }()
}

extension JSONValue {
    init(_ thresholds: Thresholds) {
        self = .object(thresholds.mapValues { ["min": JSONValue($0.min), "max": JSONValue($0.max)] })
    }
}
