import Testing

@testable import PlantDomain

@Suite struct SpeciesTests {
    private static func limits(_ pairs: KeyValuePairs<Metric, Threshold>) -> Thresholds {
        Dictionary(uniqueKeysWithValues: pairs.map { ($0.key.name, $0.value) })
    }

    private static let dry = Threshold(min: 20, max: 60)
    private static let moist = Threshold(min: 50, max: 80)
    private static let ordinary = Threshold(min: 40, max: 70)

    /// Scientific name; light and water; whether it is tropical; the air it wants.
    private static let all: [(String, LightClass, WaterClass, Bool, Threshold)] = [
        ("Adiantum raddianum", .shade, .moderate, true, moist), ("Aglaonema commutatum", .shade, .low, true, ordinary),
        ("Aloe vera", .partial, .low, false, dry), ("Anthurium andraeanum", .shade, .moderate, true, ordinary),
        ("Aspidistra elatior", .shade, .low, false, ordinary), ("Asplenium nidus", .shade, .moderate, false, moist),
        ("Beaucarnea recurvata", .full, .low, false, dry), ("Begonia rex", .shade, .moderate, true, ordinary),
        ("Chamaedorea elegans", .shade, .moderate, true, ordinary),
        ("Chlorophytum comosum", .shade, .moderate, false, ordinary),
        ("Codiaeum variegatum", .partial, .moderate, false, ordinary), ("Crassula ovata", .partial, .low, true, dry),
        ("Ctenanthe oppenheimiana", .shade, .high, true, moist),
        ("Cyclamen persicum", .shade, .moderate, false, ordinary),
        ("Dieffenbachia seguine", .shade, .moderate, true, ordinary),
        ("Dracaena fragrans", .shade, .low, true, ordinary), ("Dracaena marginata", .partial, .low, true, ordinary),
        ("Dracaena trifasciata", .shade, .low, false, dry), ("Dypsis lutescens", .partial, .moderate, true, ordinary),
        ("Echeveria elegans", .partial, .low, false, dry), ("Epipremnum aureum", .shade, .low, true, ordinary),
        ("Ficus benjamina", .partial, .moderate, false, ordinary),
        ("Ficus elastica", .partial, .moderate, true, ordinary), ("Ficus lyrata", .shade, .moderate, true, ordinary),
        ("Fittonia albivenis", .shade, .high, true, ordinary), ("Goeppertia orbifolia", .shade, .high, true, moist),
        ("Haworthiopsis attenuata", .shade, .low, false, dry), ("Hedera helix", .shade, .moderate, false, ordinary),
        ("Howea forsteriana", .shade, .moderate, false, ordinary), ("Hoya carnosa", .partial, .low, true, ordinary),
        ("Kalanchoe blossfeldiana", .partial, .low, true, dry), ("Maranta leuconeura", .shade, .moderate, true, moist),
        ("Monstera deliciosa", .shade, .moderate, true, ordinary),
        ("Nephrolepis exaltata", .shade, .high, false, moist),
        ("Oxalis triangularis", .shade, .moderate, false, ordinary),
        ("Pachira aquatica", .partial, .moderate, false, ordinary),
        ("Peperomia obtusifolia", .shade, .low, true, ordinary),
        ("Phalaenopsis amabilis", .shade, .moderate, true, ordinary),
        ("Philodendron hederaceum", .shade, .moderate, true, ordinary),
        ("Pilea peperomioides", .shade, .low, true, ordinary),
        ("Platycerium bifurcatum", .partial, .moderate, false, moist),
        ("Schefflera arboricola", .partial, .moderate, true, ordinary),
        ("Scindapsus pictus", .shade, .moderate, true, ordinary), ("Senecio rowleyanus", .partial, .low, true, dry),
        ("Spathiphyllum wallisii", .shade, .moderate, true, ordinary),
        ("Strelitzia nicolai", .partial, .moderate, true, ordinary),
        ("Streptocarpus ionanthus", .shade, .moderate, true, ordinary),
        ("Syngonium podophyllum", .shade, .moderate, true, ordinary),
        ("Tradescantia zebrina", .shade, .moderate, false, ordinary), ("Yucca elephantipes", .full, .low, false, dry),
        ("Zamioculcas zamiifolia", .shade, .low, true, ordinary),
    ]

    @Test func `the library has the 51 species of the table, and no others`() {
        #expect(SpeciesLibrary.builtIn.map(\.scientificName) == Self.all.map(\.0))
        #expect(SpeciesTable(PackageResources.species_csv).mistakes.isEmpty)
        #expect(SpeciesLibrary.builtIn.allSatisfy { $0.id == nil && $0.commonName != nil && $0.ownThresholds.isEmpty })
        #expect(Set(SpeciesLibrary.builtIn.compactMap { $0.commonName?.lowercased() }).count == 51)
    }

    @Test(arguments: Self.all)
    func `a built-in species suggests the limits of its classes`(
        name: String, light: LightClass, water: WaterClass, isTropical: Bool, air: Threshold
    ) throws {
        let species = try #require(SpeciesLibrary.builtIn(named: name))
        #expect((species.light, species.water) == (light, water))
        let soil: Threshold =
            switch water {
            case .low: Threshold(min: 10, max: 60)
            case .moderate: Threshold(min: 25, max: 75)
            case .high: Threshold(min: 40, max: 85)
            }
        let lux: Double =
            switch light {
            case .shade: 270
            case .partial: 1080
            case .full: 3230
            }
        var expected = Self.limits([.soilMoisture: soil, .humidity: air, .lightLevel: Threshold(min: lux)])
        if isTropical { expected["temperature"] = Threshold(min: 15) }
        #expect(species.suggestedThresholds == expected)
    }

    @Test func `what is not known suggests nothing`() {
        let nothing = Species(id: .make(), scientificName: "Ignota ignota")
        #expect(nothing.suggestedThresholds == Self.limits([.humidity: Self.ordinary]))
        let zoned = Species(id: .make(), scientificName: "Ignota ignota", usdaZoneMin: 9)
        #expect(zoned.suggestedThresholds["temperature"] == nil)
    }

    @Test(arguments: [
        ("Calathea makoyana", moist), ("CALATHEA", moist), ("Sansevieria cylindrica", dry),
        ("Mammillaria elongata", dry),
        ("Dracaena trifasciata 'Laurentii'", dry), ("Dracaena reflexa", ordinary), ("× Graptoveria 'Opalina'", dry),
        ("Calatheastrum", ordinary), ("", ordinary), ("'", ordinary), ("Schlumbergera truncata", ordinary),
    ])
    func `the genus says what air is wanted`(name: String, air: Threshold) {
        #expect(Species(id: nil, scientificName: name).suggestedThresholds["humidity"] == air)
    }

    @Test func `limits of one's own take the place of those of the classes, metric by metric`() {
        let own = Species(
            id: .make(), scientificName: "Ficus carica", light: .full, water: .moderate, usdaZoneMin: 7,
            ownThresholds: Self.limits([.soilMoisture: Threshold(min: 33), .co2: Threshold(max: 2000)]))
        #expect(
            own.suggestedThresholds
                == Self.limits([
                    .soilMoisture: Threshold(min: 33), .co2: Threshold(max: 2000), .humidity: Self.ordinary,
                    .lightLevel: Threshold(min: 3230),
                ]))
    }

    @Test func `a change of the suggestion keeps what differs and follows the classes otherwise`() {
        var species = Species(id: .make(), scientificName: "Ficus carica", light: .full, water: .moderate)
        let before = species
        species.editSuggestion { _ in }
        #expect(species == before)
        species.editSuggestion { $0["soil_moisture"]?.min = 30 }
        #expect(species.ownThresholds == Self.limits([.soilMoisture: Threshold(min: 30, max: 75)]))
        // The rest goes on following.
        species.light = .shade
        #expect(species.suggestedThresholds["light_level"] == Threshold(min: 270))
        species.water = .high
        #expect(species.suggestedThresholds["soil_moisture"] == Threshold(min: 30, max: 75))
        species.editSuggestion { $0["soil_moisture"] = Threshold() }
        #expect(species.ownThresholds.isEmpty)
        #expect(species.suggestedThresholds["soil_moisture"] == Threshold(min: 40, max: 85))
    }

    @Test func `every suggested limit is within what its metric can be, and leaves room`() throws {
        for species in SpeciesLibrary.builtIn {
            for (name, threshold) in species.suggestedThresholds {
                let metric = try #require(Metric.named(name))
                #expect(threshold.min.map { metric.range.contains($0) } ?? true)
                #expect(threshold.max.map { metric.range.contains($0) } ?? true)
                #expect(threshold.span.map { $0 > 0 } ?? true)
            }
        }
    }
}
