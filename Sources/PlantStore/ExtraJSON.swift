import Foundation
import PlantDomain

/// Extra metrics as they are kept in jsonb columns.
enum ExtraJSON {
    /// `{"leaf_wetness":3.5}` for a reading; nil without extras.
    static func encode(_ extras: [ExtraValue]) -> [UInt8]? {
        guard !extras.isEmpty else { return nil }
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for (index, extra) in extras.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            // Names match [a-z][a-z0-9_]*: nothing to escape.
            bytes += Array("\"\(extra.name)\":\(number(extra.value))".utf8)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// A finite Double as a JSON number; a count stays a count (7, not 7.0).
    private static func number(_ value: Double) -> String {
        Int64(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    static func decode(_ json: String?) throws -> [String: Double] {
        guard let json else { return [:] }
        return try JSONDecoder().decode([String: Double].self, from: Data(json.utf8))
    }

    /// `{"leaf_wetness":[3.5,1750000000000000]}` for a device's state.
    static func encodeState(_ extras: some Sequence<(key: String, value: LatestTelemetry.Value)>) -> [UInt8] {
        let fields = extras.map { "\"\($0.key)\":[\($0.value.value),\($0.value.time.microseconds)]" }
        return Array("{\(fields.joined(separator: ","))}".utf8)
    }

    static func decodeState(_ json: String) throws -> [String: LatestTelemetry.Value] {
        guard json != "{}" else { return [:] }
        return try JSONDecoder().decode([String: [Double]].self, from: Data(json.utf8)).compactMapValues { pair in
            guard pair.count == 2 else { return nil }
            return LatestTelemetry.Value(value: pair[0], time: Timestamp(microseconds: Int64(pair[1])))
        }
    }
}
