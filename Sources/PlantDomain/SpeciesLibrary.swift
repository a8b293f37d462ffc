/// The species that come with the program and those that people added.
package struct SpeciesLibrary: Sendable {
    /// The facts of 51 house plants (light and water class, lowest USDA zone) are from openplantdb, which is in the public
    /// domain (CC0). Sorted by scientific name.
    package static let builtIn: [Species] = SpeciesTable(PackageResources.species_csv).rows
        .map { $0.applied(to: nil) }
        .sorted { $0.key < $1.key }

    /// Sorted by scientific name. A species of one's own takes the place of a built-in one of the same name.
    package let species: [Species]

    package init(own: [Species]) {
        let names = Set(own.map(\.key))
        species = (own + Self.builtIn.filter { !names.contains($0.key) }).sorted { $0.key < $1.key }
    }

    // MARK: by name

    private static let byName: [String: Species] = {
        var byName: [String: Species] = [:]
        // A scientific name says which one is meant, whatever others are called.
        for species in builtIn { if let name = species.commonName { byName[name.lowercased()] = species } }
        for species in builtIn { byName[species.key] = species }
        return byName
    }()

    /// The built-in species of that scientific or common name, in either case.
    package static func builtIn(named name: String) -> Species? { byName[name.lowercased()] }

    /// Lower-case common names of the built-in species with their scientific ones: who overrides a species is meant by its
    /// common name, too.
    package static let commonNames: [(common: String, scientific: String)] = builtIn.compactMap { species in
        species.commonName.map { ($0.lowercased(), species.key) }
    }

    // MARK: search

    /// The species that a text could mean, the likeliest first.
    ///
    /// Case, accents and punctuation do not count. Every word of the text has to be found in the scientific or the common
    /// name: as a word, as the beginning or a part of one, or misspelt, the more edits the longer it is. Words as they are
    /// come before misspelt ones; among equals, those whose name begins with the text, then by scientific name.
    /// - Parameter text: without a word in it, nothing is found.
    package func search(_ text: String) -> [Species] {
        let query = SearchText(text)
        guard !query.words.isEmpty else { return [] }
        return species.compactMap { species in SearchedSpecies(species).rank(query).map { (rank: $0, species: species) }
        }
        .sorted { ($0.rank, $0.species.key) < ($1.rank, $1.species.key) }
        .map(\.species)
    }
}
