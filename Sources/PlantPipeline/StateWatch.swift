package import Logging
import Metrics
import PlantDomain
package import PlantStore
import ServiceLifecycle

/// Measures what only the database knows. While it does not answer these values are taken away: an old one would look
/// like one of now.
package struct StateWatch: Service {
    private static let censusSeconds = 15.0
    /// The server looks at every file for a size.
    private static let sizesSeconds = 300.0
    private static let pauseSeconds = 5.0

    private let store: Store
    private let isAnswering: @Sendable () -> Bool
    private let logger: Logger

    package init(store: Store, isAnswering: @escaping @Sendable () -> Bool, logger: Logger) {
        self.store = store
        self.isAnswering = isAnswering
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var census = Gauges(every: Self.censusSeconds)
            var sizes = Gauges(every: Self.sizesSeconds)
            while !Task.isCancelled {
                await look("counting what there is", &census) { count(try await store.census(at: .now()), &$0) }
                await look("asking for sizes", &sizes) { measure(try await store.storageSizes(), &$0) }
                // Ends early, and with it the loop, when the program stops.
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func look(_ what: String, _ gauges: inout Gauges, _ set: (inout Gauges) async throws -> Void) async {
        guard isAnswering() else { return gauges.removeAll() }
        guard gauges.areDue else { return }
        do {
            gauges.begin()
            try await set(&gauges)
            gauges.end()
        } catch is CancellationError {
            return
        } catch {
            gauges.removeAll()
            logger.debug("measuring failed; trying again", metadata: ["what": "\(what)", "reason": "\(error)"])
            try? await Task.sleep(for: .seconds(Self.pauseSeconds))
        }
    }

    private func count(_ census: Census, _ gauges: inout Gauges) {
        for (status, count) in census.devices {
            gauges.set("plantops_devices", Double(count), [("status", status.rawValue)])
        }
        gauges.set("plantops_plants", Double(census.plants))
        gauges.set("plantops_dead_letters", Double(census.deadLetters))
        for (state, severity, count) in census.alerts {
            let labels = [("state", state.rawValue), ("severity", severity.rawValue)]
            gauges.set("plantops_alerts", Double(count), labels)
        }
        gauges.set("plantops_outbox_depth", Double(census.outbox.depth))
        gauges.set("plantops_outbox_oldest_seconds", census.outbox.oldestSeconds)
        for (state, count) in census.connections {
            gauges.set("plantops_database_connections", Double(count), [("state", state)])
        }
    }

    private func measure(_ sizes: StorageSizes, _ gauges: inout Gauges) {
        gauges.set("plantops_database_bytes", Double(sizes.database))
        for (table, bytes) in sizes.tables {
            gauges.set("plantops_database_table_bytes", Double(bytes), [("table", table)])
        }
    }
}

/// Gauges that are set together, and go together.
private struct Gauges {
    private let every: Duration
    private var setAt: ContinuousClock.Instant?
    private var gauges: [String: Gauge] = [:]
    private var fresh: Set<String> = []

    init(every seconds: Double) { every = .seconds(seconds) }

    var areDue: Bool { setAt.map { .now - $0 >= every } ?? true }

    mutating func begin() { fresh = [] }

    mutating func set(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        let key = name + labels.map { "/\($0.1)" }.joined()
        let gauge = gauges[key] ?? Gauge(label: name, dimensions: labels)
        gauge.record(value)
        gauges[key] = gauge
        fresh.insert(key)
    }

    /// What was not set this time is no more.
    mutating func end() {
        setAt = .now
        for (key, gauge) in gauges where !fresh.contains(key) {
            gauge.destroy()
            gauges[key] = nil
        }
    }

    mutating func removeAll() {
        setAt = nil
        for gauge in gauges.values { gauge.destroy() }
        gauges = [:]
    }
}
