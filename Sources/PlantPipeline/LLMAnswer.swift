import Foundation
import PlantDomain

/// What an asking has cost, as the provider counts.
package struct LLMCost: Sendable, Equatable {
    package let input: Int
    package let output: Int
}

/// What a model has answered.
struct LLMAnswer: Sendable, Equatable {
    /// Untrusted.
    let text: String
    /// nil when the server does not tell.
    let usage: LLMCost?
}

/// Why there is no answer.
struct LLMFailure: Error, Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable {
        /// What came is no answer to the question; another may be.
        case wrongAnswer = "wrong_answer"
        /// The server did not take the question: that is how one says that it does not know the format of the answer.
        case refused
        /// The server did not take the question for another reason.
        case other
        /// The key is wrong or missing.
        case key
        /// There is no such model, or nothing at that address.
        case model
        /// The server wants to be left alone.
        case wait
        /// The server is not well.
        case trouble
        case late
        case notConnected = "not_connected"
        /// The connection broke before an answer.
        case broken
        /// The address may not be asked.
        case address
        /// The model does not want to.
        case declined
        /// Whoever asked has gone.
        case stopped
    }

    let kind: Kind
    /// For people, to stand after "the built-in plan: ". Contains nothing of the answer but its status.
    let problem: String
    var retryAfterSeconds: Double?
    /// nil when the server does not tell.
    var usage: LLMCost?
    /// Of the answer's text, as far as it came.
    var textBytes = 0
    /// Of one that was stopped.
    var reachWhenStopped = Reach.unsent

    /// How far the question came, and so what it can have cost.
    enum Reach: Sendable {
        /// Nobody saw it.
        case unsent
        /// The server did not take it, which nobody bills.
        case turnedDown
        case sent
    }

    var reach: Reach {
        switch kind {
        case .notConnected, .address: .unsent
        case .refused, .other, .key, .model, .wait, .trouble: .turnedDown
        case .wrongAnswer, .late, .broken, .declined: .sent
        case .stopped: reachWhenStopped
        }
    }

    /// The same when whoever asked has gone meanwhile.
    static func stopped(after result: Result<LLMAnswer, LLMFailure>) -> LLMFailure {
        var failure = LLMFailure(kind: .stopped, problem: "asking was stopped")
        switch result {
        case .success(let answer):
            failure.usage = answer.usage
            failure.textBytes = answer.text.utf8.count
            failure.reachWhenStopped = .sent
        case .failure(let found):
            failure.usage = found.usage
            failure.textBytes = found.textBytes
            failure.reachWhenStopped = found.reach
        }
        return failure
    }
}

/// Reads the two providers' answers. Whatever else they contain is passed over; what is needed and missing is said.
struct LLMAnswerReader {
    private typealias Object = [String: Any]

    let endpoint: LLMEndpoint
    let isTest: Bool

    private var server: String { endpoint.server }

    func read(_ answer: ServerAnswer, at now: Timestamp, seconds: Int) -> Result<LLMAnswer, LLMFailure> {
        guard 200..<300 ~= answer.status else { return .failure(failure(answer, at: now)) }
        switch answer.ending {
        case .late:
            return .failure(LLMFailure(kind: .late, problem: "\(server) did not finish its answer in \(seconds) s"))
        case .cutOff: return wrong("\(server) broke its answer off", nil)
        case .tooLong: return wrong("the answer of \(server) was longer than 256 KiB", nil)
        case .whole: break
        }
        guard let object = (try? JSONSerialization.jsonObject(with: Data(answer.body))) as? Object else {
            return wrong("what \(server) answered was not JSON; does the base address lead to its API?", nil)
        }
        switch endpoint.provider {
        case .anthropic: return anthropic(object)
        case .openai: return openai(object)
        }
    }

    // MARK: Good answers

    private func anthropic(_ object: Object) -> Result<LLMAnswer, LLMFailure> {
        let usage = usage(object, "input_tokens", "output_tokens")
        guard let blocks = object["content"] as? [Any] else {
            return wrong("\(server) answered in another form than Anthropic's; is it the right provider?", usage)
        }
        let known = blocks.compactMap { $0 as? Object }
        var said = known.compactMap { $0["type"] as? String == "text" ? $0["text"] as? String : nil }.joined()
        if let input = known.first(where: { $0["type"] as? String == "tool_use" })?["input"] as? Object,
            let data = try? JSONSerialization.data(withJSONObject: input)
        {
            said = String(decoding: data, as: UTF8.self)
        }
        if let ended = ended(object["stop_reason"] as? String, said, usage) { return .failure(ended) }
        return text(said, usage)
    }

    private func openai(_ object: Object) -> Result<LLMAnswer, LLMFailure> {
        let usage = usage(object, "prompt_tokens", "completion_tokens")
        guard let choice = (object["choices"] as? [Any])?.first as? Object, let message = choice["message"] as? Object
        else {
            return wrong("\(server) answered in another form than OpenAI's; is it the right provider?", usage)
        }
        let parts = (message["content"] as? [Any])?.compactMap { ($0 as? Object)?["text"] as? String }
        let said = parts?.joined() ?? message["content"] as? String ?? ""
        if let ended = ended(choice["finish_reason"] as? String, said, usage) { return .failure(ended) }
        if !isTest, let refusal = message["refusal"] as? String, !refusal.isEmpty { return .failure(declined(usage)) }
        return text(said, usage)
    }

    private func text(_ text: String, _ usage: LLMCost?) -> Result<LLMAnswer, LLMFailure> {
        if text.isEmpty, !isTest { return wrong("the answer of \(server) was empty", usage) }
        return .success(LLMAnswer(text: text, usage: usage))
    }

    /// Why the model stopped, if it did not come to its end.
    private func ended(_ reason: String?, _ text: String, _ usage: LLMCost?) -> LLMFailure? {
        if isTest { return nil }
        switch reason {
        case "max_tokens", "length", "model_context_window_exceeded":
            return LLMFailure(
                kind: .wrongAnswer, problem: "the answer of \(server) was cut off at the most tokens it may have",
                usage: usage, textBytes: text.utf8.count)
        case "refusal", "content_filter": return declined(usage)
        default: return nil
        }
    }

    private func declined(_ usage: LLMCost?) -> LLMFailure {
        LLMFailure(kind: .declined, problem: "the model at \(server) declined to answer", usage: usage)
    }

    private func wrong(_ problem: String, _ usage: LLMCost?) -> Result<LLMAnswer, LLMFailure> {
        .failure(LLMFailure(kind: .wrongAnswer, problem: problem, usage: usage))
    }

    private func usage(_ object: Object, _ input: String, _ output: String) -> LLMCost? {
        guard let usage = object["usage"] as? Object else { return nil }
        // No question costs a hundred million; a server that says so must not use the budget of years up.
        let possible = 0...100_000_000
        guard let input = usage[input] as? Int, let output = usage[output] as? Int, possible ~= input,
            possible ~= output
        else { return nil }
        // Anthropic counts what it has cached apart.
        let cached = ["cache_creation_input_tokens", "cache_read_input_tokens"].compactMap { usage[$0] as? Int }
            .filter { possible ~= $0 }
        return LLMCost(input: input + cached.reduce(0, +), output: output)
    }

    // MARK: Bad ones

    private func failure(_ answer: ServerAnswer, at now: Timestamp) -> LLMFailure {
        let status = answer.status
        let wait = answer.retryAfter(now: now)
        switch status {
        case 300..<400:
            return LLMFailure(
                kind: .address,
                problem:
                    "\(server) points elsewhere (\(status)), which is not followed; set the final base address under "
                    + "settings")
        case 401, 403:
            return LLMFailure(
                kind: .key,
                problem: endpoint.key == nil
                    ? "\(server) wants a key (\(status)); set it under settings"
                    : "\(server) refused the key (\(status)); set it again under settings")
        case 404, 405, 410:
            return LLMFailure(
                kind: .model,
                problem:
                    "\(server) does not know the model \(endpoint.shownModel) (\(status)); check model "
                    + "and base address under settings")
        case 402:
            return LLMFailure(kind: .other, problem: "the account at \(server) has no credit left (402)")
        case 429 where hasNoCredit(answer.body):
            return LLMFailure(
                kind: .wait, problem: "the account at \(server) has no credit left (429)", retryAfterSeconds: wait)
        case 429:
            let time = wait.map { " \(Int($0.rounded(.up))) s" } ?? ""
            return LLMFailure(kind: .wait, problem: "\(server) asks to wait\(time) (429)", retryAfterSeconds: wait)
        case 408, 425, 500..<600:
            return LLMFailure(
                kind: .trouble, problem: "\(server) is in trouble (\(status)); it is asked again later",
                retryAfterSeconds: wait)
        default:
            return LLMFailure(
                kind: status == 400 || status == 422 ? .refused : .other,
                problem:
                    "\(server) did not take the question (\(status)); check model and base address under settings, and "
                    + "the account's credit")
        }
    }

    /// OpenAI answers 429 for this, too, and waiting does not help.
    private func hasNoCredit(_ body: [UInt8]) -> Bool {
        let object = (try? JSONSerialization.jsonObject(with: Data(body))) as? Object
        let error = object?["error"] as? Object
        return error?["code"] as? String == "insufficient_quota" || error?["type"] as? String == "insufficient_quota"
    }
}
