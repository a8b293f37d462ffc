/// How far a device's clock is behind ours, in seconds. What it sends late after an outage looks the same for a while,
/// but then it catches up; a clock that is wrong stays wrong.
struct ClockOffset: Equatable, Sendable {
    private static let toleranceSeconds = 60.0
    private static let steadySeconds = 900.0

    private(set) var age = 0.0
    private(set) var since: Timestamp?
    /// What its readings are forgiven.
    private(set) var granted = 0.0

    init() {}

    mutating func note(age: Double, at time: Timestamp) {
        guard let since, abs(age - self.age) <= Self.toleranceSeconds else {
            self.age = age
            self.since = time
            granted = 0
            return
        }
        if time.seconds(since: since) >= Self.steadySeconds { granted = max(0, self.age) }
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(UInt8(since == nil ? 0 : 1))
        guard let since else { return }
        bytes.put(age)
        bytes.put(since)
        bytes.put(granted)
    }

    init?(_ reader: inout MemoryReader) {
        guard let flag = reader.byte(), flag <= 1 else { return nil }
        guard flag == 1 else { return }
        guard let age = reader.double(), age.isFinite, let since = reader.time(), let granted = reader.double(),
            granted.isFinite
        else { return nil }
        self.age = age
        self.since = since
        self.granted = granted
    }
}
