import Metrics
import PlantAPI
import PlantDomain
import Prometheus

/// What the backend measures of itself, at `/metrics`.
enum BackendMetrics {
    private static let help = [
        "plantops_build_info": "Always 1; the version is in the label.",
        "plantops_up": "Whether a component is connected.",
        "plantops_certificate_days_left": "Days until a certificate expires.",
        "plantops_ingest_lag_seconds": "How far storing is behind taking in.",
        "process_resident_memory_bytes": "Memory the process holds.",
        "plantops_uptime_seconds": "Since the process started.",
        "plantops_sign_ins_total": "Attempts to sign in, by outcome.",
        "plantops_registrations_total": "Devices that asked for an identity, by outcome.",
        "plantops_broker_corrections_total": "What had to be put right at the broker.",
    ]

    /// Starts measuring. Once per process.
    /// - Returns: what gives the text.
    static func start(_ health: @escaping @Sendable () -> HealthReport) -> @Sendable () -> String {
        let registry = PrometheusRegistry(help: help)
        MetricsSystem.bootstrap(registry)
        Gauge(label: "plantops_build_info", dimensions: [("version", programVersion)]).record(1)
        registry.collect {
            let report = health()
            Gauge(label: "plantops_up", dimensions: [("component", "database")]).record(
                report.databaseConnected ? 1 : 0)
            Gauge(label: "plantops_up", dimensions: [("component", "mqtt")]).record(report.mqttConnected ? 1 : 0)
            Gauge(label: "plantops_ingest_lag_seconds").record(report.lagSeconds)
            Gauge(label: "plantops_uptime_seconds").record(report.uptimeSeconds)
            Gauge(label: "process_resident_memory_bytes").record(report.memoryBytes)
            if let expiry = report.certificateExpiry {
                let days = expiry.seconds(since: .now()) / 86_400
                Gauge(label: "plantops_certificate_days_left", dimensions: [("certificate", "broker")]).record(days)
            }
        }
        return { registry.text() }
    }
}
