/// At most one value per ``Metric``, in fixed storage: copying a reading allocates nothing.
package struct MetricValues: Equatable, Sendable {
    /// Lanes without a value are zero, so that equality of storage is equality of values.
    private var lanes: SIMD16<Double> = .zero
    private var present: UInt16 = 0

    package init() {}

    package subscript(metric: Metric) -> Double? {
        get {
            present & (1 << UInt16(metric.rawValue)) == 0 ? nil : lanes[metric.rawValue]
        }
        set {
            let bit: UInt16 = 1 << UInt16(metric.rawValue)
            present = newValue == nil ? present & ~bit : present | bit
            lanes[metric.rawValue] = newValue ?? 0
        }
    }

    package var isEmpty: Bool { present == 0 }

    /// Calls `body` with every value there is, in the order of ``Metric``.
    package func forEach(_ body: (Metric, Double) throws -> Void) rethrows {
        for metric in Metric.allCases {
            if let value = self[metric] { try body(metric, value) }
        }
    }
}
