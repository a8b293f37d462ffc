package import Logging
package import PlantDomain
package import Sealing

/// Sends messages to channels over HTTP. Keeps nothing between two messages and may be used by many tasks at once.
///
/// Members set the addresses, so a channel could be made to ask what only this machine can reach. Therefore only public
/// addresses are connected to, unless the configuration excepts the host; the connection goes to the very address that
/// was judged; redirects are not followed; and nothing of an answer but its status is shown to anyone.
package struct ChannelSender: Sendable {
    private let allowed: AllowedHosts
    private let publicOrigin: String?
    private let userAgent: String
    private let logger: Logger
    private let timeoutSeconds: Double
    private let resolve: OutgoingPeers.Resolver

    /// What is read of an answer; only Discord's on rate limits are of interest.
    private static let mostAnswerBytes = 16_384
    /// The status has been told by then: this is patience with what nobody needs.
    private static let bodySeconds = 2.0

    /// - Parameters:
    ///   - allowed: who may be a private address and plain HTTP.
    ///   - publicOrigin: what links begin with (`https://plants.example.org`, without a slash); nil: no links.
    ///   - version: PlantOps' own, for `User-Agent`.
    ///   - timeoutSeconds: for a whole attempt, from the name to the last byte that is waited for.
    package init(
        allowed: AllowedHosts, publicOrigin: String?, version: String, logger: Logger, timeoutSeconds: Double = 10
    ) {
        self.init(
            allowed: allowed, publicOrigin: publicOrigin, version: version, logger: logger,
            timeoutSeconds: timeoutSeconds, resolve: AddressResolver.addresses)
    }

    init(
        allowed: AllowedHosts, publicOrigin: String?, version: String, logger: Logger, timeoutSeconds: Double,
        resolve: @escaping OutgoingPeers.Resolver
    ) {
        self.allowed = allowed
        self.publicOrigin = publicOrigin
        userAgent = "PlantOps/" + version
        self.logger = logger
        self.timeoutSeconds = timeoutSeconds
        self.resolve = resolve
    }

    /// One attempt. A task that is cancelled gets `.retry` at once; the message may have arrived then.
    /// - Parameters:
    ///   - url: the channel's address, as a person gave it.
    ///   - secret: what a webhook's messages are signed with; nil: they are not.
    package func send(_ message: AlertMessage, kind: ChannelKind, url: Secret, secret: Secret?) async -> SendOutcome {
        let start = ContinuousClock.now
        let deadline = start + .seconds(timeoutSeconds)
        let outcome: SendOutcome
        do {
            let address = try ChannelAddress(url.reveal(), allowed: allowed)
            outcome = await send(message, kind: kind, address: address, secret: secret, deadline: deadline)
            logger.debug(
                "channel was sent a message",
                metadata: [
                    "host": "\(address.hostAndPort)", "outcome": "\(outcome)",
                    "milliseconds": "\(Int((ContinuousClock.now - start) / .milliseconds(1)))",
                ])
        } catch {
            outcome = .refused(status: nil, reason: "the channel's address \(error)")
        }
        return outcome
    }

    /// Whether a channel could be sent messages at this address, as far as that shows without sending one.
    /// - Returns: what is wrong with it and how to mend it, to be said after "the address"; nil when nothing is, and
    ///   when the name cannot be resolved just now.
    package func check(_ url: Secret) async -> String? {
        do {
            let address = try ChannelAddress(url.reveal(), allowed: allowed)
            switch await peers(of: address, until: .now + .seconds(timeoutSeconds)) {
            case .peers, .unknown: return nil
            case .forbidden(let found): return refusal(of: found, at: address).description
            }
        } catch {
            return "\(error)"
        }
    }

    private func send(
        _ message: AlertMessage, kind: ChannelKind, address: ChannelAddress, secret: Secret?,
        deadline: ContinuousClock.Instant
    ) async -> SendOutcome {
        let now = Timestamp.now()
        var headers = [(name: "Content-Type", value: "application/json"), (name: "User-Agent", value: userAgent)]
        let body: [UInt8]
        do {
            switch kind {
            case .discord: body = try DiscordMessage.body(message, publicOrigin: publicOrigin)
            case .webhook:
                body = try WebhookMessage.body(message, publicOrigin: publicOrigin)
                headers += WebhookMessage.headers(id: message.id, body: body, secret: secret, at: now)
            }
        } catch {
            return .refused(status: nil, reason: "the message cannot be written as JSON")
        }
        switch await peers(of: address, until: deadline) {
        case .unknown(let reason): return retry(reason)
        case .forbidden(let found):
            return .refused(status: nil, reason: "the channel's address \(refusal(of: found, at: address))")
        case .peers(let peers):
            let request = OutgoingRequest(
                address: address.web, headers: headers, body: body, mostAnswerBytes: Self.mostAnswerBytes,
                bodySeconds: Self.bodySeconds)
            switch await OutgoingPeers.send(request, to: peers, until: deadline) {
            case .answered(let answer): return answer.outcome(for: kind, now: .now())
            case .notConnected(let why), .late(let why), .broken(let why): return retry(why)
            }
        }
    }

    private func retry(_ reason: String) -> SendOutcome {
        .retry(
            afterSeconds: nil, isGlobal: false, status: nil,
            reason: Task.isCancelled ? "sending was stopped" : reason)
    }

    /// The addresses that may be connected to.
    func peers(of address: ChannelAddress, until deadline: ContinuousClock.Instant) async -> OutgoingPeers {
        await OutgoingPeers.find(
            address.web.host, until: deadline, resolve: resolve, isPermitted: address.permits)
    }

    private func refusal(of found: IPAddress, at address: ChannelAddress) -> ChannelAddressError {
        .notPublic(found, found.special ?? "reserved", host: address.web.host, port: address.web.port)
    }
}
