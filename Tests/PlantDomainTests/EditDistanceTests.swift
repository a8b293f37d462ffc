import Testing

@testable import PlantDomain

@Suite struct EditDistanceTests {
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("", "abc", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "acb", 1),
        ("abc", "bc", 1),
        ("ca", "abc", 3), ("kitten", "sitting", 3), ("monstra", "monstera", 1), ("lilly", "lily", 1), ("teh", "the", 1),
    ])
    func `edits are counted`(word: String, other: String, edits: Int) {
        let (word, other) = (Array(word.unicodeScalars), Array(other.unicodeScalars))
        #expect(EditDistance.between(word, other, most: 9) == edits)
        #expect(EditDistance.between(other, word, most: 9) == edits)
        #expect(EditDistance.isWithin(edits, word, other))
        if edits > 0 { #expect(!EditDistance.isWithin(edits - 1, word, other)) }
    }
}
