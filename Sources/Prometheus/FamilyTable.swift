/// All series of one name: one kind, one help text, the same buckets.
struct MetricFamily {
    let kind: MetricKind
    let help: String?
    let boundaries: [Double]
    /// By `SeriesID.labels`.
    var series: [String: any Series] = [:]

    /// HELP (if there is a text), TYPE, and the samples in the order of their labels.
    func text(_ name: String) -> String {
        var text = help.map { "# HELP \(name) \(Exposition.escapedHelp($0))\n" } ?? ""
        text += "# TYPE \(name) \(kind.rawValue)\n"
        for (_, series) in series.sorted(by: { $0.key < $1.key }) { text += series.samples() }
        return text
    }
}

/// Every series there is, by family; at most `limit` sample lines, those of `permanent` series not counted.
struct FamilyTable {
    enum Refusal: Error {
        /// The name belongs to another kind, or to the `_bucket`, `_sum` or `_count` of a histogram.
        case conflict
        /// The table is full.
        case limit
    }

    private(set) var families: [String: MetricFamily] = [:]
    /// Which family writes samples under this name.
    private var owners: [String: String] = [:]
    private var sampleCount = 0
    private let limit: Int
    private let permanent: Set<SeriesID>

    init(limit: Int, permanent: [any Series], help: String) {
        self.limit = limit
        self.permanent = Set(permanent.map(\.id))
        for series in permanent { insert(series, help: help, boundaries: []) }
    }

    /// Finds the series, or makes it.
    /// - Parameters:
    ///   - help: for a family that is new; one that exists keeps its own.
    ///   - boundaries: likewise.
    mutating func series<S: Series>(
        _ type: S.Type, _ id: SeriesID, help: String?, boundaries: [Double]
    ) throws(Refusal) -> S {
        if let found = families[id.family]?.series[id.labels] {
            guard let series = found as? S else { throw .conflict }
            return series
        }
        if let kind = families[id.family]?.kind {
            guard kind == S.kind else { throw .conflict }
        } else {
            guard S.kind.sampleNames(id.family).allSatisfy({ owners[$0] == nil }) else { throw .conflict }
        }
        let boundaries = families[id.family]?.boundaries ?? boundaries
        let series = S(id, boundaries: boundaries)
        // Not `sampleCount + …`: the limit may be Int.max.
        guard series.sampleCount <= limit - sampleCount else { throw .limit }
        insert(series, help: help, boundaries: boundaries)
        sampleCount += series.sampleCount
        return series
    }

    /// Forgets this very series; one made since under the same id stays. The last one takes its family along.
    mutating func remove(_ series: any Series) {
        let id = series.id
        guard !permanent.contains(id), families[id.family]?.series[id.labels] === series else { return }
        families[id.family]?.series[id.labels] = nil
        sampleCount -= series.sampleCount
        if families[id.family]?.series.isEmpty == true {
            families[id.family] = nil
            for name in type(of: series).kind.sampleNames(id.family) { owners[name] = nil }
        }
    }

    private mutating func insert(_ series: any Series, help: String?, boundaries: [Double]) {
        let (id, kind) = (series.id, type(of: series).kind)
        for name in kind.sampleNames(id.family) { owners[name] = id.family }
        // In place: a copy of the family would copy its series at each insertion.
        families[id.family, default: MetricFamily(kind: kind, help: help, boundaries: boundaries)]
            .series[id.labels] = series
    }
}
