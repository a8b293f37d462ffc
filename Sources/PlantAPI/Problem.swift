import HTTPTypes
import PlantDomain

/// An answer that is not what was asked for: RFC 9457 `application/problem+json`.
struct Problem: Error, Sendable {
    /// What is wrong with one field.
    struct FieldError: Sendable, Equatable {
        /// RFC 6901 pointer into the body (`/thresholds/temperature/min`), or the name of a query parameter (`?limit`).
        let pointer: String
        let detail: String
    }

    let status: HTTPResponse.Status
    /// For the person who asked, in words that say how to mend it. Never a stack trace, SQL or secret.
    let detail: String
    var errors: [FieldError] = []
    var retryAfterSeconds: Int?
    var allow: [String] = []
    /// Whether to say how one signs in (RFC 9110, 11.6.1).
    var challenge = false

    static func notFound(_ what: String) -> Problem {
        Problem(status: .notFound, detail: "there is no \(what) with this id")
    }

    static func invalid(_ errors: [FieldError]) -> Problem {
        let noun = errors.count == 1 ? "one field is" : "\(errors.count) fields are"
        return Problem(status: .unprocessableContent, detail: "\(noun) not usable; see errors", errors: errors)
    }

    static func unavailable(_ what: String, retryAfterSeconds: Int) -> Problem {
        Problem(
            status: .serviceUnavailable, detail: "\(what) does not answer at the moment; try again shortly",
            retryAfterSeconds: retryAfterSeconds)
    }

    func body(instance: String, correlationID: String) -> JSONValue {
        var body: [String: JSONValue] = [
            "type": "about:blank", "title": .string(status.reasonPhrase), "status": .integer(Int64(status.code)),
            "detail": .string(detail), "instance": .string(instance), "correlation_id": .string(correlationID),
        ]
        if !errors.isEmpty {
            body["errors"] = .array(
                errors.map { ["pointer": .string($0.pointer), "detail": .string($0.detail)] })
        }
        return .object(body)
    }
}

/// An error after which the connection takes no further request.
struct ConnectionEnds: Error {
    /// Any other.
    let reason: any Error
}
