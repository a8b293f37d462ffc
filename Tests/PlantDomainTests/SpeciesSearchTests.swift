import Testing

@testable import PlantDomain

@Suite struct SpeciesSearchTests {
    private static let library = SpeciesLibrary(own: [])

    private func found(_ text: String) -> [String] { Self.library.search(text).map(\.scientificName) }

    @Test(arguments: SpeciesLibrary.builtIn.map { $0.scientificName })
    func `each species is found first by either of its names, in any case`(name: String) throws {
        let species = try #require(SpeciesLibrary.builtIn(named: name))
        let common = try #require(species.commonName)
        for text in [name, name.uppercased(), common, common.lowercased(), "  \(common.uppercased())! "] {
            #expect(Self.library.search(text).first == species, "\(text)")
        }
        #expect(SpeciesLibrary.builtIn(named: common.uppercased()) == species)
    }

    @Test(arguments: [
        ("monstra delicosa", "Monstera deliciosa"), ("monstera", "Monstera deliciosa"),
        ("mon stera", "Monstera deliciosa"),
        ("calatea", "Goeppertia orbifolia"), ("peace lilly", "Spathiphyllum wallisii"),
        ("peacelily", "Spathiphyllum wallisii"), ("spatiphyllum", "Spathiphyllum wallisii"),
        ("swiss chese", "Monstera deliciosa"), ("filodendron", "Philodendron hederaceum"),
        ("phalenopsis", "Phalaenopsis amabilis"), ("orchids", "Phalaenopsis amabilis"),
        ("zamiokulkas", "Zamioculcas zamiifolia"), ("zzplant", "Zamioculcas zamiifolia"),
        ("zz", "Zamioculcas zamiifolia"),
        ("diefenbachia", "Dieffenbachia seguine"), ("dracena marginata", "Dracaena marginata"),
        ("ficus benjamini", "Ficus benjamina"), ("fidle leaf fig", "Ficus lyrata"), ("fiddle-leaf", "Ficus lyrata"),
        ("snakeplant", "Dracaena trifasciata"), ("snake palnt", "Dracaena trifasciata"),
        ("potos", "Epipremnum aureum"), ("birds nest", "Asplenium nidus"), ("bird’s-nest", "Asplenium nidus"),
        ("aloevera", "Aloe vera"), ("aloe vrea", "Aloe vera"), ("kalanchoë", "Kalanchoe blossfeldiana"),
        ("KALANCHOÉ", "Kalanchoe blossfeldiana"), ("eschevaria", "Echeveria elegans"), ("echev", "Echeveria elegans"),
        ("tradescanthia", "Tradescantia zebrina"), ("strelizia", "Strelitzia nicolai"),
        ("bird of paradice", "Strelitzia nicolai"), ("schefflera arborikola", "Schefflera arboricola"),
        ("sheflera", "Schefflera arboricola"), ("parlor palm", "Chamaedorea elegans"),
        ("bostn fern", "Nephrolepis exaltata"),
        ("nefrolepis", "Nephrolepis exaltata"), ("african violett", "Streptocarpus ionanthus"),
        ("englich ivy", "Hedera helix"), ("money tree", "Pachira aquatica"),
        ("pilea peperomiodes", "Pilea peperomioides"),
        ("string of perls", "Senecio rowleyanus"), ("aglonema", "Aglaonema commutatum"), ("crasula", "Crassula ovata"),
        ("jade", "Crassula ovata"), ("begona rex", "Begonia rex"), ("philodndr", "Philodendron hederaceum"),
        ("ﬁttonia", "Fittonia albivenis"),
    ])
    func `what people write finds what they mean`(text: String, name: String) {
        #expect(found(text).first == name)
    }

    @Test(arguments: [
        "xqzvbn", "qwertyuiop", "12345", "!!!", "'", "", "   ", "sanseveria", "aaaaaaaaaaaaaaaaaaaa", "zzz", "tomato",
        "potato", "\u{0}", "🌱", "Monstera qwerty", "%", "_", "\\", "cactus", "lavender", "geranium", "hibiscus",
    ])
    func `nonsense, and what is not there, finds nothing`(text: String) {
        #expect(found(text) == [])
    }

    @Test func `words as they are come before misspelt ones, and what begins with the text before the rest`() {
        #expect(found("money") == ["Pachira aquatica", "Pilea peperomioides"])
        #expect(found("pothos") == ["Epipremnum aureum", "Scindapsus pictus"])
        #expect(
            found("fern") == [
                "Adiantum raddianum", "Asplenium nidus", "Nephrolepis exaltata", "Platycerium bifurcatum",
            ])
        #expect(
            found("palm").sorted() == [
                "Beaucarnea recurvata", "Chamaedorea elegans", "Dypsis lutescens", "Howea forsteriana",
            ])
        #expect(found("peperomi") == ["Peperomia obtusifolia", "Pilea peperomioides"])
        #expect(found("ficus").prefix(3) == ["Ficus benjamina", "Ficus elastica", "Ficus lyrata"])
        let own = Species(id: .make(), scientificName: "Aloa aloa")
        #expect(SpeciesLibrary(own: [own]).search("aloe").map(\.scientificName) == ["Aloe vera", "Aloa aloa"])
    }

    @Test func `the order is the same every time`() {
        for text in ["p", "plant", "a", "e", "palm"] {
            let first = found(text)
            #expect(first.count > 1)
            #expect(first == found(text))
            #expect(Set(first).count == first.count)
        }
    }

    @Test func `a species of one's own takes the place of the built-in one and is found by its own names`() throws {
        let own = Species(id: .make(), scientificName: "MONSTERA deliciosa", commonName: "Fensterblatt", water: .low)
        let library = SpeciesLibrary(own: [own, Species(id: .make(), scientificName: "Olea europaea")])
        #expect(library.species.count == 52)
        #expect(library.species.filter { $0.key == "monstera deliciosa" } == [own])
        #expect(library.search("monstera") == [own])
        #expect(library.search("fensterblat") == [own])
        #expect(library.search("swiss cheese") == [])
        #expect(library.species.map(\.key) == library.species.map(\.key).sorted())
    }

    @Test func `a text of any kind is answered`() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<300 {
            let length = Int.random(in: 0...100, using: &generator)
            let scalars = (0..<length).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0...0x3000, using: &generator))
            }
            let text = String(String.UnicodeScalarView(scalars))
            #expect(found(text).count <= 51)
        }
    }
}
