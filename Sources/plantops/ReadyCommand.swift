import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

struct ReadyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ready", abstract: "Ask a running backend whether it could take a reading in and store it now.",
        discussion:
            "Says so in a line, and by its exit status: 0, or 1. For the health checks of containers and services, "
            + "where there need not be anything else that speaks HTTP.")

    @Option(help: "Where to ask; /api/ready on HTTP_PORT of this machine unless given.")
    var url: String?

    private static let patience = TimeAmount.seconds(3)

    func run() async throws {
        let url = try url ?? Self.ownURL(ProcessInfo.processInfo.environment)
        let answer: (status: UInt, body: Data)
        do {
            answer = try await Self.ask(url)
        } catch let error as HTTPClientError where error == .deadlineExceeded || error == .connectTimeout {
            return try refuse("\(url) does not answer within \(Self.patience.nanoseconds / 1_000_000_000) s")
        } catch let error as HTTPClientError where error == .invalidURL || error == .emptyHost || error == .emptyScheme
        {
            throw ValidationError("--url must be a whole address such as http://127.0.0.1:8000/api/ready")
        } catch {
            return try refuse("nothing answers at \(url)")
        }
        guard let report = try? JSONDecoder().decode(Report.self, from: answer.body) else {
            return try refuse("what answers at \(url) is no PlantOps (HTTP \(answer.status))")
        }
        if report.ready, answer.status == 200 { return print("ready") }
        if report.stopping == true { return try refuse("the backend is stopping") }
        try refuse(report.checks.filter { !$0.value }.keys.sorted().joined(separator: ", "))
    }

    /// As `/api/ready` answers.
    private struct Report: Decodable {
        let ready: Bool
        let stopping: Bool?
        let checks: [String: Bool]
    }

    private static func ask(_ url: String) async throws -> (status: UInt, body: Data) {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "User-Agent", value: "plantops-ready")
        let response = try await HTTPClient.shared.execute(request, timeout: patience)
        let body = try await response.body.collect(upTo: 1 << 16)
        return (response.status.code, Data(body.readableBytesView))
    }

    private func refuse(_ reason: String) throws {
        FileHandle.standardError.write(Data("not ready: \(reason)\n".utf8))
        throw ExitCode.failure
    }

    /// Of the backend that runs in the same environment. Nothing else of its settings is needed, or looked at.
    static func ownURL(_ environment: [String: String]) throws -> String {
        var source = SettingsSource(environment.filter { $0.key.hasPrefix("HTTP_") })
        let port = source.integer("HTTP_PORT", range: 1...65_535, default: 8000)
        guard source.problems.isEmpty else {
            FileHandle.standardError.write(Data("\(SettingsError(problems: source.problems))\n".utf8))
            throw ExitCode(SettingsError.exitStatus)
        }
        // One that listens everywhere listens here, too.
        let everywhere = ["0.0.0.0", "::", "*", "localhost"]
        let named =
            source.text("HTTP_HOST", secret: false).flatMap { everywhere.contains($0) ? nil : $0 } ?? "127.0.0.1"
        return "http://\(named.contains(":") ? "[\(named)]" : named):\(port)/api/ready"
    }
}
