/// What goes to the API and comes back, as far as the simulator needs it.

struct Registration: Encodable, Sendable {
    let macAddress: String
    let enrollmentToken: String?
    let firmwareVersion: String
    let sensorTypes: [String]
    let name: String
    /// Seconds.
    let reportingIntervalSeconds: Int

    enum CodingKeys: String, CodingKey {
        case macAddress = "mac_address"
        case enrollmentToken = "enrollment_token"
        case firmwareVersion = "firmware_version"
        case sensorTypes = "sensor_types"
        case name
        case reportingIntervalSeconds = "reporting_interval_seconds"
    }
}

struct Enrollment: Decodable, Sendable {
    let deviceID: String
    let username: String
    let password: String
    let host: String
    let port: Int
    /// PEM; absent when the broker's certificate is a public one.
    let caCertificate: String?
    let clientID: String?

    enum CodingKeys: String, CodingKey {
        case clientID = "mqtt_client_id"
        case deviceID = "device_id"
        case username = "mqtt_username"
        case password = "mqtt_password"
        case host = "mqtt_host"
        case port = "mqtt_port"
        case caCertificate = "ca_certificate"
    }
}

struct NewPlant: Encodable, Sendable {
    struct Position: Encodable, Sendable {
        let x: Double
        let y: Double
    }

    struct Limits: Encodable, Sendable {
        let min: Double
        let max: Double
    }

    let name: String
    let species: String
    let room: String
    let position: Position
    /// By metric, in the metric's unit.
    let thresholds: [String: Limits]
}

struct PlantAnswer: Decodable, Sendable {
    let id: String
}

struct DeviceAnswer: Decodable, Sendable {
    let plantID: String?

    enum CodingKeys: String, CodingKey {
        case plantID = "plant_id"
    }
}
