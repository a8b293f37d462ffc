import Logging
import PlantDomain
import PlantStore
import Postgres
import TestSupport
import Testing

@testable import PlantPipeline

/// When waterings are looked for, and where.
@Suite(.serialized) struct WateringWatchTests {
    private let now = Timestamp(seconds: (Timestamp.now().seconds / 300).rounded(.down) * 300)

    private struct Pot {
        let database: TestDatabase
        let store: Store
        let plant: EntityID
        let device: EntityID

        init() async throws {
            database = try TestDatabase()
            store = database.store()
            let now = Timestamp.now()
            let plant = Plant(
                id: .make(), name: "Fern", species: nil, room: nil, position: nil, thresholds: [:], createdAt: now,
                updatedAt: now)
            try await store.createPlant(plant)
            self.plant = plant.id
            device = try await store.register(.sample(interval: 300, at: now), at: now).device
            _ = try await store.assign(device, to: plant.id, at: now)
            try PostgresConnection(database.options).execute(
                """
                UPDATE rollup_state SET is_complete = true;
                SELECT telemetry_ensure_partitions(now() - INTERVAL '36 days', now());
                """)
        }

        /// Values of every five minutes for five hours, watered an hour before the end; heard of at an instant.
        func measure(
            until end: Timestamp, heardAt: Timestamp, in plant: EntityID? = nil, by device: EntityID? = nil
        ) async throws {
            let (plant, device) = (plant ?? self.plant, device ?? self.device)
            for back in 0..<60 {
                let time = end.adding(seconds: Double(-back) * 300)
                try PostgresConnection(database.options).execute(
                    """
                    INSERT INTO telemetry (time, device_id, plant_id, soil_moisture, time_source, received_at)
                    VALUES ('\(time.rfc3339)', '\(device)', '\(plant)', \(back > 12 ? 30 : 60), 'device', now())
                    """)
            }
            try PostgresConnection(database.options).execute(
                """
                INSERT INTO device_state (device_id) VALUES ('\(device)') ON CONFLICT DO NOTHING;
                UPDATE device_state SET last_seen_at = '\(heardAt.rfc3339)', soil_moisture_at = '\(heardAt.rfc3339)'
                """)
            let upkeep = SeriesUpkeep(database.options, logger: Logger(label: "test"))
            #expect(try await upkeep.summarize(zone: .utc, at: .now()))
        }

        /// Another plant with a device of its own.
        func neighbour() async throws -> (plant: EntityID, device: EntityID) {
            let now = Timestamp.now()
            let plant = try await CareBed.plant(store)
            let device = try await store.register(.sample(interval: 300, at: now), at: now).device
            _ = try await store.assign(device, to: plant, at: now)
            return (plant, device)
        }

        func watch() -> WateringWatch { WateringWatch(store: database.store(), logger: Logger(label: "test")) }
    }

    @Test func `what is new is looked at every minute, what was buffered every half hour, the rest once a day`()
        async throws
    {
        let pot = try await Pot()
        let watch = pot.watch()
        var state = WateringWatch.State()
        #expect(try await watch.look(&state, at: now) == 0)

        try await pot.measure(until: now, heardAt: now)
        #expect(try await watch.look(&state, at: now.adding(seconds: 60)) == 1)
        #expect(try await watch.look(&state, at: now.adding(seconds: 120)) == 0)

        // A night without the network.
        try await pot.measure(until: now.adding(seconds: -10 * 3600), heardAt: now.adding(seconds: 130))
        #expect(try await watch.look(&state, at: now.adding(seconds: 180)) == 0)
        #expect(try await watch.look(&state, at: now.adding(seconds: 1800)) == 1)

        try await pot.measure(until: now.adding(seconds: -20 * 86_400), heardAt: now.adding(seconds: 1900))
        #expect(try await watch.look(&state, at: now.adding(seconds: 2000)) == 0)
        #expect(try await watch.look(&state, at: now.adding(seconds: 4000)) == 0)
        #expect(try await watch.look(&state, at: now.adding(seconds: 86_400)) == 1)
        #expect(try await pot.store.waterings(of: pot.plant, since: now.adding(seconds: -4e6)).count == 3)
    }

    @Test func `whatever stood still, a new backend finds what was missed, once`() async throws {
        let pot = try await Pot()
        try await pot.measure(until: now.adding(seconds: -20 * 86_400), heardAt: now.adding(seconds: -15 * 86_400))
        var (first, second) = (WateringWatch.State(), WateringWatch.State())
        #expect(try await pot.watch().look(&first, at: now) == 1)
        #expect(try await pot.watch().look(&second, at: now) == 0)
    }

    @Test(arguments: [false, true])
    func `a plant whose watering cannot be kept keeps no other from theirs`(isLongLookDue: Bool) async throws {
        let pot = try await Pot()
        // More than one, of whom some are likely to come before the one that fails.
        let neighbours = [try await pot.neighbour(), try await pot.neighbour(), try await pot.neighbour()]
        let watch = pot.watch()
        var state = WateringWatch.State()
        // The long look finds, one by one, what the look at what is new has missed.
        if !isLongLookDue { #expect(try await watch.look(&state, at: now) == 0) }
        try await pot.measure(until: now, heardAt: now)
        for neighbour in neighbours {
            try await pot.measure(until: now, heardAt: now, in: neighbour.plant, by: neighbour.device)
        }
        try PostgresConnection(pot.database.options).execute(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'no'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON plant_events FOR EACH ROW
                WHEN (NEW.plant_id = '\(pot.plant)') EXECUTE FUNCTION refuse()
            """)
        #expect(try await watch.look(&state, at: now.adding(seconds: 60)) == neighbours.count)
        for neighbour in neighbours {
            #expect(try await pot.store.waterings(of: neighbour.plant, since: now.adding(seconds: -86_400)).count == 1)
        }
        // The look through the weeks is done, too, and not begun again and again.
        #expect(try await pot.store.plantsForLongWateringScan(at: now).isEmpty)
    }

    @Test func `a device that was not heard of is not looked at again`() async throws {
        let pot = try await Pot()
        let watch = pot.watch()
        var state = WateringWatch.State()
        #expect(try await watch.look(&state, at: now) == 0)
        try await pot.measure(until: now, heardAt: now.adding(seconds: -3600))
        #expect(try await watch.look(&state, at: now.adding(seconds: 60)) == 0)
        // The clock was set back an hour: that must not mean an hour without a look.
        #expect(try await watch.look(&state, at: now.adding(seconds: -60)) == 1)
    }
}
