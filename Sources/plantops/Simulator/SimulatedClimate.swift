import Foundation
import PlantDomain

/// What one device measures, as a pure function of seed, device and time: a reading of last week and one of now lie on
/// the same curve, whichever was made first.
///
/// - *Light*: the sine of the sun's height at 48° N 10° E, dimmed by clouds that wander within hours and from day to
///   day, through a window; a lamp in the evening.
/// - *Temperature*: follows the light through the heat the room stores (a first-order lag of 2 h), on top of a room
///   with its own habits.
/// - *Humidity*: the room's water vapour changes slowly, so relative humidity falls when it warms up.
/// - *Soil*: dries exponentially, θ(t) = θr + (θ0 − θr)·exp(−t/τ), until somebody waters it near the lower limit, by
///   day, now and then a little late.
/// - *Battery* falls by 85 points in four to eight months and is then recharged; *RSSI* wanders.
///
/// Everything slow is a function of the whole second; sensor noise is a function of the microsecond.
struct SimulatedClimate: Sendable {
    /// The true values at one second, before the sensor's noise.
    struct Conditions: Equatable, Sendable {
        /// lx
        var light: Double
        /// °C
        var temperature: Double
        /// % RH
        var humidity: Double
        /// %
        var soilMoisture: Double
        /// %
        var battery: Double
        /// dBm
        var rssi: Double
    }

    private let house: SimulatorNoise
    private let noise: SimulatorNoise
    private let plant: HousePlant
    private let soil: SimulatedSoil
    private let lampMinutes: Double
    private let warmth: Double
    private let batteryDays: Double
    private let batteryPhase: Double
    private let signal: Double

    init(seed: UInt64, device index: Int) {
        house = SimulatorNoise(seed: seed)
        noise = house.forked(index)
        plant = HousePlant.of(device: index)
        soil = SimulatedSoil(noise: noise, plant: plant)
        lampMinutes = noise.uniform(stream: Stream.habits, 1) * 90
        warmth = noise.uniform(stream: Stream.habits, 2) * 2 - 1
        batteryDays = 120 + noise.uniform(stream: Stream.habits, 3) * 120
        batteryPhase = noise.uniform(stream: Stream.habits, 4)
        signal = -46 - noise.uniform(stream: Stream.habits, 5) * 30
    }

    /// - Parameter second: since 1970
    func conditions(second: Int64) -> Conditions {
        let time = Double(second)
        let sun = daylight(time)
        var stored = 0.0
        for step in 0..<Self.lagWeights.count {
            stored += Self.lagWeights[step] * (step == 0 ? sun : daylight(time - Double(step) * 1800))
        }
        let season = sin(2 * .pi * (time / 86_400 - 110) / 365.25)
        let temperature =
            20 + warmth + 1.2 * season + (3 + 30 * plant.window) * stored
            + 0.6 * noise.wander(stream: Stream.air, time, period: 5 * 3600)
        // The vapour pressure deficit of dry air is the saturation pressure.
        let dewPoint =
            plant.dewPoint + 2 * season + 1.2 * noise.wander(stream: Stream.vapour, time, period: 20 * 3600)
            + 0.5 * noise.wander(stream: Stream.vapour + 1, time, period: 3000)
        let humidity =
            100 * PlantScience.airVPD(temperature: dewPoint, humidity: 0)
            / PlantScience.airVPD(temperature: temperature, humidity: 0)
        let used = (time / 86_400 / batteryDays + batteryPhase).truncatingRemainder(dividingBy: 1)
        return Conditions(
            light: 100_000 * plant.window * sun + lamp(time), temperature: temperature,
            humidity: min(max(humidity, 12), 97), soilMoisture: soil.moisture(time), battery: 100 - 85 * used,
            rssi: signal + 4 * noise.wander(stream: Stream.radio, time, period: 1500))
    }

    /// What the sensors make of it, in the resolution they have: soil, temperature and humidity in tenths, the rest in
    /// whole units.
    /// - Parameter microseconds: since 1970; `conditions` are those of the second it lies in.
    func reading(_ conditions: Conditions, at microseconds: Int64) -> SimulatedReading {
        func deviation(_ stream: UInt64) -> Double { noise.normal(stream: stream, microseconds) }
        func limited(_ value: Double, _ range: ClosedRange<Double>) -> Int {
            Int(min(max(value, range.lowerBound), range.upperBound).rounded())
        }
        let light = conditions.light * (1 + 0.01 * deviation(Stream.sensors)) + 0.3 * deviation(Stream.sensors + 1)
        return SimulatedReading(
            soilMoisture: limited(10 * conditions.soilMoisture + 2.5 * deviation(Stream.sensors + 2), 0...1000),
            temperature: limited(10 * conditions.temperature + 0.5 * deviation(Stream.sensors + 3), -400...850),
            humidity: limited(10 * conditions.humidity + 2 * deviation(Stream.sensors + 4), 0...1000),
            light: limited(light, 0...200_000),
            battery: limited(conditions.battery, 0...100),
            rssi: limited(conditions.rssi + deviation(Stream.sensors + 5), -100...(-25)))
    }

    /// Daylight outside, 0 at night … 1 at most.
    private func daylight(_ time: Double) -> Double {
        let day = time / 86_400
        // Cooper (1969): δ = 23.45°·sin(2π(284 + n)/365); 1970-01-01 is n = 1.
        let declination = 23.45 * .pi / 180 * sin(2 * .pi * (285 + day) / 365.25)
        let hourAngle = 2 * .pi * (day + Self.longitude / 360 - 0.5)
        let height =
            sin(Self.latitude) * sin(declination) + cos(Self.latitude) * cos(declination) * cos(hourAngle)
        guard height > 0 else { return 0 }
        let weather = house.wander(stream: Stream.clouds, time, period: 86_400)
        let passing = house.wander(stream: Stream.clouds + 1, time, period: 2400)
        let clearness = min(max(0.62 + 0.33 * weather + 0.25 * passing, 0.12), 1)
        return height * clearness
    }

    /// lx; lit from about 17:30 to 22:30 local time, when somebody is at home.
    private func lamp(_ time: Double) -> Double {
        let local = time + Self.longitude * 240
        let minute = (local / 60).truncatingRemainder(dividingBy: 1440)
        let evening = Int64(local / 86_400)
        guard noise.uniform(stream: Stream.lamp, evening) < 0.85 else { return 0 }
        let shift = lampMinutes + 30 * noise.uniform(stream: Stream.lamp + 1, evening)
        return (990 + shift..<1290 + shift).contains(minute) ? 70 + lampMinutes : 0
    }

    private static let latitude = 48.0 * .pi / 180
    private static let longitude = 10.0
    /// exp(−t/2 h) for every half hour of the last five, summing up to 1.
    private static let lagWeights: [Double] = {
        let weights = (0..<10).map { exp(-Double($0) / 4) }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }()

    private enum Stream {
        static let habits: UInt64 = 10
        static let clouds: UInt64 = 20
        static let lamp: UInt64 = 30
        static let air: UInt64 = 40
        static let vapour: UInt64 = 50
        static let radio: UInt64 = 60
        static let sensors: UInt64 = 70
    }
}

/// One reading as it goes over the wire.
struct SimulatedReading: Equatable, Sendable {
    /// Tenths of %, of °C and of % RH.
    var soilMoisture: Int
    var temperature: Int
    var humidity: Int
    /// lx, %, dBm
    var light: Int
    var battery: Int
    var rssi: Int
}
