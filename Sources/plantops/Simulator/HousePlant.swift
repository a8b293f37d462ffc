/// A kind of house plant as the simulated household keeps it.
struct HousePlant: Sendable {
    let name: String
    let species: String
    let room: String
    /// In the drawing of the room, 0 … 100 from left to right and from top to bottom.
    let position: (x: Double, y: Double)
    /// What it can bear, in % of the pot's range, °C and % RH.
    let soilMoisture: ClosedRange<Double>
    let temperature: ClosedRange<Double>
    let humidity: ClosedRange<Double>
    /// What part of the daylight outside reaches its leaves.
    let window: Double
    /// Soil moisture after a good watering and when no water is left to take up, in %.
    let watered: Double
    let residual: Double
    /// Time constant of drying, in days: θ(t) = θr + (θ0 − θr)·exp(−t/τ).
    let dryingDays: Double
    /// What the air of its room is worth: the dew point in °C (a bathroom is damper).
    let dewPoint: Double

    /// The limits by metric, as the API takes them.
    var thresholds: [(metric: String, limits: ClosedRange<Double>)] {
        [("soil_moisture", soilMoisture), ("temperature", temperature), ("humidity", humidity)]
    }

    /// The plant of a device; from the seventh on the names are numbered.
    static func of(device index: Int) -> HousePlant { all[index % all.count] }

    func name(device index: Int) -> String {
        let round = index / Self.all.count
        return round == 0 ? name : "\(name) \(round + 1)"
    }

    /// Limits by water class: low 10–60 %, moderate 25–75 %, high 40–85 %; air humidity from 40 % (Marantaceae 50 %,
    /// succulents 20 %); tropical plants not under 15 °C.
    static let all: [HousePlant] = [
        HousePlant(
            name: "Monty", species: "Monstera deliciosa", room: "Living room", position: (17, 93),
            soilMoisture: 25...75, temperature: 15...30, humidity: 40...80, window: 0.035,
            watered: 66, residual: 10, dryingDays: 5, dewPoint: 11.5),
        HousePlant(
            name: "Figgy", species: "Ficus lyrata", room: "Living room", position: (86, 95),
            soilMoisture: 25...75, temperature: 15...30, humidity: 35...75, window: 0.05,
            watered: 64, residual: 12, dryingDays: 4.5, dewPoint: 11),
        HousePlant(
            name: "Vera", species: "Aloe vera", room: "Kitchen", position: (44, 51),
            soilMoisture: 10...60, temperature: 10...32, humidity: 20...70, window: 0.09,
            watered: 48, residual: 4, dryingDays: 7, dewPoint: 10),
        HousePlant(
            name: "Lily", species: "Spathiphyllum wallisii", room: "Bedroom", position: (22, 73),
            soilMoisture: 25...80, temperature: 16...29, humidity: 40...85, window: 0.015,
            watered: 70, residual: 14, dryingDays: 3.5, dewPoint: 12),
        HousePlant(
            name: "Cally", species: "Goeppertia orbifolia", room: "Bathroom", position: (84, 64),
            soilMoisture: 40...85, temperature: 16...29, humidity: 50...90, window: 0.012,
            watered: 77, residual: 20, dryingDays: 5, dewPoint: 14.5),
        HousePlant(
            name: "Goldie", species: "Epipremnum aureum", room: "Study", position: (83, 34),
            soilMoisture: 15...70, temperature: 14...31, humidity: 35...80, window: 0.02,
            watered: 58, residual: 8, dryingDays: 5.5, dewPoint: 11),
    ]
}
