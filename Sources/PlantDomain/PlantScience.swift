#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Formulas of air, light and soil. Temperatures in °C, relative humidity in % (0…100), pressure in kPa, light in lx.
/// Sources and worked examples are in docs/science.md.
package enum PlantScience {
    /// Saturation vapour pressure over water in kPa: es = 0.6108·exp(17.27·T/(T+237.3)).
    ///
    /// Tetens (1930) in the form of FAO Irrigation and Drainage Paper 56, equation 11.
    static func saturationVapourPressure(temperature: Double) -> Double {
        0.6108 * exp(17.27 * temperature / (temperature + 237.3))
    }

    /// Vapour pressure deficit of the air in kPa: es(T)·(1 − RH/100), 0 in saturated air.
    package static func airVPD(temperature: Double, humidity: Double) -> Double {
        saturationVapourPressure(temperature: temperature) * (1 - humidity / 100)
    }

    /// Vapour pressure deficit between a leaf and the air in kPa: es(Tleaf) − es(T)·RH/100. Below 0 where dew settles
    /// on a leaf that is colder than the air.
    package static func leafVPD(leafTemperature: Double, temperature: Double, humidity: Double) -> Double {
        saturationVapourPressure(temperature: leafTemperature)
            - saturationVapourPressure(temperature: temperature) * humidity / 100
    }

    /// Dew point in °C: γ = ln(RH/100) + 17.625·T/(243.04+T), Td = 243.04·γ/(17.625−γ).
    ///
    /// Magnus with the coefficients of Alduchov and Eskridge (1996). nil at 0 % and below, where there is none.
    package static func dewPoint(temperature: Double, humidity: Double) -> Double? {
        guard humidity > 0 else { return nil }
        let gamma = log(humidity / 100) + 17.625 * temperature / (243.04 + temperature)
        return 243.04 * gamma / (17.625 - gamma)
    }

    /// Water vapour in the air in g/m³: 2167.4·e/(T+273.15), e in kPa (ideal gas, molar mass of water over R).
    package static func absoluteHumidity(temperature: Double, humidity: Double) -> Double {
        2167.4 * saturationVapourPressure(temperature: temperature) * (humidity / 100) / (temperature + 273.15)
    }

    // MARK: Light

    /// Daily light integral in mol m⁻² d⁻¹: Σ PPFD·Δt/10⁶ with PPFD = lx·k.
    package static func dailyLightIntegral(luxHours: Double, ppfdPerLux: Double) -> Double {
        luxHours * 3600 * ppfdPerLux / 1e6
    }

    /// How long a lamp must burn to make up for what a day's light lacks, in hours: (target − DLI)·10⁶/(PPFD·3600).
    /// - Parameters:
    ///   - deficit: mol m⁻² d⁻¹; nothing is lacking at 0 and below.
    ///   - ppfd: of the lamp at the leaves, µmol m⁻² s⁻¹.
    /// - Returns: nil for a lamp without light. More than 24: this lamp alone is too weak.
    package static func lampHours(deficit: Double, ppfd: Double) -> Double? {
        ppfd > 0 ? max(0, deficit) * 1e6 / (ppfd * 3600) : nil
    }

    // MARK: Soil

    /// Electrical conductivity as it would be at 25 °C, in the unit it is given in: EC/(1 + 0.019·(T−25)).
    ///
    /// ISO 7888's 1.9 % per °C for natural waters. nil in frozen soil, where there is no water to conduct.
    package static func electricalConductivityAt25(_ conductivity: Double, temperature: Double) -> Double? {
        temperature >= 0 ? conductivity / (1 + 0.019 * (temperature - 25)) : nil
    }

    /// How long soil takes to dry to a moisture, in the unit of `timeConstant`: τ·ln((θ0−θr)/(θmin−θr)), from
    /// θ(t) = θr + (θ0−θr)·exp(−t/τ).
    /// - Parameters:
    ///   - moisture: now, %.
    ///   - minimum: to be reached, %.
    ///   - residual: what is left when it dries no further, %.
    /// - Returns: 0 when it is that dry already; nil when it never will be.
    package static func dryingTime(
        from moisture: Double, to minimum: Double, residual: Double, timeConstant: Double
    ) -> Double? {
        if moisture <= minimum { return 0 }
        return minimum > residual && timeConstant > 0
            ? timeConstant * log((moisture - residual) / (minimum - residual)) : nil
    }
}
