/// Lets one thing happen after the other for each key, and different keys at the same time: a device that asks twice
/// at once gets two answers of which the later holds, instead of a conflict.
actor KeyedQueue<Key: Hashable & Sendable> {
    private var waiting: [Key: [CheckedContinuation<Void, Never>]] = [:]

    func run<T: Sendable>(_ key: Key, _ work: @Sendable () async throws -> T) async throws -> T {
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
