import Dispatch
import PlantDomain
import Sealing
import Synchronization

/// Hashes passwords one after the other on a thread that may be busy: scrypt is slow on purpose, takes 32 MiB each
/// time, and must neither stop the program's other work nor fill a small machine's memory.
final class PasswordWorker: Sendable {
    /// Callers that may wait; more are asked to come again. Strangers leave places for those who were here before, so
    /// that a flood of guesses does not keep them out.
    private static let most = 16
    private static let mostStrangers = 8

    private let queue = DispatchQueue(label: "plantops.passwords")
    private let waiting = Mutex(0)

    func hash(_ password: Secret) async throws -> String {
        try await run(most: Self.most) { try PasswordHash.make(password) }
    }

    func verify(_ password: Secret, against hash: String, isKnown: Bool) async throws -> Bool {
        try await run(most: isKnown ? Self.most : Self.mostStrangers) { PasswordHash.verify(password, against: hash) }
    }

    private func run<T: Sendable>(most: Int, _ work: @escaping @Sendable () throws -> T) async throws -> T {
        let mayWait = waiting.withLock { count in
            guard count < most else { return false }
            count += 1
            return true
        }
        guard mayWait else {
            throw Unavailable("the sign-in", reason: "too many passwords at once", retryAfterSeconds: 5)
        }
        defer { waiting.withLock { $0 -= 1 } }
        return try await withCheckedThrowingContinuation { answer in
            queue.async { answer.resume(with: Result { try work() }) }
        }
    }
}
