import HTTPTypes

/// Lets one thing happen after the other for each key, and different keys at the same time: a device that asks twice
/// at once gets two answers of which the later holds, instead of a conflict.
actor KeyedQueue<Key: Hashable & Sendable> {
    private var waiting: [Key: [CheckedContinuation<Void, Never>]] = [:]

    /// - Parameter most: so many may wait; nil: any number.
    /// - Throws: 503 when there are as many already.
    func run<T: Sendable>(
        _ key: Key, most: Int? = nil, _ work: @Sendable () async throws -> T
    ) async throws -> T {
        if let most, let waits = waiting[key]?.count, waits >= most {
            throw Problem(
                status: .serviceUnavailable, detail: "others are being answered; try again shortly",
                retryAfterSeconds: 5)
        }
        if waiting[key] != nil {
            await withCheckedContinuation { waiting[key]?.append($0) }
        } else {
            waiting[key] = []
        }
        // Its turn is handed on, not given up: nobody who comes later gets in between.
        defer {
            if waiting[key]?.isEmpty == false {
                waiting[key]?.removeFirst().resume()
            } else {
                waiting[key] = nil
            }
        }
        return try await work()
    }
}
