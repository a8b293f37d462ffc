import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import PlantDomain
import PlantStore

/// What a handler knows of its request besides the request itself.
struct PlantContext: RequestContext {
    /// Most bytes a body may have.
    static let bodyLimit = 1 << 20

    var coreContext: CoreRequestContextStorage
    /// In the answer, in every log line of this request, and in a problem's body.
    var correlationID = ""
    /// The other end of the connection: nginx, mostly.
    let peer: String?
    var client = ClientAddress(peer: nil, forwardedFor: nil, forwardedProto: nil, trusted: [])
    /// What the client called us, in `Host` or, if a trusted proxy says so, `X-Forwarded-Host`.
    var host: String?
    /// Set for every route that asks for a role.
    var principal: Principal?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress?.ipAddress
    }

    /// Who does this and from where, for the audit log.
    var origin: Origin { origin(of: principal) }

    func origin(of principal: Principal?) -> Origin {
        let (address, id) = (client.counted, correlationID)
        guard let principal else { return Origin(.anonymous, address: address, correlationID: id) }
        switch principal.way {
        case .session:
            return Origin(
                .user, id: principal.user?.id, name: principal.user?.email, address: address, correlationID: id)
        case .token(let token, let name):
            let name = "\(name) of \(principal.user?.email ?? "nobody")"
            return Origin(.token, id: token, name: name, address: address, correlationID: id)
        case .disabled: return Origin(.anonymous, address: address, correlationID: id)
        }
    }

    /// - Throws: 401; on a route that asks for a role this does not happen.
    func signedIn() throws -> Principal {
        guard let principal else { throw Problem(status: .unauthorized, detail: "sign in first", challenge: true) }
        return principal
    }

    /// The user, for what belongs to one.
    /// - Throws: 409 where nobody signs in.
    func user() throws -> User {
        guard let user = try signedIn().user else {
            throw Problem(status: .conflict, detail: "AUTH_MODE is disabled: there is nobody to whom this could belong")
        }
        return user
    }

    /// The user and the session, for what only the person may do and no script.
    /// - Throws: 403 for an API token, 409 where nobody signs in.
    func person(_ what: String) throws -> (user: User, session: [UInt8]) {
        let user = try user()
        guard case .session(let hash) = try signedIn().way else {
            throw Problem(status: .forbidden, detail: "sign in with your password to \(what); an API token cannot")
        }
        return (user, hash)
    }

    /// The id in the path.
    /// - Parameter name: what stands in braces there.
    /// - Throws: 404, since what is no id names nothing.
    func id(_ what: String, _ name: String = "id") throws -> EntityID {
        guard let id = parameters.get(name).flatMap({ EntityID(String($0)) }) else { throw Problem.notFound(what) }
        return id
    }
}

extension Request {
    /// The body as JSON.
    /// - Throws: 413, 415 or 400.
    func json() async throws -> JSONValue {
        try requireJSON()
        return try Self.json(try await bytes())
    }

    private func requireJSON() throws {
        if let media = mediaType {
            guard media == "application/json" || media.hasSuffix("+json") else {
                throw Problem(status: .unsupportedMediaType, detail: "send the body as application/json")
            }
        }
    }

    private static func json(_ buffer: ByteBuffer) throws -> JSONValue {
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(buffer.readableBytesView))
        } catch {
            throw Problem(status: .badRequest, detail: "the body is not JSON")
        }
    }

    /// Does what takes long, and cancels it when whoever asked hangs up. For routes that say so (`watchesClient`).
    /// - Parameter work: is given the body as JSON; nil when there is none.
    /// - Throws: 413, 415 or 400, and what the work does.
    func whileConnected<Value: Sendable>(
        _ work: @Sendable (JSONValue?) async throws -> Value
    ) async throws -> Value {
        let (request, buffer) = try await withBodyRead()
        if buffer.readableBytes > 0 { try requireJSON() }
        let json = buffer.readableBytes > 0 ? try Self.json(buffer) : nil
        return try await request.body.consumeWithCancellationOnInboundClose { _ in try await work(json) }
    }

    /// Before anything watches whether the connection is closed: Hummingbird stops the whole program if that happens, or
    /// if it is done watching, before the end of the body has come by.
    /// - Returns: this request with its body, and the body.
    /// - Throws: 413.
    func withBodyRead() async throws -> (request: Request, body: ByteBuffer) {
        var request = self
        let body = try await bytes()
        request.body = RequestBody(buffer: body)
        return (request, body)
    }

    /// The body as comma-separated values.
    /// - Throws: 413 or 415.
    func csv() async throws -> [UInt8] {
        guard mediaType ?? "text/csv" == "text/csv" else {
            throw Problem(status: .unsupportedMediaType, detail: "send the body as text/csv")
        }
        return Array(try await bytes().readableBytesView)
    }

    /// In lower case, without its parameters.
    private var mediaType: String? {
        headers[.contentType].map { $0.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased() }
    }

    private func bytes() async throws -> ByteBuffer {
        let tooLarge = Problem(
            status: .contentTooLarge, detail: "the body may have at most \(PlantContext.bodyLimit) bytes")
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > PlantContext.bodyLimit { throw tooLarge }
        do {
            return try await body.collect(upTo: PlantContext.bodyLimit)
        } catch is NIOTooManyBytesError {
            throw tooLarge
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
        // Answers are about now, and about who is signed in.
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }

    /// A page of a list, as `{"<name>": […], "total": n}`.
    static func page<Item>(_ name: String, _ page: Page<Item>, _ item: (Item) -> JSONValue) throws -> Response {
        try .json(
            JSONValue.object([name: .array(page.items.map(item)), "total": .integer(Int64(page.total))]))
    }

    static var noContent: Response { Response(status: .noContent) }
}
