package import PlantDomain
import Postgres

extension Store {
    package enum CommandOutcome: Sendable { case made, noSuchDevice, shutOut }

    /// Writes a command down before the broker is given it: its result may come at once.
    package func createCommand(_ command: DeviceCommand) async throws -> CommandOutcome {
        try await pool.transaction { connection in
            let rows = try connection.query(
                """
                SELECT approved AND enabled AS may_connect FROM devices
                WHERE id = $1 AND registered_at IS NOT NULL FOR KEY SHARE
                """, [.id(command.deviceID)])
            guard let row = rows.first else { return .noSuchDevice }
            guard try row.bool("may_connect") else { return .shutOut }
            try connection.query(
                """
                INSERT INTO device_commands (id, device_id, command, args, created_at) VALUES ($1, $2, $3, $4, $5)
                """,
                [
                    .id(command.id), .id(command.deviceID), .text(command.command), .json(command.args),
                    .time(command.createdAt),
                ])
            return .made
        }
    }

    /// The broker took it, or may have taken it (`sentAt` nil). The record names the command and not its arguments,
    /// which may hold a password.
    package func commandLeft(_ command: DeviceCommand, by origin: Origin, at now: Timestamp) async throws {
        try await pool.transaction { connection in
            let rows = try connection.query(
                """
                UPDATE device_commands c SET sent_at = $2 FROM devices d WHERE c.id = $1 AND d.id = c.device_id
                RETURNING d.name
                """, [.id(command.id), command.sentAt.map { .time($0) } ?? .null(.timestamp)])
            guard let row = rows.first else { return }
            try Self.record(
                "device.command", AuditEntry.Subject("device", command.deviceID, try row.text("name")), by: origin,
                at: now, details: ["command": command.command, "command_id": command.id.description], on: connection)
            var changes = LiveChanges()
            changes.devices = [command.deviceID]
            try Self.announce(changes, on: connection)
        }
    }

    /// The broker was not given it.
    package func withdrawCommand(_ id: EntityID) async throws {
        try await pool.run { connection in
            try connection.query("DELETE FROM device_commands WHERE id = $1 AND result_at IS NULL", [.id(id)])
            return
        }
    }

    /// Newest first.
    /// - Returns: nil when there is no such device.
    package func commands(of device: EntityID, limit: Int, offset: Int) async throws -> Page<DeviceCommand>? {
        try await pool.run { connection in
            let known = try connection.query(
                "SELECT 1 AS one FROM devices WHERE id = $1 AND registered_at IS NOT NULL", [.id(device)])
            guard known.count > 0 else { return nil }
            let total = try connection.query(
                "SELECT count(*) AS total FROM device_commands WHERE device_id = $1", [.id(device)])
            let commands = try connection.query(
                """
                SELECT id, command, args, created_at, sent_at, result_at, ok, detail FROM device_commands
                WHERE device_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3
                """, [.id(device), .int(Int64(limit)), .int(Int64(offset))]
            ).map { row throws(PostgresError) in
                DeviceCommand(
                    id: try row.id("id"), deviceID: device, command: try row.text("command"),
                    args: try row.text("args"), createdAt: try row.time("created_at"),
                    sentAt: try row.optionalTime("sent_at"), resultAt: try row.optionalTime("result_at"),
                    succeeded: try row.optionalBool("ok"), detail: try row.optionalText("detail"))
            }
            return Page(items: commands, total: Int(try total[0].int("total")))
        }
    }
}
