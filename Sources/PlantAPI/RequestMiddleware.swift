import HTTPTypes
import Hummingbird
import Logging
import PlantDomain
import PlantStore

/// Around every request: gives it a correlation id, logs it, and turns whatever was thrown into a problem.
struct RequestMiddleware: RouterMiddleware {
    typealias Context = PlantContext

    static let correlationHeader = HTTPField.Name("X-Correlation-ID")!
    /// The methods a path knows, for the `Allow` of a 405.
    let methods: @Sendable (_ path: String) -> [HTTPRequest.Method]
    /// Whether the schema is there; until then only the probes are answered.
    let isOpen: @Sendable () -> Bool
    /// Whether the program was told to stop.
    let isStopping: @Sendable () -> Bool
    let crossOrigin: CrossOrigin
    let trustedProxies: [AddressBlock]
    /// nil: nobody wants to know.
    var metrics: HTTPMetrics?

    private static let forwardedFor = HTTPField.Name("X-Forwarded-For")!
    private static let forwardedHost = HTTPField.Name("X-Forwarded-Host")!
    private static let forwardedProto = HTTPField.Name("X-Forwarded-Proto")!

    func handle(
        _ request: Request, context: PlantContext, next: (Request, PlantContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.correlationID = Self.correlationID(request.headers[Self.correlationHeader])
        context.logger[metadataKey: "correlation_id"] = "\(context.correlationID)"
        // Hummingbird's own id says nothing that this one does not.
        context.logger[metadataKey: "hb.request.id"] = nil
        context.client = ClientAddress(
            peer: context.peer, forwardedFor: request.headers[Self.forwardedFor],
            forwardedProto: request.headers[Self.forwardedProto], trusted: trustedProxies)
        context.host = context.client.isForwarded ? request.headers[Self.forwardedHost] : nil
        context.host = context.host ?? request.head.authority
        let start = ContinuousClock.now
        metrics?.began()
        var status: Int?
        defer {
            metrics?.ended(
                request.method, route: context.endpointPath, status: status, after: ContinuousClock.now - start)
        }
        var response: Response
        do {
            try crossOrigin.check(request, host: context.host)
            guard isOpen() || Self.probes.contains(request.uri.path) else {
                throw Unavailable("the database", reason: "the schema is not ready yet")
            }
            if let preflight = crossOrigin.preflight(request) {
                response = preflight
            } else {
                response = try await next(request, context)
            }
        } catch {
            response = try answer(error, to: request, context)
        }
        response.headers[Self.correlationHeader] = context.correlationID
        // The connection is about to be closed: who is told does not send his next request into that.
        if isStopping() { response.headers[.connection] = "close" }
        for field in crossOrigin.headers(for: request) { response.headers[field.name] = field.value }
        status = response.status.code
        let elapsed = start.duration(to: .now).components
        let milliseconds = Double(elapsed.seconds) * 1000 + Double(elapsed.attoseconds / 1_000_000_000_000) / 1000
        // Probes come every few seconds for ever.
        let level: Logger.Level = Self.probes.contains(request.uri.path) ? .debug : .info
        context.logger.log(
            level: level, "request",
            metadata: [
                "method": "\(request.method)", "path": "\(request.uri.path)", "status": "\(response.status.code)",
                "milliseconds": "\(milliseconds)",
            ])
        return response
    }

    static let metricsPath = "/metrics"
    private static let probes: Set<String> = ["/api/health", "/api/ready", "/api/live", metricsPath]

    private func answer(_ error: any Error, to request: Request, _ context: PlantContext) throws -> Response {
        let end = error as? ConnectionEnds
        let problem = problem(end?.reason ?? error, request, context)
        var headers: HTTPFields = [:]
        if let seconds = problem.retryAfterSeconds { headers[.retryAfter] = String(seconds) }
        if problem.challenge { headers[.wwwAuthenticate] = "Bearer realm=\"plantops\"" }
        if end != nil { headers[.connection] = "close" }
        if !problem.allow.isEmpty { headers[.allow] = problem.allow.joined(separator: ", ") }
        return try .json(
            problem.body(instance: request.uri.path, correlationID: context.correlationID), status: problem.status,
            headers: headers, mediaType: "application/problem+json")
    }

    private func problem(_ error: any Error, _ request: Request, _ context: PlantContext) -> Problem {
        switch error {
        case let problem as Problem:
            return problem
        case let error as Unavailable:
            context.logger.warning("a dependency is away", metadata: ["reason": "\(error)"])
            return .unavailable(error.what, retryAfterSeconds: error.retryAfterSeconds)
        case let error where Store.isBusy(error):
            context.logger.warning("the database is busy", metadata: ["reason": "\(error)"])
            return Problem(
                status: .serviceUnavailable, detail: "the database is too busy to answer this now; try again shortly",
                retryAfterSeconds: 5)
        case let error where Store.isTransient(error):
            context.logger.warning("the database is away", metadata: ["reason": "\(error)"])
            return .unavailable("the database", retryAfterSeconds: 5)
        case is CancellationError:
            // The program is stopping and this request did not end in time.
            return .unavailable("the backend", retryAfterSeconds: 1)
        case let error as HTTPError where error.status == .notFound:
            let known = methods(request.uri.path)
            guard known.isEmpty else {
                return Problem(
                    status: .methodNotAllowed, detail: "this path does not take \(request.method)",
                    allow: known.map(\.rawValue))
            }
            return Problem(status: .notFound, detail: "there is nothing under this path")
        case let error as HTTPError where error.status.kind == .clientError:
            return Problem(status: error.status, detail: error.status.reasonPhrase)
        default:
            context.logger.error("a request failed", metadata: ["error": "\(error)"])
            return Problem(
                status: .internalServerError,
                detail: "something went wrong here; the correlation id finds it in the log")
        }
    }

    /// The client's own id when it is a sane token, else a new one: anything else could forge log lines.
    static func correlationID(_ offered: String?) -> String {
        if let offered, (1...128).contains(offered.utf8.count),
            offered.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            })
        {
            return offered
        }
        return EntityID.make().description
    }
}
