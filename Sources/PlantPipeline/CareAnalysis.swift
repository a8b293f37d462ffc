import Logging
import PlantDomain
import PlantStore
import Sealing

/// Writes a plant's care plan: from its facts, by the language model if one is set, else and if that fails by the built-in
/// advisor.
struct CareAnalysis: Sendable {
    enum Trigger: Sendable, Equatable {
        /// - Parameter refresh: also if nothing has changed.
        case requested(refresh: Bool)
        /// Nobody asked: a plan is written only if one is due.
        case automatic
    }

    enum Outcome: Sendable {
        case plan(CarePlan, isCached: Bool)
        case noSuchPlant
        /// Somebody else's process is writing it.
        case busy
        /// There is no need for another plan.
        case notDue
        /// Nobody asked, the model failed once more, and the built-in plan has been there since it failed before.
        /// - Parameter settings: when those that it was asked by were set.
        case inVain(settings: Timestamp)
    }

    struct Ended: Sendable {
        let outcome: Outcome
        /// Whether whoever asks for a plan could be given this one as theirs: the model, if there is one, was not passed
        /// over.
        var isAsRequested = true
    }

    let store: Store
    let desk: LLMDesk
    /// How long asking the model may take in all.
    let seconds: Int

    /// In seconds.
    private static let claim = 60.0
    private static let week = 7 * 86_400.0
    /// Between two plans that nobody asked for.
    static let leastAge = 6 * 3600.0

    /// - Throws: `CancellationError`, and what the database says.
    func run(_ plant: EntityID, _ trigger: Trigger) async throws -> Ended {
        let deadline = ContinuousClock.now + .seconds(seconds)
        let now = Timestamp.now()
        let writer = try await desk.writer()
        guard let subject = try await store.careSubject(of: plant, at: now) else {
            return Ended(outcome: .noSuchPlant)
        }
        let facts = CareFacts(subject, at: now)
        var work = Work(
            plant: plant, trigger: trigger, writer: writer, facts: facts, feedback: subject.feedback,
            previous: try await store.newestCarePlan(of: plant), now: now, deadline: deadline)
        if let ended = done(work) { return ended }
        let owner = EntityID.make()
        guard try await store.claimCare(of: plant, by: owner, until: now.adding(seconds: Self.claim), at: now) else {
            return Ended(outcome: try await store.plant(plant) == nil ? .noSuchPlant : .busy)
        }
        let ended: Result<Ended, any Error>
        do {
            // Another process may have written one between our look and our claim.
            work.previous = try await store.newestCarePlan(of: plant)
            if let done = done(work) {
                ended = .success(done)
            } else {
                ended = .success(try await write(work))
            }
        } catch {
            ended = .failure(error)
        }
        await desk.whateverHappens("a plant's claim cannot be given back; it ends by itself") {
            try await store.releaseCare(of: plant, by: owner)
        }
        return try ended.get()
    }

    /// All that is known when it begins.
    private struct Work: Sendable {
        let plant: EntityID
        let trigger: Trigger
        let writer: LLMDesk.Writer
        let facts: CareFacts
        let feedback: [CareFeedback]
        var previous: CarePlan?
        let now: Timestamp
        let deadline: ContinuousClock.Instant

        /// The model is set but not to be asked by itself.
        var passesModelOver: Bool {
            guard trigger == .automatic else { return false }
            switch writer {
            case .builtIn: return false
            case .model(_, let settings), .unusable(_, let settings): return !settings.automatic
            }
        }

        /// Why the model, which has failed lately, is left alone for now. Whoever asks for a plan is not held up by that.
        var rest: String? {
            guard trigger == .automatic, case .model(let endpoint, let settings) = writer, settings.automatic,
                let end = settings.notBefore
            else { return nil }
            let left = end.seconds(since: now)
            // No longer than it can have been meant to be: the clock may have been set back.
            guard 0 < left, left <= LLMDesk.longestRestSeconds else { return nil }
            return settings.lastError?.text ?? "\(endpoint.server) is left alone for a while"
        }

        /// The last plan names a day for watering that is over.
        var isPast: Bool { previous?.advice.watering.nextDate.map { $0 < facts.today } ?? false }

        /// These facts where something has changed since the last plan.
        var settled: CareFacts { previous.map { facts.settled(against: $0.facts) } ?? facts }

        /// SHA-256, in hex, of what a plan is made from.
        func hash(_ facts: CareFacts) -> String {
            let who: [String] =
                switch writer {
                case _ where passesModelOver: ["builtin", "\(BuiltInAdvisor.version)"]
                case .builtIn: ["builtin", "\(BuiltInAdvisor.version)"]
                case .model(let endpoint, _):
                    [
                        endpoint.provider.rawValue, endpoint.model, endpoint.address.web.origin,
                        "\(CarePrompt.version)",
                    ]
                case .unusable(_, let settings): [settings.provider.rawValue, settings.chosenModel, "unusable"]
                }
            return Crypto.hex(Crypto.sha256(facts.canonical + Array(("\n" + who.joined(separator: "\n")).utf8)))
        }
    }

    // MARK: Whether

    /// How it ends without writing anything; nil: a plan is to be written.
    private func done(_ work: Work) -> Ended? {
        switch work.trigger {
        case .requested(let refresh):
            guard !refresh, let previous = work.previous, previous.note == nil, !work.isPast,
                abs(work.now.seconds(since: previous.generatedAt)) < Self.week,
                work.hash(work.settled) == previous.inputHash
            else { return nil }
            return Ended(outcome: .plan(previous, isCached: true))
        case .automatic:
            return reason(work) == nil ? Ended(outcome: .notDue, isAsRequested: false) : nil
        }
    }

    /// Why a plan is to be written; nil: none is due.
    private func reason(_ work: Work) -> CareReason? {
        guard work.trigger == .automatic else { return .requested }
        guard let previous = work.previous else { return .first }
        if work.passesModelOver, previous.source != .builtin { return nil }
        // Either way: a clock that was set back must not mean that there is none for weeks.
        let age = abs(work.now.seconds(since: previous.generatedAt))
        if age >= Self.week { return .weekly }
        guard age >= Self.leastAge else { return nil }
        if work.isPast { return .changed }
        // The model, which could not be asked, is asked again.
        if case .model = work.writer, !work.passesModelOver, work.rest == nil, previous.note != nil { return .changed }
        return work.settled == previous.facts ? nil : .changed
    }

    // MARK: Writing

    private func write(_ work: Work) async throws -> Ended {
        guard let reason = reason(work) else { return Ended(outcome: .notDue) }
        var problem: String?
        var advice: CareAdvice?
        var endpoint: LLMEndpoint?
        switch work.writer {
        case _ where work.passesModelOver: break
        case .builtIn: break
        case .unusable(let why, _): problem = why
        case .model where work.rest != nil: problem = work.rest
        case .model(let asked, let settings):
            switch try await ask(asked, settings, work) {
            case .value(let answer): (advice, endpoint) = (answer, asked)
            case .problem(let why): problem = why
            }
        }
        // The same plan with the same note, every few hours, tells nobody anything.
        if problem != nil, work.trigger == .automatic, let previous = work.previous, previous.note != nil,
            reason == .changed, !work.isPast, work.settled == previous.facts, case .model(_, let settings) = work.writer
        {
            return Ended(outcome: .inVain(settings: settings.updatedAt))
        }
        let said = advice ?? BuiltInAdvisor.advice(work.facts)
        let at = Timestamp.now()
        let plan = CarePlan(
            id: .make(at: at), plantID: work.plant, advice: said, source: Self.source(endpoint?.provider),
            model: endpoint?.model, note: problem.map { "the built-in plan: " + $0 }, facts: work.facts,
            changes: work.previous.map { CareChanges.between($0, work.facts, said) } ?? [], reason: reason,
            inputHash: work.hash(work.facts), generatedAt: at)
        // It has been paid for: it is kept also when nobody waits for it any more.
        let isSaved = try await Task { try await store.saveCarePlan(plan) }.value
        return Ended(
            outcome: isSaved ? .plan(plan, isCached: false) : .noSuchPlant,
            isAsRequested: !work.passesModelOver && work.rest == nil)
    }

    private func ask(
        _ endpoint: LLMEndpoint, _ settings: LLMSettings, _ work: Work
    ) async throws -> LLMDesk.Answer<CareAdvice> {
        let prompt = CarePrompt(work.facts, previous: work.previous?.advice, feedback: work.feedback)
        let question = LLMQuestion(system: prompt.system, user: prompt.user, schema: CarePrompt.schema)
        return try await desk.ask(question, of: endpoint, by: settings, until: work.deadline) { text in
            do throws(CareAnswerError) {
                return .success(try CareAnswer.read(text, today: work.facts.today))
            } catch {
                return .failure(
                    LLMReadingError(
                        wanted: "a care plan",
                        complaint: "What was wrong: " + error.problems.prefix(10).joined(separator: "; ")))
            }
        }
    }

    private static func source(_ provider: LLMProvider?) -> CareSource {
        switch provider {
        case .anthropic: .anthropic
        case .openai: .openai
        case nil: .builtin
        }
    }
}
