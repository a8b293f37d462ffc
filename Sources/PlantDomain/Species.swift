/// How much light a species wants.
package enum LightClass: String, Sendable, CaseIterable {
    case shade, partial, full

    /// The least mean light of a day's twelve light hours, in lx: 25, 100 and 300 foot-candles, where the low, medium and
    /// high light of house plants begin.
    package var minimumLux: Double {
        switch self {
        case .shade: 270
        case .partial: 1080
        case .full: 3230
        }
    }
}

/// How much water a species wants.
package enum WaterClass: String, Sendable, CaseIterable {
    case low, moderate, high

    /// Soil moisture in % of what a calibrated probe can say of the pot.
    package var soilMoisture: Threshold {
        switch self {
        case .low: Threshold(min: 10, max: 60)
        case .moderate: Threshold(min: 25, max: 75)
        case .high: Threshold(min: 40, max: 85)
        }
    }
}

/// A kind of plant and what is known of its wants. What is nil is not known.
package struct Species: Sendable, Equatable {
    /// nil for one that comes with the program.
    package let id: EntityID?
    package var scientificName: String
    package var commonName: String?
    package var light: LightClass?
    package var water: WaterClass?
    /// Lowest USDA hardiness zone in which it lives outdoors.
    package var usdaZoneMin: Int?
    /// Limits to suggest in the place of those that follow from the classes, metric by metric.
    package private(set) var ownThresholds: Thresholds

    package init(
        id: EntityID?, scientificName: String, commonName: String? = nil, light: LightClass? = nil,
        water: WaterClass? = nil, usdaZoneMin: Int? = nil, ownThresholds: Thresholds = [:]
    ) {
        self.id = id
        self.scientificName = scientificName
        self.commonName = commonName
        self.light = light
        self.water = water
        self.usdaZoneMin = usdaZoneMin
        self.ownThresholds = ownThresholds
    }

    /// Characters of a name.
    package static let nameLength = 1...100
    package static let usdaZones = 1...13
    /// What a species can have limits for: what is about the plant, not about the device beside it.
    package static let limitedMetrics = Metric.allCases.filter { ![.battery, .batteryVoltage, .rssi].contains($0) }

    /// Names that differ only in case are one species.
    package var key: String { scientificName.lowercased() }

    /// Whether that is its scientific or its common name, in either case.
    package func isNamed(_ name: String) -> Bool {
        let name = name.lowercased()
        return key == name || commonName?.lowercased() == name
    }

    // MARK: limits

    /// Limits to begin with, by name of metric. They are a rule of thumb, to be changed by whoever knows the plant.
    package var suggestedThresholds: Thresholds { classThresholds.merging(ownThresholds) { $1 } }

    /// Plants that live outdoors only in zone 10 and above, where it does not freeze, suffer below 15 °C.
    private static let tropicalZone = 10
    private static let tropicalMinimum = 15.0

    /// What follows from the classes; nothing from what is not known. Air is known of all: most house plants are content
    /// with the same.
    private var classThresholds: Thresholds {
        var thresholds: Thresholds = [:]
        thresholds[Metric.soilMoisture.name] = water?.soilMoisture
        thresholds[Metric.humidity.name] =
            PlantGroup(scientificName: scientificName)?.humidity ?? PlantGroup.ordinaryHumidity
        if let usdaZoneMin, usdaZoneMin >= Self.tropicalZone {
            thresholds[Metric.temperature.name] = Threshold(min: Self.tropicalMinimum)
        }
        thresholds[Metric.lightLevel.name] = light.map { Threshold(min: $0.minimumLux) }
        return thresholds
    }

    /// Changes the suggestion. What then differs from what follows from the classes is the species' own; what was removed
    /// follows from them again.
    package mutating func editSuggestion(_ edit: (inout Thresholds) -> Void) {
        var wanted = suggestedThresholds
        edit(&wanted)
        let classes = classThresholds
        ownThresholds = wanted.filter { $0.value.isLimited && classes[$0.key] != $0.value }
    }
}
