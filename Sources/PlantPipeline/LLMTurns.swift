import Synchronization

/// Lets so many at a time ask a language model; the others wait in the order in which they came.
final class LLMTurns: Sendable {
    private struct State {
        var free: Int
        var lastWaiter = 0
        var waiting: [(id: Int, resume: CheckedContinuation<Bool, Never>)] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(free: count)) }

    /// - Returns: false when the time is up or the task was cancelled. Whoever has taken a turn gives it back.
    func take(until deadline: ContinuousClock.Instant) async -> Bool {
        let id = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let timer = Task {
            guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
            self.giveUp(id)
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let taken = state.withLock { state in
                    guard state.free == 0 else {
                        state.free -= 1
                        return true
                    }
                    state.waiting.append((id, continuation))
                    return false
                }
                if taken {
                    continuation.resume(returning: true)
                } else if Task.isCancelled || ContinuousClock.now >= deadline {
                    giveUp(id)
                }
            }
        } onCancel: {
            giveUp(id)
        }
    }

    func give() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst().resume }
            state.free += 1
            return nil
        }
        next?.resume(returning: true)
    }

    private func giveUp(_ id: Int) {
        let waiter = state.withLock { state in
            state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
        }
        waiter?.resume.resume(returning: false)
    }
}
