/// A pot somebody cares for.
package struct Plant: Sendable, Equatable {
    package let id: EntityID
    package var name: String
    package var species: String?
    package var room: String?
    package var position: Position?
    package var thresholds: Thresholds
    package var lightSource = LightSource.sun
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
    package var deviceCount: Int
    /// The newest value of each metric from the devices that stand in the pot now; nil when there is none yet.
    package var latest: LatestTelemetry?
    /// How long the quietest of its devices may be silent, in seconds.
    package var silenceAllowedSeconds: Double
    /// Nothing is told of its alerts until then.
    package var snoozedUntil: Timestamp?
    /// What its light of the last days says: light is judged by the day, not by the moment.
    package var lightAlert: AlertSeverity?
    /// Of the last completed local day; nil when nothing was asked or measured.
    package var lightOfYesterday: LightSum?
    /// The species of one's own that `species` names.
    package var ownSpecies: Species?

    /// A place in the drawing of the room; the unit is the drawing's own.
    package struct Position: Sendable, Equatable, Codable {
        package var x: Double
        package var y: Double
        package init(x: Double, y: Double) {
            self.x = x
            self.y = y
        }
    }

    package init(
        id: EntityID, name: String, species: String?, room: String?, position: Position?, thresholds: Thresholds,
        createdAt: Timestamp, updatedAt: Timestamp, deviceCount: Int = 0, latest: LatestTelemetry? = nil,
        silenceAllowedSeconds: Double = 180
    ) {
        self.id = id
        self.name = name
        self.species = species
        self.room = room
        self.position = position
        self.thresholds = thresholds
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.deviceCount = deviceCount
        self.latest = latest
        self.silenceAllowedSeconds = silenceAllowedSeconds
    }

    /// Limits to begin with, if `species` names one that is known. They are never applied by themselves.
    package var suggestedThresholds: Thresholds? {
        (ownSpecies ?? species.flatMap { SpeciesLibrary.builtIn(named: $0) })?.suggestedThresholds
    }

    package func status(now: Timestamp) -> PlantStatus {
        let status = PlantStatusRule.status(
            thresholds: thresholds, latest: latest?.values.mapValues { ($0.value, $0.time) } ?? [:], now: now,
            staleAfterSeconds: silenceAllowedSeconds)
        return switch (status, lightAlert) {
        case (_, .critical), (.critical, _): .critical
        case (_, .warning), (.warning, _): .warning
        default: status
        }
    }
}

/// The newest known value of each metric, each with the time it was measured.
package struct LatestTelemetry: Sendable, Equatable {
    package struct Value: Sendable, Equatable {
        package let value: Double
        package let time: Timestamp
        package init(value: Double, time: Timestamp) {
            self.value = value
            self.time = time
        }
    }

    /// The instant of the newest reading.
    package var time: Timestamp
    package var receivedAt: Timestamp
    package var timeSource: TimeSource
    /// Keyed by the metric's name, extra metrics among them.
    package var values: [String: Value]

    package init(time: Timestamp, receivedAt: Timestamp, timeSource: TimeSource, values: [String: Value]) {
        self.time = time
        self.receivedAt = receivedAt
        self.timeSource = timeSource
        self.values = values
    }

    /// Joins what another device in the same pot measured: per metric, the newer value counts.
    package mutating func merge(_ other: LatestTelemetry) {
        if other.time > time {
            (time, receivedAt, timeSource) = (other.time, other.receivedAt, other.timeSource)
        }
        values.merge(other.values) { $0.time >= $1.time ? $0 : $1 }
    }
}
