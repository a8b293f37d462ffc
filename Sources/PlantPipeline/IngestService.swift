package import Logging
import MQTT
import ServiceLifecycle

/// Takes readings in for as long as the program runs.
package struct IngestService: Service {
    package let status: IngestStatus
    private let options: IngestOptions
    private let logger: Logger

    package init(_ options: IngestOptions, status: IngestStatus, logger: Logger) {
        self.options = options
        self.status = status
        self.logger = logger
    }

    package func run() async throws {
        let stop = StopFlag()
        let wake = WakeSignal()
        let loop = IngestLoop(options: options, status: status, stop: stop, wake: wake, logger: logger)
        await withTaskCancellationOrGracefulShutdownHandler {
            await DedicatedThread.run(name: "ingest") { loop.run() }
        } onCancelOrGracefulShutdown: {
            stop.raise()
            wake.signal()
        }
    }
}
