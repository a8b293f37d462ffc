import Glibc
import Testing

@testable import Sealing

@Suite struct SecretTests {
    private struct Account {
        let name = "ada"
        let password: Secret
    }

    @Test func `a secret does not show itself`() {
        let secret = Secret("hush-hush")
        let account = Account(password: secret)
        var shown = ["\(secret)", "\([secret])", "\(account)", "\(secret as Any)", "\(Optional(secret) as Any)"]
        shown += [String(describing: secret), String(reflecting: secret), String(reflecting: account)]
        shown += ["\(Mirror(reflecting: secret))", "\(Array(Mirror(reflecting: secret).children))"]
        var dumped = ""
        dump(secret, to: &dumped)
        dump(account, to: &dumped)
        dump([secret], to: &dumped)
        #expect(!(shown.joined() + dumped).contains("hush"))
        #expect("\(secret)" == "<redacted>")
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }

    @Test(arguments: ["", "hush-hush", "Grüße 🌱", "with\0null", String(repeating: "long ", count: 100_000)])
    func `a secret gives back its text and its bytes`(text: String) {
        let secret = Secret(text)
        #expect(secret.reveal() == text)
        #expect(secret.withBytes { Array($0) } == Array(text.utf8))
        #expect(secret.isEmpty == text.isEmpty)
        #expect(secret.withBytes { $0.baseAddress != nil })
        #expect(Secret(bytes: Array(text.utf8)).reveal() == text)
    }

    @Test func `a secret holds bytes that are no text`() {
        let bytes: [UInt8] = [0xff, 0, 0xc3, 0x28]
        #expect(Secret(bytes: bytes).withBytes { Array($0) } == bytes)
        #expect(Secret(bytes: bytes).reveal() == "\u{fffd}\0\u{fffd}(")
    }

    @Test func `an error leaves the bytes as it was thrown`() {
        struct Odd: Error {}
        #expect(throws: Odd.self) { try Secret("hush").withBytes { _ in throw Odd() } }
    }

    @Test func `a secret whose content was refused is none`() {
        #expect(Secret(count: 4) { _ in false } == nil)
    }

    @Test func `a secret can be read from many tasks at once`() async {
        let secret = Secret("hush-hush")
        await withTaskGroup { group in
            for _ in 0..<100 { group.addTask { secret.reveal() } }
            for await text in group { #expect(text == "hush-hush") }
        }
    }

    @Test func `secrets live in the secure heap once it is prepared, and leave it`() async {
        // In a process of its own: the heap cannot be taken down while the secrets of other tests are in it.
        await #expect(processExitsWith: .success) {
            let early = Secret("before the heap")
            SecureMemory.prepare()
            SecureMemory.prepare()
            #expect(SecureMemory.used == 0)
            do {
                let secret = Secret("hush-hush")
                let copy = secret
                #expect(SecureMemory.used == 32)
                #expect(copy.reveal() == "hush-hush")
            }
            #expect(SecureMemory.used == 0)
            #expect(early.reveal() == "before the heap")

            var limit = rlimit(rlim_cur: 1, rlim_max: 1)
            #expect(getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0)
            #expect(limit.rlim_cur == 0 && limit.rlim_max == 0)
        }
    }

    @Test func `secrets that the secure heap has no room for live outside`() async {
        await #expect(processExitsWith: .success) {
            SecureMemory.prepare()
            let large = Secret(bytes: [UInt8](repeating: 7, count: 2 << 20))
            #expect(SecureMemory.used == 0)
            #expect(large.withBytes { $0.allSatisfy { $0 == 7 } })
            let many = (0..<40_000).map { Secret("secret \($0)") }
            #expect(SecureMemory.used == 1 << 20)
            #expect(many.enumerated().allSatisfy { $1.reveal() == "secret \($0)" })
        }
    }
}
