/// Plants that want other air than most, known by their genus.
package enum PlantGroup: Sendable {
    case fern
    /// Prayer plants.
    case marantaceae
    case succulent

    /// - Parameter scientificName: genus first; what follows, a cultivar for instance, does not count.
    package init?(scientificName: String) {
        let words = scientificName.lowercased().split { !$0.isLetter && $0 != "-" }
        guard let genus = words.first.map(String.init) else { return nil }
        let species = words.prefix(2).joined(separator: " ")
        if Self.ferns.contains(genus) {
            self = .fern
        } else if Self.prayerPlants.contains(genus) {
            self = .marantaceae
        } else if Self.succulents.contains(genus) || Self.succulentSpecies.contains(species) {
            self = .succulent
        } else {
            return nil
        }
    }

    /// Relative humidity to suggest, in %.
    package var humidity: Threshold {
        switch self {
        // science.md has only the lower end. Beyond 80 % leaves stay wet and mould grows on the wall behind them.
        case .fern, .marantaceae: Threshold(min: 50, max: 80)
        case .succulent: Threshold(min: 20, max: 60)
        }
    }

    /// What most house plants are content with.
    package static let ordinaryHumidity = Threshold(min: 40, max: 70)

    private static let ferns: Set = [
        "adiantum", "asplenium", "blechnum", "cyathea", "cyrtomium", "davallia", "dicksonia", "didymochlaena",
        "dryopteris", "humata", "microsorum", "nephrolepis", "phlebodium", "platycerium", "polypodium", "polystichum",
        "pteris",
    ]

    private static let prayerPlants: Set = ["calathea", "ctenanthe", "goeppertia", "maranta", "stromanthe"]

    /// Of dry country. Not those that keep water in leaves or roots but live in moist shade (*Hoya*, *Peperomia*,
    /// *Zamioculcas*) or as cacti on the trees of a rain forest (*Rhipsalis*, *Schlumbergera*), and no genus of which only
    /// some are succulents (*Euphorbia*).
    private static let succulents: Set = [
        "adenium", "aeonium", "agave", "aloe", "aristaloe", "astrophytum", "beaucarnea", "cereus", "cotyledon",
        "crassula", "curio", "echeveria", "echinocactus", "echinopsis", "ferocactus", "gasteria", "gonialoe",
        "graptopetalum", "graptoveria", "gymnocalycium", "haworthia", "haworthiopsis", "kalanchoe", "lithops",
        "mammillaria", "opuntia", "pachyphytum", "pachypodium", "parodia", "portulacaria", "rebutia", "sansevieria",
        "sedum", "sempervivum", "senecio", "yucca",
    ]

    /// Succulents of a genus that is otherwise none: once *Sansevieria*.
    private static let succulentSpecies: Set = ["dracaena trifasciata", "dracaena angolensis"]
}
