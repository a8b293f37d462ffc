import Foundation
import Testing

@testable import plantops

@Suite("The simulated climate")
struct SimulatorClimateTests {
    /// 2026-06-01T00:00:00Z
    private let june: Int64 = 1_780_272_000
    private let day: Int64 = 86_400

    private func climate(_ device: Int) -> SimulatedClimate { SimulatedClimate(seed: 42, device: device) }

    @Test("gives the same reading for the same seed, device and time, whatever was asked before")
    func isAFunction() {
        var asked = DeviceWeather(climate(1))
        var fresh = DeviceWeather(climate(1))
        let time = june * 1_000_000 + 123_456
        for step in 0..<50 { _ = asked.reading(at: time + Int64(step) * 777_777_777) }
        #expect(asked.reading(at: time) == fresh.reading(at: time))
        var other = DeviceWeather(climate(2))
        #expect(other.reading(at: time) != fresh.reading(at: time))
    }

    @Test("stays within what the sensors can say and people would believe", arguments: 0..<12)
    func isPlausible(device: Int) {
        let climate = climate(device)
        for hour in 0..<(24 * 60) {
            let second = june + Int64(hour) * 3600
            let reading = climate.reading(climate.conditions(second: second), at: second * 1_000_000)
            #expect((120...330).contains(reading.temperature))
            #expect((150...970).contains(reading.humidity))
            #expect((0...12_000).contains(reading.light))
            #expect((0...900).contains(reading.soilMoisture))
            #expect((15...100).contains(reading.battery))
            #expect((-95...(-30)).contains(reading.rssi))
        }
    }

    @Test("is dark at night and brightest near noon")
    func daylight() {
        let climate = climate(0)
        for number in 0..<20 {
            let midnight = june + Int64(number) * day
            #expect(climate.conditions(second: midnight + 3600).light == 0)
            let brightest = (0..<96).max {
                climate.conditions(second: midnight + Int64($0) * 900).light
                    < climate.conditions(second: midnight + Int64($1) * 900).light
            }
            #expect((6 * 4...17 * 4).contains(brightest ?? 0))
        }
    }

    @Test("is warmest some hours after it is brightest, and driest when it is warmest")
    func lag() {
        let climate = climate(1)
        func mean(_ hour: Int, _ value: (SimulatedClimate.Conditions) -> Double) -> Double {
            (0..<60).reduce(0) {
                $0 + value(climate.conditions(second: june + Int64($1) * day + Int64(hour) * 3600)) / 60
            }
        }
        let light = (0..<24).map { mean($0, \.light) }
        let temperature = (0..<24).map { mean($0, \.temperature) }
        let humidity = (0..<24).map { mean($0, \.humidity) }
        func hour(of values: [Double], _ order: (Double, Double) -> Bool) -> Int {
            values.indices.max { order(values[$0], values[$1]) } ?? 0
        }
        let delay = hour(of: temperature, <) - hour(of: light, <)
        #expect((1...4).contains(delay))
        #expect(abs(hour(of: humidity, >) - hour(of: temperature, <)) <= 2)
    }

    @Test("has no jumps from one second to the next but the lamp's", arguments: 0..<6)
    func isContinuous(device: Int) {
        let climate = climate(device)
        for minute in 0..<(5 * 1440) {
            let second = june + Int64(minute) * 60
            let (a, b) = (climate.conditions(second: second), climate.conditions(second: second + 1))
            #expect(abs(a.temperature - b.temperature) < 0.02)
            #expect(abs(a.humidity - b.humidity) < 0.1)
            #expect(abs(a.soilMoisture - b.soilMoisture) < 0.5)
        }
    }
}

@Suite("The simulated soil")
struct SimulatorSoilTests {
    private let start = 1_780_272_000.0

    private func soil(_ device: Int) -> SimulatedSoil {
        SimulatedSoil(noise: SimulatorNoise(seed: 9).forked(device), plant: .of(device: device))
    }

    /// The first watering after `start` and the next one.
    private func cycle(_ soil: SimulatedSoil) -> (from: Double, to: Double) {
        var times: [Double] = []
        var number: Int64 = 0
        while soil.watering(number) < start { number += 1 }
        for _ in 0..<2 {
            times.append(soil.watering(number))
            number += 1
        }
        return (times[0], times[1])
    }

    @Test("dries exponentially between two waterings", arguments: 0..<6)
    func dries(device: Int) {
        let (soil, residual) = (soil(device), HousePlant.of(device: device).residual)
        let (from, to) = cycle(soil)
        // θ − θr falls by the same factor in the same time: three equidistant points, long after the water sank in.
        let step = (to - from) / 4
        let above = (1...3).map { soil.moisture(from + Double($0) * step) - residual }
        #expect(abs(above[0] * above[2] - above[1] * above[1]) < 1e-6 * above[1] * above[1])
        #expect(above[0] > above[1] && above[1] > above[2])
    }

    @Test("rises by a watering anybody can see, which holds", arguments: 0..<6)
    func isWatered(device: Int) {
        let soil = soil(device)
        let (time, _) = cycle(soil)
        let before = soil.moisture(time - 60)
        #expect(soil.moisture(time + 1800) - before > 15)
        #expect(soil.moisture(time + 3600) - before > 15)
    }

    @Test("is watered by day, near the lower limit", arguments: 0..<6)
    func gardener(device: Int) {
        let (soil, limit) = (soil(device), HousePlant.of(device: device).soilMoisture)
        for number in Int64(2000)..<2100 {
            let time = soil.watering(number)
            #expect((8.0...20).contains((time / 3600).truncatingRemainder(dividingBy: 24)))
            #expect(soil.watering(number + 1) > time + 36_000)
            let (low, high) = (soil.moisture(time - 1), soil.moisture(time + 1200))
            #expect((limit.lowerBound - 7...limit.lowerBound + 16).contains(low))
            #expect(high < limit.upperBound)
        }
    }
}
