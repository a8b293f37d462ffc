import Hummingbird
import Logging
import NIOCore
import PlantStore
import Synchronization

/// So many exports at the same time: each holds a page or two in memory.
final class ExportSlots: Sendable {
    private let free: Mutex<Int>

    init(_ count: Int) { free = Mutex(count) }

    /// - Returns: nil when all are taken. A slot is free again when nobody holds it any more.
    func take() -> ExportSlot? {
        free.withLock { free in
            guard free > 0 else { return nil }
            free -= 1
            return ExportSlot(self)
        }
    }

    fileprivate func giveBack() { free.withLock { $0 += 1 } }
}

final class ExportSlot: Sendable {
    private let slots: ExportSlots
    private let isHeld = Mutex(true)

    fileprivate init(_ slots: ExportSlots) { self.slots = slots }

    func giveBack() {
        let wasHeld = isHeld.withLock { held in
            defer { held = false }
            return held
        }
        if wasHeld { slots.giveBack() }
    }

    deinit { giveBack() }
}

/// The body of one export: page after page, each asked for when the reader has taken the one before.
struct ExportStream: Sendable {
    let store: Store
    let query: ExportQuery
    /// Read before the answer began.
    let first: ExportPage
    let slot: ExportSlot
    let logger: Logger

    /// How long a reader may take for a piece: as slow as 1 KiB/s, but not forever.
    private static let patience = Duration.seconds(60)
    private static let pieceBytes = 64 << 10

    /// Since when a piece waits for its reader; nil while none does.
    private final class Wait: Sendable {
        let since = Mutex<ContinuousClock.Instant?>(nil)
    }

    /// The reader has taken nothing for so long.
    private struct Stalled: Error {}

    /// - Throws: when the database or the reader goes away. The answer then ends without the chunk that says "end", and
    ///   the connection with it, so that nobody takes the part for the whole.
    func write(_ writer: inout any ResponseBodyWriter) async throws {
        defer { slot.giveBack() }
        // Hummingbird's writer is a Sendable struct that its protocol does not show as one. From here to the end of the
        // group only the task that sends uses it.
        nonisolated(unsafe) var writer = writer
        let wait = Wait()
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await send(to: &writer, wait) }
                group.addTask { try await watch(wait) }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch {
            // Hummingbird keeps to itself why an answer ended.
            let isOurs = Store.isTransient(error) || error is Stalled
            logger.log(
                level: isOurs ? .warning : .debug, "an export ended before its end",
                metadata: ["reason": "\(error)"])
            throw error
        }
    }

    private func send(
        to writer: inout any ResponseBodyWriter, _ wait: Wait
    ) async throws {
        try await writer.write(ByteBuffer(string: query.header))
        var page = first
        while true {
            for start in stride(from: 0, to: page.csv.count, by: Self.pieceBytes) {
                let piece = page.csv[start..<min(start + Self.pieceBytes, page.csv.count)]
                wait.since.withLock { $0 = .now }
                try await writer.write(ByteBuffer(bytes: piece))
                wait.since.withLock { $0 = nil }
            }
            guard let next = page.next else { break }
            page = try await store.exportPage(query, after: next)
        }
        try await writer.finish(nil)
    }

    /// Ends when a piece has waited too long: only cancelling it gets a write back that waits for its reader.
    private func watch(_ wait: Wait) async throws {
        while true {
            try await Task.sleep(for: .seconds(5))
            guard let since = wait.since.withLock({ $0 }) else { continue }
            if since.duration(to: .now) > Self.patience { throw Stalled() }
        }
    }
}
