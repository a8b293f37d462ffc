package import PlantDomain

/// What has changed for those who watch, by ids: what it looks like now, whoever tells of it reads anew.
///
/// `NOTIFY plantops_live` carries it as words separated by commas: a letter for what happened and an id, `*` for
/// anything, and `!` for so much that it is not named.
package struct LiveChanges: Sendable, Equatable {
    package static let channel = "plantops_live"

    /// Devices that have sent readings.
    package var measured: Set<EntityID> = []
    /// Devices that have said something else, or fell silent: told of if they look different.
    package var heard: Set<EntityID> = []
    /// Devices that were made, changed or removed.
    package var devices: Set<EntityID> = []
    /// Plants that were made, changed or removed.
    package var plants: Set<EntityID> = []
    /// Plants that may look different: told of if they do.
    package var doubtfulPlants: Set<EntityID> = []

    package init() {}

    package var isEmpty: Bool { count == 0 }

    package var count: Int {
        measured.count + heard.count + devices.count + plants.count + doubtfulPlants.count
    }

    package mutating func formUnion(_ other: LiveChanges) {
        for word in Word.allCases { self[keyPath: word.path].formUnion(other[keyPath: word.path]) }
    }

    /// Takes out what concerns plants and devices that `isRipe` is true of.
    package mutating func take(_ isRipe: (EntityID) -> Bool) -> LiveChanges {
        var taken = LiveChanges()
        for word in Word.allCases {
            taken[keyPath: word.path] = self[keyPath: word.path].filter(isRipe)
            self[keyPath: word.path].subtract(taken[keyPath: word.path])
        }
        return taken
    }

    /// All that are named.
    package var ids: Set<EntityID> { Word.allCases.reduce(into: []) { $0.formUnion(self[keyPath: $1.path]) } }

    // MARK: notifications

    private enum Word: Character, CaseIterable {
        case measured = "t"
        case heard = "h"
        case device = "d"
        case plant = "p"
        case doubtful = "q"

        var path: WritableKeyPath<LiveChanges, Set<EntityID>> {
            switch self {
            case .measured: \.measured
            case .heard: \.heard
            case .device: \.devices
            case .plant: \.plants
            case .doubtful: \.doubtfulPlants
            }
        }
    }

    /// A payload may have 8 000 bytes (PostgreSQL manual, NOTIFY).
    private static let wordsPerPayload = 200
    /// Most that is named, so many payloads at most are sent at a time.
    package static let most = 2000
    package static let anything = "*"
    package static let tooMuch = "!"

    package var payloads: [String] {
        guard count <= Self.most else { return [Self.tooMuch] }
        let words = Word.allCases.flatMap { word in self[keyPath: word.path].map { "\(word.rawValue)\($0)" } }
        return stride(from: 0, to: words.count, by: Self.wordsPerPayload).map { start in
            words[start..<min(words.count, start + Self.wordsPerPayload)].joined(separator: ",")
        }
    }

    /// - Returns: nil when it cannot be read.
    package init?(payload: String) {
        for part in payload.split(separator: ",", omittingEmptySubsequences: false) {
            guard let word = part.first.flatMap({ Word(rawValue: $0) }), let id = EntityID(String(part.dropFirst()))
            else { return nil }
            self[keyPath: word.path].insert(id)
        }
    }
}
