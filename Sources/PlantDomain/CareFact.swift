/// What a fact is about.
package enum CareTopic: String, CaseIterable, Sendable, Codable {
    case plant, watering, light, humidity, temperature, device, other
}

/// One value that statements of a care plan rest on.
package struct CareFact: Sendable, Equatable, Codable {
    package enum Kind: String, CaseIterable, Sendable, Codable {
        /// As a sensor said it.
        case measured
        /// From measured values: a mean, a pace, an outlook.
        case computed
        /// Of the plant's own limits.
        case limit
        /// What is typical for the species.
        case species
        /// Something that happened.
        case event
        /// How something is.
        case state
    }

    /// `soil_moisture.now`, `light.yesterday`, `watering.last`…: within the facts of a plant there is one of each.
    package let id: String
    package let topic: CareTopic
    package let kind: Kind
    /// Of a metric, an extra one or a ``DerivedMetric``.
    package var metric: String?
    /// Finite; rounded as people are shown it.
    package var value: Double?
    /// One line.
    package var text: String?
    /// Of ``value``.
    package var unit: String?
    /// When it was measured or happened, or will.
    package var time: Timestamp?
    /// How many hours a mean, a least or most value, or a change rests on.
    package var hours: Double?

    package init(
        id: String, topic: CareTopic, kind: Kind, metric: String? = nil, value: Double? = nil, text: String? = nil,
        unit: String? = nil, time: Timestamp? = nil, hours: Double? = nil
    ) {
        self.id = id
        self.topic = topic
        self.kind = kind
        self.metric = metric
        self.value = value
        self.text = text
        self.unit = unit
        self.time = time
        self.hours = hours
    }
}
