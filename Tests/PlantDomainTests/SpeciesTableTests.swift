import Testing

@testable import PlantDomain

@Suite struct SpeciesTableTests {
    private func table(_ lines: String...) -> SpeciesTable { SpeciesTable(Array(lines.joined(separator: "\n").utf8)) }

    @Test func `columns come in any order, and but for the name may be missing`() throws {
        let read = table(
            "water,scientific_name,temperature_min,usda_zone_min", "low, Olea europaea ,-5.5,8", "", ",Ficus carica,,")
        #expect(read.mistakes.isEmpty)
        #expect(read.rows.map(\.line) == [2, 4])
        let olive = try read.rows[0].merged(into: nil)
        #expect(
            olive
                == Species(
                    id: nil, scientificName: "Olea europaea", water: .low, usdaZoneMin: 8,
                    ownThresholds: ["temperature": Threshold(min: -5.5)]))
        #expect(try read.rows[1].merged(into: nil) == Species(id: nil, scientificName: "Ficus carica"))
    }

    @Test func `a column that is not there says nothing, and an empty field that it is not known`() throws {
        let id = EntityID.make()
        let known = Species(
            id: id, scientificName: "Olea europaea", commonName: "Olive", light: .full, water: .low, usdaZoneMin: 8,
            ownThresholds: ["temperature": Threshold(min: -5, max: 40), "co2": Threshold(max: 900)])
        let partial = table("scientific_name,light,temperature_max", "OLEA EUROPAEA,,")
        var expected = known
        expected.light = nil
        expected.editSuggestion { $0["temperature"] = Threshold(min: -5) }
        #expect(try partial.rows[0].merged(into: known) == expected)
        let named = table("scientific_name", "olea europaea")
        #expect(try named.rows[0].merged(into: known) == known)
    }

    @Test func `limits that a built-in species suggests anyway are not its own`() throws {
        let monstera = try #require(SpeciesLibrary.builtIn(named: "Monstera deliciosa"))
        let same = table("scientific_name,soil_moisture_min,soil_moisture_max", "Monstera deliciosa,25,75")
        #expect(try same.rows[0].merged(into: monstera) == monstera)
        let other = table("scientific_name,soil_moisture_min", "Monstera deliciosa,30")
        #expect(
            try other.rows[0].merged(into: monstera).ownThresholds == ["soil_moisture": Threshold(min: 30, max: 75)])
    }

    @Test(arguments: [
        ("", [1], "names the columns"), ("light\nshade", [1], "must be there"),
        ("scientific_name,colour\nA,b", [1], "no column"), ("scientific_name,light,light\nA,,", [1], "twice"),
        ("scientific_name;light\nA;shade", [1, 1], "commas"),
        ("scientific_name,light\nA,bright", [2], "shade, partial, full"),
        ("scientific_name,water\nA,High", [2], "low, moderate, high"),
        ("scientific_name,usda_zone_min\nA,0\nB,14\nC,x\nD,9.5", [2, 3, 4, 5], "whole number from 1 to 13"),
        (
            "scientific_name,temperature_min\nA,nan\nB,0x10\nC,inf\nD,-41\nE,\"1,5\"\nF,1e999", [2, 3, 4, 5, 6, 7],
            "from -40 to 85"
        ),
        ("scientific_name,light\nA", [2], "1 fields"), ("scientific_name\nA\na", [3], "line 2 already"),
        ("scientific_name,light\n,shade", [2], "1 to 100"), ("scientific_name\n\"A\nB\"", [2], "control"),
        ("scientific_name,battery_min\nA,5", [1], "no column"), ("scientific_name\n\"A", [2], "never ends"),
    ])
    func `what is wrong is said with its line`(text: String, lines: [Int], words: String) {
        let mistakes = SpeciesTable(Array(text.utf8)).mistakes
        #expect(mistakes.map(\.line) == lines)
        #expect(mistakes.contains { $0.detail.contains(words) })
    }

    @Test func `everything that is wrong is said at once, but not without end`() {
        let read = table("scientific_name,light,water", "A,bright,wet", "B", "C,\"x", "D,,")
        #expect(read.mistakes.map(\.line) == [2, 2, 3, 4])
        #expect(read.mistakes.map(\.column) == ["light", "water", nil, nil])
        let many = SpeciesTable(Array(("scientific_name,light\n" + String(repeating: "A,x\n", count: 999)).utf8))
        #expect(many.mistakes.count == CSV.mistakesLimit)
    }

    @Test func `a minimum above a maximum is refused, also above the one there was`() throws {
        let read = table("scientific_name,co2_min,co2_max,soil_moisture_min", "Aloe vera,900,800,", "Hedera helix,,,75")
        #expect(read.mistakes.isEmpty)
        let first = #expect(throws: SpeciesTable.Mistake.self) { try read.rows[0].merged(into: nil) }
        #expect(first == SpeciesTable.Mistake(line: 2, column: "co2_min", detail: "must be below max (800)"))
        let ivy = SpeciesLibrary.builtIn(named: "Hedera helix")
        #expect(throws: SpeciesTable.Mistake.self) { try read.rows[1].merged(into: ivy) }
        #expect(throws: Never.self) { try read.rows[1].merged(into: nil) }
    }

    @Test func `the built-in species are read again as they are written`() throws {
        let read = SpeciesTable(Array(SpeciesTable.csv(SpeciesLibrary.builtIn).utf8))
        #expect(read.mistakes.isEmpty)
        #expect(try read.rows.map { try $0.merged(into: nil) } == SpeciesLibrary.builtIn)
    }

    @Test func `species of any kind are read again as they were written`() throws {
        var generator = SeededGenerator(seed: 4)
        let pieces = ["=", "-", "'", "\"", ",", ";", "é", "\u{301}", "🌱", "a b", "@", "+", "×", "\u{FEFF}", "#"]
        func name() -> String {
            (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }.joined()
        }
        for _ in 0..<500 {
            var species = Species(
                id: nil, scientificName: name(), commonName: Bool.random(using: &generator) ? name() : nil,
                light: LightClass.allCases.randomElement(using: &generator),
                water: Bool.random(using: &generator) ? .high : nil,
                usdaZoneMin: Bool.random(using: &generator) ? Int.random(in: 1...13, using: &generator) : nil)
            species.editSuggestion { thresholds in
                for metric in Species.limitedMetrics where Bool.random(using: &generator) {
                    let numbers = [0, 1].map { _ in Double.random(in: metric.range, using: &generator) }.sorted()
                    thresholds[metric.name] = Threshold(
                        min: Bool.random(using: &generator) ? numbers[0] : nil,
                        max: Bool.random(using: &generator) ? numbers[1].rounded(.up) : nil)
                }
            }
            let read = SpeciesTable(Array(SpeciesTable.csv([species]).utf8))
            #expect(read.mistakes.isEmpty, "\(read.mistakes)")
            let again = try #require(read.rows.first).merged(into: nil)
            #expect(again == species)
            #expect(Array(again.scientificName.utf8) == Array(species.scientificName.utf8))
        }
    }
}
