import Foundation

/// The water in one pot: dries exponentially and is watered by a gardener who looks at it by day.
///
/// Waterings follow a calendar that is itself a function of the device: every `cycle` seconds, moved by up to 5 % either
/// way and into the hours from 8 to 20, and one time in six late by another 12 %, when it falls a little below the limit.
struct SimulatedSoil: Sendable {
    private let noise: SimulatorNoise
    private let plant: HousePlant
    /// Time constant in seconds.
    private let tau: Double
    /// From one watering to the next, in seconds.
    private let cycle: Double
    private let phase: Double

    init(noise: SimulatorNoise, plant: HousePlant) {
        self.noise = noise
        self.plant = plant
        tau = plant.dryingDays * 86_400 * (0.85 + 0.3 * noise.uniform(stream: Stream.pot, 1))
        // Watered on average 3 points above the lower limit.
        let wanted = plant.soilMoisture.lowerBound + 3
        cycle = tau * log((plant.watered - plant.residual) / (wanted - plant.residual))
        phase = noise.uniform(stream: Stream.pot, 2)
    }

    /// % at a time in seconds since 1970.
    func moisture(_ time: Double) -> Double {
        var number = Int64((time / cycle - phase).rounded(.down))
        while time < watering(number) { number -= 1 }
        while time >= watering(number + 1) { number += 1 }
        let start = watering(number)
        let before = dried(from: level(number - 1), for: start - watering(number - 1))
        // The water needs a few minutes to sink in.
        let sinkingIn = (level(number) - before) * exp(-(time - start) / 150)
        return dried(from: level(number), for: time - start) - sinkingIn
    }

    /// When the watering of that number takes place, in seconds since 1970.
    func watering(_ number: Int64) -> Double {
        let jitter = 0.1 * noise.uniform(stream: Stream.jitter, number) - 0.05
        let late = noise.uniform(stream: Stream.late, number) < 1.0 / 6 ? 0.12 : 0
        let planned = (Double(number) + phase + jitter + late) * cycle
        // The 24 hours are squeezed into these 12.
        let midnight = (planned / 86_400).rounded(.down) * 86_400
        return midnight + 8 * 3600 + (planned - midnight) / 2
    }

    private func level(_ number: Int64) -> Double {
        plant.watered + 4 * noise.uniform(stream: Stream.amount, number) - 2
    }

    private func dried(from level: Double, for seconds: Double) -> Double {
        plant.residual + (level - plant.residual) * exp(-seconds / tau)
    }

    private enum Stream {
        static let pot: UInt64 = 100
        static let jitter: UInt64 = 101
        static let late: UInt64 = 102
        static let amount: UInt64 = 103
    }
}
