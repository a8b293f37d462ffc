import PlantDomain

/// The names of all settings, to find misspelt ones.
enum SettingsNames {
    static let known: Set<String> = [
        "DATABASE_URL", "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB",
        "DB_POOL_SIZE", "MQTT_HOST", "MQTT_PORT", "MQTT_USE_TLS", "MQTT_CA_CERT", "MQTT_BACKEND_USERNAME",
        "MQTT_BACKEND_PASSWORD", "MQTT_CLIENT_ID", "MQTT_SHARED_GROUP", "PUBLIC_MQTT_HOST", "PUBLIC_MQTT_PORT",
        "PUBLIC_URL", "ENCRYPTION_KEY", "ENCRYPTION_KEYS_OLD", "HTTP_HOST", "HTTP_PORT", "LOG_LEVEL", "LOG_FORMAT",
        "AUTH_MODE", "ENROLLMENT_MODE", "ADMIN_EMAIL", "ADMIN_PASSWORD", "CORS_ORIGINS", "TRUSTED_PROXIES",
        "MQTT_CLIENT_CERT", "MQTT_CLIENT_KEY", "ENABLE_METRICS", "DISCORD_WEBHOOK_URL", "CHANNEL_ALLOWED_HOSTS",
        "DISK_PATH", "RETENTION_RAW_DAYS", "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL",
    ]

    /// Set for the scripts around the program and the simulator.
    private static let surroundings: Set<String> = [
        "PLANTOPS_HOME", "PLANTOPS_BIN", "PLANTOPS_BIND", "PLANTOPS_TIMESCALE", "PLANTOPS_DB_FSYNC",
        "PLANTOPS_HTTP_PORT", "PLANTOPS_API_PORT", "PLANTOPS_MQTT_PORT", "PLANTOPS_DB_PORT", "PLANTOPS_URL",
        "PLANTOPS_API_URL", "PLANTOPS_ADMIN_EMAIL", "PLANTOPS_ADMIN_PASSWORD", "PLANTOPS_ENROLLMENT_TOKEN",
        "PLANTOPS_API_TOKEN", "PLANTOPS_CA_CERT",
    ]

    static func warnings(_ environment: [String: String]) -> [String] {
        var warnings: [String] = []
        for name in environment.keys.map(base).sorted() {
            guard !known.contains(name), !surroundings.contains(name), !name.hasPrefix("PLANTOPS_TEST_"),
                !name.hasPrefix("PLANTOPS_BACKUP_")
            else { continue }
            if let meant = known.sorted().first(where: { isClose(name, $0) }) {
                warnings.append("\(name) is not a setting; did you mean \(meant)?")
            } else if name.hasPrefix("PLANTOPS_") {
                warnings.append("\(name) is not a setting")
            }
        }
        return warnings
    }

    private static func base(_ name: String) -> String {
        let plain = name.hasSuffix("_FILE") ? String(name.dropLast("_FILE".count)) : name
        return known.contains(plain) ? plain : name
    }

    /// At most two letters added, left out, changed or swapped; short names only one.
    private static func isClose(_ name: String, _ known: String) -> Bool {
        EditDistance.isWithin(known.count > 8 ? 2 : 1, Array(name.unicodeScalars), Array(known.unicodeScalars))
    }
}
