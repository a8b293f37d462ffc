import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import PlantDomain

/// A POST to somebody else's server.
struct OutgoingRequest: Sendable {
    let address: WebAddress
    let headers: [(name: String, value: String)]
    let body: [UInt8]
    /// As much as is read of an answer; of a longer one, nothing.
    let mostAnswerBytes: Int
    /// How long to wait for an answer's body once its status has been told; nil: until the deadline.
    let bodySeconds: Double?
}

/// One request to one address of a server's host, with a client of its own.
///
/// Which address a name leads to is part of a client's configuration, so each exchange makes a client. What that costs,
/// reading the certificate authorities above all, are milliseconds for a request every few seconds; and no connection
/// outlives the address that was checked.
struct OutgoingExchange: Sendable {
    let request: OutgoingRequest
    /// Where the connection goes.
    let peer: IPAddress
    let deadline: ContinuousClock.Instant
    /// For the connection alone, TLS included.
    let connectSeconds: Double

    enum Result: Sendable {
        case answered(ServerAnswer)
        /// Nothing was sent: another address may do.
        case notConnected(String)
        /// It may have arrived; no answer has begun.
        case late(String)
        /// It may have arrived.
        case broken(String)
    }

    private static let graceSeconds = 0.25
    private static let shutdownSeconds = 1.0

    private var address: WebAddress { request.address }

    /// Never throws and never says more of the address than host and port: errors of the libraries, which may contain
    /// anything, are not shown.
    func run() async -> Result {
        guard leadsToPeer else { return .broken("the address cannot be read") }
        let connected = StopFlag()
        let client = HTTPClient(
            eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration(noting: connected))
        // Whatever is late in it says so itself; this is for what does not heed its deadline.
        let result = await Bounded.run(until: deadline + .seconds(Self.graceSeconds)) {
            await exchange(client, connected)
        }
        // A server that does not close its side of TLS is left to the client, which waits 5 s and then closes its own.
        await Bounded.run(until: .now + .seconds(Self.shutdownSeconds)) {
            // It can only fail because it has been done already.
            try? await client.shutdown()
        }
        if let result { return result }
        // It was cancelled, or did not heed its deadline.
        return connected.isRaised
            ? .late("no answer from \(address.hostAndPort) in time")
            : .notConnected("\(address.hostAndPort) does not answer")
    }

    /// The client looks for the name in its table of overrides as it reads it from the URL. If the two readings ever
    /// differed, it would ask the DNS again, and connect to whatever it hears then.
    private var leadsToPeer: Bool {
        guard let host = URL(string: address.url)?.host else { return false }
        switch address.host {
        case .name(let name): return host == name
        case .address(let literal): return IPAddress(host.filter { $0 != "[" && $0 != "]" }) == literal
        }
    }

    private func configuration(noting connected: StopFlag) -> HTTPClient.Configuration {
        // No proxy is set, and the client does not look for one in the environment.
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        if case .name(let name) = address.host {
            // The certificate is still that of the name: the client asks for it and verifies it.
            configuration.dnsOverride = [name: peer.description]
        }
        configuration.timeout.connect = .nanoseconds(Int64(connectSeconds * 1e9))
        // Otherwise it would try again and again until the time is up, and not say why.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        configuration.tracing.tracer = nil
        configuration.http1_1ConnectionDebugInitializer = { channel in
            connected.raise()
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        return configuration
    }

    private func exchange(_ client: HTTPClient, _ connected: StopFlag) async -> Result {
        var message = HTTPClientRequest(url: address.url)
        message.method = .POST
        for header in request.headers { message.headers.add(name: header.name, value: header.value) }
        message.headers.add(name: "Connection", value: "close")
        message.body = .bytes(ByteBuffer(bytes: request.body))
        let left = max(.zero, deadline - .now)
        do {
            let response = try await client.execute(message, timeout: .nanoseconds(Int64(left / .nanoseconds(1))))
            let until = request.bodySeconds.map { min(deadline, .now + .seconds($0)) } ?? deadline
            let body = await Bounded.run(until: until) { await read(response.body) }
            let headers = Dictionary(
                response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
            return .answered(
                ServerAnswer(
                    status: Int(response.status.code), headers: headers, body: body?.bytes ?? [],
                    ending: body?.ending ?? .late))
        } catch {
            return connected.isRaised ? broken(error) : .notConnected(notConnected(error))
        }
    }

    private func read(_ body: HTTPClientResponse.Body) async -> (bytes: [UInt8], ending: ServerAnswer.Ending) {
        do {
            return ([UInt8](buffer: try await body.collect(upTo: request.mostAnswerBytes)), .whole)
        } catch is NIOTooManyBytesError {
            return ([], .tooLong)
        } catch let error as HTTPClientError where error == .deadlineExceeded {
            return ([], .late)
        } catch {
            return ([], .cutOff)
        }
    }

    private func notConnected(_ error: any Error) -> String {
        let host = address.hostAndPort
        switch error {
        case is CancellationError: return "sending was stopped"
        // All that the client itself says before there is a connection is that it took too long.
        case is HTTPClientError: return "\(host) does not answer"
        case let error as IOError:
            switch error.errnoCode {
            case ECONNREFUSED: return "nothing listens at \(host)"
            case ENETUNREACH, EHOSTUNREACH: return "there is no way to \(host) from here"
            default: return "no connection to \(host) could be made"
            }
        default:
            return address.scheme == .https
                ? "no secure connection to \(host) could be made: does it speak HTTPS, with a valid "
                    + "certificate for that name?"
                : "no connection to \(host) could be made"
        }
    }

    private func broken(_ error: any Error) -> Result {
        let host = address.hostAndPort
        // Whatever the client calls it then.
        if ContinuousClock.now >= deadline, !Task.isCancelled { return .late("no answer from \(host) in time") }
        switch error {
        case is CancellationError: return .broken("sending was stopped")
        case is HTTPParserError: return .broken("what \(host) answers is not HTTP")
        case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
            return .late("no answer from \(host) in time")
        default: return .broken("\(host) closed the connection without an answer")
        }
    }
}
