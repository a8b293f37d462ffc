import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import PlantDomain

/// What a handler knows of its request besides the request itself.
struct PlantContext: RequestContext {
    /// Most bytes a body may have.
    static let bodyLimit = 1 << 20

    var coreContext: CoreRequestContextStorage
    /// In the answer, in every log line of this request, and in a problem's body.
    var correlationID = ""

    init(source: ApplicationRequestContextSource) { coreContext = .init(source: source) }

    /// The id in the path.
    /// - Throws: 404, since what is no id names nothing.
    func id(_ what: String) throws -> EntityID {
        guard let id = parameters.get("id").flatMap({ EntityID(String($0)) }) else { throw Problem.notFound(what) }
        return id
    }
}

extension Request {
    /// The body as JSON.
    /// - Throws: 413, 415 or 400.
    func json() async throws -> JSONValue {
        if let type = headers[.contentType] {
            let media = type.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
            guard media == "application/json" || media.hasSuffix("+json") else {
                throw Problem(status: .unsupportedMediaType, detail: "send the body as application/json")
            }
        }
        let tooLarge = Problem(
            status: .contentTooLarge, detail: "the body may have at most \(PlantContext.bodyLimit) bytes")
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > PlantContext.bodyLimit { throw tooLarge }
        let buffer: ByteBuffer
        do {
            buffer = try await body.collect(upTo: PlantContext.bodyLimit)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(buffer.readableBytesView))
        } catch {
            throw Problem(status: .badRequest, detail: "the body is not JSON")
        }
    }
}

extension Response {
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:],
        mediaType: String = "application/json; charset=utf-8"
    ) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let data = try encoder.encode(value)
        var headers = headers
        headers[.contentType] = mediaType
        // Answers are about now, and some day about who is signed in.
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }

    static var noContent: Response { Response(status: .noContent) }
}
