package import PlantDomain
import Postgres
package import Sealing

/// The language model with what is needed to ask it.
package struct LLMTarget: Sendable {
    package let settings: LLMSettings
    /// nil: it is asked without one.
    package let key: Secret?

    package init(settings: LLMSettings, key: Secret?) {
        self.settings = settings
        self.key = key
    }
}

package enum UpdateLLMSettingsOutcome: Sendable {
    case updated(LLMSettings)
    /// The first time, a provider has to be named.
    case noProvider
    /// The key that is stored was given for another server or path, and goes nowhere else.
    case keyIsForAnotherServer
}

extension Store {
    private static let keyColumn = (table: "llm_settings", column: "api_key")
    private static let llmSubject = AuditEntry.Subject("settings", nil, "llm")

    /// - Returns: nil when none are set.
    package func llmSettings() async throws -> LLMSettings? {
        try await pool.run { connection in
            try Self.llmRow(connection).flatMap { try Self.llmSettings($0) }
        }
    }

    /// - Returns: nil when none are set.
    /// - Throws: `SealedValueError` when the key cannot be opened with the keys at hand.
    package func llmTarget(sealer: Sealer) async throws -> LLMTarget? {
        try await pool.run { connection in
            guard let row = try Self.llmRow(connection), let settings = try Self.llmSettings(row) else { return nil }
            let id = try row.id("id")
            return LLMTarget(
                settings: settings,
                key: try row.optionalBytes("api_key").map { try sealer.open($0, for: Self.place(Self.keyColumn, id)) })
        }
    }

    /// Changes the settings under a lock, so that two people's changes to different fields both count.
    /// - Parameters:
    ///   - provider: another one; nil leaves it.
    ///   - key: `.unchanged` keeps it, as long as it goes where it was given for.
    ///   - servers: where a provider is when no address is set.
    ///   - change: of everything but provider and key.
    package func updateLLMSettings(
        provider: LLMProvider?, key: Change<Secret>, servers: LLMServers, sealer: Sealer, by origin: Origin,
        at now: Timestamp, _ change: @Sendable (inout LLMSettings) throws -> Void
    ) async throws -> UpdateLLMSettingsOutcome {
        try await pool.transaction { connection in
            // One at a time, also while there is no row to lock. Not by a lock of the table taken then: who has it waits
            // for the row of who came a moment later, and who came later for the table.
            try connection.query("SELECT 1 AS one FROM pg_advisory_xact_lock(hashtextextended('llm_settings', 0))")
            // Against whoever replaces the encryption key.
            let row = try Self.llmRow(connection, "FOR UPDATE")
            let before = try row.flatMap { try Self.llmSettings($0) }
            guard let chosen = provider ?? before?.provider else { return .noProvider }
            var settings = before ?? LLMSettings(provider: chosen, updatedAt: now)
            settings.provider = chosen
            try change(&settings)
            settings.updatedAt = now
            switch key {
            case .unchanged:
                if try row?.optionalBytes("api_key") != nil {
                    guard before != nil, settings.keyPlace == servers.place(of: settings) else {
                        return .keyIsForAnotherServer
                    }
                }
            case .cleared: (settings.keyHint, settings.keyPlace) = (nil, nil)
            case .set(let key):
                settings.keyHint = LLMSettings.hint(ofKey: key.reveal())
                settings.keyPlace = servers.place(of: settings)
            }
            // Another server, model or key owes nothing to the failures of the one before.
            if let before, isAskedAnew(before, settings) || key.isChange {
                (settings.lastError, settings.notBefore) = (nil, nil)
            }
            let id = try row?.id("id") ?? .make(at: now)
            try connection.query(
                """
                INSERT INTO llm_settings (id, provider, model, base_url, api_key_hint, monthly_token_budget, automatic,
                    last_error, last_error_at, not_before, updated_at, api_key_place)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, model = excluded.model,
                    base_url = excluded.base_url, api_key_hint = excluded.api_key_hint,
                    monthly_token_budget = excluded.monthly_token_budget, automatic = excluded.automatic,
                    last_error = excluded.last_error, last_error_at = excluded.last_error_at,
                    not_before = excluded.not_before, updated_at = excluded.updated_at,
                    api_key_place = excluded.api_key_place
                """,
                [
                    .id(id), .text(settings.provider.rawValue), .text(settings.model), .text(settings.baseURL),
                    .text(settings.keyHint), .int(settings.monthlyTokenBudget), .bool(settings.automatic),
                    .text(settings.lastError?.text), time(settings.lastError?.at), time(settings.notBefore), .time(now),
                    .text(settings.keyPlace),
                ])
            switch key {
            case .unchanged: break
            case .cleared: try connection.query("UPDATE llm_settings SET api_key = NULL WHERE id = $1", [.id(id)])
            case .set(let key):
                try connection.query(
                    "UPDATE llm_settings SET api_key = $2 WHERE id = $1",
                    [.id(id), .bytes(try sealer.seal(key, for: Self.place(Self.keyColumn, id)))])
            }
            try Self.record(
                "llm.update", Self.llmSubject, by: origin, at: now, details: changes(from: before, to: settings, key),
                on: connection)
            return .updated(settings)
        }
    }

    /// Everything that is set, the key with it. What was spent and the plans that were written stay.
    /// - Returns: false when nothing was set.
    package func deleteLLMSettings(by origin: Origin, at now: Timestamp) async throws -> Bool {
        try await pool.transaction { connection in
            guard try connection.query("DELETE FROM llm_settings").affected > 0 else { return false }
            try Self.record("llm.delete", Self.llmSubject, by: origin, at: now, on: connection)
            return true
        }
    }

    /// No rest is longer, in seconds. One that seems to be was noted before the clock was set back.
    private static let longestRestSeconds = 3600.0

    /// Notes how an asking ended, unless something else was set meanwhile.
    /// - Parameters:
    ///   - error: for people; nil: it succeeded.
    ///   - notBefore: when it may be asked automatically again, within an hour; nil: at any time. An earlier failure may
    ///     have made it later.
    ///   - settings: those that it was asked by.
    package func noteLLM(
        error: String?, notBefore: Timestamp?, of settings: LLMSettings, at now: Timestamp
    ) async throws {
        try await pool.run { connection in
            _ = try connection.query(
                """
                UPDATE llm_settings SET last_error = $1, last_error_at = $2, not_before = CASE WHEN $1 IS NOT NULL
                    THEN GREATEST($3, CASE WHEN not_before <= $4 THEN not_before END) END
                WHERE updated_at = $5
                """,
                [
                    .text(error), time(error == nil ? nil : now), time(notBefore),
                    .time(now.adding(seconds: Self.longestRestSeconds)), .time(settings.updatedAt),
                ])
        }
    }

    // MARK: rows

    private static func llmRow(_ connection: PostgresConnection, _ lock: String = "") throws -> PostgresRow? {
        try connection.query("SELECT * FROM llm_settings \(lock)").first
    }

    /// - Returns: nil for a provider that only a newer version knows: its key is for nobody else.
    private static func llmSettings(_ row: PostgresRow) throws -> LLMSettings? {
        guard let provider = LLMProvider(rawValue: try row.text("provider")) else { return nil }
        var settings = LLMSettings(
            provider: provider,
            model: try row.optionalText("model"), baseURL: try row.optionalText("base_url"),
            keyHint: try row.optionalText("api_key_hint"),
            monthlyTokenBudget: try row.optionalInt("monthly_token_budget").map { Int($0) },
            automatic: try row.bool("automatic"), notBefore: try row.optionalTime("not_before"),
            updatedAt: try row.time("updated_at"))
        settings.keyPlace = try row.optionalText("api_key_place")
        if let text = try row.optionalText("last_error"), let at = try row.optionalTime("last_error_at") {
            settings.lastError = LLMSettings.LastError(at: at, text: text)
        }
        return settings
    }
}

private func time(_ time: Timestamp?) -> PostgresValue { time.map { .time($0) } ?? .null(.timestamp) }

extension Change {
    fileprivate var isChange: Bool { if case .unchanged = self { false } else { true } }
}

private func isAskedAnew(_ before: LLMSettings, _ after: LLMSettings) -> Bool {
    before.provider != after.provider || before.baseURL != after.baseURL || before.model != after.model
}

/// What was changed, as the audit log tells it; of a key nothing but that it was.
private func changes(from before: LLMSettings?, to after: LLMSettings, _ key: Change<Secret>) -> [String: String] {
    var changes: [String: String] = [:]
    if before?.provider != after.provider { changes["provider"] = after.provider.rawValue }
    if before?.model != after.model { changes["model"] = after.model ?? "" }
    if before?.baseURL != after.baseURL { changes["base_url"] = after.baseURL ?? "" }
    switch key {
    case .unchanged: break
    case .cleared: changes["api_key"] = ""
    case .set: changes["api_key"] = "given"
    }
    if before == nil || before?.monthlyTokenBudget != after.monthlyTokenBudget {
        changes["monthly_token_budget"] = after.monthlyTokenBudget.map { "\($0)" } ?? ""
    }
    if before?.automatic != after.automatic { changes["automatic"] = "\(after.automatic)" }
    return changes
}
