import ArgumentParser
import Foundation
import Sealing

/// Secrets of an installation as they stand in a backup: one sealed value, bound to nothing but its being that.
enum SealedFile {
    /// Private keys and passwords are a few kilobytes; a value is sealed in one piece, in memory.
    static let limit = 16 * 1024 * 1024
    /// No table is called so: what is sealed in the database cannot be passed off as this, nor this as that.
    private static let place = Sealer.Place(table: "a file", column: "backup", row: "secrets")

    /// sysexits.h, EX_DATAERR: "The input data was incorrect in some way."
    static let dataError: Int32 = 65

    /// What stops sealing or opening, with the exit status it ends in.
    struct Failure: Error, Equatable, CustomStringConvertible {
        let status: Int32
        let description: String
    }

    static func seal(_ content: [UInt8], with sealer: Sealer) throws(Failure) -> [UInt8] {
        guard content.count <= limit else { throw tooLarge(limit) }
        do {
            return try sealer.seal(Secret(bytes: content), for: place)
        } catch {
            throw Failure(status: dataError, description: "\(error)")
        }
    }

    static func open(_ sealed: [UInt8], with sealer: Sealer) throws(Failure) -> Secret {
        do {
            return try sealer.open(sealed, for: place)
        } catch .unknownKey {
            throw Failure(
                status: SettingsError.exitStatus,
                description: "sealed under another key than ENCRYPTION_KEY and ENCRYPTION_KEYS_OLD")
        } catch .tampered {
            throw Failure(status: dataError, description: "changed since it was sealed")
        } catch {
            throw Failure(status: dataError, description: "\(error)")
        }
    }

    static func tooLarge(_ limit: Int) -> Failure {
        Failure(status: dataError, description: "more than \(limit) bytes are not sealed in one piece")
    }

    /// All of the standard input, up to `limit` bytes.
    static func input(limit: Int) throws -> [UInt8] {
        var content: [UInt8] = []
        while let piece = try FileHandle.standardInput.read(upToCount: 65_536), !piece.isEmpty {
            content += piece
            guard content.count <= limit else { throw tooLarge(limit) }
        }
        return content
    }

    /// `ENCRYPTION_KEY` and `ENCRYPTION_KEYS_OLD`; the rest of the settings need not be there.
    static func sealer(_ environment: [String: String]) throws(SettingsError) -> Sealer {
        var source = SettingsSource(environment)
        let current = source.hexKey("ENCRYPTION_KEY", required: true)
        let old = source.hexKeys("ENCRYPTION_KEYS_OLD")
        guard source.problems.isEmpty, let current, let sealer = try? Sealer(current: Secret(current), old: old) else {
            throw SettingsError(problems: source.problems)
        }
        return sealer
    }

    /// Runs a command's work with the keys of this process; what goes wrong is a line on standard error and its status.
    static func run(_ work: (Sealer) throws -> Void) throws {
        do {
            try work(sealer(ProcessInfo.processInfo.environment))
        } catch let error as SettingsError {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ExitCode(SettingsError.exitStatus)
        } catch let error as Failure {
            CommandLineStore.fail(error.description)
            throw ExitCode(error.status)
        }
    }
}

struct SealCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal", abstract: "Seal the standard input under ENCRYPTION_KEY; for deploy/backup.",
        shouldDisplay: false)

    func run() throws {
        try SealedFile.run { sealer in
            let sealed = try SealedFile.seal(SealedFile.input(limit: SealedFile.limit), with: sealer)
            try FileHandle.standardOutput.write(contentsOf: Data(sealed))
        }
    }
}

struct UnsealCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unseal", abstract: "Open what `plantops seal` sealed; for deploy/backup.", shouldDisplay: false)

    func run() throws {
        try SealedFile.run { sealer in
            // The header and the tag make a sealed value a little longer than its content.
            let secret = try SealedFile.open(SealedFile.input(limit: SealedFile.limit + 64), with: sealer)
            try FileHandle.standardOutput.write(contentsOf: secret.withBytes { Data($0) })
        }
    }
}
