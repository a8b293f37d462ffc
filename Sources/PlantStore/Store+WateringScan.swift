import Foundation
package import PlantDomain
import Postgres

/// How far back waterings are looked for, in seconds.
package enum WateringScan {
    /// In what comes as it should; what is held back for longer is found half an hour later.
    package static let shortSeconds = 2 * 3600.0
    /// In what was buffered over a night or a day.
    package static let middleSeconds = 36 * 3600.0
    /// In everything that can still come: readings are taken that are up to 30 days old.
    package static let longSeconds = 35 * 86_400.0
    /// The long way is gone so often.
    static let longIntervalSeconds = 86_400.0
}

extension Store {
    /// The plants whose devices were heard of since an instant and measure soil moisture.
    package func plantsWithMoisture(heardSince since: Timestamp) async throws -> [EntityID] {
        try await pool.run { connection in
            try connection.query(
                """
                SELECT DISTINCT a.plant_id FROM device_assignments a JOIN device_state s ON s.device_id = a.device_id
                WHERE a.unassigned_at IS NULL AND s.last_seen_at >= $1 AND s.soil_moisture_at IS NOT NULL ORDER BY 1
                """, [.time(since)]
            ).map { row throws(PostgresError) in try row.id("plant_id") }
        }
    }

    /// All plants, if it is time to go through what came late, once a day; none while what was there before the rollups
    /// has not been summarized.
    package func plantsForLongWateringScan(at now: Timestamp) async throws -> [EntityID] {
        let last = try await setting(Self.longScanSetting, initially: "")
        return try await pool.run { connection in
            // Either way: a clock that was set back must not mean days without a look.
            if let last = Timestamp(rfc3339: last), abs(now.seconds(since: last)) < WateringScan.longIntervalSeconds {
                return []
            }
            return try connection.query(
                "SELECT id FROM plants WHERE (SELECT is_complete FROM rollup_state) ORDER BY id"
            ).map { row throws(PostgresError) in try row.id("id") }
        }
    }

    /// That it was done. Two backends may both do it: they find the same.
    package func setLongWateringScan(at now: Timestamp) async throws {
        let json = String(decoding: try JSONEncoder().encode(now), as: UTF8.self)
        try await pool.run { connection in
            _ = try connection.query(
                "UPDATE settings SET value = $2, updated_at = now() WHERE name = $1",
                [.text(Self.longScanSetting), .json(json)]
            ).affected
        }
    }

    private static let longScanSetting = "waterings_scanned_at"

    /// Finds the waterings since an instant in the readings of plants, and writes down those that are new.
    /// - Parameters:
    ///   - plants: a few dozen at most.
    ///   - new: how many there were before, and then with those that are new; they count also when it throws halfway.
    ///     None is while what was there before the rollups has not been summarized.
    package func findWaterings(
        of plants: [EntityID], since: Timestamp, at now: Timestamp, counting new: inout Int
    ) async throws {
        let series = try await pool.run { try Self.moisture(of: plants, since: since, at: now, $0) }
        // Not on the connection: others may use it meanwhile.
        for (plant, devices) in series {
            // What is before is only there to tell what was usual.
            let found = WateringDetector.waterings(in: devices).filter { $0.at >= since }
            new += try await note(found, of: plant, at: now)
        }
    }

    /// Means of five minutes by plant and device.
    private static func moisture(
        of plants: [EntityID], since: Timestamp, at now: Timestamp, _ connection: PostgresConnection
    ) throws -> [EntityID: [EntityID: [WateringDetector.Sample]]] {
        let state = try connection.query("SELECT is_complete FROM rollup_state").first
        guard try state?.bool("is_complete") == true else { return [:] }
        let rows = try connection.query(
            """
            SELECT plant_id, device_id, bucket, soil_moisture_avg FROM telemetry_5m
            WHERE plant_id = ANY ($1) AND bucket >= $2 AND bucket <= $3 AND soil_moisture_count > 0
            ORDER BY plant_id, device_id, bucket
            """,
            [
                .uuids(plants.map { ($0.high, $0.low) }),
                .time(since.adding(seconds: -WateringDetector.usualSeconds)),
                .time(now.adding(seconds: PlantEvent.aheadSeconds)),
            ], once: true)
        var series: [EntityID: [EntityID: [WateringDetector.Sample]]] = [:]
        for index in 0..<rows.count {
            let row = rows[index]
            guard let plant = try row.uuid(0), let device = try row.uuid(1), let start = try row.timestamp(2),
                let mean = try row.double(3)
            else { continue }
            series[EntityID(high: plant.0, low: plant.1), default: [:]][
                EntityID(high: device.0, low: device.1), default: []
            ].append(WateringDetector.Sample(start: Timestamp(microseconds: start), mean: mean))
        }
        return series
    }
}
