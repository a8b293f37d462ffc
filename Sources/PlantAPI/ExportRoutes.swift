import HTTPTypes
import Hummingbird
import NIOCore
import PlantDomain
import PlantStore

/// Everything that was measured in a plant, as a file.
struct ExportRoutes {
    private static let metricsLimit = 32

    private let environment: APIEnvironment
    private let slots: ExportSlots

    init(_ environment: APIEnvironment, slots: ExportSlots = ExportSlots(4)) {
        self.environment = environment
        self.slots = slots
    }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/plants/{id}/export.csv", tag: "plants", access: .viewer,
                summary: "What was measured in a plant as CSV (RFC 4180), in the order of time and device; everything "
                    + "there is unless asked otherwise. A file that ended before its end ends the connection as well",
                query: Self.parameters,
                answer: .stream("A header and a record for each reading or bucket", mediaType: "text/csv"),
                problems: [404, 429], handler: export)
        ]
    }

    @Sendable private func export(_ request: Request, _ context: PlantContext) async throws -> Response {
        let id = try context.id("plant")
        var query = QueryParameters(request)
        let span = TimeSpan(&query, now: environment.now())
        let metrics = Self.metrics(&query)
        let resolution = query.choice("resolution", of: HistoryResolution.self) ?? .raw
        try query.finish()
        guard let plant = try await environment.store.plant(id) else { throw Problem.notFound("plant") }
        let headers: HTTPFields = [
            .contentType: "text/csv; charset=utf-8; header=present", .cacheControl: "no-store",
            .contentDisposition: AttachmentName(plant.name, suffix: resolution == .raw ? "" : " \(resolution.rawValue)")
                .contentDisposition,
        ]
        // The body of an answer to HEAD is thrown away.
        guard request.method != .head else { return Response(status: .ok, headers: headers) }
        guard let slot = slots.take() else {
            throw Problem(
                status: .tooManyRequests, detail: "as many exports as can be are under way; try again shortly",
                retryAfterSeconds: 10)
        }
        let question = ExportQuery(
            plant: id, from: span.from, to: span.to, metrics: metrics, resolution: resolution)
        // Before the answer begins: a database that is away is said so.
        let first = try await environment.store.exportPage(question)
        let stream = ExportStream(
            store: environment.store, query: question, first: first, slot: slot, logger: context.logger)
        return Response(status: .ok, headers: headers, body: ResponseBody { try await stream.write(&$0) })
    }

    private static func metrics(_ query: inout QueryParameters) -> [String]? {
        guard let text = query["metrics"] else { return nil }
        var names: [String] = []
        for name in text.split(separator: ",").map(String.init) where !names.contains(name) {
            if let canonical = Metric.canonicalName(ofAlias: name) {
                query.refuse("metrics", "\(name) is called \(canonical) here")
            } else if DerivedMetric(rawValue: name) != nil {
                query.refuse("metrics", "\(name) is not measured but calculated, and is not exported")
            }
            names.append(name)
        }
        if names.isEmpty || names.count > metricsLimit || !names.allSatisfy({ ExtraMetric.isValidName($0) }) {
            query.refuse("metrics", "must be 1 to \(metricsLimit) names of metrics, separated by commas")
        }
        return names
    }

    private static let parameters =
        TimeSpan.parameters + [
            Route.QueryParameter(
                name: "metrics", schema: Schema.text,
                description: "Names separated by commas, extra metrics among them: only these columns. Unless given, "
                    + "every known metric, and the extra ones as JSON."),
            Route.QueryParameter(
                name: "resolution", schema: Schema.choice(HistoryResolution.allCases.map(\.rawValue)),
                description: "raw (the default): every reading. Else buckets, with mean, least, most and number."),
        ]
}

extension HTTPField.Name {
    fileprivate static let contentDisposition = HTTPField.Name("Content-Disposition")!
}
