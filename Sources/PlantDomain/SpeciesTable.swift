/// Species as a table of comma-separated values: how the built-in ones are kept, and how people exchange theirs.
///
/// The columns are those of ``Species``, by their names in the API, and limits as `soil_moisture_min`,
/// `soil_moisture_max` and so on. Only `scientific_name` must be there. A column that is not there says nothing; a field
/// that is empty says that it is not known.
package struct SpeciesTable: Sendable {
    /// What is wrong with a field, or with a whole line.
    package struct Mistake: Error, Sendable, Equatable {
        package let line: Int
        package let column: String?
        package let detail: String
    }

    /// One species, as far as the table speaks of it.
    package struct Row: Sendable {
        package let line: Int
        package let scientificName: String
        fileprivate var commonName: Change<String> = .unchanged
        fileprivate var light: Change<LightClass> = .unchanged
        fileprivate var water: Change<WaterClass> = .unchanged
        fileprivate var usdaZoneMin: Change<Int> = .unchanged
        fileprivate var limits: [Limit: Change<Double>] = [:]

        package var key: String { scientificName.lowercased() }
    }

    fileprivate struct Limit: Hashable, Sendable {
        let metric: Metric
        let direction: LimitDirection

        var column: String { "\(metric.name)_\(direction.rawValue)" }
        static let all = Species.limitedMetrics.flatMap { metric in
            [LimitDirection.min, .max].map { Limit(metric: metric, direction: $0) }
        }
    }

    fileprivate enum Column: Hashable {
        case scientificName, commonName, light, water, usdaZoneMin
        case limit(Limit)

        static let named: [(name: String, column: Column)] =
            [
                ("scientific_name", .scientificName), ("common_name", .commonName), ("light", .light),
                ("water", .water), ("usda_zone_min", .usdaZoneMin),
            ] + Limit.all.map { ($0.column, .limit($0)) }
    }

    package let rows: [Row]
    /// In the order of lines; bounded by ``CSV/mistakesLimit``. With any, the rows are not all there.
    package let mistakes: [Mistake]

    package init(_ bytes: [UInt8]) {
        let (records, malformed) = CSV.read(bytes)
        var mistakes = malformed.map { Mistake(line: $0.line, column: nil, detail: $0.detail) }
        var rows: [Row] = []
        if let header = records.first {
            let columns = Self.columns(header, &mistakes)
            var lines: [String: Int] = [:]
            for record in records.dropFirst() where mistakes.count < CSV.mistakesLimit {
                guard let row = Self.row(record, columns, of: header, &mistakes) else { continue }
                if let line = lines.updateValue(row.line, forKey: row.key) {
                    let detail = "is on line \(line) already"
                    mistakes.append(Mistake(line: row.line, column: "scientific_name", detail: detail))
                }
                rows.append(row)
            }
        } else if mistakes.isEmpty {
            mistakes.append(Mistake(line: 1, column: nil, detail: "there is nothing; the first line names the columns"))
        }
        self.rows = rows
        self.mistakes = Array(mistakes.sorted { $0.line < $1.line }.prefix(CSV.mistakesLimit))
    }

    // MARK: reading

    /// - Returns: what each column is; nil for one that is nothing known.
    private static func columns(_ header: CSV.Record, _ mistakes: inout [Mistake]) -> [Column?] {
        let known = Dictionary(uniqueKeysWithValues: Column.named.map { ($0.name, $0.column) })
        let names = header.fields.map(trimmed)
        func refuse(_ column: String?, _ detail: String) {
            mistakes.append(Mistake(line: header.line, column: column, detail: detail))
        }
        var seen: Set<String> = []
        for name in names where mistakes.count < CSV.mistakesLimit {
            if known[name] == nil {
                let most = String(String.UnicodeScalarView(name.unicodeScalars.prefix(40)))
                refuse(most, most.contains(";") ? "columns are separated by commas" : "is no column of this table")
            } else if !seen.insert(name).inserted {
                refuse(name, "is there twice")
            }
        }
        if !names.contains("scientific_name") { refuse("scientific_name", "this column must be there") }
        return names.map { known[$0] }
    }

    private static func row(
        _ record: CSV.Record, _ columns: [Column?], of header: CSV.Record, _ mistakes: inout [Mistake]
    ) -> Row? {
        func refuse(_ column: String?, _ detail: String) {
            mistakes.append(Mistake(line: record.line, column: column, detail: detail))
        }
        guard record.fields.count == columns.count else {
            refuse(nil, "has \(record.fields.count) fields; there are \(columns.count) columns")
            return nil
        }
        let before = mistakes.count
        var values: [Column: String] = [:]
        for (column, field) in zip(columns, record.fields) { if let column { values[column] = trimmed(field) } }
        func change<Value>(_ column: Column, _ name: String, _ wanted: String, _ read: (String) -> Value?) -> Change<
            Value
        > {
            guard let text = values[column] else { return .unchanged }
            if text.isEmpty { return .cleared }
            if let value = read(text) { return .set(value) }
            refuse(name, wanted)
            return .unchanged
        }
        let nameWanted =
            "must have \(Species.nameLength.lowerBound) to \(Species.nameLength.upperBound) characters, and no control characters"
        var row = Row(line: record.line, scientificName: name(values[.scientificName] ?? "") ?? "")
        if row.scientificName.isEmpty, values[.scientificName] != nil { refuse("scientific_name", nameWanted) }
        row.commonName = change(.commonName, "common_name", nameWanted, name)
        row.light = change(.light, "light", choices(LightClass.self)) { LightClass(rawValue: $0) }
        row.water = change(.water, "water", choices(WaterClass.self)) { WaterClass(rawValue: $0) }
        let zones = Species.usdaZones
        row.usdaZoneMin = change(
            .usdaZoneMin, "usda_zone_min", "must be a whole number from \(zones.lowerBound) to \(zones.upperBound)"
        ) { Int($0).flatMap { zones.contains($0) ? $0 : nil } }
        for limit in Limit.all where values[.limit(limit)] != nil {
            let range = limit.metric.range
            let wanted = "must be a number from \(plain(range.lowerBound)) to \(plain(range.upperBound))"
            row.limits[limit] = change(.limit(limit), limit.column, wanted) { number($0, in: range) }
        }
        return mistakes.count == before && !row.scientificName.isEmpty ? row : nil
    }

    private static func name(_ field: String) -> String? {
        let name = CSV.unguarded(field)
        let isName =
            Species.nameLength.contains(name.unicodeScalars.count)
            && name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        return isName ? name : nil
    }

    private static func choices<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) -> String {
        "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))"
    }

    /// Digits only: Swift would take "nan" and "0x10" for numbers, too.
    private static func number(_ text: String, in range: ClosedRange<Double>) -> Double? {
        guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let number = Double(text) else {
            return nil
        }
        return range.contains(number) ? number : nil
    }

    private static func trimmed(_ field: String) -> String {
        let scalars = field.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }

    // MARK: writing

    /// What ``init(_:)`` reads. Limits are those of the species' own: what follows from its classes need not be said.
    package static func csv(_ species: [Species]) -> String {
        CSV.write(
            [Column.named.map(\.name)] + species.map { species in Column.named.map { field($0.column, species) } })
    }

    private static func field(_ column: Column, _ species: Species) -> String {
        switch column {
        case .scientificName: CSV.guarded(species.scientificName)
        case .commonName: CSV.guarded(species.commonName ?? "")
        case .light: species.light?.rawValue ?? ""
        case .water: species.water?.rawValue ?? ""
        case .usdaZoneMin: species.usdaZoneMin.map { "\($0)" } ?? ""
        case .limit(let limit): species.ownThresholds[limit.metric.name]?[limit.direction].map(plain) ?? ""
        }
    }
}

extension SpeciesTable.Row {
    /// The species as it is after this row.
    /// - Parameter species: as the library has it; nil for a new one. It keeps its id, and a built-in one has none.
    /// - Throws: what only the whole species can tell: a minimum above a maximum.
    package func merged(into species: Species?) throws(SpeciesTable.Mistake) -> Species {
        let merged = applied(to: species)
        for limit in SpeciesTable.Limit.all where limit.direction == .min {
            guard let threshold = merged.suggestedThresholds[limit.metric.name], let min = threshold.min,
                let max = threshold.max, min >= max
            else { continue }
            throw SpeciesTable.Mistake(line: line, column: limit.column, detail: "must be below max (\(plain(max)))")
        }
        return merged
    }

    /// ``merged(into:)`` without the check. What is known already goes on being written as it is.
    func applied(to species: Species?) -> Species {
        var merged = Species(
            id: species?.id, scientificName: species?.scientificName ?? scientificName, commonName: species?.commonName,
            light: species?.light,
            water: species?.water, usdaZoneMin: species?.usdaZoneMin, ownThresholds: species?.ownThresholds ?? [:])
        commonName.apply(to: &merged.commonName)
        light.apply(to: &merged.light)
        water.apply(to: &merged.water)
        usdaZoneMin.apply(to: &merged.usdaZoneMin)
        merged.editSuggestion { thresholds in
            for (limit, change) in limits {
                change.apply(to: &thresholds[limit.metric.name, default: Threshold()][limit.direction])
            }
        }
        return merged
    }
}

extension Threshold {
    fileprivate subscript(direction: LimitDirection) -> Double? {
        get { direction == .min ? min : max }
        set { if direction == .min { min = newValue } else { max = newValue } }
    }
}
