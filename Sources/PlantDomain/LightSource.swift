/// What most of a plant's light comes from. A light meter weighs colours as an eye does and a leaf does not, so it
/// takes the lamp to know how much of the measured lux a plant can use.
package enum LightSource: String, CaseIterable, Sendable {
    case sun
    case metalHalide = "metal_halide"
    case highPressureSodium = "high_pressure_sodium"
    case fluorescent
    case whiteLED = "white_led"

    /// Photosynthetic photon flux density in µmol m⁻² s⁻¹ per lx (docs/science.md).
    package var ppfdPerLux: Double {
        switch self {
        case .sun: 0.0185
        case .metalHalide: 0.014
        case .highPressureSodium: 0.013
        case .fluorescent: 0.0135
        // 0.014 (cool) to 0.020 (warm, or with much red): the middle, so within about a fifth.
        case .whiteLED: 0.017
        }
    }
}
