import Foundation
package import PlantDomain
import Postgres

extension Store {
    /// How many extra metrics a health check tells of.
    private static let healthExtras = 32

    /// Everything a health check goes by, over one connection.
    /// - Returns: nil when there is no such plant.
    package func healthSubject(of id: EntityID, at now: Timestamp) async throws -> HealthSubject? {
        try await pool.run { connection in
            let zone = KnownTimeZone(try Self.alertSettings(on: connection).timeZone) ?? .utc
            return try Self.healthSubject(of: id, at: now, in: zone, hoursFrom: now, on: connection)?.subject
        }
    }

    /// - Parameter hoursFrom: from when on hours are wanted; those that a health check needs are there in any case.
    /// - Returns: what a health check goes by, and all hours that were asked for; nil when there is no such plant.
    static func healthSubject(
        of id: EntityID, at now: Timestamp, in zone: KnownTimeZone, hoursFrom: Timestamp,
        on connection: PostgresConnection
    ) throws -> (subject: HealthSubject, hours: [String: [HealthSubject.Hour]])? {
        guard var plant = try plant(connection, id) else { return nil }
        let yesterday = LocalDay.containing(now, in: zone).previous
        let members = try members(of: id, connection)
        // Two days, to compare each hour with the same one of the day before; and all of yesterday.
        let from = min(
            now.adding(seconds: -2 * 86_400 - 3600), yesterday.start.adding(seconds: -LightDay.longestGap - 3600))
        let all = try hours(of: id, from: min(from, hoursFrom), to: now, connection)
        let hours = all.mapValues { $0.filter { $0.start > from } }.filter { !$0.value.isEmpty }
        let light = (hours[Metric.lightLevel.name] ?? []).map {
            LightBucket(start: $0.start, width: 3600, lux: $0.mean)
        }
        if !light.isEmpty {
            plant.lightOfYesterday = DailyLight.sums(of: [yesterday], from: light)[0].light
        }
        let subject = HealthSubject(
            plant: plant, members: members,
            alerts: try openAlerts(of: id, and: members.map(\.device.id), connection), hours: hours,
            yesterday: yesterday)
        return (subject, all)
    }

    static func members(of plant: EntityID, _ connection: PostgresConnection) throws -> [HealthSubject.Member] {
        let standing = "SELECT device_id FROM device_assignments WHERE plant_id = $1 AND unassigned_at IS NULL"
        let devices = try devices(connection, "SELECT * FROM devices WHERE id IN (\(standing))", [.id(plant)]).items
        guard !devices.isEmpty else { return [] }
        let rows = try connection.query(
            """
            SELECT a.device_id, a.readings_from, \(StateColumns.selected) FROM device_assignments a
            JOIN device_state s ON s.device_id = a.device_id
            WHERE a.plant_id = $1 AND a.unassigned_at IS NULL
            """, [.id(plant)])
        var states: [EntityID: PostgresRow] = [:]
        for index in 0..<rows.count { states[try rows[index].id("device_id")] = rows[index] }
        return try devices.map { device in
            guard let row = states[device.id] else {
                return HealthSubject.Member(device: device, latest: nil, battery: nil)
            }
            var battery: LatestTelemetry.Value?
            if let value = try row.optionalDouble("battery"), let time = try row.optionalTime("battery_at") {
                battery = LatestTelemetry.Value(value: value, time: time)
            }
            return HealthSubject.Member(
                device: device, latest: try StateColumns.latest(row, since: row.optionalTime("readings_from")),
                battery: battery)
        }
    }

    private static func openAlerts(
        of plant: EntityID, and devices: [EntityID], _ connection: PostgresConnection
    ) throws -> [Alert] {
        try connection.query(
            """
            SELECT * FROM alerts WHERE state <> 'resolved' AND kind = ANY ($3)
                AND (plant_id = $1 OR device_id = ANY ($2) AND kind <> 'threshold')
            ORDER BY started_at, id
            """,
            [
                .id(plant), .uuids(devices.map { ($0.high, $0.low) }),
                // A newer version may have known more.
                .texts([AlertKind.threshold, .deviceOffline, .batteryLow, .sensorStuck].map(\.rawValue)),
            ]
        ).map { row throws(PostgresError) in try Alert(row) }
    }

    /// Means, least and most of each hour by metric; of several devices the mean of their means.
    private static func hours(
        of plant: EntityID, from: Timestamp, to: Timestamp, _ connection: PostgresConnection
    ) throws -> [String: [HealthSubject.Hour]] {
        let isComplete = try connection.query("SELECT is_complete FROM rollup_state").first?.bool("is_complete")
        let rows = try connection.query(
            isComplete == true ? HourSQL.ofRollups : HourSQL.ofReadings, [.id(plant), .time(from), .time(to)],
            once: true)
        var sums = HourSums()
        for index in 0..<rows.count {
            let row = rows[index]
            guard let microseconds = try row.timestamp(0) else { continue }
            let start = Timestamp(microseconds: microseconds)
            for (index, metric) in Metric.allCases.enumerated() {
                let column = Int32(2 + index * 3)
                guard let mean = try row.double(column), let least = try row.double(column + 1),
                    let most = try row.double(column + 2)
                else { continue }
                sums.add(metric.name, start, mean, least, most)
            }
            guard let extra = try row.text(1) else { continue }
            // Mean, least, most, count.
            for (name, numbers) in try JSONDecoder().decode([String: [Double]].self, from: Data(extra.utf8))
            where numbers.count >= 3 {
                sums.add(name, start, numbers[0], numbers[1], numbers[2])
            }
        }
        return sums.hours(extras: healthExtras)
    }
}

private enum HourSQL {
    static let ofRollups = """
        SELECT bucket, extra, \(columns { "\($0)_avg, \($0)_min, \($0)_max" }) FROM telemetry_1h
        WHERE plant_id = $1 AND bucket > $2 AND bucket <= $3 ORDER BY bucket, device_id
        """

    /// The same, until what was there before the rollups has been summarized: the view makes that of every reading there
    /// is, whatever hours are asked for.
    static let ofReadings = """
        SELECT date_bin('1 hour', time, 'epoch') AS bucket, extra_summary(extra)::text AS extra,
            \(columns { "avg(\($0)) AS \($0)_avg, min(\($0)) AS \($0)_min, max(\($0)) AS \($0)_max" })
        FROM telemetry
        WHERE plant_id = $1 AND time > $2::timestamptz AND time <= $3::timestamptz
            AND date_bin('1 hour', time, 'epoch') > $2::timestamptz
        GROUP BY 1, device_id ORDER BY 1, device_id
        """

    private static func columns(_ column: (String) -> String) -> String {
        Metric.allCases.map { column($0.name) }.joined(separator: ", ")
    }
}

/// Joins what several devices measured in the same hours.
private struct HourSums {
    private struct Sum {
        let start: Timestamp
        var total: Double
        var devices: Double
        var min: Double
        var max: Double
    }

    private var sums: [String: [Sum]] = [:]

    /// In the order of time.
    mutating func add(_ name: String, _ start: Timestamp, _ mean: Double, _ least: Double, _ most: Double) {
        let hour = Sum(start: start, total: mean, devices: 1, min: least, max: most)
        // In place: these can be thousands.
        Self.add(hour, to: &sums[name, default: []])
    }

    private static func add(_ hour: Sum, to hours: inout [Sum]) {
        guard let last = hours.indices.last, hours[last].start == hour.start else { return hours.append(hour) }
        hours[last].total += hour.total
        hours[last].devices += 1
        hours[last].min = Swift.min(hours[last].min, hour.min)
        hours[last].max = Swift.max(hours[last].max, hour.max)
    }

    /// - Parameter extras: how many extra metrics, the first by name.
    func hours(extras: Int) -> [String: [HealthSubject.Hour]] {
        let kept = Set(sums.keys.filter { Metric.named($0) == nil }.sorted().prefix(extras))
        return sums.filter { Metric.named($0.key) != nil || kept.contains($0.key) }.mapValues { hours in
            hours.map {
                HealthSubject.Hour(start: $0.start, mean: $0.total / $0.devices, min: $0.min, max: $0.max)
            }
        }
    }
}
