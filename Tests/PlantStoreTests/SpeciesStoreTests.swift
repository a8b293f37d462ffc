import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@Suite(.serialized) struct SpeciesStoreTests {
    private let now = Timestamp.now()

    /// Makes one; nil when it was not made.
    @discardableResult
    private func make(_ store: Store, _ name: String, _ change: (inout Species) -> Void = { _ in }) async throws
        -> Species?
    {
        let id = EntityID.make()
        var species = Species(id: id, scientificName: name)
        change(&species)
        guard case .created = try await store.createSpecies(species, id: id, by: testOrigin, at: now) else {
            return nil
        }
        return species
    }

    private func take(_ store: Store, _ lines: String...) async throws -> ImportSpeciesOutcome {
        let table = SpeciesTable(Array(lines.joined(separator: "\n").utf8))
        #expect(table.mistakes.isEmpty)
        return try await store.importSpecies(table.rows, by: testOrigin, at: now)
    }

    @Test func `a species is kept as it was given`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let bare = try #require(try await make(store, "Olea europaea"))
        let full = try #require(
            try await make(store, "Ficus carica") { species in
                (species.commonName, species.light, species.water) = ("Fig 🌱", .full, .moderate)
                species.usdaZoneMin = 7
                species.editSuggestion { $0["temperature"] = Threshold(min: -5.5) }
            })
        #expect(try await store.ownSpecies() == [bare, full])
        #expect(try await store.species(full.id ?? .make()) == full)
        #expect(try await store.species(.make()) == nil)
        #expect(try database.int("SELECT count(*) FROM audit_log WHERE action = 'species.create'") == 2)
    }

    @Test func `a name is taken once, in whatever case`() async throws {
        let database = try TestDatabase()
        let store = database.store(connections: 4)
        let made = try await withThrowingTaskGroup(of: Bool.self) { group in
            for name in ["Olea europaea", "OLEA EUROPAEA", "olea europaea", "Olea Europaea"] {
                group.addTask { try await make(store, name) != nil }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 1)
        let fig = try #require(try await make(store, "Ficus carica")?.id)
        let outcome = try await store.updateSpecies(fig, by: testOrigin, at: now) {
            $0.scientificName = "olea EUROPAEA"
        }
        guard case .nameTaken = outcome else {
            Issue.record("it was renamed: \(outcome)")
            return
        }
        // Its own name is not taken.
        guard
            case .updated = try await store.updateSpecies(
                fig, by: testOrigin, at: now, { $0.scientificName = "FICUS carica" })
        else {
            Issue.record("it was not renamed")
            return
        }
        #expect(try await store.ownSpecies().map(\.scientificName).last == "FICUS carica")
    }

    @Test func `changes of different fields at the same time all count`() async throws {
        let store = try TestDatabase().store(connections: 4)
        let id = try #require(try await make(store, "Olea europaea")?.id)
        let changes: [@Sendable (inout Species) -> Void] = [
            { $0.commonName = "Olive" }, { $0.light = .full }, { $0.water = .low }, { $0.usdaZoneMin = 8 },
            { $0.editSuggestion { $0["co2"] = Threshold(max: 900) } },
        ]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for change in changes {
                group.addTask { _ = try await store.updateSpecies(id, by: testOrigin, at: now, change) }
            }
            try await group.waitForAll()
        }
        var expected = Species(id: id, scientificName: "Olea europaea")
        for change in changes { change(&expected) }
        #expect(try await store.species(id) == expected)
        guard case .noSuchSpecies = try await store.updateSpecies(.make(), by: testOrigin, at: now, { _ in }) else {
            Issue.record("changed what is not there")
            return
        }
    }

    @Test func `a species that is deleted is gone, and its name is free`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let id = try #require(try await make(store, "Olea europaea")?.id)
        #expect(try await store.deleteSpecies(id, by: testOrigin, at: now))
        #expect(try await !store.deleteSpecies(id, by: testOrigin, at: now))
        #expect(try await make(store, "Olea europaea") != nil)
        #expect(
            try database.text("SELECT subject_name FROM audit_log WHERE action = 'species.delete'") == "Olea europaea")
    }

    @Test func `there are at most two thousand, however they come`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let most = Store.ownSpeciesLimit
        let rows = (1..<most).map { "Genus species\($0)" }.joined(separator: "\n")
        guard case .imported(most - 1, 0, 0) = try await take(store, "scientific_name", rows) else {
            Issue.record("not imported")
            return
        }
        guard case .tooMany = try await take(store, "scientific_name", "One more", "And another") else {
            Issue.record("imported too many")
            return
        }
        #expect(try await make(store, "One more") != nil)
        #expect(try await make(store, "And another") == nil)
        // Those there are can still be changed.
        guard case .imported(0, 1, 0) = try await take(store, "scientific_name,light", "one MORE,full") else {
            Issue.record("not changed")
            return
        }
        #expect(try database.int("SELECT count(*) FROM species") == most)
    }

    // MARK: import

    @Test func `a table adds and changes, and leaves what it says nothing new of`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        let olive = try #require(try await make(store, "Olea europaea") { $0.water = .low })
        let outcome = try await take(
            store, "scientific_name,common_name,light", "olea EUROPAEA,Olive,full", "Ficus carica,Fig,full",
            "Aloe vera,Aloe,partial", "Hedera helix,Ivy,shade")
        guard case .imported(2, 1, 1) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        let own = try await store.ownSpecies()
        #expect(own.map(\.scientificName).sorted() == ["Ficus carica", "Hedera helix", "Olea europaea"])
        var expected = olive
        (expected.commonName, expected.light) = ("Olive", .full)
        #expect(own.first { $0.id == olive.id } == expected)
        // What is not in the table is as the built-in one has it.
        let ivy = try #require(own.first { $0.key == "hedera helix" })
        #expect((ivy.commonName, ivy.water, ivy.usdaZoneMin) == ("Ivy", .moderate, 4))
        #expect(
            try database.text("SELECT details::text FROM audit_log WHERE action = 'species.import'")
                == #"{"created": "2", "updated": "1"}"#)
    }

    @Test func `what was exported and imported again changes nothing`() async throws {
        let database = try TestDatabase()
        let store = database.store()
        try await make(store, "Aloe vera") { $0.editSuggestion { $0["soil_moisture"] = Threshold(min: 5.25) } }
        try await make(store, "=1+1") { ($0.commonName, $0.light) = ("'-quoted\", they say", .full) }
        let before = try await store.ownSpecies()
        let text = SpeciesTable.csv(SpeciesLibrary(own: before).species)
        guard case .imported(0, 0, 52) = try await take(store, text) else {
            Issue.record("something changed")
            return
        }
        #expect(try await store.ownSpecies() == before)
        #expect(try database.int("SELECT count(*) FROM audit_log WHERE action = 'species.import'") == 0)
        // And elsewhere it makes the same library.
        let elsewhere = try TestDatabase().store()
        guard case .imported(2, 0, 50) = try await take(elsewhere, text) else {
            Issue.record("not the same")
            return
        }
        let copies = try await elsewhere.ownSpecies()
        #expect(SpeciesTable.csv(SpeciesLibrary(own: copies).species) == text)
    }

    @Test func `a table with something wrong in it changes nothing`() async throws {
        let store = try TestDatabase().store()
        try await make(store, "Olea europaea") { $0.editSuggestion { $0["co2"] = Threshold(max: 900) } }
        let before = try await store.ownSpecies()
        let outcome = try await take(
            store, "scientific_name,co2_min", "Ficus carica,400", "Olea europaea,901", "Aloe vera,1", "Hedera helix,2")
        guard case .refused(let mistakes) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(mistakes.map(\.line) == [3])
        #expect(mistakes.map(\.column) == ["co2_min"])
        #expect(mistakes.map(\.detail) == ["must be below max (900)"])
        #expect(try await store.ownSpecies() == before)
    }

    // MARK: plants

    private func plant(_ store: Store, _ species: String?) async throws -> Plant {
        let plant = Plant(
            id: .make(), name: "Pot", species: species, room: nil, position: nil, thresholds: [:], createdAt: now,
            updatedAt: now)
        let made = try await store.createPlant(plant, by: testOrigin)
        #expect(try await store.plant(plant.id) == made)
        return made
    }

    @Test func `a plant's species is looked for among one's own first, by all of its names`() async throws {
        let store = try TestDatabase().store()
        let monstera = try #require(
            try await make(store, "Monstera deliciosa") { ($0.commonName, $0.water) = ("Fensterblatt", .high) })
        // Two with one common name: the older one is meant.
        let olive = try #require(try await make(store, "Olea europaea") { $0.commonName = "Tree" })
        try await make(store, "Ficus carica") { $0.commonName = "tree" }
        let cases: [(String?, Species?)] = [
            ("monstera DELICIOSA", monstera), ("fensterblatt", monstera), ("Swiss cheese plant", monstera),
            ("TREE", olive), ("Aloe vera", nil), ("Monstera", nil), (nil, nil), ("", nil), ("%", nil),
        ]
        for (text, species) in cases {
            #expect(try await plant(store, text).ownSpecies == species, "\(text ?? "nil")")
        }
        #expect(try await plant(store, "ALOE").suggestedThresholds?["humidity"] == Threshold(min: 20, max: 60))
        #expect(
            try await plant(store, "swiss cheese PLANT").suggestedThresholds?["soil_moisture"]
                == Threshold(min: 40, max: 85))
        #expect(try await plant(store, "some tree").suggestedThresholds == nil)
        #expect(try await plant(store, "Aloe vera").thresholds.isEmpty, "a suggestion is no limit")
    }

    @Test func `a suggestion follows the plant's text and the species`() async throws {
        let store = try TestDatabase().store()
        let id = try await plant(store, "Aloe vera").id
        let changed = try await store.updatePlant(id, at: now) { $0.species = "Olea europaea" }
        #expect(changed?.suggestedThresholds == nil)
        let olive = try #require(try await make(store, "Olea europaea") { $0.light = .full }?.id)
        #expect(try await store.plant(id)?.suggestedThresholds?["light_level"] == Threshold(min: 3230))
        _ = try await store.updateSpecies(olive, by: testOrigin, at: now) { $0.light = .shade }
        #expect(try await store.plant(id)?.suggestedThresholds?["light_level"] == Threshold(min: 270))
        let again = try await store.updatePlant(id, at: now) { $0.species = "olea europaea" }
        #expect(again?.ownSpecies?.id == olive)
        #expect(try await store.deleteSpecies(olive, by: testOrigin, at: now))
        #expect(try await store.plants(limit: 9, offset: 0).items.map(\.suggestedThresholds) == [nil])
    }
}
