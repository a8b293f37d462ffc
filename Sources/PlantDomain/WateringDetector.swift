/// A watering that sensors have seen.
package struct DetectedWatering: Sendable, Equatable {
    /// The first five minutes in which soil moisture was up.
    package let at: Timestamp
    /// The last five minutes before that were measured.
    package let since: Timestamp
    /// In %.
    package let before: Double
    /// The highest it rose, in %.
    package let after: Double
    package let device: EntityID

    package init(at: Timestamp, since: Timestamp, before: Double, after: Double, device: EntityID) {
        self.at = at
        self.since = since
        self.before = before
        self.after = after
        self.device = device
    }

    /// From an instant to when it was watered, in seconds: that was between two measurements.
    func distance(to time: Timestamp) -> Double {
        max(0, time.seconds(since: at), since.seconds(since: time))
    }
}

/// Finds the waterings in what is stored, by ``WateringRule``.
///
/// It knows what came after a rise, which the intake does not, and so is harder to deceive: a value that stands alone
/// does not count (median of three), nor does a return to what was usual before a dip, as when a probe is pulled out and
/// put back.
package enum WateringDetector {
    /// The mean of five minutes of one device.
    package struct Sample: Sendable, Equatable {
        package let start: Timestamp
        /// Soil moisture, %.
        package let mean: Double

        package init(start: Timestamp, mean: Double) {
            self.start = start
            self.mean = mean
        }
    }

    /// Two readings an hour apart may be in buckets that begin five minutes more apart.
    private static let lookbackSeconds = WateringRule.windowSeconds + 300
    /// What is usual before a rise: the median of so long, in seconds.
    package static let usualSeconds = 3 * 3600.0
    /// A rise is over when it has not gone on for so long, in seconds; what rises after that is another watering.
    private static let riseSeconds = 1800.0
    /// Differences from sample to sample that noise is told by; and how many it takes at least.
    private static let noiseSamples = 48
    private static let leastNoiseSamples = 5

    /// The waterings of a pot, oldest first. Several devices that see the same one within an hour tell of one: the first
    /// says when, the one that rose most says how much.
    /// - Parameter series: of each device, in the order of time.
    package static func waterings(in series: [EntityID: [Sample]]) -> [DetectedWatering] {
        let all = series.flatMap { waterings(in: $0.value, of: $0.key) }
            .sorted { ($0.at, $0.device) < ($1.at, $1.device) }
        var joined: [DetectedWatering] = []
        for watering in all {
            guard let last = joined.last, watering.at.seconds(since: last.at) <= KnownWatering.sameSeconds else {
                joined.append(watering)
                continue
            }
            let most = watering.after - watering.before > last.after - last.before ? watering : last
            joined[joined.count - 1] = DetectedWatering(
                at: last.at, since: last.since, before: most.before, after: most.after, device: most.device)
        }
        return joined
    }

    /// - Parameter samples: in the order of time. The first only says what was before: it may be alone.
    static func waterings(in samples: [Sample], of device: EntityID) -> [DetectedWatering] {
        guard samples.count > 2 else { return [] }
        let trace = Trace(samples)
        var found: [DetectedWatering] = []
        // What was before the last watering says nothing about the next.
        var first = 1
        var index = 2
        while index < samples.count {
            guard let low = trace.rise(to: index, from: first), trace.holds(index, above: low.mid) else {
                index += 1
                continue
            }
            let top = trace.top(from: index)
            let watering = DetectedWatering(
                at: samples[index].start, since: samples[index - 1].start, before: low.level,
                after: trace.levels[top], device: device)
            if let last = found.last, watering.at.seconds(since: last.at) <= KnownWatering.sameSeconds {
                // It went on.
                found[found.count - 1] = DetectedWatering(
                    at: last.at, since: last.since, before: last.before, after: max(last.after, watering.after),
                    device: device)
            } else {
                found.append(watering)
            }
            (first, index) = (top, top + 1)
        }
        return found
    }

    /// One device's samples without those that stand alone.
    private struct Trace {
        let samples: [Sample]
        let levels: [Double]

        init(_ samples: [Sample]) {
            self.samples = samples
            levels = samples.indices.map { index in
                guard index > 0, index + 1 < samples.count else { return samples[index].mean }
                return samples[index - 1...index + 1].map(\.mean).sorted()[1]
            }
        }

        /// The level a rise begins at, and the one it may not fall below again.
        func rise(to index: Int, from first: Int) -> (level: Double, mid: Double)? {
            let now = samples[index].start
            var low = Double.infinity
            var usual: [Double] = []
            var earlier = index - 1
            while earlier >= first, now.seconds(since: samples[earlier].start) <= WateringDetector.usualSeconds {
                usual.append(levels[earlier])
                if now.seconds(since: samples[earlier].start) <= WateringDetector.lookbackSeconds {
                    low = min(low, levels[earlier])
                }
                earlier -= 1
            }
            // Most are ruled out by this, before the noise is looked at.
            guard low.isFinite, levels[index] - low >= WateringRule.leastRise else { return nil }
            let needed = WateringRule.neededRise(deviation: noise(before: index))
            guard levels[index] - low >= needed,
                levels[index] - (TheilSen.median(usual) ?? low) >= needed / 2
            else { return nil }
            return (low, low + needed / 2)
        }

        /// Whether it stays up for long enough, as far as that was measured; and it must have been.
        func holds(_ index: Int, above level: Double) -> Bool {
            for later in samples.indices[(index + 1)...] {
                guard levels[later] >= level else { return false }
                if samples[later].start.seconds(since: samples[index].start) >= WateringRule.holdSeconds {
                    return true
                }
            }
            return false
        }

        /// Where the rise ends.
        func top(from index: Int) -> Int {
            var top = index
            for later in samples.indices[(index + 1)...] {
                if samples[later].start.seconds(since: samples[top].start) > WateringDetector.riseSeconds { break }
                if levels[later] >= levels[top] + Metric.soilMoisture.noiseFloor { top = later }
            }
            return top
        }

        /// Median absolute deviation of the sensor's noise before a sample: that of differences, which have twice the
        /// variance. They are about 0, for soil dries slowly.
        private func noise(before index: Int) -> Double {
            let means = samples[max(0, index - 1 - WateringDetector.noiseSamples)..<index].map(\.mean)
            let differences = zip(means.dropFirst(), means).map { abs($0 - $1) }
            guard differences.count >= WateringDetector.leastNoiseSamples,
                let deviation = TheilSen.median(differences)
            else { return 0 }
            return deviation / 2.0.squareRoot()
        }
    }
}
