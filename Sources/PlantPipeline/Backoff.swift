/// Waiting times between attempts: doubling from `first` to `longest` seconds, each shortened by up to half at random
/// so that many clients of a server that comes back do not all knock at once.
struct Backoff {
    private let first: Double
    private let longest: Double
    private let random: () -> Double
    private var next: Double

    /// - Parameter random: a number in 0 ..< 1.
    init(first: Double = 0.25, longest: Double = 10, random: @escaping () -> Double = { .random(in: 0..<1) }) {
        self.first = first
        self.longest = longest
        self.random = random
        next = first
    }

    mutating func reset() { next = first }

    /// How long to wait now, in seconds.
    mutating func wait() -> Double {
        defer { next = min(longest, next * 2) }
        return next * (1 - random() / 2)
    }
}
