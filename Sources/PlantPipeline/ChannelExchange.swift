import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import PlantDomain

/// One request to one address of a channel's host, with a client of its own.
///
/// Which address a name leads to is part of a client's configuration, so each exchange makes a client. What that costs,
/// reading the certificate authorities above all, are milliseconds for a message every few seconds; and no connection
/// outlives the address that was checked.
struct ChannelExchange: Sendable {
    let address: ChannelAddress
    /// Where the connection goes.
    let peer: IPAddress
    let headers: [(name: String, value: String)]
    let body: [UInt8]
    let deadline: ContinuousClock.Instant
    /// For the connection alone, TLS included.
    let connectSeconds: Double

    enum Result: Sendable {
        case answered(ServerAnswer)
        /// Nothing was sent: another address may do.
        case notConnected(String)
        /// It may have arrived.
        case broken(String)
    }

    /// What is read of an answer; only Discord's on rate limits are of interest.
    static let mostBodyBytes = 16_384
    /// The status has been told by then: this is patience with what nobody needs.
    private static let bodySeconds = 2.0
    private static let shutdownSeconds = 1.0

    /// Never throws and never says more of the address than host and port: errors of the libraries, which may contain
    /// anything, are not shown.
    func run() async -> Result {
        guard leadsToPeer else { return .broken("the address of this channel cannot be read") }
        let connected = StopFlag()
        let client = HTTPClient(
            eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration(noting: connected))
        let result = await Bounded.run(until: deadline) { await exchange(client, connected) }
        // A server that does not close its side of TLS is left to the client, which waits 5 s and then closes its own.
        await Bounded.run(until: .now + .seconds(Self.shutdownSeconds)) {
            // It can only fail because it has been done already.
            try? await client.shutdown()
        }
        return result ?? .broken("no answer from \(address.hostAndPort) in time")
    }

    /// The client looks for the name in its table of overrides as it reads it from the URL. If the two readings ever
    /// differed, it would ask the DNS again, and connect to whatever it hears then.
    private var leadsToPeer: Bool {
        guard let host = URL(string: address.url)?.host else { return false }
        switch address.web.host {
        case .name(let name): return host == name
        case .address(let literal): return IPAddress(host.filter { $0 != "[" && $0 != "]" }) == literal
        }
    }

    private func configuration(noting connected: StopFlag) -> HTTPClient.Configuration {
        // No proxy is set, and the client does not look for one in the environment.
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        if case .name(let name) = address.web.host {
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
        var request = HTTPClientRequest(url: address.url)
        request.method = .POST
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        request.headers.add(name: "Connection", value: "close")
        request.body = .bytes(ByteBuffer(bytes: body))
        let left = max(.zero, deadline - .now)
        do {
            let response = try await client.execute(request, timeout: .nanoseconds(Int64(left / .nanoseconds(1))))
            let until = min(deadline, .now + .seconds(Self.bodySeconds))
            let body = await Bounded.run(until: until) { await Self.read(response.body) }
            let headers = Dictionary(
                response.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
            return .answered(
                ServerAnswer(status: Int(response.status.code), headers: headers, body: body ?? []))
        } catch {
            return connected.isRaised ? .broken(broken(error)) : .notConnected(notConnected(error))
        }
    }

    private static func read(_ body: HTTPClientResponse.Body) async -> [UInt8] {
        do {
            return [UInt8](buffer: try await body.collect(upTo: mostBodyBytes))
        } catch {
            // Too long or cut off: the status has said what matters.
            return []
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
            return address.web.scheme == .https
                ? "no secure connection to \(host) could be made: does it speak HTTPS, with a valid "
                    + "certificate for that name?"
                : "no connection to \(host) could be made"
        }
    }

    private func broken(_ error: any Error) -> String {
        let host = address.hostAndPort
        switch error {
        case is CancellationError: return "sending was stopped"
        case is HTTPParserError: return "what \(host) answers is not HTTP"
        case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
            return "no answer from \(host) in time"
        default: return "\(host) closed the connection without an answer"
        }
    }
}
