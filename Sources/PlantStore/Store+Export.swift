package import PlantDomain
import Postgres

/// What is to be exported of a plant.
package struct ExportQuery: Sendable {
    package let plant: EntityID
    /// Inclusive; nil: from the first reading on.
    package let from: Timestamp?
    /// Exclusive; nil: to the last.
    package let to: Timestamp?
    /// Names of metrics, extra ones among them; nil asks for everything there is of a reading.
    package let metrics: [String]?
    package let resolution: HistoryResolution

    package init(
        plant: EntityID, from: Timestamp? = nil, to: Timestamp? = nil, metrics: [String]? = nil,
        resolution: HistoryResolution = .raw
    ) {
        self.plant = plant
        self.from = from
        self.to = to
        self.metrics = metrics
        self.resolution = resolution
    }

    /// The first record of the file, its end included.
    package var header: String { columns.map(\.name).joined(separator: ",") + "\r\n" }
}

/// Where an export goes on: after the last record that was read.
package struct ExportPosition: Sendable, Equatable {
    package let time: Timestamp
    package let device: EntityID
    /// Records of the next page: less than usual where they are long.
    let rows: Int
}

/// A part of the file: whole records.
package struct ExportPage: Sendable {
    package let csv: [UInt8]
    /// nil: that was the last one.
    package let next: ExportPosition?
}

extension Store {
    /// A record of the known metrics has about 130 bytes, so this many are about as much as `exportBytes`.
    package static let exportRows = 20_000
    /// What a page may have before no more is read: with sixteen extra metrics a record can be twenty times as long.
    package static let exportBytes = 3 << 20

    /// Reads one page of an export, in the order of time and device. The database writes the CSV (RFC 4180) itself.
    ///
    /// Each page is a statement of its own that continues where the one before has ended: between two pages nothing is
    /// held, no connection and no snapshot, however slow the reader is. What is stored meanwhile may come or not;
    /// nothing comes twice, and what was there before is not missed.
    package func exportPage(
        _ query: ExportQuery, after position: ExportPosition? = nil, rows: Int = Self.exportRows,
        bytes: Int = Self.exportBytes
    ) async throws -> ExportPage {
        let wanted = min(rows, position?.rows ?? rows)
        let sql = query.statement(after: position, rows: wanted)
        return try await pool.run { connection in
            var page = ExportBuffer(reserving: bytes)
            try connection.copyOut(sql) { row in
                try page.append(row)
                return page.csv.count < bytes
            }
            // A page that is not full was the last.
            guard page.rows > 0, page.rows == wanted || page.csv.count >= bytes else {
                return ExportPage(csv: page.csv, next: nil)
            }
            return ExportPage(csv: page.csv, next: try page.position(rows: page.rows))
        }
    }
}

extension ExportQuery {
    private struct Column {
        let name: String
        /// What to select for it.
        let source: String
    }

    private var isRaw: Bool { resolution == .raw }
    private var timeColumn: String { isRaw ? "time" : "bucket" }

    private var columns: [Column] {
        let key = [Column(name: "time", source: timeColumn), Column(name: "device_id", source: "device_id")]
        let count = isRaw ? [] : [Column(name: "readings", source: "readings")]
        if let metrics { return key + count + metrics.flatMap(columns(of:)) }
        let known = Metric.allCases.map(\.name).flatMap(columns(of:))
        let extra = [Column(name: "extra", source: "extra")]
        return key + count + known + extra + (isRaw ? [Column(name: "time_source", source: "time_source")] : [])
    }

    /// Of one metric: its value, or its mean, least, most and number of values.
    private func columns(of metric: String) -> [Column] {
        let parts = isRaw ? [""] : ["_avg", "_min", "_max", "_count"]
        guard Metric.named(metric) == nil else { return parts.map { Column(name: metric + $0, source: metric + $0) } }
        // It stands in the statement: COPY takes no parameters.
        precondition(ExtraMetric.isValidName(metric))
        return parts.enumerated().map { index, part in
            let value = isRaw ? "extra ->> '\(metric)'" : "extra -> '\(metric)' ->> \(index)"
            return Column(
                name: metric + part, source: "(\(value))::\(part == "_count" ? "bigint" : "double precision")")
        }
    }

    /// Nothing stands in it but names of metrics, ids and times as this program writes them.
    fileprivate func statement(after position: ExportPosition?, rows: Int) -> String {
        let relation = isRaw ? "telemetry" : "telemetry_\(resolution.rawValue)"
        var conditions = ["plant_id = '\(plant)'"]
        if let position {
            let time = Self.literal(position.time)
            conditions.append("\(timeColumn) >= \(time)")
            conditions.append("(\(timeColumn) > \(time) OR device_id > '\(position.device)')")
        } else if let from {
            conditions.append("\(timeColumn) >= \(Self.literal(from))")
        }
        if let to { conditions.append("\(timeColumn) < \(Self.literal(to))") }
        return """
            COPY (SELECT \(columns.map(\.source).joined(separator: ", ")) FROM \(relation)
            WHERE \(conditions.joined(separator: " AND "))
            ORDER BY \(timeColumn), device_id LIMIT \(rows)) TO STDOUT (FORMAT csv)
            """
    }

    /// PostgreSQL writes the years before 1 in another way, and what it cannot read would be an error. Nothing was
    /// measured then.
    private static func literal(_ time: Timestamp) -> String {
        let years = Timestamp(microseconds: -62_135_596_800_000_000)...Timestamp(microseconds: 253_402_300_799_999_999)
        return "'\(min(max(time, years.lowerBound), years.upperBound).rfc3339)'::timestamptz"
    }
}

/// Gathers what the database has written, with the ends of records (CR LF) and the times that a CSV of ours has.
private struct ExportBuffer {
    private(set) var csv: [UInt8] = []
    private(set) var rows = 0
    /// Where the last record begins.
    private var last = 0

    init(reserving bytes: Int) { csv.reserveCapacity(bytes + 4096) }

    /// - Parameter row: one whole record of `COPY … (FORMAT csv)`. It begins with a time of the session's time zone,
    ///   UTC: `2026-11-21 13:00:00.5+00,`
    mutating func append(_ row: UnsafeRawBufferPointer) throws(PostgresError) {
        // Never quoted: there is neither a comma nor a quote in it.
        guard let comma = row.firstIndex(of: UInt8(ascii: ",")), comma >= 22, row[10] == UInt8(ascii: " "),
            row[comma - 3] == UInt8(ascii: "+"), row[comma - 2] == UInt8(ascii: "0"),
            row[comma - 1] == UInt8(ascii: "0"), row[row.count - 1] == UInt8(ascii: "\n")
        else { throw PostgresError(.decoding, "a record does not begin with a time in UTC") }
        last = csv.count
        csv.append(contentsOf: UnsafeRawBufferPointer(rebasing: row[..<(comma - 3)]))
        csv[last + 10] = UInt8(ascii: "T")
        csv.append(UInt8(ascii: "Z"))
        csv.append(contentsOf: UnsafeRawBufferPointer(rebasing: row[comma..<(row.count - 1)]))
        csv.append(UInt8(ascii: "\r"))
        csv.append(UInt8(ascii: "\n"))
        rows += 1
    }

    /// After the last record.
    func position(rows: Int) throws(PostgresError) -> ExportPosition {
        let fields = csv[last...].split(separator: UInt8(ascii: ","), maxSplits: 2, omittingEmptySubsequences: false)
        let position: ExportPosition? =
            fields.count < 2
            ? nil
            : {
                guard let time = Timestamp(rfc3339: String(decoding: fields[0], as: UTF8.self)),
                    let device = EntityID(String(decoding: fields[1].prefix(36), as: UTF8.self))
                else { return nil }
                return ExportPosition(time: time, device: device, rows: rows)
            }()
        guard let position else { throw PostgresError(.decoding, "a record has no time and device") }
        return position
    }
}
