import PlantDomain
import Testing

@Suite struct ChannelAddressTests {
    // MARK: Public addresses

    @Test(
        arguments: [
            "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
            "128.0.0.0", "162.159.135.232", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
            "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
            "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "2606:4700::6810:84e5",
            "2001:200::1", "2001:4860:4860::8888", "2003::1", "2a00:1450::1", "3ffe::1", "::ffff:8.8.8.8",
            "::FFFF:808:808", "64:ff9b::8.8.8.8",
        ])
    func `an address that everybody reaches is public`(text: String) throws {
        #expect(try #require(IPAddress(text)).special == nil)
    }

    @Test(
        arguments: [
            ("0.0.0.0", "unspecified"), ("0.255.255.255", "unspecified"), ("10.0.0.0", "private"),
            ("10.255.255.255", "private"), ("100.64.0.0", "carrier-NAT"), ("100.127.255.255", "carrier-NAT"),
            ("127.0.0.1", "loopback"), ("127.255.255.255", "loopback"), ("169.254.0.0", "link-local"),
            ("169.254.169.254", "link-local"), ("172.16.0.0", "private"), ("172.31.255.255", "private"),
            ("192.0.0.1", "protocol"), ("192.0.0.192", "protocol"), ("192.0.2.1", "documentation"),
            ("192.31.196.1", "protocol"), ("192.52.193.1", "protocol"), ("192.88.99.1", "6to4 relay"),
            ("192.168.0.0", "private"), ("192.168.255.255", "private"), ("192.175.48.1", "protocol"),
            ("198.18.0.0", "benchmarking"), ("198.19.255.255", "benchmarking"), ("198.51.100.1", "documentation"),
            ("203.0.113.1", "documentation"), ("224.0.0.0", "multicast"), ("239.255.255.255", "multicast"),
            ("240.0.0.0", "reserved"), ("255.255.255.254", "reserved"), ("255.255.255.255", "broadcast"),
            ("::", "unspecified"), ("::1", "loopback"), ("::2", "reserved"), ("::127.0.0.1", "reserved"),
            ("::8.8.8.8", "reserved"), ("::ffff:127.0.0.1", "loopback"), ("::ffff:7f00:1", "loopback"),
            ("::ffff:10.1.2.3", "private"), ("::ffff:0.0.0.0", "unspecified"), ("::ffff:0:8.8.8.8", "reserved"),
            ("64:ff9b::10.0.0.1", "private"), ("64:ff9b::7f00:1", "loopback"), ("64:ff9b::1:8.8.8.8", "reserved"),
            ("64:ff9b:1::8.8.8.8", "private"), ("100::1", "discarded"), ("1fff:ffff::1", "reserved"),
            ("2001::1", "Teredo"), ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"), ("2001:1::1", "protocol"),
            ("2001:2::1", "benchmarking"), ("2001:10::1", "protocol"), ("2001:20::1", "protocol"),
            ("2001:1ff:ffff::1", "protocol"), ("2001:db8::1", "documentation"), ("2002:808:808::1", "6to4"),
            ("2002:7f00:1::", "6to4"), ("2620:4f:8000::1", "protocol"), ("3fff::1", "documentation"),
            ("3fff:fff::1", "documentation"), ("4000::1", "reserved"), ("5f00::1", "segment-routing"),
            ("8000::1", "reserved"), ("fbff::1", "reserved"), ("fc00::1", "private"), ("fd12:3456::1", "private"),
            ("fe00::1", "reserved"), ("fe80::1", "link-local"), ("febf::1", "link-local"), ("fec0::1", "site-local"),
            ("ff02::1", "multicast"), ("ff0e::1", "multicast"),
        ])
    func `an address that is reserved for something is not public`(text: String, purpose: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.special == purpose)
        #expect(!address.isPublic)
    }

    @Test(
        arguments: [
            "", " ", "1.2.3", "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001", "0177.0.0.1",
            "127.0.0.01", "1.2.3.4.", "1.2.3.256", "1.2.3.4/8", "1.2.3.4:80", "fe80::1%eth0", "[::1]", ":::", "1::2::3",
            "::ffff:127.0.0.1.", "localhost", "１.2.3.4",
        ])
    func `what is not an address in its usual form is none`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `an address prints in one spelling`() {
        #expect(IPAddress("2001:0DB8:0:0:0:0:0:0001")?.description == "2001:db8::1")
        #expect(IPAddress("8.8.8.8")?.description == "8.8.8.8")
    }

    // MARK: Channels' addresses

    @Test(
        arguments: [
            ("https://discord.com/api/webhooks/1/abc", "https://discord.com/api/webhooks/1/abc"),
            ("  HTTPS://Discord.COM:443/Api?a=B\n", "https://discord.com/Api?a=B"),
            ("https://example.org", "https://example.org/"), ("https://example.org?x=1", "https://example.org/?x=1"),
            ("https://example.org:8443/a%20b", "https://example.org:8443/a%20b"),
            ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
            ("https://8.8.8.8/x", "https://8.8.8.8/x"),
            ("https://[2606:4700:0:0::6810:84E5]:444/x", "https://[2606:4700::6810:84e5]:444/x"),
            ("https://my_host.example/@/:80//x", "https://my_host.example/@/:80//x"),
            ("https://1.example.0x/", nil), ("https://0x.example/", "https://0x.example/"),
        ] as [(String, String?)])
    func `a good address has one spelling`(text: String, url: String?) {
        #expect((try? ChannelAddress(text, allowed: .none))?.url == url)
    }

    @Test(
        arguments: [
            ("", .empty), (" \n", .empty), ("https://a.example/" + String(repeating: "x", count: 2048), .tooLong),
            ("https://a.example/#x", .fragment), ("https://a.example#@b.example/", .fragment),
            ("discord.com/api", .scheme), ("ftp://a.example/", .scheme), ("file:///etc/passwd", .scheme),
            ("https:/a.example", .scheme), ("//a.example", .scheme), ("javascript:alert(1)//https://a", .scheme),
            ("https+unix://socket", .scheme), ("https://user@a.example/", .userInfo),
            ("https://user:word@a.example/", .userInfo), ("https://a.example@127.0.0.1/", .userInfo),
            ("https://@a.example/", .userInfo), ("https://a.example\\@127.0.0.1/", .userInfo),
            ("https://", .hostOrPort), ("https:///x", .hostOrPort), ("https://:443/", .hostOrPort),
            ("https://a.example:/", .hostOrPort), ("https://a.example:0/", .hostOrPort),
            ("https://a.example:65536/", .hostOrPort), ("https://a.example:+80/", .hostOrPort),
            ("https://a.example:80:81/", .hostOrPort), ("https://a.example:８０/", .hostOrPort),
            ("https://a.example:x/", .hostOrPort), ("https://::1/", .hostOrPort), ("https://[::1/", .hostOrPort),
            ("https://[::1]x/", .hostOrPort), ("https://a..example/", .hostOrPort),
            ("https://.a.example/", .hostOrPort),
            ("https://a.example./", .hostOrPort), ("https://127.0.0.1./", .hostOrPort),
            ("https://-a.example/", .hostOrPort), ("https://a-.example/", .hostOrPort),
            ("https://bücher.example/", .hostOrPort), ("https://ⓛocalhost/", .hostOrPort),
            ("https://127。0。0。1/", .hostOrPort), ("https://a%2eexample/", .hostOrPort),
            ("https://a example/", .hostOrPort), ("https://a.example\t/", .hostOrPort), ("https://*/", .hostOrPort),
            ("https://a\\b.example/", .hostOrPort), ("https://" + String(repeating: "a", count: 64) + "/", .hostOrPort),
            ("https://" + String(repeating: "a.", count: 130) + "example/", .hostOrPort),
            ("https://2130706433/", .oddAddress), ("https://0x7f000001/", .oddAddress),
            ("https://0X7F.0.0.1/", .oddAddress), ("https://017700000001/", .oddAddress),
            ("https://0177.0.0.1/", .oddAddress), ("https://127.1/", .oddAddress), ("https://127.0.0.01/", .oddAddress),
            ("https://1.2.3.4.5/", .oddAddress), ("https://a.example.0x7f/", .oddAddress), ("https://0/", .oddAddress),
            ("https://256.256.256.256/", .oddAddress), ("https://[fe80::1%25eth0]/", .oddAddress),
            ("https://[fe80::1%eth0]/", .oddAddress), ("https://[127.0.0.1]/", .oddAddress),
            ("https://[v1.x]/", .oddAddress), ("https://[]/", .oddAddress), ("https://a.example/a b", .characters),
            ("https://a.example/\r\nHost: b", .characters), ("https://a.example/\u{0}", .characters),
            ("https://a.example/a\\b", .characters), ("https://a.example/é", .characters),
            ("https://a.example/%", .characters), ("https://a.example/%4", .characters),
            ("https://a.example/%zz", .characters), ("https://a.example/\"", .characters),
            ("https://a.example/{x}", .characters), ("https://a.example?a[]=1", .characters),
        ] as [(String, WebAddressError)])
    func `what is wrong with an address is said`(text: String, error: WebAddressError) {
        #expect(throws: ChannelAddressError.malformed(error)) { try ChannelAddress(text, allowed: .none) }
    }

    @Test(
        arguments: [
            "https://127.0.0.1/", "https://10.0.0.5:8443/x", "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/", "https://[::FFFF:7F00:1]/", "https://[64:ff9b::a00:1]/", "https://0.0.0.0/",
            "https://[::]/", "https://[fd00::1]/", "https://192.0.2.1/", "https://[2001:db8::1]/",
        ])
    func `a private address is refused and the way out is told`(text: String) throws {
        let error = #expect(throws: ChannelAddressError.self) { try ChannelAddress(text, allowed: .none) }
        let words = try #require(error).description
        #expect(words.contains("CHANNEL_ALLOWED_HOSTS"))
        #expect(!words.contains("meta-data"))
    }

    @Test func `a listed host may speak plain HTTP and be private, at its port only`() throws {
        let allowed = try AllowedHosts(list: "Receiver.LAN:8080, 10.0.0.5 ,[FD00::0005]:9000,,localhost")
        let good = [
            "http://receiver.lan:8080/x", "https://RECEIVER.lan:8080/x", "http://10.0.0.5/", "https://10.0.0.5:1/",
            "http://[fd00::5]:9000/", "http://localhost:65535/",
        ]
        for text in good { #expect(try ChannelAddress(text, allowed: allowed).isExcepted) }
        for text in [
            "http://receiver.lan/x", "http://receiver.lan:8081/", "http://10.0.0.6/", "http://[fd00::5]/",
            "http://[::ffff:10.0.0.5]/", "http://a.localhost/", "http://user@localhost/",
        ] {
            #expect(throws: ChannelAddressError.self) { try ChannelAddress(text, allowed: allowed) }
        }
        // Who is not listed may still be reached as everybody may.
        #expect(try ChannelAddress("https://receiver.lan/", allowed: allowed).isExcepted == false)
    }

    @Test(
        arguments: [
            "http://a.lan", "a.lan/", "a.lan:0", "a.lan:99999", "a.lan:", ":80", "::1", "[::1", "[::1]:", "[10.0.0.1]",
            "10.0.0", "10.0.0.0/8", "*", "*.lan", "a b", "user@a.lan", "a.lan.", "0x7f.1", "bücher.lan",
        ])
    func `an item that is no host is told by its place, not by its text`(item: String) {
        let error = #expect(throws: AllowedHostsError.self) { try AllowedHosts(list: "ok.lan,,\(item)") }
        #expect(error?.position == 3)
        #expect(error?.description.contains("item 3 ") == true)
    }

    @Test func `nothing listed excepts nobody`() throws {
        #expect(try AllowedHosts(list: "") == .none)
        #expect(try AllowedHosts(list: " , ") == .none)
    }

    // MARK: Hints

    @Test(
        arguments: [
            (
                "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrst-wxyz",
                "https://discord.com/…wxyz"
            ),
            ("https://a.example:8443/hook?key=abcdefghijklmnop", "https://a.example:8443/…mnop"),
            ("https://a.example/hooks/12345678901", "https://a.example/…"),
            ("https://a.example/", "https://a.example/"), ("https://a.example", "https://a.example/"),
        ])
    func `a hint tells addresses apart and no more`(text: String, hint: String) throws {
        let address = try ChannelAddress(text, allowed: .none)
        #expect(address.hint == hint)
        var dumped = ""
        dump(address, to: &dumped)
        for printed in ["\(address)", String(reflecting: address), dumped] {
            #expect(!printed.contains("abcdefgh") && !printed.contains("1234567890"))
        }
    }

    @Test func `no complaint repeats the token`() {
        let token = "t0p-s3cr3t-t0k3n"
        for text in [
            "http://a.example/\(token)", "https://u@a.example/\(token)", "https://a.example/\(token)#", token,
            "https://a.example/\(token)%", "https://10.0.0.1/\(token)", "https://\(token)./", "https://a:\(token)/",
            "https://user:\(token)@a.example/",
        ] {
            let error = #expect(throws: ChannelAddressError.self) { try ChannelAddress(text, allowed: .none) }
            #expect(error?.description.contains(token) == false)
        }
    }
}
