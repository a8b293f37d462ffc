import Metrics
import PlantAPI
import PlantDomain
import PlantPipeline
import PlantStore
import Postgres
import Prometheus
import Sealing
import Synchronization

/// What the backend measures of itself, at `/metrics`.
///
/// To be made before anything that counts: what asks swift-metrics for a handle earlier counts for nobody.
struct BackendMetrics: Sendable {
    private let registry: PrometheusRegistry
    private let poolWait: Timer
    private let statements: Timer
    private let errors: [PostgresError.Code: Counter]

    /// Starts measuring. Once per process.
    init() {
        registry = PrometheusRegistry(buckets: MetricTexts.buckets, help: MetricTexts.help)
        MetricsSystem.bootstrap(registry)
        poolWait = Timer(label: "plantops_database_pool_wait_seconds")
        statements = Timer(label: "plantops_database_statement_seconds")
        errors = Dictionary(
            uniqueKeysWithValues: PostgresError.Code.allCases.map { code in
                (code, Counter(label: "plantops_database_errors_total", dimensions: [("kind", code.rawValue)]))
            })
        AlertTransitions.prepare()
        Gauge(label: "plantops_build_info", dimensions: [("version", programVersion), ("swift", Self.swiftVersion)])
            .record(1)
        observeProcess()
    }

    /// Gives the text of `/metrics`.
    var page: @Sendable () -> String { { [registry] in registry.text() } }

    /// For the pool that everything but the intake shares.
    var poolObserver: PostgresPoolObserver {
        PostgresPoolObserver(
            waited: { [poolWait] in poolWait.recordSeconds($0) }, ran: { [statements] in statements.recordSeconds($0) },
            failed: { [errors] in errors[$0]?.increment() })
    }

    func observe(_ pool: PostgresPool) {
        registry.collect {
            let load = pool.load
            set("plantops_database_pool_size", load.size)
            set("plantops_database_pool_connections", load.idle, ("state", "idle"))
            set("plantops_database_pool_connections", load.size - load.idle, ("state", "busy"))
            set("plantops_database_pool_waiting", load.waiting)
        }
    }

    func observe(_ events: EventHub) { registry.collect { set("plantops_sse_clients", events.subscriberCount) } }

    /// - Parameters:
    ///   - diskPath: on the disk that must not fill up.
    ///   - caFile: of the broker's certificate; nil when it has a public one.
    func observe(diskPath: String, caFile: String?) {
        registry.collect {
            if let disk = DiskSpace(of: diskPath) {
                set("plantops_disk_free_bytes", disk.freeBytes)
                set("plantops_disk_total_bytes", disk.totalBytes)
            }
            if let authority = caFile.flatMap({ Certificate(pemFile: $0) }) {
                let expiry = Timestamp(seconds: Double(authority.notAfter))
                set("plantops_certificate_days_left", daysLeft(expiry), ("certificate", "ca"))
            }
        }
    }

    /// - Parameter takesIn: whether this process takes readings in.
    func observe(_ health: @escaping @Sendable () -> HealthReport, takesIn: Bool) {
        registry.collect {
            let report = health()
            set("plantops_up", report.databaseConnected ? 1 : 0, ("component", "database"))
            set("plantops_up", report.mqttConnected ? 1 : 0, ("component", "mqtt"))
            set("plantops_ready", report.isReady ? 1 : 0)
            if takesIn { set("plantops_ingest_lag_seconds", report.lagSeconds) }
            if let last = report.lastCommitAt {
                set("plantops_ingest_last_commit_timestamp_seconds", Double(last.microseconds) / 1e6)
            }
            set("plantops_uptime_seconds", report.uptimeSeconds)
            if let expiry = report.certificateExpiry {
                set("plantops_certificate_days_left", daysLeft(expiry), ("certificate", "broker"))
            }
        }
    }

    private func observeProcess() {
        let cpu = FloatingPointCounter(label: "process_cpu_seconds_total")
        let counted = Mutex(0.0)
        // Near enough; by proc(5) it would take /proc/stat, which a hardened service does not see.
        let startedAt = Timestamp.now().seconds
        registry.collect {
            let facts = ProcessFacts()
            set("process_resident_memory_bytes", facts.residentBytes)
            set("process_virtual_memory_bytes", facts.virtualBytes)
            set("process_open_fds", facts.openFiles)
            set("process_max_fds", facts.mostFiles)
            set("process_start_time_seconds", startedAt)
            set("process_threads", facts.threads)
            // A counter only goes up; two scrapes at once must not count the same twice.
            counted.withLock { counted in
                guard facts.cpuSeconds > counted else { return }
                cpu.increment(by: facts.cpuSeconds - counted)
                counted = facts.cpuSeconds
            }
        }
    }

    /// Of the compiler: the runtime is part of the program.
    private static var swiftVersion: String {
        #if compiler(>=6.5)
            "6.5 or later"
        #elseif compiler(>=6.4)
            "6.4"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}

private func set(_ name: String, _ value: some BinaryInteger, _ label: (String, String)? = nil) {
    set(name, Double(value), label)
}

private func set(_ name: String, _ value: Double, _ label: (String, String)? = nil) {
    Gauge(label: name, dimensions: label.map { [$0] } ?? []).record(value)
}

private func daysLeft(_ expiry: Timestamp) -> Double { expiry.seconds(since: .now()) / 86_400 }
