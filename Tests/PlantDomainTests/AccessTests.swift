import PlantDomain
import Testing

@Suite struct AccessTests {
    private let start = Timestamp(microseconds: 1_780_000_000_000_000)

    private func count(_ attempts: Int, first: Double = 0, last: Double = 0) -> SignInThrottle.Count {
        SignInThrottle.Count(
            attempts: attempts, firstAt: start.adding(seconds: first), lastAt: start.adding(seconds: last))
    }

    @Test func `roles include the ones below them`() {
        #expect(UserRole.viewer < .member)
        #expect(UserRole.member < .admin)
        #expect(!(UserRole.admin < .admin))
    }

    @Test(arguments: [(9, 0.0), (10, 1), (11, 2), (13, 8), (19, 512), (20, 900), (200, 900)])
    func `an account tried from one address pauses longer and longer, at most a quarter of an hour`(
        attempts: Int, pause: Double
    ) {
        #expect(SignInThrottle.accountAndAddress.wait(count(attempts), now: start) == pause)
        #expect(SignInThrottle.accountAndAddress.wait(count(attempts), now: start.adding(seconds: pause)) == 0)
    }

    @Test(arguments: [(SignInThrottle.address, 30, 900.0), (.account, 100, 3600)])
    func `a window opens again when it has passed`(kind: SignInThrottle, most: Int, window: Double) {
        #expect(kind.wait(count(most - 1), now: start.adding(seconds: 10)) == 0)
        #expect(kind.wait(count(most, last: 10), now: start.adding(seconds: 10)) == window - 10)
        #expect(kind.wait(count(most, last: 10), now: start.adding(seconds: window)) == 0)
        #expect(kind.isOver(count(most, last: 10), now: start.adding(seconds: window)))
    }

    @Test(arguments: SignInThrottle.allCases)
    func `a clock that was set back keeps nobody out`(kind: SignInThrottle) {
        #expect(kind.wait(count(200, first: 3600, last: 3600), now: start) == 0)
        #expect(kind.wait(count(200, first: 30, last: 30), now: start) <= kind.windowSeconds)
    }

    @Test(arguments: [
        ("A@B.example", "a@b.example"), ("a+tag@localhost", "a+tag@localhost"), ("ü@ß.de", "ü@ß.de"),
        ("a", nil), ("a@", nil), ("@b", nil), ("a@b@c", nil), ("a b@c", nil), ("a\n@b", nil), ("", nil),
        (String(repeating: "x", count: 251) + "@abc", nil),
    ])
    func `an email address is lower case, or none`(text: String, email: String?) {
        #expect(User.email(text) == email)
    }

    @Test(arguments: [
        (interval: nil as Int?, learned: nil as Double?, silent: 179.0, DeviceStatus.online),
        (nil, nil, 181, .offline), (600, nil, 1799, .online), (600, 60, 1799, .online), (600, nil, 1801, .offline),
        (nil, 600, 1799, .online), (nil, 600, 1801, .offline), (1, nil, 179, .online),
    ])
    func `a device is offline after three times what is expected of it`(
        interval: Int?, learned: Double?, silent: Double, status: DeviceStatus
    ) throws {
        var device = Device(
            id: .make(), macAddress: try #require(MACAddress("020000000001")), name: "", firmwareVersion: nil,
            sensorTypes: [], reportingIntervalSeconds: interval, plantID: nil, createdAt: start, lastSeenAt: start,
            announcedOnline: nil, battery: nil, rssi: nil)
        device.learnedIntervalSeconds = learned
        let now = start.adding(seconds: silent)
        #expect(device.status(now: now) == status)
        device.announcedOnline = false
        #expect(device.status(now: now) == .offline)
        device.isEnabled = false
        #expect(device.status(now: now) == .disabled)
        device.isEnabled = true
        device.lastSeenAt = nil
        #expect(device.status(now: now) == .provisioning)
    }
}

@Suite struct CommandResultTests {
    private let id = "01900000-0000-7000-8000-000000000001"

    private func decode(_ text: String) -> (result: CommandResult?, rejection: Rejection?) {
        var text = text
        return text.withUTF8 { CommandResultDecoder.decode(UnsafeRawBufferPointer($0)) }
    }

    @Test func `a result says which command, whether it worked, and more if it likes`() throws {
        let id = try #require(EntityID(id))
        let full = decode(#"{"detail": "blinks", "x": [1], "ok": true, "id": "\#(id)"}"#)
        #expect(full.result == CommandResult(id: id, ok: true, detail: "blinks"))
        #expect(decode(#"{"id":"\#(id)","ok":false}"#).result == CommandResult(id: id, ok: false, detail: nil))
        let long = decode(#"{"id":"\#(id)","ok":true,"detail":"\#(String(repeating: "a", count: 9000))\u0000"}"#)
        #expect(long.result?.detail?.unicodeScalars.count == 500)
    }

    @Test(arguments: [
        ("", RejectReason.empty), ("{", .notJSON), ("[]", .notAnObject), ("{}", .wrongType),
        (#"{"id":"x","ok":true}"#, .wrongType), (#"{"id":"01900000-0000-7000-8000-000000000001"}"#, .wrongType),
        (#"{"id":"01900000-0000-7000-8000-000000000001","ok":"true"}"#, .wrongType),
    ])
    func `anything else is refused`(text: String, reason: RejectReason) {
        let (result, rejection) = decode(text)
        #expect(result == nil)
        #expect(rejection?.reason == reason)
    }

    @Test(arguments: [("reboot", true), ("set_interval", true), ("", false), ("Reboot", false), ("a\"b", false)])
    func `a command has a name that needs no escaping`(name: String, isName: Bool) {
        #expect(DeviceCommand.isName(name) == isName)
    }

    @Test func `a command without an answer expires`() {
        let made = Timestamp(microseconds: 1_780_000_000_000_000)
        var command = DeviceCommand(
            id: .make(), deviceID: .make(), command: "reboot", args: "{}", createdAt: made)
        #expect(command.status(now: made) == .pending)
        command.sentAt = made
        #expect(command.status(now: made) == .sent)
        #expect(command.status(now: made.adding(seconds: 3601)) == .expired)
        command.succeeded = true
        #expect(command.status(now: made.adding(seconds: 3601)) == .succeeded)
        command.succeeded = false
        #expect(command.status(now: made) == .failed)
    }
}
