internal import CPostgres
import Glibc

/// Where the database is and how patient to be with it.
package struct PostgresOptions: Sendable, CustomStringConvertible {
    /// libpq connection keywords (PostgreSQL manual 34.1.2); `dbname` may hold a whole URL. Holds the password.
    let keywords: [(String, String)]
    /// Longest a statement may run, in seconds.
    package var statementTimeoutSeconds = 15
    package var applicationName = "plantops"

    /// Whether libpq can read a URL. One it cannot, it shows in its error messages, password and all.
    package static func isUsable(url: String) -> Bool {
        guard let parsed = PQconninfoParse(url, nil) else { return false }
        defer { PQconninfoFree(parsed) }
        var option = parsed
        while let keyword = option.pointee.keyword {
            let value = option.pointee.val.map { String(cString: $0) }
            switch (String(cString: keyword), value) {
            // An @ or a : of the password that was not percent-encoded ends up here.
            case ("host", .some(let host)) where host.contains("@"): return false
            case ("port", .some(let port)) where !port.split(separator: ",").allSatisfy({ UInt16($0) != nil }):
                return false
            default: break
            }
            option += 1
        }
        return true
    }

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
    /// How long the server may be silent before it counts as gone, in seconds; nil waits for ever. Longer than any
    /// statement may run: the server's own limit comes first, unless the server hangs.
    package var patienceSeconds: Double?
    private var isSilent = false
    private var afterCommit: [() -> Void] = []

    /// Connects and prepares the session: UTC, UTF-8, times and numbers as text without loss, time limits, and no parallel
    /// workers: what is asked here is small, and starting one takes longer than the answer.
    /// - Throws: `unavailable` with the server's own words.
    package init(_ options: PostgresOptions) throws(PostgresError) {
        handle = try ConnectionHandle(options)
        patienceSeconds = Double(options.statementTimeoutSeconds) + 5
        let limit = options.statementTimeoutSeconds * 1000
        try execute(
            """
            SET TIME ZONE 'UTC';
            SET datestyle = 'ISO, YMD';
            SET extra_float_digits = 1;
            SET client_min_messages = warning;
            SET statement_timeout = \(limit);
            SET lock_timeout = \(min(limit, 10_000));
            SET max_parallel_workers_per_gather = 0;
            SET idle_in_transaction_session_timeout = 60000;
            SET tcp_keepalives_idle = 30;
            SET tcp_keepalives_interval = 10;
            SET tcp_keepalives_count = 3;
            """)
    }

    /// Waits for the server to say something of itself, such as that it ends the connection.
    package func waitForInput(milliseconds: Int32) -> Bool {
        var set = pollfd(fd: PQsocket(handle.pointer), events: Int16(POLLIN), revents: 0)
        return poll(&set, 1, milliseconds) > 0
    }

    /// Reads what the server has sent without being asked, and takes the notifications out of it.
    func notifications() throws(PostgresError) -> [PostgresNotification] {
        // libpq: "PQconsumeInput … to read any available input data": it does not block. 0 is an error.
        guard PQconsumeInput(handle.pointer) == 1 else { throw lost() }
        var notifications: [PostgresNotification] = []
        while let notify = PQnotifies(handle.pointer) {
            // libpq: "The application should free this structure … with PQfreemem", the two texts with it.
            defer { PQfreemem(notify) }
            notifications.append(
                PostgresNotification(
                    channel: notify.pointee.relname.map { String(cString: $0) } ?? "",
                    payload: notify.pointee.extra.map { String(cString: $0) } ?? ""))
        }
        return notifications
    }

    /// True once the connection cannot be used any more.
    package var isBroken: Bool { isSilent || PQstatus(handle.pointer) != CONNECTION_OK }

    package var isInTransaction: Bool { PQtransactionStatus(handle.pointer) != PQTRANS_IDLE }

    /// Whether an idle connection is still usable, without asking the server. A server that goes away says so, or
    /// closes the socket, which then reads as "end"; there is nothing else that an idle server would say to us.
    package func seemsAlive() -> Bool { !isBroken && !waitForInput(milliseconds: 0) }

    /// Runs statements without parameters, several if separated by semicolons, as one.
    package func execute(_ sql: String) throws(PostgresError) {
        _ = try rows(finish(PQsendQuery(handle.pointer, sql)))
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
        let sent = buffer.withUnsafeBytes { bytes in
            let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            let pointers = offsets.map { offset in offset.flatMap { place in base.map { $0 + place.start } } }
            let count = Int32(values.count)
            guard once else {
                return PQsendQueryPrepared(handle.pointer, name, count, pointers, lengths, formats, 1)
            }
            let types = values.map { Oid($0.oid) }
            return PQsendQueryParams(handle.pointer, sql, count, types, pointers, lengths, formats, 1)
        }
        return try rows(finish(sent))
    }

    private func prepare(_ sql: String, _ values: [PostgresValue]) throws(PostgresError) -> String {
        if let name = prepared[sql] { return name }
        let name = "s\(prepared.count)"
        let types = values.map { Oid($0.oid) }
        _ = try rows(finish(PQsendPrepare(handle.pointer, name, sql, Int32(types.count), types)))
        prepared[sql] = name
        return name
    }

    /// Sends rows by `COPY … FROM STDIN (FORMAT binary)`.
    package func copy(_ sql: String, _ buffer: inout CopyBuffer) throws(PostgresError) {
        let start = try finish(PQsendQuery(handle.pointer, sql))
        guard PQresultStatus(start) == PGRES_COPY_IN else {
            _ = try rows(start)
            throw PostgresError(.statement, "not a COPY FROM STDIN statement")
        }
        PQclear(start)
        let bytes = buffer.finished()
        // Queued whole in libpq's memory and sent by `finish`, which watches the clock.
        let queued = bytes.withUnsafeBytes { bytes in
            PQputCopyData(handle.pointer, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        }
        guard queued == 1 else { throw lost() }
        _ = try rows(finish(PQputCopyEnd(handle.pointer, nil)))
    }

    // MARK: rows as text (PostgresConnection+CopyOut.swift)

    func beginCopyOut(_ sql: String) throws(PostgresError) {
        let start = try finish(PQsendQuery(handle.pointer, sql))
        guard PQresultStatus(start) == PGRES_COPY_OUT else {
            _ = try rows(start)
            throw PostgresError(.statement, "not a COPY TO STDOUT statement")
        }
        PQclear(start)
    }

    /// - Returns: nil after the last row. Whoever gets a row frees it with `PQfreemem`.
    func nextCopyRow(
        _ deadline: Double?
    ) throws(PostgresError) -> (pointer: UnsafeMutablePointer<CChar>, count: Int)? {
        while true {
            var pointer: UnsafeMutablePointer<CChar>?
            // libpq: "a data row is always returned … only a whole one"; 0: none has come in yet; -1: that was all;
            // -2: an error.
            let count = PQgetCopyData(handle.pointer, &pointer, 1)
            if let pointer, count > 0 { return (pointer, Int(count)) }
            guard count == 0 else {
                guard count == -1 else { throw lost() }
                return nil
            }
            let left = deadline.map { max(0, $0 - monotonicSeconds()) } ?? 60
            if !waitForInput(milliseconds: Int32(left * 1000) + 1), let deadline, monotonicSeconds() >= deadline {
                isSilent = true
                throw PostgresError(.unavailable, "the server does not answer")
            }
            // Also when nothing came: a signal may have ended the wait.
            guard PQconsumeInput(handle.pointer) == 1 else { throw lost() }
        }
    }

    func endCopyOut() throws(PostgresError) { _ = try rows(finish(1)) }

    /// Asks the server, over a connection made for that, to stop the statement under way. It then ends with 57014, or
    /// as it would have if the word came too late.
    func cancelStatement() {
        guard let cancel = PQgetCancel(handle.pointer) else { return }
        defer { PQfreeCancel(cancel) }
        var message = [CChar](repeating: 0, count: 256)
        _ = PQcancel(cancel, &message, Int32(message.count))
    }

    /// Runs `work` in a transaction: committed when it returns, rolled back when it throws.
    package func transaction<T>(_ work: (PostgresConnection) throws -> T) throws -> T {
        try execute("BEGIN")
        do {
            let value = try work(self)
            try commit()
            return value
        } catch {
            rollback()
            throw error
        }
    }

    /// To be done when the transaction under way is committed, and not at all if it is not.
    package func whenCommitted(_ body: @escaping () -> Void) { afterCommit.append(body) }

    /// Commits, and makes sure of it: to COMMIT in a transaction that has failed, PostgreSQL answers ROLLBACK and calls
    /// it success.
    package func commit() throws(PostgresError) {
        let tag = try rows(finish(PQsendQuery(handle.pointer, "COMMIT"))).commandTag
        guard tag == "COMMIT" else {
            throw PostgresError(.statement, "the transaction had failed and was rolled back")
        }
        let bodies = afterCommit
        afterCommit = []
        for body in bodies { body() }
    }

    /// Ends a transaction that failed. When even that fails the connection is broken and the server rolls back itself.
    package func rollback() {
        afterCommit = []
        guard !isBroken, isInTransaction else { return }
        if let result = try? finish(PQsendQuery(handle.pointer, "ROLLBACK")) { PQclear(result) }
    }

    /// Sends what is queued and waits for the answer, no longer than `patienceSeconds`: a server that hangs rather than
    /// fails would otherwise hold the caller for ever.
    /// - Parameter sent: what libpq said when the statement was queued; 1 is success.
    /// - Returns: the first error among the results of the statement, else its last result; the caller frees it.
    private func finish(_ sent: Int32) throws(PostgresError) -> OpaquePointer? {
        guard sent == 1 else { throw lost() }
        let deadline = patienceSeconds.map { monotonicSeconds() + $0 }
        var answer: OpaquePointer?
        while true {
            do {
                try waitUntilReadable(deadline)
            } catch {
                PQclear(answer)
                throw error
            }
            guard let result = PQgetResult(handle.pointer) else { return answer }
            switch PQresultStatus(result) {
            case PGRES_COPY_IN, PGRES_COPY_OUT:
                // The rows come first, one way or the other, before there is another result.
                PQclear(answer)
                return result
            default:
                let failed = answer.map { PQresultStatus($0) == PGRES_FATAL_ERROR } ?? false
                PQclear(failed ? result : answer)
                if !failed { answer = result }
            }
        }
    }

    /// Returns when `PQgetResult` would not block.
    private func waitUntilReadable(_ deadline: Double?) throws(PostgresError) {
        var unsent = PQflush(handle.pointer)
        while unsent == 1 || PQisBusy(handle.pointer) == 1 {
            let left = deadline.map { max(0, $0 - monotonicSeconds()) } ?? 60
            var set = pollfd(
                fd: PQsocket(handle.pointer), events: Int16(POLLIN) | (unsent == 1 ? Int16(POLLOUT) : 0), revents: 0)
            let ready = poll(&set, 1, Int32(left * 1000) + 1)
            if ready == 0, let deadline, monotonicSeconds() >= deadline {
                // Whatever it answers later belongs to a question nobody asks any more.
                isSilent = true
                throw PostgresError(.unavailable, "the server does not answer")
            }
            if PQconsumeInput(handle.pointer) == 0 { throw lost() }
            unsent = PQflush(handle.pointer)
        }
        if unsent < 0 { throw lost() }
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

func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
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
        PQsetnonblocking(pointer, 1)
    }

    deinit { PQfinish(pointer) }

    static func message(of pointer: OpaquePointer) -> String {
        let text = PQerrorMessage(pointer).map { String(cString: $0) } ?? ""
        let line = text.split(separator: "\n").joined(separator: "; ")
        return line.isEmpty ? "the connection to the server was lost" : line
    }
}
