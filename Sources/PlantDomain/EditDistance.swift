/// How many letters have to be added, left out, changed or swapped with their neighbour to make one word of another.
///
/// It is the optimal string alignment, the Damerau–Levenshtein distance in which no letter is edited twice: what one
/// types wrongly is one edit away, mostly.
package enum EditDistance {
    /// Whether so many edits are enough.
    package static func isWithin(_ most: Int, _ word: [Unicode.Scalar], _ other: [Unicode.Scalar]) -> Bool {
        between(word, other, most: most) != nil
    }

    /// - Returns: the number of edits; nil when it takes more than `most`.
    static func between(_ word: [Unicode.Scalar], _ other: [Unicode.Scalar], most: Int) -> Int? {
        guard abs(word.count - other.count) <= most else { return nil }
        let edits = toPrefixes(of: other, from: word)[other.count]
        return edits <= most ? edits : nil
    }

    /// The number of edits that make of a word the first 0, 1, 2 … letters of another.
    static func toPrefixes(of other: [Unicode.Scalar], from word: [Unicode.Scalar]) -> [Int] {
        var beforePrevious: [Int] = []
        var previous = Array(0...other.count)
        for i in word.indices {
            var row = [i + 1]
            row.reserveCapacity(other.count + 1)
            for j in other.indices {
                let changed = previous[j] + (word[i] == other[j] ? 0 : 1)
                var best = min(previous[j + 1] + 1, row[j] + 1, changed)
                if i > 0, j > 0, word[i] == other[j - 1], word[i - 1] == other[j] {
                    best = min(best, beforePrevious[j - 1] + 1)
                }
                row.append(best)
            }
            (beforePrevious, previous) = (previous, row)
        }
        return previous
    }
}
