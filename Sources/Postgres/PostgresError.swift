internal import CPostgres

/// What the database, or the way to it, refused. Carries SQLSTATE and the server's primary message, never the values
/// bound to a statement: PostgreSQL puts those into DETAIL and CONTEXT, which are left out.
package struct PostgresError: Error, CustomStringConvertible, Sendable {
    package enum Code: String, Sendable, CaseIterable {
        /// No connection, or it broke, or the server is shutting down: worth trying again later.
        case unavailable
        /// All pooled connections were busy for as long as the caller was ready to wait.
        case poolExhausted = "pool_exhausted"
        /// A statement took longer than it may, or waited too long for a lock.
        case timeout
        /// The statement would break a constraint; `constraint` names it.
        case constraint
        /// The server refused the data itself (out of range, wrong encoding): the same data will never succeed.
        case data
        /// Anything else the server refused: a fault in the program or its rights.
        case statement
        /// A column did not hold what the program expects.
        case decoding
        /// A migration is missing, changed, or newer than this program.
        case schema
    }

    package let code: Code
    /// Five characters as in PostgreSQL's appendix A, or nil when the server said nothing.
    package let sqlState: String?
    package let message: String
    package let constraint: String?

    package init(_ code: Code, _ message: String, sqlState: String? = nil, constraint: String? = nil) {
        self.code = code
        self.sqlState = sqlState
        self.message = message
        self.constraint = constraint
    }

    package var description: String { "database \(code.rawValue)\(sqlState.map { " [\($0)]" } ?? ""): \(message)" }

    /// 40001 serialization_failure, 40P01 deadlock_detected: the server asks to try again, at once.
    package var isConflict: Bool { sqlState == "40001" || sqlState == "40P01" }

    /// lock_not_available: somebody else has it, and may let go of it any moment.
    package static let lockTaken = "55P03"
    package var isLockTaken: Bool { sqlState == Self.lockTaken }

    /// True when the same work may succeed later without anybody changing it.
    package var isTransient: Bool {
        switch code {
        case .unavailable, .poolExhausted, .timeout: true
        case .statement: isConflict
        case .constraint, .data, .decoding, .schema: false
        }
    }

    /// Sorts a SQLSTATE by what the caller can do about it (PostgreSQL manual, appendix A).
    static func classify(_ state: String?) -> Code {
        guard let state else { return .unavailable }
        switch state {
        // 57014 query_canceled (statement_timeout), 55P03 lock_not_available.
        case "57014", "55P03": return .timeout
        default: break
        }
        switch state.prefix(2) {
        // 08 connection, 53 out of resources (disk full, too many connections), 57 operator intervention, 58 I/O.
        case "08", "53", "57", "58": return .unavailable
        // 25006: a standby that was not promoted yet takes no writes.
        case "25" where state == "25006": return .unavailable
        case "23": return .constraint
        case "22": return .data
        default: return .statement
        }
    }

    static func from(_ result: OpaquePointer?) -> PostgresError {
        func field(_ code: UnicodeScalar) -> String? {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
        }
        let state = field("C")
        let message = field("M") ?? "the connection to the server was lost"
        return PostgresError(classify(state), message, sqlState: state, constraint: field("n"))
    }
}
