import PlantDomain

/// Lets one at a time deal with a device; the others wait in the order in which they came.
actor DeviceTurns {
    private var waiting: [EntityID: [CheckedContinuation<Void, Never>]] = [:]

    nonisolated func alone<T>(with device: EntityID, _ work: () async throws -> T) async rethrows -> T {
        await begin(device)
        do {
            let value = try await work()
            await end(device)
            return value
        } catch {
            await end(device)
            throw error
        }
    }

    private func begin(_ device: EntityID) async {
        guard waiting[device] != nil else {
            waiting[device] = []
            return
        }
        await withCheckedContinuation { waiting[device, default: []].append($0) }
    }

    private func end(_ device: EntityID) {
        guard var others = waiting[device], !others.isEmpty else {
            waiting[device] = nil
            return
        }
        let next = others.removeFirst()
        waiting[device] = others
        next.resume()
    }
}
