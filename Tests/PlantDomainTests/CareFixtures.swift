import PlantDomain

/// A plant put together for advice. Times are seconds before `now`, 2026-11-21 14:00 UTC.
struct CarePatient {
    var patient = Patient()
    /// Built-in, by its name.
    var species: String? = "Chlorophytum comosum"
    var room: String?
    var lightSource = LightSource.sun
    var zone = KnownTimeZone.utc
    /// Mean, least and most of days by their distance from today: 0, -1, … -13.
    var days: [String: (Int) -> (Double, Double, Double)?] = [:]
    /// Light of days before today in lx·h, and the part that is known: -1 … -14.
    var light: (Int) -> (Double, Double)? = { _ in nil }
    /// Days before now.
    var waterings: [Double] = []
    var feedback: [CareFeedback] = []
    var drying: CareDrying?
    /// Soil moisture of other devices in the pot, five minutes old, by their names.
    var others: [(String, Double)] = []

    var now: Timestamp {
        get { patient.now }
        set { patient.now = newValue }
    }

    func day(_ offset: Int) -> LocalDay {
        var day = LocalDay.containing(now, in: zone)
        for _ in 0..<abs(offset) { day = offset < 0 ? day.previous : day.next }
        return day
    }

    var subject: CareSubject {
        let health = patient.subject
        var plant = health.plant
        plant.species = species
        plant.room = room
        plant.lightSource = lightSource
        let before = (-14...0).map { day($0) }
        let known = species.flatMap { SpeciesLibrary.builtIn(named: $0) }
        return CareSubject(
            health: HealthSubject(
                plant: plant, members: health.members + otherMembers, alerts: health.alerts, hours: health.hours,
                yesterday: day(-1)),
            species: known, zone: zone,
            days: days.mapValues { values in
                (-13...0).compactMap { offset in
                    values(offset).map {
                        CareDay(
                            day: before[offset + 14], mean: $0.0, min: $0.1, max: $0.2, hours: offset == 0 ? 14 : 24)
                    }
                }
            },
            light: (-14 ... -1).compactMap { offset in
                light(offset).map {
                    CareLightDay(day: before[offset + 14], light: LightSum(luxHours: $0.0, coverage: $0.1))
                }
            },
            waterings: waterings.map { now.adding(seconds: -$0 * 86_400) }.sorted(), feedback: feedback, drying: drying)
    }

    private var otherMembers: [HealthSubject.Member] {
        others.enumerated().map { index, other in
            let time = now.adding(seconds: -300)
            return HealthSubject.Member(
                device: Device(
                    id: EntityID(high: 7, low: UInt64(index + 2)), macAddress: MACAddress("02000000000\(index + 2)")!,
                    name: other.0, firmwareVersion: nil, sensorTypes: [], reportingIntervalSeconds: 600,
                    plantID: patient.plant, createdAt: now.adding(seconds: -1e7), lastSeenAt: time,
                    announcedOnline: true,
                    battery: nil, rssi: nil),
                latest: LatestTelemetry(
                    time: time, receivedAt: time, timeSource: .device,
                    values: ["soil_moisture": .init(value: other.1, time: time)]), battery: nil)
        }
    }

    /// What is foretold of a curve that was measured since `hours` before now, of the limit that advice goes by.
    func foretold(hours: Int, _ moisture: (Double) -> Double) -> CareDrying {
        let points = (0...hours).map { hour in
            LatestTelemetry.Value(
                value: moisture(Double(hour) / 24), time: now.adding(seconds: Double(hour - hours) * 3600 - 300))
        }
        return CareDrying(
            DryingOutlook(
                [.init(device: patient.device, hours: points, newest: points.last, silenceAllowed: 1800)],
                waterings: [points[0].time.adding(seconds: -1)], minimum: subject.soilMoistureMinimum(at: now), at: now)
        )
    }

    var facts: CareFacts { CareFacts(subject, at: now) }
    var advice: CareAdvice { BuiltInAdvisor.advice(facts) }

    /// All that its advice says.
    var texts: [String] { advice.texts }

    /// A spider plant of which everything is measured: it dries by 4 points a day.
    static var measured: CarePatient {
        var plant = CarePatient()
        plant.patient.name = "Spidey"
        plant.patient.thresholds = [
            "soil_moisture": Threshold(min: 25, max: 75), "temperature": Threshold(min: 16, max: 28),
        ]
        plant.patient.latest = [
            "soil_moisture": (41, 300), "temperature": (21.5, 300), "humidity": (52, 300), "light_level": (640, 300),
        ]
        plant.patient.hours = [
            "soil_moisture": { 41 - Double($0) / 6 }, "temperature": { _ in 21 }, "humidity": { _ in 50 },
            "light_level": { $0 > -6 ? 1500 : 5 },
        ]
        plant.days = [
            "soil_moisture": { offset in
                let mean = 43 - 4 * Double(offset < -6 ? offset + 7 : offset)
                return (mean, mean - 2, mean + 2)
            },
            "temperature": { _ in (20.5, 17.8, 23.9) }, "humidity": { _ in (48, 41, 57) },
        ]
        plant.light = { _ in (14_400, 1) }
        plant.waterings = [6.5, 13.5, 20.5, 27.5]
        return plant
    }
}

extension CareAdvice {
    var texts: [String] {
        [summary, watering.frequency, watering.amount]
            + [light, humidity, temperature].flatMap { [$0.current, $0.ideal, $0.recommendation] } + alerts + tips
    }
}
