#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Quantities derived from air temperature (°C) and relative humidity (%, 0…100).
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
}
