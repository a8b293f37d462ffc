import Logging
import PlantAPI
import ServiceLifecycle

/// Answers `/metrics` where there is no API. A port that somebody else has keeps no reading from being stored: without it
/// only this process is not seen. It is not tried again, or it would be taken from an API that is being started anew.
struct MetricsServer: Service {
    let page: @Sendable () -> String
    let host: String
    let port: Int
    let logger: Logger

    func run() async throws {
        do {
            try await APIServer.make(metrics: page, host: host, port: port, logger: logger).run()
        } catch {
            logger.warning(
                "what is measured cannot be shown; each process needs a HTTP_PORT of its own, or ENABLE_METRICS=false",
                metadata: ["port": "\(port)", "reason": "\(error)"])
        }
        // A service that returns before its turn ends the program.
        try? await gracefulShutdown()
    }
}
