package import PlantDomain
import Postgres

/// The light of whole days, from the means of hours.
extension Store {
    /// The plants with the light of the last completed local day.
    ///
    /// A plant that has no light meter, or none that measured since that day began, costs nothing; without any other
    /// the database is not asked. A day that is known whole is asked for once in ten minutes.
    package func withLightOfYesterday(_ plants: [Plant], at now: Timestamp) async throws -> [Plant] {
        // Yesterday began less than three days ago, whatever was done to the clocks.
        let lit = plants.filter { plant in
            guard let light = plant.latest?.values[Metric.lightLevel.name] else { return false }
            return now.seconds(since: light.time) < 3 * 86_400
        }
        guard !lit.isEmpty else { return plants }
        let (ids, known, cache) = (lit.map(\.id), plants, lightOfYesterday)
        return try await pool.run { connection in
            let zone = KnownTimeZone(try Self.alertSettings(on: connection).timeZone) ?? .utc
            let day = LocalDay.containing(now, in: zone).previous
            var light = cache.light(of: ids, on: day, at: now)
            let missing = ids.filter { light[$0] == nil }
            if !missing.isEmpty {
                let sums = try Self.light(of: missing, on: [day], connection)
                var found: [EntityID: LightSum] = [:]
                for plant in missing { found[plant] = sums[plant]?.first?.light ?? .unknown }
                cache.keep(found, on: day, at: now)
                light.merge(found) { $1 }
            }
            return known.map { plant in
                var plant = plant
                plant.lightOfYesterday = light[plant.id]
                return plant
            }
        }
    }

    package func withLightOfYesterday(_ page: Page<Plant>, at now: Timestamp) async throws -> Page<Plant> {
        Page(items: try await withLightOfYesterday(page.items, at: now), total: page.total)
    }

    /// The light of these days in each of these plants: one statement.
    /// - Parameter days: in the order of the calendar.
    /// - Returns: by plant, a sum for each of the days; nothing for a plant without light.
    static func light(
        of plants: [EntityID], on days: [LocalDay], _ connection: PostgresConnection
    ) throws -> [EntityID: [(day: LocalDay, light: LightSum)]] {
        guard let first = days.first, let last = days.last else { return [:] }
        // An hour on each side that can still reach into the days.
        let isComplete = try connection.query("SELECT is_complete FROM rollup_state").first?.bool("is_complete")
        let rows = try connection.query(
            isComplete == true ? LightSQL.ofRollups : LightSQL.ofReadings,
            [
                .uuids(plants.map { ($0.high, $0.low) }),
                .time(first.start.adding(seconds: -LightDay.longestGap - 3600)),
                .time(last.end.adding(seconds: LightDay.longestGap)),
            ], once: true)
        var hours: [EntityID: [LightBucket]] = [:]
        for index in 0..<rows.count {
            guard let (high, low) = try rows[index].uuid(0), let start = try rows[index].timestamp(1),
                let lux = try rows[index].double(2)
            else { continue }
            hours[EntityID(high: high, low: low), default: []].append(
                LightBucket(start: Timestamp(microseconds: start), width: 3600, lux: lux))
        }
        return hours.mapValues { DailyLight.sums(of: days, from: $0) }
    }
}

private enum LightSQL {
    static let ofRollups = """
        SELECT plant_id, bucket, avg(light_level_avg) AS lux FROM telemetry_1h
        WHERE plant_id = ANY ($1) AND bucket > $2 AND bucket < $3 AND light_level_count > 0
        GROUP BY plant_id, bucket ORDER BY plant_id, bucket
        """

    /// The same, until what was there before the rollups has been summarized: the view makes that of every reading there
    /// is, whatever hours are asked for.
    static let ofReadings = """
        SELECT plant_id, bucket, avg(lux) AS lux FROM (
            SELECT plant_id, device_id, date_bin('1 hour', time, 'epoch') AS bucket, avg(light_level) AS lux FROM telemetry
            WHERE plant_id = ANY ($1) AND time > $2::timestamptz AND time < $3::timestamptz + INTERVAL '1 hour' AND light_level IS NOT NULL
            GROUP BY plant_id, device_id, bucket
        ) hours
        WHERE bucket > $2 AND bucket < $3
        GROUP BY plant_id, bucket ORDER BY plant_id, bucket
        """
}
