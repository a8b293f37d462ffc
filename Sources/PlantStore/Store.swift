import PlantDomain
package import Postgres

/// Everything the program keeps. One extension per noun holds its statements.
package struct Store: Sendable {
    let pool: PostgresPool
    let lightOfYesterday = LightCache()

    package init(pool: PostgresPool) { self.pool = pool }

    /// Whether the database answers now.
    package func ping() async throws {
        _ = try await pool.run { try $0.query("SELECT 1").count }
    }

    /// Makes the partitions that readings of the coming two months need, and those of the past month.
    package func ensurePartitions() async throws {
        _ = try await pool.run {
            try $0.query(IngestSQL.ensurePartitions).count
        }
    }
}

/// A page of a list and how many there are in all.
package struct Page<Item: Sendable>: Sendable {
    package let items: [Item]
    package let total: Int
}

extension PostgresValue {
    static func id(_ id: EntityID) -> PostgresValue { .uuid(id.high, id.low) }
    static func id(_ id: EntityID?) -> PostgresValue { id.map { .uuid($0.high, $0.low) } ?? .null(.uuid) }
    static func time(_ time: Timestamp) -> PostgresValue { .timestamp(time.microseconds) }
    static func text(_ text: String?) -> PostgresValue { text.map { .text($0) } ?? .null(.text) }
    static func double(_ number: Double?) -> PostgresValue { number.map { .double($0) } ?? .null(.double) }
    static func int(_ number: Int?) -> PostgresValue { number.map { .int(Int64($0)) } ?? .null(.int) }
}

extension PostgresRow {
    func id(_ name: String) throws(PostgresError) -> EntityID {
        let (high, low) = try uuid(name)
        return EntityID(high: high, low: low)
    }

    func optionalID(_ name: String) throws(PostgresError) -> EntityID? {
        try optionalUUID(name).map { EntityID(high: $0.0, low: $0.1) }
    }

    func time(_ name: String) throws(PostgresError) -> Timestamp { Timestamp(microseconds: try timestamp(name)) }

    func optionalTime(_ name: String) throws(PostgresError) -> Timestamp? {
        try optionalTimestamp(name).map { Timestamp(microseconds: $0) }
    }
}

extension Store {
    /// Whether the database is there but had no time: all connections in use, or a statement over its limit.
    package static func isBusy(_ error: any Error) -> Bool {
        guard let code = (error as? PostgresError)?.code else { return false }
        return code == .poolExhausted || code == .timeout
    }

    /// Whether the database is not there: whatever is asked of it next will fail, too.
    package static func isAway(_ error: any Error) -> Bool { (error as? PostgresError)?.code == .unavailable }

    /// Whether the same request may succeed later without anybody changing it: the database is away or busy.
    package static func isTransient(_ error: any Error) -> Bool {
        (error as? PostgresError)?.isTransient ?? false
    }
}
