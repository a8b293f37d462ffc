import Foundation

/// A text as it is searched for: in lower case, without accents and punctuation.
struct SearchText {
    let words: [[Unicode.Scalar]]
    /// All words in one.
    let joined: [Unicode.Scalar]

    init(_ text: String) {
        var words: [[Unicode.Scalar]] = [[]]
        for scalar in text.lowercased().decomposedStringWithCompatibilityMapping.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .spacingMark, .enclosingMark, .format: break
            case _ where scalar.properties.isAlphabetic || scalar.properties.numericType != nil:
                words[words.count - 1].append(scalar)
            // "Bird's nest" is two words, as is "cast-iron".
            case _ where scalar == "'" || scalar == "’": break
            default: if words.last?.isEmpty == false { words.append([]) }
            }
        }
        if words.last?.isEmpty == true { words.removeLast() }
        self.words = words
        joined = Array(words.joined())
    }
}

/// The names of a species, prepared for ``SearchText``.
struct SearchedSpecies {
    private let names: [SearchText]

    init(_ species: Species) {
        names = [species.scientificName, species.commonName].compactMap { $0.map { SearchText($0) } }
    }

    /// - Returns: how far the names are from the text, 0 being its very words; nil when it cannot mean this species.
    func rank(_ query: SearchText) -> Int? {
        guard let cost = [separate(query), together(query)].compactMap({ $0 }).min() else { return nil }
        let place =
            if names.contains(where: { $0.joined == query.joined }) {
                0
            } else if names.contains(where: { $0.joined.starts(with: query.joined) }) {
                1
            } else {
                2
            }
        return cost * 3 + place
    }

    /// What each word costs, added up.
    private func separate(_ query: SearchText) -> Int? {
        var sum = 0
        for word in query.words {
            let costs = names.flatMap { name in
                name.words.map { Self.cost(of: word, as: $0) } + [Self.cost(of: word, asWhole: name.joined)]
            }
            guard let least = costs.compactMap({ $0 }).min() else { return nil }
            sum += least
        }
        return sum
    }

    /// "Mon stera": what was put into two words by mistake.
    private func together(_ query: SearchText) -> Int? {
        guard query.words.count > 1 else { return nil }
        let costs = names.flatMap { name in
            name.words.map { Self.cost(of: query.joined, asWhole: $0) } + [
                Self.cost(of: query.joined, asWhole: name.joined)
            ]
        }
        return costs.compactMap { $0 }.min().map { $0 + 1 }
    }

    /// An edit costs more than anything that is spelt right.
    private static let editCost = 10

    private static func cost(of word: [Unicode.Scalar], as other: [Unicode.Scalar]) -> Int? {
        if word == other { return 0 }
        if other.starts(with: word) { return 1 }
        if word.count >= 3, other.count > word.count,
            (1...(other.count - word.count)).contains(where: { other[$0...].starts(with: word) })
        {
            return 2
        }
        if let edits = EditDistance.between(word, other, most: editsAllowed(word)) { return edits * editCost }
        // Half of a long word, with a mistake in it: people type on, and look.
        if word.count >= 5, other.count > word.count,
            EditDistance.toPrefixes(of: other, from: word).min() ?? .max <= 1
        {
            return editCost + editCost / 2
        }
        return nil
    }

    /// "Spiderplant", "zzplant".
    private static func cost(of word: [Unicode.Scalar], asWhole name: [Unicode.Scalar]) -> Int? {
        if word == name { return 1 }
        if word.count >= 5, name.starts(with: word) { return 2 }
        return EditDistance.between(word, name, most: editsAllowed(word)).map { $0 * editCost + 1 }
    }

    /// In three letters nothing is left of a word with an edit; names of twelve letters are rarely written without one.
    private static func editsAllowed(_ word: [Unicode.Scalar]) -> Int {
        switch word.count {
        case ...3: 0
        case ...6: 1
        case ...9: 2
        default: 3
        }
    }
}
