package import Logging
import Metrics
package import PlantDomain

/// Asks language models over HTTP, by Anthropic's API and by OpenAI's. Keeps nothing between two questions and may be used
/// by many tasks at once.
///
/// Members set the address, and the key goes along. So the connection goes to the very address that was judged,
/// redirects are not followed, no proxy is used, and nothing of an answer but its status is shown or logged before it has
/// been found to be a care plan.
package struct LLMClient: Sendable {
    /// For a whole analysis, from the name of the server to the last byte of a second answer.
    static let seconds = 30
    private static let mostAnswerBytes = CareAnswer.longest
    /// For a name to be resolved while somebody waits who sets an address.
    private static let checkSeconds = 5.0

    private let userAgent: String
    private let logger: Logger
    private let resolve: OutgoingPeers.Resolver
    private let asked = LLMProvider.allCases.reduce(into: [LLMProvider: [String: Counter]]()) { counters, provider in
        for outcome in ["answered"] + LLMFailure.Kind.allCases.map(\.rawValue) {
            counters[provider, default: [:]][outcome] = Counter(
                label: "plantops_llm_requests_total",
                dimensions: [("provider", provider.rawValue), ("outcome", outcome)])
        }
    }

    /// - Parameter version: PlantOps' own, for `User-Agent`.
    package init(version: String, logger: Logger) {
        self.init(version: version, logger: logger, resolve: AddressResolver.addresses)
    }

    init(version: String, logger: Logger, resolve: @escaping OutgoingPeers.Resolver) {
        userAgent = "PlantOps/" + version
        self.logger = logger
        self.resolve = resolve
    }

    /// Whether a model could be asked there, as far as that shows without asking.
    /// - Returns: what is wrong with the address and how to mend it, to be said after "the address"; nil when nothing is,
    ///   and when the name cannot be resolved just now.
    package func check(_ address: LLMAddress) async -> String? {
        switch await peers(of: address, until: .now + .seconds(Self.checkSeconds)) {
        case .peers, .unknown: nil
        case .forbidden(let found): address.refusal(of: found).description
        }
    }

    /// Asks once. A task that is cancelled gets `.stopped` at once, and the connection is closed; what that may have cost
    /// is in it.
    /// - Parameter request: of the question, for this endpoint.
    func ask(
        _ question: LLMQuestion, _ request: LLMRequest, of endpoint: LLMEndpoint,
        until deadline: ContinuousClock.Instant
    ) async -> Result<LLMAnswer, LLMFailure> {
        let start = ContinuousClock.now
        var result = await exchange(question, request, of: endpoint, until: deadline)
        if Task.isCancelled { result = .failure(.stopped(after: result)) }
        log(result, of: endpoint, milliseconds: Int((ContinuousClock.now - start) / .milliseconds(1)))
        return result
    }

    private func exchange(
        _ question: LLMQuestion, _ request: LLMRequest, of endpoint: LLMEndpoint,
        until deadline: ContinuousClock.Instant
    ) async -> Result<LLMAnswer, LLMFailure> {
        let web = endpoint.address.endpoint(of: endpoint.provider)
        let outgoing = OutgoingRequest(
            address: web, headers: LLMRequest.headers(of: endpoint, userAgent: userAgent), body: request.body,
            mostAnswerBytes: Self.mostAnswerBytes, bodySeconds: nil)
        switch await peers(of: endpoint.address, until: deadline) {
        case .unknown(let reason): return .failure(LLMFailure(kind: .notConnected, problem: reason))
        case .forbidden(let found):
            return .failure(
                LLMFailure(kind: .address, problem: "the base address \(endpoint.address.refusal(of: found))"))
        case .peers(let peers):
            switch await OutgoingPeers.send(outgoing, to: peers, until: deadline) {
            case .notConnected(let reason): return .failure(LLMFailure(kind: .notConnected, problem: reason))
            case .broken(let reason): return .failure(LLMFailure(kind: .broken, problem: reason))
            case .late:
                return .failure(
                    LLMFailure(kind: .late, problem: "\(endpoint.server) answered nothing in \(Self.seconds) s"))
            case .answered(let answer):
                return LLMAnswerReader(endpoint: endpoint, isTest: question.schema == nil)
                    .read(answer, at: .now(), seconds: Self.seconds)
            }
        }
    }

    private func peers(of address: LLMAddress, until deadline: ContinuousClock.Instant) async -> OutgoingPeers {
        await OutgoingPeers.find(address.web.host, until: deadline, resolve: resolve, isPermitted: address.permits)
    }

    private func log(_ result: Result<LLMAnswer, LLMFailure>, of endpoint: LLMEndpoint, milliseconds: Int) {
        let outcome: String
        let usage: LLMCost?
        switch result {
        case .success(let answer): (outcome, usage) = ("answered", answer.usage)
        case .failure(let failure): (outcome, usage) = (failure.kind.rawValue, failure.usage)
        }
        asked[endpoint.provider]?[outcome]?.increment()
        var metadata: Logger.Metadata = [
            "provider": "\(endpoint.provider.rawValue)", "model": "\(endpoint.model)", "outcome": "\(outcome)",
            "host": "\(endpoint.address.web.hostAndPort)", "milliseconds": "\(milliseconds)",
        ]
        if let usage {
            metadata["input_tokens"] = "\(usage.input)"
            metadata["output_tokens"] = "\(usage.output)"
        }
        logger.info("a language model was asked", metadata: metadata)
    }
}
