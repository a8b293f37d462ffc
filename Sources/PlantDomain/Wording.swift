/// How names and numbers are said to people, in alerts and elsewhere.
package enum Wording {
    /// The longest name of a plant, a device or a metric within a sentence, in UTF-16 units.
    package static let longestName = 100

    /// `soil moisture` of `soil_moisture`.
    package static func metric(_ name: String) -> String {
        switch Metric.named(name) {
        case .soilEC: "soil EC"
        case .co2: "CO₂"
        case .rssi: "signal strength"
        default: cut(oneLine(name.replacing("_", with: " ")), to: longestName)
        }
    }

    /// With the unit, in as many digits as the sensor is good for.
    /// - Parameters:
    ///   - name: of a metric, or of an extra one, whose unit only its device knows.
    ///   - other: a number it is compared with. If it is another, the two do not look the same.
    package static func number(_ value: Double, of name: String, apartFrom other: Double? = nil) -> String {
        let metric = Metric.named(name)
        var decimals = decimals(of: value, metric)
        if let other, other != value {
            // Both sides ask with the other's value, so both take the digits of the coarser one, plus as many as it
            // takes.
            decimals = max(decimals, self.decimals(of: other, metric))
            let most = decimals + 3
            while decimals < most, rounded(value, decimals: decimals) == rounded(other, decimals: decimals) {
                decimals += 1
            }
        }
        let text = rounded(value, decimals: decimals)
        return metric.map { text + " " + $0.unit } ?? text
    }

    static func decimals(of value: Double, _ metric: Metric?) -> Int {
        if let metric { return metric.noiseFloor >= 1 ? 0 : metric.noiseFloor >= 0.1 ? 1 : 2 }
        return switch abs(value) {
        case 100...: 0
        case 10...: 1
        case 1...: 2
        default: 4
        }
    }

    /// Without zeros at the end: `12`, `12.5`.
    package static func rounded(_ value: Double, decimals: Int) -> String {
        guard abs(value) < 1e12 else { return value.isNaN ? "?" : "\(value)" }
        var factor = 1.0
        for _ in 0..<decimals { factor *= 10 }
        // Plus zero turns -0 into 0.
        let text = "\((value * factor).rounded() / factor + 0)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// Line breaks and tabs become spaces; control characters and those that turn the direction of writing go.
    package static func oneLine(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09...0x0D, 0x20, 0x85, 0x2028, 0x2029: if scalars.last != " " { scalars.append(" ") }
            case 0x00...0x1F, 0x7F...0x9F, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: break
            default: scalars.append(scalar)
            }
        }
        if scalars.first == " " { scalars.removeFirst() }
        if scalars.last == " " { scalars.removeLast() }
        return String(scalars)
    }

    /// Cut to so many UTF-16 units, with an ellipsis where something is missing.
    package static func cut(_ text: String, to most: Int) -> String {
        guard text.utf16.count > most else { return text }
        var units = 1
        let kept = text.prefix { character in
            units += character.utf16.count
            return units <= most
        }
        return kept + "…"
    }
}
