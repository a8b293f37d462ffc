import Foundation
import Postgres

extension Store {
    /// The value of a setting of the instance, made with `initial` if it has none yet: whoever comes first decides.
    package func setting(_ name: String, initially initial: String) async throws -> String {
        let json = String(decoding: try JSONEncoder().encode(initial), as: UTF8.self)
        return try await pool.run { connection in
            try connection.query(
                "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
                [.text(name), .json(json)])
            return try connection.query(
                "SELECT value #>> '{}' AS value FROM settings WHERE name = $1", [.text(name)])[0].text("value")
        }
    }
}
