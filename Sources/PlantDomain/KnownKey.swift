/// The keys of a reading that mean something, found without making a `String` of the key.
struct KnownKey {
    enum Meaning {
        case timestamp
        case metric(Metric)
    }

    private let word: KeyWord
    let meaning: Meaning
    /// 0 for the metric's own name, then its aliases in order: the lowest one present counts.
    let rank: UInt8

    /// Its index below, for a bit mask of keys seen.
    static func index(of bytes: UnsafeRawBufferPointer) -> Int? {
        guard let word = KeyWord(bytes) else { return nil }
        return all.firstIndex { $0.word == word }
    }

    static let all: [KnownKey] = {
        var keys = [KnownKey("timestamp", .timestamp, rank: 0)]
        for metric in Metric.allCases {
            for (rank, name) in ([metric.name] + metric.aliases).enumerated() {
                keys.append(KnownKey(name, .metric(metric), rank: UInt8(rank)))
            }
        }
        return keys
    }()

    private init(_ name: String, _ meaning: Meaning, rank: UInt8) {
        guard let word = Array(name.utf8).withUnsafeBytes(KeyWord.init) else {
            preconditionFailure("\(name) is longer than \(KeyWord.maximumLength) bytes")
        }
        self.word = word
        self.meaning = meaning
        self.rank = rank
    }
}

/// A short key in four machine words, padded with zeros: comparing two is four comparisons.
private struct KeyWord: Equatable {
    static let maximumLength = 32

    /// Tells a key from the same key with zero bytes behind it.
    private let length: Int
    private let words: SIMD4<UInt64>

    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= KeyWord.maximumLength else { return nil }
        length = bytes.count
        var words = SIMD4<UInt64>()
        withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: bytes) }
        self.words = words
    }
}
