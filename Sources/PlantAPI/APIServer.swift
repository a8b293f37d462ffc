import Foundation
import Hummingbird
package import Logging
import NIOCore
package import ServiceLifecycle

/// The HTTP side of the program.
package enum APIServer {
    /// - Returns: the service that listens and answers until it is told to stop; then it finishes what is under way.
    package static func make(
        _ environment: APIEnvironment, host: String, port: Int, logger: Logger
    ) -> some Service {
        Application(
            router: router(environment),
            // nginx keeps its connections for 60 s; whoever holds one longer without a word is let go.
            server: .http1(configuration: .init(idleTimeout: .seconds(75))),
            configuration: .init(address: .hostname(host, port: port)),
            logger: logger)
    }

    /// For a process that answers no API.
    /// - Returns: a service that answers `/metrics` and nothing else.
    package static func make(
        metrics: @escaping @Sendable () -> String, host: String, port: Int, logger: Logger
    ) -> some Service {
        let router = Router(context: PlantContext.self, options: .autoGenerateHeadEndpoints)
        router.get(RouterPath(RequestMiddleware.metricsPath)) { _, _ in page(metrics) }
        return Application(
            router: router, server: .http1(configuration: .init(idleTimeout: .seconds(75))),
            configuration: .init(address: .hostname(host, port: port)), logger: logger)
    }

    private static func page(_ metrics: @Sendable () -> String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: metrics())))
    }

    static func router(_ environment: APIEnvironment) -> Router<PlantContext> {
        let table = RouteTable(environment)
        let router = Router(context: PlantContext.self, options: .autoGenerateHeadEndpoints)
        let gatekeeper = Gatekeeper(environment)
        let policy = environment.policy
        router.add(
            middleware: RequestMiddleware(
                methods: { table.methods(of: $0) }, isOpen: environment.isOpen,
                isStopping: environment.isStopping,
                crossOrigin: CrossOrigin(allowed: policy.corsOrigins, own: policy.publicOrigin),
                trustedProxies: policy.trustedProxies, metrics: environment.metrics.map { _ in HTTPMetrics(table) }))
        for route in table.routes {
            // The one place where a handler is called, and nobody gets there but through the gate.
            router.on(RouterPath(RouteTable.prefix + route.path), method: route.method) { request, context in
                var context = context
                try await gatekeeper.admit(request, to: route.access, &context)
                guard route.watchesClient else { return try await route.handler(request, context) }
                // nginx has to know that the connection ends, or it would give it to the next request.
                do {
                    var response = try await route.handler(request, context)
                    response.headers[.connection] = "close"
                    return response
                } catch {
                    throw ConnectionEnds(reason: error)
                }
            }
        }
        // On this port only and beside the API: nginx passes nothing but /api on.
        if let metrics = environment.metrics {
            router.get(RouterPath(RequestMiddleware.metricsPath)) { _, _ in page(metrics) }
        }
        return router
    }

    /// The OpenAPI document as JSON, without a running server.
    package static func openAPI(_ environment: APIEnvironment) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(RouteTable(environment).document), as: UTF8.self)
    }
}
