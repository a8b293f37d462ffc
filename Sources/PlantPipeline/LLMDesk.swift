import Logging
import PlantDomain
import PlantStore
import Sealing

/// Puts questions to the language model that is set: within the budget, a few at a time, and with a note of how it ended.
/// Holds no connection to the database meanwhile.
struct LLMDesk: Sendable {
    let store: Store
    let sealer: Sealer
    let servers: LLMServers
    let client: LLMClient
    let logger: Logger
    /// Questions at once of this process.
    let turns = LLMTurns(4)

    /// A second question is put only if there are so many seconds left.
    private static let leastSeconds = 5.0
    /// How long nobody asks without being told to when the server does not say how long, and at most.
    private static let restSeconds = 900.0
    static let longestRestSeconds = 3600.0

    /// Why asking failed may be over by itself soon, or must be mended by somebody first; either way, the next plant's
    /// question would fail like this one and may cost as much.
    private static func rest(after failure: LLMFailure) -> Double? {
        switch failure.kind {
        case .stopped: nil
        case .wait, .trouble, .late: min(failure.retryAfterSeconds ?? restSeconds, longestRestSeconds)
        // The last two may have to do with this plant alone, which has a rest of its own.
        case .notConnected, .broken, .wrongAnswer, .declined: restSeconds
        case .refused, .other, .key, .model, .address: longestRestSeconds
        }
    }

    /// Who writes plans, as it is set.
    enum Writer: Sendable {
        case builtIn
        case model(LLMEndpoint, LLMSettings)
        /// A model is set, and cannot be asked as it is.
        case unusable(problem: String, LLMSettings)
    }

    func writer() async throws -> Writer {
        let target: LLMTarget
        do {
            guard let found = try await store.llmTarget(sealer: sealer) else { return .builtIn }
            target = found
        } catch is SealedValueError {
            guard let settings = try await store.llmSettings() else { return .builtIn }
            return .unusable(
                problem: "the key cannot be opened with ENCRYPTION_KEY; set it again under settings", settings)
        }
        let settings = target.settings
        do {
            let address = try servers.address(of: settings.provider, base: settings.baseURL)
            if target.key == nil, address.official != nil { return .builtIn }
            if target.key != nil, settings.keyPlace != servers.place(of: settings) {
                return .unusable(
                    problem: "the key was given for another server, since then the operator has set "
                        + "\(address.web.hostAndPort); set the key again under settings", settings)
            }
            return .model(
                LLMEndpoint(
                    provider: settings.provider, address: address, model: settings.chosenModel, key: target.key),
                settings)
        } catch {
            return .unusable(problem: "the base address \(error)", settings)
        }
    }

    enum Answer<Value: Sendable>: Sendable {
        case value(Value)
        /// For people.
        case problem(String)
    }

    /// Asks for something of a form, and once more if it was not of that form.
    /// - Parameters:
    ///   - settings: those that the endpoint is from, for which is noted how it ended.
    ///   - read: what is wrong with a text, to be told to the model.
    /// - Throws: `CancellationError`, and what the database says.
    func ask<Value: Sendable>(
        _ question: LLMQuestion, of endpoint: LLMEndpoint, by settings: LLMSettings,
        until deadline: ContinuousClock.Instant, read: (String) -> Result<Value, LLMReadingError>
    ) async throws -> Answer<Value> {
        guard await turns.take(until: deadline) else {
            try Task.checkCancellation()
            return .problem("too many plans are being written just now; try again in a minute")
        }
        defer { turns.give() }
        var question = question
        var before: String?
        while true {
            let failure: LLMFailure
            let complaint: String
            switch try await askOnce(question, of: endpoint, until: deadline) {
            case .overBudget(let problem): return .problem(problem)
            case .answered(let answer):
                switch read(answer.text) {
                case .success(let value):
                    await note(nil, settings)
                    return .value(value)
                case .failure(let error):
                    failure = LLMFailure(
                        kind: .wrongAnswer, problem: "the answer of \(endpoint.server) was not \(error.wanted)")
                    complaint = error.complaint
                }
            case .failed(let found):
                try Task.checkCancellation()
                failure = found
                complaint = "It was too long, broken off or not JSON."
            }
            let isFormat = failure.kind == .refused && endpoint.provider == .openai && question.schema != nil
            // A test wants to know how it is, not an answer.
            guard question.schema != nil, failure.kind == .wrongAnswer || isFormat, before == nil,
                (deadline - .now) / .seconds(1) >= Self.leastSeconds
            else {
                let problem = before == failure.problem ? failure.problem + ", twice" : failure.problem
                await note(
                    LLMFailure(kind: failure.kind, problem: problem, retryAfterSeconds: failure.retryAfterSeconds),
                    settings)
                return .problem(problem)
            }
            before = failure.problem
            if isFormat {
                question.usesFormat = false
            } else {
                // Not in the user's message, which is data.
                question.system +=
                    "\n\nAn earlier answer of yours could not be used. " + complaint
                    + "\nAnswer again, with the whole care plan in the form that is asked for and nothing else."
            }
        }
    }

    private enum Once {
        case answered(LLMAnswer)
        case failed(LLMFailure)
        case overBudget(String)
    }

    private func askOnce(
        _ question: LLMQuestion, of endpoint: LLMEndpoint, until deadline: ContinuousClock.Instant
    ) async throws -> Once {
        let request = LLMRequest(question, of: endpoint)
        let reservation = try await store.reserveTokens(
            request.estimatedInput + request.mostTokens, provider: endpoint.provider, model: endpoint.model, at: .now())
        guard let reservation else {
            let day = try await store.llmUsage(at: .now()).resetsOn.text
            return .overBudget(
                "this month's budget of tokens is used up; it begins anew on \(day), or raise it under settings")
        }
        let result = await client.ask(question, request, of: endpoint, until: deadline)
        await whateverHappens("what was asked cannot be counted") {
            guard let cost = request.cost(of: result) else { return try await store.release(reservation) }
            try await store.settle(reservation, input: cost.input, output: cost.output)
        }
        switch result {
        case .success(let answer): return .answered(answer)
        case .failure(let failure): return .failed(failure)
        }
    }

    /// - Parameter failure: nil: it succeeded.
    private func note(_ failure: LLMFailure?, _ settings: LLMSettings) async {
        let now = Timestamp.now()
        let rest = failure.flatMap { Self.rest(after: $0) }.map { now.adding(seconds: $0) }
        await whateverHappens("how asking ended cannot be noted") {
            try await store.noteLLM(error: failure?.problem, notBefore: rest, of: settings, at: now)
        }
    }

    /// Does a bit of work even when the task has been cancelled, and can do without it if it fails.
    func whateverHappens(_ complaint: Logger.Message, _ work: @escaping @Sendable () async throws -> Void) async {
        await Task {
            do {
                try await work()
            } catch {
                logger.warning(complaint, metadata: ["reason": "\(error)"])
            }
        }.value
    }
}

/// Why an answer is not what was asked for.
struct LLMReadingError: Error {
    /// `a care plan`
    let wanted: String
    /// For the model.
    let complaint: String
}
