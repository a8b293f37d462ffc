import Foundation
import Logging
import PlantDomain
import Sealing
import Synchronization

@testable import PlantPipeline

/// Answers of the two providers, as a ``LocalServer`` gives them.
enum LLMReply {
    static func status(_ status: String, _ headers: String = "", _ body: String = "{}") -> LocalServer.Manner {
        .answer("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    static func json(_ body: String) -> LocalServer.Manner {
        status("200 OK", "Content-Type: application/json\r\n", body)
    }

    /// - Parameter usage: `nil` tells none.
    static func openai(
        _ text: String, finish: String = "stop", usage: (Int, Int)? = (120, 30), refusal: String = "null"
    ) -> LocalServer.Manner {
        let told = usage.map { #","usage":{"prompt_tokens":\#($0.0),"completion_tokens":\#($0.1),"total_tokens":9}"# }
        return json(
            #"{"id":"x","choices":[{"index":0,"finish_reason":"\#(finish)","message":{"role":"assistant","#
                + #""content":\#(quoted(text)),"refusal":\#(refusal)}}]\#(told ?? "")}"#)
    }

    static func anthropicText(_ text: String, stop: String = "end_turn") -> LocalServer.Manner {
        anthropic(#"{"type":"text","text":\#(quoted(text))}"#, stop: stop)
    }

    static func anthropicTool(_ input: String, stop: String = "tool_use") -> LocalServer.Manner {
        anthropic(
            #"{"type":"text","text":"Here it is."},{"type":"tool_use","id":"t","name":"care_plan","input":\#(input)}"#,
            stop: stop)
    }

    private static func anthropic(_ blocks: String, stop: String) -> LocalServer.Manner {
        json(
            #"{"id":"x","type":"message","role":"assistant","content":[\#(blocks)],"stop_reason":"\#(stop)","#
                + #""usage":{"input_tokens":100,"cache_read_input_tokens":11,"output_tokens":30}}"#)
    }

    static func quoted(_ text: String) -> String {
        (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}

/// Keeps everything that is logged, as text.
final class LogCollector: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(collector: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let collector: LogCollector
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            collector.lines.withLock {
                $0.append("\(event.level) \(event.message) \(event.metadata ?? [:]) \(metadata)")
            }
        }
    }
}
