internal import CPostgres
import Glibc

extension PostgresConnection {
    /// Runs a `COPY … TO STDOUT` and hands over its rows, one at a time and as the server has written them, the line
    /// feed at the end included.
    /// - Parameters:
    ///   - sql: COPY takes no parameters: whoever puts the statement together answers for every value in it.
    ///   - row: the bytes are gone when it returns. False: no more rows are wanted; the server is told to stop.
    /// - Throws: what the server refused, at the start or in the middle; what `row` throws, after which the server was
    ///   told to stop. Either way the connection can be used again, unless it broke.
    package func copyOut(_ sql: String, _ row: (UnsafeRawBufferPointer) throws -> Bool) throws {
        try beginCopyOut(sql)
        let deadline = patienceSeconds.map { monotonicSeconds() + $0 }
        var isWanted = true
        var failure: (any Error)?
        while let line = try nextCopyRow(deadline) {
            defer { PQfreemem(line.pointer) }
            // What the server had sent before it was told to stop.
            guard isWanted else { continue }
            do {
                isWanted = try row(UnsafeRawBufferPointer(start: line.pointer, count: line.count))
            } catch {
                failure = error
                isWanted = false
            }
            if !isWanted { cancelStatement() }
        }
        do {
            try endCopyOut()
        } catch {
            // It stopped as it was told to.
            guard !isWanted, error.sqlState == "57014" else { throw error }
        }
        if let failure { throw failure }
    }
}
