import Synchronization

/// How many things are under way.
final class Counted: Sendable {
    private let number = Atomic(0)

    var count: Int { number.load(ordering: .acquiring) }
    func begin() { number.add(1, ordering: .acquiringAndReleasing) }
    func end() { number.subtract(1, ordering: .acquiringAndReleasing) }
}
