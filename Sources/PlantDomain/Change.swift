/// What a request wants done with one field: absent leaves it alone, null clears it, a value sets it.
package enum Change<Value: Sendable>: Sendable {
    case unchanged
    case cleared
    case set(Value)

    package func apply(to field: inout Value?) {
        switch self {
        case .unchanged: return
        case .cleared: field = nil
        case .set(let value): field = value
        }
    }

    /// For a field that cannot be empty; clearing it must have been refused before.
    package func apply(to field: inout Value) {
        if case .set(let value) = self { field = value }
    }
}
