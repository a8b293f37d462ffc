/// Randomness that is a function: the same seed, stream and moment always give the same number, so that a reading can
/// be made again at any time and readings made in any order join.
struct SimulatorNoise: Sendable {
    private let seed: UInt64

    init(seed: UInt64) { self.seed = seed }

    /// A generator of its own for one device.
    func forked(_ index: Int) -> SimulatorNoise { SimulatorNoise(seed: bits(stream: 0xD1CE, Int64(index))) }

    /// 64 well-mixed bits: the finaliser of SplitMix64 (Steele, Lea, Flood 2014), once for the stream, once for the
    /// moment.
    func bits(stream: UInt64, _ moment: Int64) -> UInt64 {
        Self.mix(Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15 &* (stream &+ 1)) &+ UInt64(bitPattern: moment))
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var value = value &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// 0 ..< 1
    func uniform(stream: UInt64, _ moment: Int64) -> Double {
        Double(bits(stream: stream, moment) >> 11) * 0x1p-53
    }

    /// About normal, mean 0, deviation 1, within ±3.5: the sum of four 16-bit uniform numbers (variance 1/12 each).
    func normal(stream: UInt64, _ moment: Int64) -> Double {
        let bits = bits(stream: stream, moment)
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        return (Double(sum) / 65_535 - 2) * 1.732_050_8
    }

    /// Wanders smoothly within −1 … 1: a random value per `period`, joined by smoothstep.
    /// - Parameter seconds: since 1970
    func wander(stream: UInt64, _ seconds: Double, period: Double) -> Double {
        let position = seconds / period
        let step = position.rounded(.down)
        let fraction = position - step
        let from = uniform(stream: stream, Int64(step))
        let to = uniform(stream: stream, Int64(step) + 1)
        let weight = fraction * fraction * (3 - 2 * fraction)
        return 2 * (from + (to - from) * weight) - 1
    }
}
