/// What follows from measured values by a formula, named as in `derived` of a plant and in its history.
///
/// The names look like those of extra metrics. If a device sends an extra metric under one of them it is stored, but a
/// history that is asked for the name answers with what was calculated.
package enum DerivedMetric: String, CaseIterable, Sendable {
    case vpd = "vpd_kpa"
    case dewPoint = "dew_point_celsius"
    case absoluteHumidity = "absolute_humidity_g_m3"
    /// Photosynthetic photon flux density.
    case ppfd = "ppfd_umol_m2_s"
    /// Of the soil, as it would be at 25 °C.
    case soilEC25 = "soil_ec_25_us_cm"
    /// Daily light integral, of a completed local day.
    case dli = "dli_mol_m2_d"

    package var name: String { rawValue }

    /// As shown to people, after a space.
    package var unit: String {
        switch self {
        case .vpd: "kPa"
        case .dewPoint: "°C"
        case .absoluteHumidity: "g/m³"
        case .ppfd: "µmol/m²/s"
        case .soilEC25: "µS/cm"
        case .dli: "mol/m²/d"
        }
    }

    /// All of them are needed.
    package var inputs: [Metric] {
        switch self {
        case .vpd, .dewPoint, .absoluteHumidity: [.temperature, .humidity]
        case .ppfd, .dli: [.lightLevel]
        case .soilEC25: [.soilEC, .soilTemperature]
        }
    }

    /// Digits after the point: no finer than what the sensors are good for.
    private var decimals: Int {
        switch self {
        case .vpd: 3
        case .dewPoint, .absoluteHumidity, .dli: 2
        case .ppfd, .soilEC25: 1
        }
    }

    /// The one of that very name.
    package static func named(_ name: String) -> DerivedMetric? { DerivedMetric(rawValue: name) }

    /// In ``unit``, not rounded.
    /// - Parameter inputs: values of one instant, or means of one span.
    /// - Returns: nil when an input is missing, or where the formula has no answer; always nil for ``dli``, which is
    ///   the light of a day (``DailyLight``) and not of an instant.
    package func value(of inputs: (Metric) -> Double?, lightSource: LightSource) -> Double? {
        let values = self.inputs.compactMap(inputs)
        guard values.count == self.inputs.count else { return nil }
        let value: Double? =
            switch self {
            case .vpd: PlantScience.airVPD(temperature: values[0], humidity: values[1])
            case .dewPoint: PlantScience.dewPoint(temperature: values[0], humidity: values[1])
            case .absoluteHumidity: PlantScience.absoluteHumidity(temperature: values[0], humidity: values[1])
            case .ppfd: values[0] * lightSource.ppfdPerLux
            case .soilEC25: PlantScience.electricalConductivityAt25(values[0], temperature: values[1])
            case .dli: nil
            }
        return value.flatMap { $0.isFinite ? $0 : nil }
    }

    /// To as many digits as are shown.
    package func rounded(_ value: Double) -> Double {
        var factor = 1.0
        for _ in 0..<decimals { factor *= 10 }
        // Plus zero turns -0 into 0.
        return (value * factor).rounded() / factor + 0
    }
}
