package import PlantDomain
import Postgres

extension Store {
    /// When a plant will be too dry, or why that cannot be told.
    /// - Returns: nil when there is no such plant.
    package func dryingOutlook(of plant: EntityID, at now: Timestamp) async throws -> DryingOutlook? {
        try await pool.run { connection in
            guard let known = try Self.plant(connection, plant) else { return nil }
            return try Self.dryingOutlook(
                of: known, minimum: known.thresholds[Metric.soilMoisture.name]?.min, at: now, on: connection)
        }
    }

    /// - Parameter minimum: the lower limit of soil moisture to foretell, in %.
    static func dryingOutlook(
        of plant: Plant, minimum: Double?, at now: Timestamp, on connection: PostgresConnection
    ) throws -> DryingOutlook {
        let from = now.adding(seconds: -DryingOutlook.spanSeconds)
        let hours = try moistureHours(of: plant.id, from: from, to: now, connection)
        let members = try members(of: plant.id, connection)
        var series = members.map { member in
            DryingOutlook.Series(
                device: member.device.id, hours: hours[member.device.id] ?? [],
                newest: member.latest?.values[Metric.soilMoisture.name],
                silenceAllowed: Device.silenceAllowed(expectedInterval: member.device.expectedIntervalSeconds))
        }
        for (device, hours) in hours.sorted(by: { $0.key < $1.key })
        where !members.contains(where: { $0.device.id == device }) {
            series.append(DryingOutlook.Series(device: device, hours: hours, newest: nil, silenceAllowed: 0))
        }
        return DryingOutlook(
            series, waterings: try waterings(of: plant.id, since: from, on: connection),
            minimum: minimum, at: now)
    }

    /// Means of hours, at the middle of what of them is over.
    private static func moistureHours(
        of plant: EntityID, from: Timestamp, to: Timestamp, _ connection: PostgresConnection
    ) throws -> [EntityID: [LatestTelemetry.Value]] {
        let isComplete = try connection.query("SELECT is_complete FROM rollup_state").first?.bool("is_complete")
        let rows = try connection.query(
            isComplete == true ? MoistureSQL.ofRollups : MoistureSQL.ofReadings,
            [.id(plant), .time(from), .time(to)], once: true)
        var hours: [EntityID: [LatestTelemetry.Value]] = [:]
        for index in 0..<rows.count {
            guard let (high, low) = try rows[index].uuid(0), let bucket = try rows[index].timestamp(1),
                let mean = try rows[index].double(2)
            else { continue }
            let start = Timestamp(microseconds: bucket)
            let end = min(start.adding(seconds: 3600), to)
            hours[EntityID(high: high, low: low), default: []].append(
                LatestTelemetry.Value(value: mean, time: start.adding(seconds: end.seconds(since: start) / 2)))
        }
        return hours
    }
}

private enum MoistureSQL {
    static let ofRollups = """
        SELECT device_id, bucket, soil_moisture_avg FROM telemetry_1h
        WHERE plant_id = $1 AND bucket > $2 AND bucket <= $3 AND soil_moisture_count > 0
        ORDER BY device_id, bucket
        """

    /// The same, until what was there before the rollups has been summarized: the view makes that of every reading there
    /// is, whatever hours are asked for.
    static let ofReadings = """
        SELECT device_id, date_bin('1 hour', time, 'epoch') AS bucket, avg(soil_moisture) AS mean FROM telemetry
        WHERE plant_id = $1 AND time > $2::timestamptz AND time <= $3::timestamptz AND soil_moisture IS NOT NULL
        GROUP BY device_id, bucket ORDER BY device_id, bucket
        """
}
