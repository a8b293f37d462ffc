import PlantDomain

/// Which addresses of a server may be connected to.
enum OutgoingPeers: Equatable {
    /// How a name becomes addresses.
    typealias Resolver = @Sendable (String, ContinuousClock.Instant) async -> AddressResolver.Answer

    case peers([IPAddress])
    /// Why not just now.
    case unknown(String)
    /// Where the name leads to, and none of it is permitted.
    case forbidden(IPAddress)

    /// Of one name at most as many addresses are tried, each until it turns out that nobody is there.
    private static let most = 4

    /// - Parameter isPermitted: judges each address that the name leads to. One that is written in the URL itself has been
    ///   judged by whoever read the URL.
    static func find(
        _ host: URLHost, until deadline: ContinuousClock.Instant, resolve: Resolver,
        isPermitted: (IPAddress) -> Bool
    ) async -> OutgoingPeers {
        switch host {
        case .address(let literal): return .peers([literal])
        case .name(let name):
            switch await resolve(name, deadline) {
            case .failed(let reason): return .unknown(reason)
            case .addresses(let found):
                let permitted = found.filter(isPermitted)
                if !permitted.isEmpty { return .peers(permitted) }
                return found.first.map { .forbidden($0) } ?? .unknown("the name \(name) has no address")
            }
        }
    }

    /// Sends a request to the first of several addresses where somebody is.
    static func send(
        _ request: OutgoingRequest, to peers: [IPAddress], until deadline: ContinuousClock.Instant
    ) async -> OutgoingExchange.Result {
        var reason = "there was no time left to connect to \(request.address.hostAndPort)"
        for (index, peer) in peers.prefix(most).enumerated() {
            let left = (deadline - .now) / .seconds(1)
            if Task.isCancelled || left <= 0 { break }
            let isLast = index + 1 == min(peers.count, most)
            let exchange = OutgoingExchange(
                request: request, peer: peer, deadline: deadline, connectSeconds: isLast ? left : left / 2)
            let result = await exchange.run()
            guard case .notConnected(let why) = result else { return result }
            reason = why
        }
        return .notConnected(reason)
    }
}
