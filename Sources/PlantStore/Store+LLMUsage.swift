package import PlantDomain
import Postgres

/// Tokens put aside for a request, until it is known what it did cost.
package struct TokenReservation: Sendable, Equatable {
    package let id: EntityID
    package let tokens: Int
}

/// What was spent in a calendar month of the instance's zone.
package struct LLMUsage: Sendable, Equatable {
    /// `2026-11`
    package let month: String
    package var inputTokens = 0
    package var outputTokens = 0
    package var requests = 0
    /// When the next month begins, and which day that is.
    package let resetsAt: Timestamp
    package let resetsOn: LocalDayText
}

extension Store {
    /// A request takes a minute at most. What was put aside for one of which nothing was heard for so long, since the
    /// program was killed meanwhile, counts as spent: it may have been.
    private static let reservationSeconds = 300.0

    package func llmUsage(at now: Timestamp) async throws -> LLMUsage {
        try await pool.run { connection in
            var usage = try Self.month(of: now, connection)
            try Self.settleLost(at: now, connection)
            let rows = try connection.query(
                """
                SELECT COALESCE(sum(input_tokens), 0)::bigint AS input, COALESCE(sum(output_tokens), 0)::bigint AS output,
                    COALESCE(sum(requests), 0)::bigint AS requests
                FROM llm_usage WHERE month = $1::text::date
                """, [.text(usage.month + "-01")])
            usage.inputTokens = Int(try rows[0].int("input"))
            usage.outputTokens = Int(try rows[0].int("output"))
            usage.requests = Int(try rows[0].int("requests"))
            return usage
        }
    }

    /// Puts tokens of this month's budget aside. However many ask at once, what is put aside and what was spent never
    /// come to more than the budget together.
    /// - Returns: nil when they would, or nothing is set any more.
    package func reserveTokens(
        _ tokens: Int, provider: LLMProvider, model: String, at now: Timestamp
    ) async throws -> TokenReservation? {
        try await pool.transaction { connection in
            // One at a time.
            let settings = try connection.query("SELECT monthly_token_budget FROM llm_settings FOR UPDATE")
            guard let row = settings.first else { return nil }
            try Self.settleLost(at: now, connection)
            let month = try Self.month(of: now, connection).month + "-01"
            if let budget = try row.optionalInt("monthly_token_budget") {
                let spent = try connection.query(
                    """
                    SELECT ((SELECT COALESCE(sum(input_tokens + output_tokens), 0) FROM llm_usage WHERE month = m)
                        + (SELECT COALESCE(sum(tokens), 0) FROM llm_reservations WHERE month = m))::bigint AS tokens
                    FROM (SELECT $1::text::date AS m) asked
                    """, [.text(month)])[0].int("tokens")
                let (sum, overflow) = spent.addingReportingOverflow(Int64(tokens))
                guard !overflow, sum <= budget else { return nil }
            }
            let reservation = TokenReservation(id: .make(at: now), tokens: tokens)
            try connection.query(
                """
                INSERT INTO llm_reservations (id, month, provider, model, tokens, reserved_at)
                VALUES ($1, $2::text::date, $3, $4, $5, $6)
                """,
                [
                    .id(reservation.id), .text(month), .text(provider.rawValue), .text(model), .int(Int64(tokens)),
                    .time(now),
                ])
            return reservation
        }
    }

    /// Counts what a request did cost, in the month it was made in. Counting the same again changes nothing.
    package func settle(_ reservation: TokenReservation, input: Int, output: Int) async throws {
        try await pool.run { connection in
            _ = try connection.query(
                """
                WITH done AS (DELETE FROM llm_reservations WHERE id = $1 RETURNING month, provider, model)
                INSERT INTO llm_usage AS u (month, provider, model, requests, input_tokens, output_tokens)
                SELECT month, provider, model, 1, $2, $3 FROM done
                \(Self.adding)
                """, [.id(reservation.id), .int(Int64(input)), .int(Int64(output))])
        }
    }

    /// For a request that was never sent.
    package func release(_ reservation: TokenReservation) async throws {
        try await pool.run { connection in
            _ = try connection.query("DELETE FROM llm_reservations WHERE id = $1", [.id(reservation.id)])
        }
    }

    private static func settleLost(at now: Timestamp, _ connection: PostgresConnection) throws {
        try connection.query(
            """
            WITH lost AS (
                -- Those of the future were made before the clock was set back.
                DELETE FROM llm_reservations WHERE reserved_at < $1 OR reserved_at > $2
                RETURNING month, provider, model, tokens)
            INSERT INTO llm_usage AS u (month, provider, model, requests, input_tokens, output_tokens)
            SELECT month, provider, model, count(*), sum(tokens)::bigint, 0 FROM lost GROUP BY month, provider, model
            \(adding)
            """, [.time(now.adding(seconds: -reservationSeconds)), .time(now.adding(seconds: reservationSeconds))])
    }

    private static let adding = """
        ON CONFLICT (month, provider, model) DO UPDATE SET requests = u.requests + excluded.requests,
            input_tokens = u.input_tokens + excluded.input_tokens,
            output_tokens = u.output_tokens + excluded.output_tokens
        """

    /// The month of an instant, in which nothing was spent yet.
    private static func month(of time: Timestamp, _ connection: PostgresConnection) throws -> LLMUsage {
        let zone = KnownTimeZone(try alertSettings(on: connection).timeZone) ?? .utc
        var day = LocalDay.containing(time, in: zone)
        let month = String(day.description.prefix(7))
        // Its first day may be one that the zone skipped, so that days are counted rather than dates.
        while day.description.hasPrefix(month) { day = day.next }
        return LLMUsage(month: month, resetsAt: day.start, resetsOn: LocalDayText(day))
    }
}
