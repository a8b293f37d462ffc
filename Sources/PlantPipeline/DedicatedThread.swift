import Foundation
import Synchronization

/// Runs blocking work on a thread of its own and lets asynchronous code wait for its end.
enum DedicatedThread {
    /// Returns when `body` has returned. When the task is cancelled it returns at once and leaves the thread to end by
    /// itself: the process is about to, and a thread that hangs in a system call must not hold it up.
    static func run(name: String, _ body: @escaping @Sendable () -> Void) async {
        let ended = AsyncStream<Void>.makeStream()
        let thread = Thread {
            body()
            ended.continuation.finish()
        }
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
        for await _ in ended.stream {}
    }
}

/// A flag that is raised once and never lowered.
final class StopFlag: Sendable {
    private let raised = Atomic(false)
    var isRaised: Bool { raised.load(ordering: .acquiring) }
    func raise() { raised.store(true, ordering: .releasing) }
}
