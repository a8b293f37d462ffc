package import Logging
import MQTT
import ServiceLifecycle

/// Takes readings in for as long as the program runs.
package struct IngestService: Service {
    package let status: IngestStatus
    private let options: IngestOptions
    private let measures: Bool
    private let logger: Logger

    /// - Parameter measures: false reads no clock and counts nothing.
    package init(_ options: IngestOptions, status: IngestStatus, measures: Bool = false, logger: Logger) {
        self.options = options
        self.status = status
        self.measures = measures
        self.logger = logger
    }

    package func run() async throws {
        let stop = StopFlag()
        let wake = WakeSignal()
        let loop = IngestLoop(
            options: options, status: status, stop: stop, wake: wake, metrics: measures ? IngestMetrics() : nil,
            logger: logger)
        await withTaskCancellationOrGracefulShutdownHandler {
            await DedicatedThread.run(name: "ingest") { loop.run() }
        } onCancelOrGracefulShutdown: {
            stop.raise()
            wake.signal()
        }
    }
}
