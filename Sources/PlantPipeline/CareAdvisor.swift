package import Logging
package import PlantDomain
package import PlantStore
package import Sealing
import ServiceLifecycle

/// Has care plans written, one at a time for each plant: whoever asks while one is being written gets that one. When the
/// last who waits has gone, nobody writes it any more.
///
/// As a service it ends what is under way when the program is told to stop. It has to end before those who wait for it,
/// who would otherwise wait for the model.
package actor CareAdvisor: Service {
    package enum Outcome: Sendable {
        case plan(CarePlan, isCached: Bool)
        case noSuchPlant
        /// Another process is writing it.
        case busy(retryAfterSeconds: Int)
        case shuttingDown
    }

    package enum TestOutcome: Sendable, Equatable {
        case notConfigured
        case answered(model: String, milliseconds: Int)
        /// Why not, for people.
        case failed(String)
        case shuttingDown
    }

    private struct Job {
        let id: Int
        let trigger: CareAnalysis.Trigger
        let task: Task<Void, Never>
        var waiters: [Int: CheckedContinuation<End, any Error>] = [:]
        /// It was cancelled; whoever comes now waits for its end and begins anew.
        var isEnding = false
    }

    private enum End: Sendable {
        case ended(CareAnalysis.Ended)
        case again
        case stopped
    }

    private let analysis: CareAnalysis
    private var jobs: [EntityID: Job] = [:]
    private var tests: [Int: Task<TestOutcome, any Error>] = [:]
    private var lastNumber = 0
    private var isStopped = false
    /// Whom the model failed once more, until when it is not asked for them by itself, and when it was set as it was
    /// then: another key or model may be better.
    private var resting: [EntityID: (end: Timestamp, settings: Timestamp)] = [:]

    package init(store: Store, sealer: Sealer, servers: LLMServers, client: LLMClient, logger: Logger) {
        self.init(
            store: store, sealer: sealer, servers: servers, client: client, logger: logger, seconds: LLMClient.seconds)
    }

    init(store: Store, sealer: Sealer, servers: LLMServers, client: LLMClient, logger: Logger, seconds: Int) {
        let desk = LLMDesk(store: store, sealer: sealer, servers: servers, client: client, logger: logger)
        analysis = CareAnalysis(store: store, desk: desk, seconds: seconds)
    }

    package func run() async throws {
        // Ends also when the task is cancelled.
        try? await gracefulShutdown()
        await shutDown()
    }

    /// Ends everything under way and takes nothing on any more.
    package func shutDown() async {
        isStopped = true
        for plant in jobs.keys { end(plant) }
        for test in tests.values { test.cancel() }
        for job in jobs.values { await job.task.value }
        for test in tests.values { _ = await test.result }
    }

    // MARK: Plans

    /// A plan of a plant: the newest one if nothing has changed since, or a new one.
    /// - Parameter refresh: a new one in any case, unless one is being written already.
    /// - Throws: `CancellationError` when the task is cancelled, and what the database says.
    package func analyze(_ plant: EntityID, refresh: Bool) async throws -> Outcome {
        while !isStopped {
            let end = try await join(plant, .requested(refresh: refresh))
            switch end {
            case .again: continue
            case .stopped: return .shuttingDown
            case .ended(let ended):
                switch ended.outcome {
                // It was begun by nobody's wish, and without the model.
                case _ where !ended.isAsRequested: continue
                case .notDue, .inVain: continue
                // Somebody else was content with it.
                case .plan(_, isCached: true) where refresh: continue
                case .plan(let plan, let isCached): return .plan(plan, isCached: isCached)
                case .noSuchPlant: return .noSuchPlant
                case .busy: return .busy(retryAfterSeconds: 10)
                }
            }
        }
        return .shuttingDown
    }

    /// Writes a new plan of a plant if it is time for one.
    /// - Returns: what was written.
    /// - Throws: as ``analyze(_:refresh:)``.
    @discardableResult
    package func refreshIfDue(_ plant: EntityID) async throws -> CarePlan? {
        if let rest = resting[plant] {
            let left = rest.end.seconds(since: .now())
            // No longer than it was to be: the clock may have been set back.
            if 0 < left, left <= CareAnalysis.leastAge,
                try await analysis.store.llmSettings()?.updatedAt == rest.settings
            {
                return nil
            }
            resting[plant] = nil
        }
        while !isStopped {
            switch try await join(plant, .automatic) {
            case .again: continue
            case .stopped: return nil
            case .ended(let ended):
                if case .inVain(let settings) = ended.outcome {
                    resting[plant] = (.now().adding(seconds: CareAnalysis.leastAge), settings)
                }
                guard case .plan(let plan, isCached: false) = ended.outcome else { return nil }
                return plan
            }
        }
        return nil
    }

    private func join(_ plant: EntityID, _ trigger: CareAnalysis.Trigger) async throws -> End {
        if let job = jobs[plant], job.isEnding { await job.task.value }
        let ticket = number()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // Who is cancelled later than this is known to `leave`.
                if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
                if isStopped { return continuation.resume(returning: .stopped) }
                if jobs[plant]?.isEnding == true { return continuation.resume(returning: .again) }
                if jobs[plant] == nil { begin(plant, trigger) }
                jobs[plant]?.waiters[ticket] = continuation
            }
        } onCancel: {
            Task { await self.leave(plant, ticket) }
        }
    }

    private func begin(_ plant: EntityID, _ trigger: CareAnalysis.Trigger) {
        let id = number()
        let task = Task {
            let result: Result<End, any Error>
            do {
                result = .success(.ended(try await analysis.run(plant, trigger)))
            } catch is CancellationError where isStopped {
                result = .success(.stopped)
            } catch {
                result = .failure(error)
            }
            finish(plant, id, result)
        }
        jobs[plant] = Job(id: id, trigger: trigger, task: task)
    }

    private func finish(_ plant: EntityID, _ id: Int, _ result: Result<End, any Error>) {
        guard let job = jobs[plant], job.id == id else { return }
        jobs[plant] = nil
        for waiter in job.waiters.values { waiter.resume(with: result) }
    }

    private func leave(_ plant: EntityID, _ ticket: Int) {
        guard let waiter = jobs[plant]?.waiters.removeValue(forKey: ticket) else { return }
        waiter.resume(throwing: CancellationError())
        if jobs[plant]?.waiters.isEmpty == true { end(plant) }
    }

    private func end(_ plant: EntityID) {
        jobs[plant]?.isEnding = true
        jobs[plant]?.task.cancel()
    }

    private func number() -> Int {
        lastNumber += 1
        return lastNumber
    }

    /// How many wait for a plan that is being written.
    func waiterCount(_ plant: EntityID) -> Int { jobs[plant]?.waiters.count ?? 0 }

    // MARK: The model

    /// Asks the model for a word, to find out whether it answers.
    /// - Throws: as ``analyze(_:refresh:)``.
    package func testModel() async throws -> TestOutcome {
        guard !isStopped else { return .shuttingDown }
        let analysis = analysis
        let (id, task) = (number(), Task { try await Self.test(analysis.desk, seconds: analysis.seconds) })
        tests[id] = task
        defer { tests[id] = nil }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch is CancellationError where isStopped {
            return .shuttingDown
        }
    }

    private static func test(_ desk: LLMDesk, seconds: Int) async throws -> TestOutcome {
        switch try await desk.writer() {
        case .builtIn: return .notConfigured
        case .unusable(let problem, _): return .failed(problem)
        case .model(let endpoint, let settings):
            let start = ContinuousClock.now
            let answer = try await desk.ask(.test, of: endpoint, by: settings, until: start + .seconds(seconds)) { _ in
                .success(ContinuousClock.now - start)
            }
            switch answer {
            case .problem(let problem): return .failed(problem)
            case .value(let time):
                return .answered(model: endpoint.model, milliseconds: Int(time / .milliseconds(1)))
            }
        }
    }
}
