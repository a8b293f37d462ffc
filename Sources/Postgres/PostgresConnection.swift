internal import CPostgres
import Glibc

/// Where the database is and how patient to be with it.
package struct PostgresOptions: Sendable, CustomStringConvertible {
    /// libpq connection keywords (PostgreSQL manual 34.1.2); `dbname` may hold a whole URL. Holds the password.
    let keywords: [(String, String)]
    /// Longest a statement may run, in seconds.
    package var statementTimeoutSeconds = 15
    package var applicationName = "plantops"

    /// - Parameter url: `postgresql://user:password@host:port/database`.
    package init(url: String) { keywords = [("dbname", url)] }

    package init(host: String, port: Int, user: String, password: String?, database: String) {
        keywords =
            [("host", host), ("port", String(port)), ("user", user), ("dbname", database)]
            + (password.map { [("password", $0)] } ?? [])
    }

    package var description: String { "<redacted>" }
}

/// One libpq connection, used by one thread at a time. Every call blocks: it must not run on Swift's own pool.
package final class PostgresConnection {
    private let handle: ConnectionHandle
    private var prepared: [String: String] = [:]

    /// Connects and prepares the session: UTC, UTF-8, time limits.
    /// - Throws: `unavailable` with the server's own words.
    package init(_ options: PostgresOptions) throws(PostgresError) {
        handle = try ConnectionHandle(options)
        let limit = options.statementTimeoutSeconds * 1000
        try execute(
            """
            SET TIME ZONE 'UTC';
            SET client_min_messages = warning;
            SET statement_timeout = \(limit);
            SET lock_timeout = \(min(limit == 0 ? 10_000 : limit, 10_000));
            SET idle_in_transaction_session_timeout = 60000;
            """)
    }

    /// Waits for the server to say something of itself, such as that it ends the connection.
    package func waitForInput(milliseconds: Int32) -> Bool {
        var set = pollfd(fd: PQsocket(handle.pointer), events: Int16(POLLIN), revents: 0)
        return poll(&set, 1, milliseconds) > 0
    }

    /// True once the connection cannot be used any more.
    package var isBroken: Bool { PQstatus(handle.pointer) != CONNECTION_OK }

    package var isInTransaction: Bool { PQtransactionStatus(handle.pointer) != PQTRANS_IDLE }

    /// Whether an idle connection is still usable, without asking the server. A server that goes away says so, or
    /// closes the socket, which then reads as "end"; there is nothing else that an idle server would say to us.
    package func seemsAlive() -> Bool { !isBroken && !waitForInput(milliseconds: 0) }

    /// Runs statements without parameters, several if separated by semicolons, as one.
    package func execute(_ sql: String) throws(PostgresError) {
        _ = try rows(PQexec(handle.pointer, sql))
    }

    /// Runs one statement, prepared at its first use on this connection.
    /// - Parameter once: do not keep it prepared: for statements put together at run time, of which there are many.
    @discardableResult
    package func query(
        _ sql: String, _ values: [PostgresValue] = [], once: Bool = false
    ) throws(PostgresError) -> PostgresRows {
        let name = once ? "" : try prepare(sql, values)
        var buffer: [UInt8] = []
        var offsets: [(start: Int, length: Int)?] = []
        offsets.reserveCapacity(values.count)
        for value in values {
            let start = buffer.count
            offsets.append(value.encode(into: &buffer) ? (start, buffer.count - start) : nil)
        }
        let lengths = offsets.map { Int32($0?.length ?? 0) }
        let formats = [Int32](repeating: 1, count: values.count)
        // An empty array has no base address, and a NULL pointer would mean SQL NULL for an empty text.
        buffer.append(0)
        let result = buffer.withUnsafeBytes { bytes in
            let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            let pointers = offsets.map { offset in offset.flatMap { place in base.map { $0 + place.start } } }
            let count = Int32(values.count)
            guard once else {
                return PQexecPrepared(handle.pointer, name, count, pointers, lengths, formats, 1)
            }
            let types = values.map { Oid($0.oid) }
            return PQexecParams(handle.pointer, sql, count, types, pointers, lengths, formats, 1)
        }
        return try rows(result)
    }

    private func prepare(_ sql: String, _ values: [PostgresValue]) throws(PostgresError) -> String {
        if let name = prepared[sql] { return name }
        let name = "s\(prepared.count)"
        let types = values.map { Oid($0.oid) }
        _ = try rows(PQprepare(handle.pointer, name, sql, Int32(types.count), types))
        prepared[sql] = name
        return name
    }

    /// Sends rows by `COPY … FROM STDIN (FORMAT binary)`.
    package func copy(_ sql: String, _ buffer: inout CopyBuffer) throws(PostgresError) {
        let start = PQexec(handle.pointer, sql)
        guard PQresultStatus(start) == PGRES_COPY_IN else {
            _ = try rows(start)
            throw PostgresError(.statement, "not a COPY FROM STDIN statement")
        }
        PQclear(start)
        let bytes = buffer.finished()
        let sent = bytes.withUnsafeBytes { bytes in
            PQputCopyData(handle.pointer, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        }
        if sent == 1 { PQputCopyEnd(handle.pointer, nil) }
        var failure: PostgresError?
        while let result = PQgetResult(handle.pointer) {
            if PQresultStatus(result) != PGRES_COMMAND_OK { failure = failure ?? PostgresError.from(result) }
            PQclear(result)
        }
        if sent != 1 { failure = failure ?? lost() }
        if let failure { throw failure }
    }

    /// Runs `work` in a transaction: committed when it returns, rolled back when it throws.
    package func transaction<T>(_ work: (PostgresConnection) throws -> T) throws -> T {
        try execute("BEGIN")
        do {
            let value = try work(self)
            try execute("COMMIT")
            return value
        } catch {
            rollback()
            throw error
        }
    }

    /// Ends a transaction that failed. When even that fails the connection is broken and the server rolls back itself.
    package func rollback() {
        guard !isBroken, isInTransaction else { return }
        PQclear(PQexec(handle.pointer, "ROLLBACK"))
    }

    /// Takes a result apart: rows, or the error in it.
    private func rows(_ result: OpaquePointer?) throws(PostgresError) -> PostgresRows {
        guard let result else { throw lost() }
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            return PostgresRows(owning: result)
        default:
            defer { PQclear(result) }
            throw isBroken
                ? PostgresError(.unavailable, PostgresError.from(result).message) : PostgresError.from(result)
        }
    }

    private func lost() -> PostgresError {
        PostgresError(.unavailable, ConnectionHandle.message(of: handle.pointer))
    }
}

/// Owns the C handle.
private struct ConnectionHandle: ~Copyable {
    let pointer: OpaquePointer

    init(_ options: PostgresOptions) throws(PostgresError) {
        // Later keywords win over what a URL says. libpq: "connect_timeout: … per host name or IP address".
        // tcp_user_timeout ends a connection whose peer is gone without a word (a pulled cable) after 20 s.
        let keywords =
            options.keywords + [
                ("connect_timeout", "5"), ("keepalives_idle", "30"), ("tcp_user_timeout", "20000"),
                ("client_encoding", "UTF8"), ("application_name", options.applicationName),
            ]
        var keys = keywords.map { UnsafePointer(strdup($0.0)) }
        var values = keywords.map { UnsafePointer(strdup($0.1)) }
        defer {
            for string in keys + values { free(UnsafeMutablePointer(mutating: string)) }
        }
        // Both lists end with NULL; free(NULL) does nothing.
        keys.append(nil)
        values.append(nil)
        guard let pointer = PQconnectdbParams(keys, values, 1) else {
            throw PostgresError(.unavailable, "out of memory")
        }
        guard PQstatus(pointer) == CONNECTION_OK else {
            let message = Self.message(of: pointer)
            PQfinish(pointer)
            throw PostgresError(.unavailable, message)
        }
        self.pointer = pointer
        // Notices go to the server's log; libpq would print them to standard error.
        PQsetNoticeProcessor(pointer, { _, _ in }, nil)
    }

    deinit { PQfinish(pointer) }

    static func message(of pointer: OpaquePointer) -> String {
        let text = PQerrorMessage(pointer).map { String(cString: $0) } ?? ""
        let line = text.split(separator: "\n").joined(separator: "; ")
        return line.isEmpty ? "the connection to the server was lost" : line
    }
}
