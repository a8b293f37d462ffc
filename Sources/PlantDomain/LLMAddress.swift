/// Where a language model is asked: the base of a provider's API that has been looked at, in one spelling.
///
/// Members set it, and a key is sent there. So HTTPS leads to public addresses and to local ones, plain HTTP to local ones
/// only (a model at home), and nothing to where clouds tell their machines their credentials; but what the operator has
/// set is taken as it is. What cannot be told without asking the DNS is not told here: whoever connects judges each
/// address with ``permits(_:)``.
package struct LLMAddress: Sendable, Equatable {
    /// Its target is the base's path without a slash at its end; `/` for none.
    package let web: WebAddress
    /// Scheme, host and port are the operator's, of `ANTHROPIC_BASE_URL` or `OPENAI_BASE_URL`.
    package let isOperators: Bool

    /// - Parameters:
    ///   - text: spaces around it and slashes at its end do not count.
    ///   - allowed: the operator's hosts.
    /// - Throws: what is wrong with it, and how to mend it.
    package init(_ text: String, allowed: AllowedHosts) throws(LLMAddressError) {
        try self.init(text) { allowed.contains($0.host, port: $0.port, scheme: $0.scheme) }
        guard !isOperators, case .address(let address) = web.host, !permits(address) else { return }
        throw refusal(of: address)
    }

    /// - Parameter text: of the operator's settings.
    package init(operators text: String) throws(LLMAddressError) {
        try self.init(text) { _ in true }
    }

    private init(_ text: String, isOperators: (WebAddress) -> Bool) throws(LLMAddressError) {
        let given: WebAddress
        do { given = try WebAddress(text) } catch { throw .malformed(error) }
        guard !given.target.utf8.contains(UInt8(ascii: "?")) else { throw .query }
        var path = Substring(given.target)
        while path.last == "/" { path.removeLast() }
        web = WebAddress(
            scheme: given.scheme, host: given.host, port: given.port, target: path.isEmpty ? "/" : String(path))
        self.isOperators = isOperators(given)
    }

    fileprivate init(official host: String, path: String) {
        web = WebAddress(scheme: .https, host: .name(host), port: WebAddress.Scheme.https.defaultPort, target: path)
        isOperators = false
    }

    /// The base in one spelling, as it is kept and shown; without a slash at its end.
    package var text: String { web.origin + path }

    private var path: String { web.target == "/" ? "" : web.target }

    /// Where questions are sent to.
    package func endpoint(of provider: LLMProvider) -> WebAddress {
        let target =
            switch provider {
            case .anthropic: path.hasSuffix("/v1") ? path + "/messages" : path + "/v1/messages"
            case .openai: (path.isEmpty ? "/v1" : path) + "/chat/completions"
            }
        return WebAddress(scheme: web.scheme, host: web.host, port: web.port, target: target)
    }

    /// Whose own server it is, who answers nobody without a key; nil for all others.
    package var official: LLMProvider? {
        LLMProvider.allCases.first { $0.officialAddress.web.host == web.host }
    }

    /// Whether a connection may go there.
    package func permits(_ address: IPAddress) -> Bool {
        if isOperators || address.isLocal { return true }
        return web.scheme == .https && address.isPublic && !address.isMetadataService
    }

    /// Why ``permits(_:)`` says no.
    package func refusal(of address: IPAddress) -> LLMAddressError {
        if address.isPublic, !address.isMetadataService { return .plain(address) }
        return .never(address, address.isMetadataService ? "a cloud's own service" : address.special ?? "reserved")
    }
}

/// What is wrong with the base address of a language model.
package enum LLMAddressError: Error, Sendable, Equatable {
    case malformed(WebAddressError)
    case query
    /// Plain HTTP to a public address.
    case plain(IPAddress)
    /// The address, and what it is reserved for.
    case never(IPAddress, String)
}

extension LLMAddressError: CustomStringConvertible {
    /// What is wrong and how to mend it, for people; begins with a verb.
    package var description: String {
        switch self {
        case .malformed(.scheme):
            "must be a whole address that begins with https://, or with http:// for a server in your own network"
        case .malformed(let error): error.description
        case .query: "must not contain ?: give the base of the API, such as https://example.org/v1"
        case .plain(let address):
            "must begin with https://: it leads to the public address \(address), and plain http, which shows the key to "
                + "whoever listens, is for servers in your own network"
        case .never(let address, let purpose):
            "leads to \(address) (\(purpose)): a model is asked at public addresses and in your own network; the "
                + "operator may set ANTHROPIC_BASE_URL or OPENAI_BASE_URL to it if that is meant"
        }
    }
}

extension LLMProvider {
    /// Where its API is when nobody says otherwise.
    package var officialAddress: LLMAddress {
        switch self {
        case .anthropic: LLMAddress(official: "api.anthropic.com", path: "/")
        case .openai: LLMAddress(official: "api.openai.com", path: "/v1")
        }
    }
}

/// Where the providers' APIs are for this installation, before anybody sets another address.
package struct LLMServers: Sendable, Equatable {
    private let anthropic: LLMAddress
    private let openai: LLMAddress
    /// What the operator has set, and so may be anywhere.
    package let allowed: AllowedHosts

    /// - Parameters:
    ///   - anthropic: of `ANTHROPIC_BASE_URL`; nil: Anthropic's own.
    ///   - openai: of `OPENAI_BASE_URL`; nil: OpenAI's own.
    package init(anthropic: LLMAddress? = nil, openai: LLMAddress? = nil) {
        self.anthropic = anthropic ?? LLMProvider.anthropic.officialAddress
        self.openai = openai ?? LLMProvider.openai.officialAddress
        allowed = AllowedHosts([anthropic, openai].compactMap { $0?.web })
    }

    /// - Parameter base: what people have set; nil: as the operator has it.
    /// - Throws: what is wrong with it: the operator's hosts may have been others when it was set.
    package func address(of provider: LLMProvider, base: String?) throws(LLMAddressError) -> LLMAddress {
        if let base { return try LLMAddress(base, allowed: allowed) }
        return provider == .anthropic ? anthropic : openai
    }

    /// Whose API is asked where, in one spelling; nil when the address cannot be used any more.
    package func place(of settings: LLMSettings) -> String? {
        guard let address = try? address(of: settings.provider, base: settings.baseURL) else { return nil }
        // Not the base, which can be written in two ways.
        return settings.provider.rawValue + " " + address.endpoint(of: settings.provider).url
    }

    /// Whether the model can be asked: the providers' own servers answer nobody without a key.
    package func canAsk(_ settings: LLMSettings) -> Bool {
        guard settings.keyHint == nil else { return true }
        guard let address = try? address(of: settings.provider, base: settings.baseURL) else { return false }
        return address.official == nil
    }
}
