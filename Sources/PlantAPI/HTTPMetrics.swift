import HTTPTypes
import Metrics
import Synchronization

/// Counts and times what is answered: by the template of the route, never by the path, which anybody may choose.
///
/// The time is that until an answer begins. One that goes on and on (live events, an export) does not hold up the
/// clock, and is not under way any more once it has begun.
final class HTTPMetrics: Sendable {
    private struct Series: Hashable {
        let method: String
        let route: String
        /// nil: of all of them.
        let status: Int?
    }

    private struct Handles {
        var counters: [Series: Counter] = [:]
        var timers: [Series: Timer] = [:]
    }

    /// Answers of no route.
    static let unmatched = "unmatched"
    private static let methods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]

    /// Templates there are.
    private let routes: Set<String>
    private let handles = Mutex(Handles())
    private let inFlight = Meter(label: "plantops_http_requests_in_flight")

    init(_ table: RouteTable) {
        routes = Set(table.routes.map { RouteTable.prefix + $0.path } + [RequestMiddleware.metricsPath])
        // Those that somebody is woken for are there before the first one, which Prometheus would not see otherwise.
        for route in table.routes {
            for status in [route.answer.status, 500, 503] {
                _ = counter(
                    Series(method: route.method.rawValue, route: RouteTable.prefix + route.path, status: status))
            }
        }
    }

    func began() { inFlight.increment() }

    /// - Parameters:
    ///   - route: as the router has it; nil or something else when it knows none.
    ///   - status: nil when there is no answer.
    func ended(_ method: HTTPRequest.Method, route: String?, status: Int?, after duration: Duration) {
        inFlight.decrement()
        guard let status else { return }
        let method = Self.methods.contains(method) ? method.rawValue : "other"
        let route = route.flatMap { routes.contains($0) ? $0 : nil } ?? Self.unmatched
        counter(Series(method: method, route: route, status: status)).increment()
        timer(Series(method: method, route: route, status: nil)).recordSeconds(duration / .seconds(1))
    }

    private func counter(_ series: Series) -> Counter {
        handles.withLock { handles in
            if let counter = handles.counters[series] { return counter }
            let counter = Counter(
                label: "plantops_http_requests_total",
                dimensions: [
                    ("method", series.method), ("route", series.route),
                    ("status", series.status.map(String.init) ?? ""),
                ])
            handles.counters[series] = counter
            return counter
        }
    }

    private func timer(_ series: Series) -> Timer {
        handles.withLock { handles in
            if let timer = handles.timers[series] { return timer }
            let timer = Timer(
                label: "plantops_http_request_seconds",
                dimensions: [("method", series.method), ("route", series.route)])
            handles.timers[series] = timer
            return timer
        }
    }
}
