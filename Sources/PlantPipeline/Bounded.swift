/// Waits for work that may not heed cancellation, or not at once.
enum Bounded {
    /// - Returns: nil when `deadline` has passed or the waiting task was cancelled. The work is cancelled then, and left
    ///   to end by itself.
    static func run<Result: Sendable>(
        until deadline: ContinuousClock.Instant, _ work: @escaping @Sendable () async -> Result
    ) async -> Result? {
        let first = AsyncStream<Result?>.makeStream(bufferingPolicy: .bufferingOldest(1))
        let worker = Task { first.continuation.yield(await work()) }
        let timer = Task {
            do { try await Task.sleep(until: deadline, clock: .continuous) } catch { return }
            first.continuation.yield(nil)
        }
        defer {
            worker.cancel()
            timer.cancel()
        }
        // The stream ends at once for a task that is cancelled.
        for await result in first.stream { return result }
        return nil
    }
}
