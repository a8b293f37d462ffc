import PlantDomain
import Testing

@Suite struct LLMAddressTests {
    @Test(arguments: [
        ("https://api.example.org", "https://api.example.org"),
        ("HTTPS://API.Example.ORG:443/", "https://api.example.org"),
        ("https://api.example.org/v1//", "https://api.example.org/v1"),
        (" http://localhost:11434/ ", "http://localhost:11434"),
        ("http://192.168.1.5:8080/v1", "http://192.168.1.5:8080/v1"), ("http://127.0.0.1", "http://127.0.0.1"),
        ("https://10.0.0.5", "https://10.0.0.5"), ("http://[::1]:80/", "http://[::1]"),
        ("http://172.16.0.1", "http://172.16.0.1"),
        ("http://[fd12::5]:9/x", "http://[fd12::5]:9/x"), ("http://[::ffff:127.0.0.1]", "http://[::ffff:127.0.0.1]"),
        ("http://100.64.0.1", "http://100.64.0.1"), ("https://8.8.8.8/v1", "https://8.8.8.8/v1"),
        // Where a name leads is not known yet.
        ("http://models.example.org/v1", "http://models.example.org/v1"),
    ])
    func `a good base has one spelling`(text: String, base: String) throws {
        #expect(try LLMAddress(text, allowed: .none).text == base)
    }

    @Test(arguments: [
        "169.254.169.254", "169.254.0.1", "[fe80::1]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a9fe:a9fe]", "100.100.100.200", "[fd00:ec2::254]", "[fd20:ce::254]", "168.63.129.16",
        "[::ffff:100.100.100.200]", "192.0.0.192", "0.0.0.0", "[::]", "224.0.0.1", "[ff02::1]", "255.255.255.255",
        "240.0.0.1", "[2002:a9fe:a9fe::1]", "[fec0::1]", "192.0.2.1", "198.18.0.1", "[::127.0.0.1]",
    ])
    func `some addresses are never asked`(host: String) throws {
        for scheme in ["http", "https"] {
            let error = #expect(throws: LLMAddressError.self) {
                try LLMAddress("\(scheme)://\(host)/v1", allowed: .none)
            }
            guard case .never? = error else {
                Issue.record("\(scheme)://\(host): \(error.map { "\($0)" } ?? "")")
                continue
            }
            #expect(error?.description.hasPrefix("leads to ") == true)
        }
        // The operator may mean it.
        #expect(try LLMAddress(operators: "http://\(host)/v1").isOperators)
    }

    @Test(arguments: [
        ("http://8.8.8.8", "must begin with https://"), ("http://[2606:4700::1]/", "must begin with https://"),
        ("https://user:word@api.example.org", "user or a password"), ("https://@api.example.org", "user or a password"),
        ("https://api.example.org/v1?key=x", "must not contain ?"),
        ("https://api.example.org/#x", "must not contain #"),
        ("https://2130706433", "usual form"), ("http://0x7f000001", "usual form"),
        ("http://017700000001", "usual form"),
        ("http://0177.0.0.1", "usual form"), ("http://127.1", "usual form"), ("http://[fe80::1%25eth0]", "usual form"),
        ("ftp://api.example.org", "http:// for a server in your own network"), ("api.example.org", "http://"),
        ("file:///etc/passwd", "http://"), ("", "is empty"), ("https://api.example.org/a b", "character"),
        ("https://", "valid host"), ("https://api.example.org:99999", "valid host"),
    ])
    func `what is wrong with a base is said`(text: String, words: String) {
        let error = #expect(throws: LLMAddressError.self) { try LLMAddress(text, allowed: .none) }
        #expect(error?.description.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
    }

    @Test(arguments: [
        ("http://models.example.org", "93.184.215.14", false), ("https://models.example.org", "93.184.215.14", true),
        ("http://models.example.org", "192.168.1.5", true), ("https://models.example.org", "::1", true),
        ("http://models.example.org", "fe80::1", false), ("https://models.example.org", "169.254.169.254", false),
        ("https://models.example.org", "::ffff:169.254.169.254", false),
        ("https://models.example.org", "0.0.0.0", false),
        ("https://models.example.org", "168.63.129.16", false), ("http://models.example.org", "fd00:ec2::254", false),
        ("https://models.example.org", "64:ff9b:1::7f00:1", false),
    ])
    func `each address of a name is judged`(base: String, address: String, isPermitted: Bool) throws {
        let found = try #require(IPAddress(address))
        #expect(try LLMAddress(base, allowed: .none).permits(found) == isPermitted)
        #expect(try LLMAddress(operators: base).permits(found))
    }

    @Test func `questions go to the provider's path`() throws {
        func url(_ base: String, _ provider: LLMProvider) throws -> String {
            try LLMAddress(base, allowed: .none).endpoint(of: provider).url
        }
        #expect(LLMServers().allowed == .none)
        #expect(try url("https://a.example", .anthropic) == "https://a.example/v1/messages")
        #expect(try url("https://a.example/v1/", .anthropic) == "https://a.example/v1/messages")
        #expect(try url("https://a.example/llm", .anthropic) == "https://a.example/llm/v1/messages")
        #expect(try url("https://a.example", .openai) == "https://a.example/v1/chat/completions")
        #expect(try url("https://a.example/api/v3", .openai) == "https://a.example/api/v3/chat/completions")
        #expect(
            LLMProvider.allCases.map { $0.officialAddress.endpoint(of: $0).url } == [
                "https://api.anthropic.com/v1/messages", "https://api.openai.com/v1/chat/completions",
            ])
    }

    @Test func `what the operator has set for one scheme is not set for the other`() throws {
        let servers = LLMServers(openai: try LLMAddress(operators: "https://93.184.215.14/v1"))
        #expect(try servers.address(of: .openai, base: "https://93.184.215.14/v2").isOperators)
        #expect(throws: LLMAddressError.self) { try servers.address(of: .openai, base: "http://93.184.215.14:443/v1") }
        let name = try servers.address(of: .openai, base: "http://a.example:443/v1")
        #expect(!name.isOperators)
    }

    @Test func `what the operator has set is taken, at its port`() throws {
        let servers = LLMServers(openai: try LLMAddress(operators: "http://169.254.7.7:8080/v1"))
        #expect(try servers.address(of: .openai, base: nil).text == "http://169.254.7.7:8080/v1")
        #expect(try servers.address(of: .openai, base: "http://169.254.7.7:8080/v2").isOperators)
        #expect(throws: LLMAddressError.self) { try servers.address(of: .openai, base: "http://169.254.7.7/v1") }
        #expect(try servers.address(of: .anthropic, base: nil).official == .anthropic)
    }

    @Test func `the providers' own servers are not asked without a key`() throws {
        let own = LLMServers()
        let set = LLMServers(anthropic: try LLMAddress(operators: "http://localhost:1"))
        var settings = LLMSettings(provider: .anthropic, updatedAt: .now())
        #expect(!own.canAsk(settings))
        #expect(set.canAsk(settings))
        settings.keyHint = "…"
        #expect(own.canAsk(settings))
        settings.keyHint = nil
        settings.baseURL = "https://api.anthropic.com/x"
        #expect(!set.canAsk(settings))
        settings.baseURL = "http://localhost:11434"
        #expect(own.canAsk(settings))
    }

    @Test(arguments: [
        ("", false), ("a", true), (" a", false), ("a ", false), ("a b", true), ("é", false), ("a\n", false),
        ("a\u{7F}", false),
        (String(repeating: "k", count: 500), true), (String(repeating: "k", count: 501), false),
    ])
    func `a key is printable`(text: String, isKey: Bool) { #expect(LLMSettings.isKey(text) == isKey) }
}
