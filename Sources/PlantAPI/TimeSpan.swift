import PlantDomain

/// A span of time, as the query of a request gives it: `from` and `to`, or `hours`.
struct TimeSpan {
    /// Inclusive; nil: since ever.
    var from: Timestamp?
    /// Exclusive; nil: open.
    var to: Timestamp?

    /// Ten years: longer than any retention.
    static let longestHours = 87_660.0

    /// Reads it, saying what is wrong with it. `hours` end at `to`, or now.
    init(_ query: inout QueryParameters, now: Timestamp) {
        let hours = query.number("hours", range: 0.01...Self.longestHours)
        (from, to) = (query.time("from"), query.time("to"))
        if hours != nil, from != nil { query.refuse("hours", "give either hours or from, not both") }
        if let hours {
            let end = to ?? Self.end(now)
            (from, to) = (from ?? end.adding(seconds: -hours * 3600), end)
        }
        if let from, let to, from >= to { query.refuse("from", "must be before to") }
    }

    /// The end of a span that ends now: a reading of this very moment is inside.
    static func end(_ now: Timestamp) -> Timestamp { now.adding(seconds: 1) }

    /// For the table of routes.
    static let parameters = [
        Route.QueryParameter(
            name: "hours", schema: Schema.number(0.01...longestHours), description: "The span ending now (or at `to`)."),
        Route.QueryParameter(name: "from", schema: Schema.time, description: "Start, inclusive."),
        Route.QueryParameter(name: "to", schema: Schema.time, description: "End, exclusive."),
    ]
}
