import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Speaks to PlantOps' API the way a device and a script do. Waits for a backend that is starting or busy.
actor BackendClient {
    private let base: String
    /// For what a person does; a device needs only its enrollment token.
    private let apiToken: String?
    /// Used to sign in when there is no token.
    private let login: Login?
    /// The cookie of the session. A task, so that requests made meanwhile wait for it instead of signing in, too.
    private var session: Task<String?, any Error>?
    /// How long nothing at all may succeed before it gives up, in seconds.
    private let patienceSeconds: Double
    private let report: @Sendable (String) -> Void
    private var lastSuccess = ContinuousClock.now
    private var lastComplaint: String?

    struct Login: Encodable, Sendable {
        let email: String
        let password: String
    }

    init(
        base: String, apiToken: String?, login: Login? = nil, patienceSeconds: Double = 120,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.apiToken = apiToken
        self.login = login
        self.patienceSeconds = patienceSeconds
        self.report = report
    }

    /// - Parameter path: below `/api`, with its leading slash.
    func get(_ path: String) async throws -> Data { try await send(.GET, path, body: nil, signedIn: true) }

    /// - Parameters:
    ///   - path: below `/api`, with its leading slash.
    ///   - body: sent as JSON.
    ///   - signedIn: for what a person does; a device needs only its enrollment token.
    func post(_ path: String, _ body: any Encodable & Sendable, signedIn: Bool = true) async throws -> Data {
        try await send(.POST, path, body: body, signedIn: signedIn)
    }

    private func send(_ method: HTTPMethod, _ path: String, body: (any Encodable & Sendable)?, signedIn: Bool)
        async throws -> Data
    {
        var request = HTTPClientRequest(url: base + "/api" + path)
        request.method = method
        request.headers.add(name: "Accept", value: "application/json, application/problem+json")
        request.headers.add(name: "User-Agent", value: "plantops-simulate")
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body)))
        }
        if signedIn {
            if let apiToken {
                request.headers.add(name: "Authorization", value: "Bearer " + apiToken)
            } else if let cookie = try await cookie() {
                request.headers.add(name: "Cookie", value: cookie)
            }
        }
        return try await answer(to: request, saying: "\(method) \(path)").body
    }

    private func cookie() async throws -> String? {
        guard let login else { return nil }
        let session = self.session ?? Task { try await signIn(login) }
        self.session = session
        return try await session.value
    }

    private func signIn(_ login: Login) async throws -> String? {
        var request = HTTPClientRequest(url: base + "/api/auth/login")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(login)))
        let headers = try await answer(to: request, saying: "POST /auth/login").headers
        return headers.first(name: "Set-Cookie").map { String($0.prefix { $0 != ";" }) }
    }

    private func answer(to request: HTTPClientRequest, saying what: String) async throws
        -> (headers: HTTPHeaders, body: Data)
    {
        var pause = 0.5
        while true {
            let complaint: String
            var wait = pause * Double.random(in: 0.75...1.25)
            do {
                let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
                let body = Data(try await response.body.collect(upTo: 1 << 20).readableBytesView)
                switch response.status.code {
                case 200..<300:
                    lastSuccess = .now
                    return (response.headers, body)
                case 429, 502...504:
                    complaint = Problem.text(response.status.code, body)
                    if let after = response.headers.first(name: "Retry-After").flatMap(Double.init) {
                        wait = min(max(after, 0.1), 30)
                    }
                default:
                    lastSuccess = .now
                    throw refusal(what, response.status.code, body)
                }
            } catch let error as SimulatorError {
                throw error
            } catch {
                try Task.checkCancellation()
                complaint = Self.plain(error)
            }
            guard ContinuousClock.now - lastSuccess < .seconds(patienceSeconds) else {
                throw SimulatorError(
                    .backendUnreachable,
                    "the backend at \(base) does not answer \(what): \(complaint). Start it, or name it with --url.")
            }
            if lastComplaint != complaint {
                lastComplaint = complaint
                report("waiting for the backend at \(base): \(complaint)")
            }
            try await Task.sleep(for: .seconds(wait))
            pause = min(pause * 2, 8)
        }
    }

    private func refusal(_ what: String, _ status: UInt, _ body: Data) -> SimulatorError {
        let hint =
            switch (status, what) {
            case (401, "POST /devices/register"), (403, "POST /devices/register"):
                " Give --enrollment-token (or PLANTOPS_ENROLLMENT_TOKEN) a token that is still valid."
            case (401, "POST /auth/login"):
                " Are PLANTOPS_ADMIN_EMAIL and PLANTOPS_ADMIN_PASSWORD still right? --api-token does without them."
            case (401, _):
                " Give --api-token (or PLANTOPS_API_TOKEN) a token with the role member, or set PLANTOPS_ADMIN_EMAIL "
                    + "and PLANTOPS_ADMIN_PASSWORD."
            case (403, _): " The token needs the role member."
            case (404, _) where !Problem.isProblem(body): " Is \(base) PlantOps? The address goes into --url."
            default: ""
            }
        return SimulatorError(
            status == 404 && Problem.isProblem(body) ? .notFound : .backendRefused,
            "\(what): the backend answered \(Problem.text(status, body)).\(hint)")
    }

    private static func plain(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .connectTimeout || error == .deadlineExceeded:
            "no answer in time"
        default:
            // NIOPosix's NIOConnectionError, which says this among other things.
            "\(error)".contains("refused") ? "nothing listens there" : "\(error)"
        }
    }
}

/// RFC 9457, as far as a person wants to read it.
private struct Problem: Decodable {
    struct Field: Decodable {
        let pointer: String?
        let detail: String?
    }

    let title: String?
    let detail: String?
    let errors: [Field]?

    static func isProblem(_ body: Data) -> Bool {
        guard let problem = try? JSONDecoder().decode(Self.self, from: body) else { return false }
        return problem.title != nil || problem.detail != nil
    }

    static func text(_ status: UInt, _ body: Data) -> String {
        // What is no JSON is no problem document: the status alone has to do.
        guard let problem = try? JSONDecoder().decode(Self.self, from: body) else { return "\(status)" }
        let fields = (problem.errors ?? []).map { [$0.pointer, $0.detail].compactMap(\.self).joined(separator: " ") }
        let parts = [problem.detail ?? problem.title].compactMap(\.self) + fields
        return parts.isEmpty ? "\(status)" : "\(status): " + parts.joined(separator: "; ")
    }
}
