import Foundation
import PlantDomain

/// What became of an attempt to send.
package enum SendOutcome: Sendable, Equatable {
    /// It arrived. `pauseSeconds`: how long the server wants no more; nil: it does not say.
    case delivered(status: Int, pauseSeconds: Double?)
    /// Not now; perhaps later, but not before `afterSeconds` if the server said so (at most an hour). `isGlobal`: that
    /// holds for every channel of this server. `status` is nil when no answer came.
    case retry(afterSeconds: Double?, isGlobal: Bool, status: Int?, reason: String)
    /// It will not get there however often it is sent. `reason` says how to mend it.
    case refused(status: Int?, reason: String)
}

/// An answer of somebody else's server, as far as it matters.
struct ServerAnswer: Sendable {
    enum Ending: Sendable, Equatable {
        case whole, tooLong, cutOff
        /// It was not waited for any longer.
        case late
    }

    let status: Int
    /// Names in lower case; the first of each name.
    let headers: [String: String]
    /// As much as was read of it. Untrusted, and never shown.
    let body: [UInt8]
    /// How the body ended; it is empty unless it was whole.
    let ending: Ending

    /// A server that asks for more is asked again after this, in seconds: it may have meant something else.
    static let longestWait = 3600.0

    func outcome(for kind: ChannelKind, now: Timestamp) -> SendOutcome {
        switch status {
        case 200, 204: return .delivered(status: status, pauseSeconds: pause)
        case 201..<300 where kind == .webhook: return .delivered(status: status, pauseSeconds: pause)
        case 408, 425, 429, 500..<600:
            let discord = kind == .discord && status == 429 ? rateLimit : nil
            let isGlobal =
                kind == .discord
                && (discord?.global == true || headers["x-ratelimit-global"]?.lowercased() == "true"
                    || headers["x-ratelimit-scope"]?.lowercased() == "global")
            // Discord says it twice, whole seconds in the header. Not before either.
            let waits = [retryAfter(now: now), discord?.retryAfter.flatMap(Self.seconds)].compactMap(\.self)
            return .retry(
                afterSeconds: waits.max(), isGlobal: isGlobal, status: status,
                reason: status == 429
                    ? "the server asks to wait: it answered 429" : "the server is in trouble: it answered \(status)")
        default: return .refused(status: status, reason: refusal(kind))
        }
    }

    private func refusal(_ kind: ChannelKind) -> String {
        switch (status, kind) {
        case (300..<400, _):
            "the server answered \(status) and points elsewhere, which is not followed: set the final address here"
        case (404, .discord), (410, .discord):
            "the webhook is gone: the server answered \(status); make a new one in Discord and set its address here"
        case (401, .discord), (403, .discord):
            "the server answered \(status): the address is not that of a webhook that works; copy it from Discord "
                + "again and set it here"
        case (_, .discord):
            "the server did not take the message: it answered \(status); is the address that of a Discord webhook?"
        case (404, .webhook), (410, .webhook):
            "nothing receives messages there: the server answered \(status); correct the address here"
        case (401, .webhook), (403, .webhook):
            "the receiver answered \(status): check that the address and the secret are those it knows"
        case (413, .webhook):
            "the message is too large for the receiver: it answered 413; let it take bodies of 256 KiB"
        case (_, .webhook):
            "the receiver did not take the message: it answered \(status); it has to answer a POST with 2xx"
        }
    }

    /// Seconds until the next message may be sent, after the last one that was let through.
    private var pause: Double? {
        guard headers["x-ratelimit-remaining"] == "0" else { return nil }
        return headers["x-ratelimit-reset-after"].flatMap(Double.init).flatMap(Self.seconds)
    }

    /// RFC 9110 §10.2.3: seconds or a date. Discord's have a fraction at times.
    func retryAfter(now: Timestamp) -> Double? {
        guard let text = headers["retry-after"] else { return nil }
        if let number = Double(text) { return Self.seconds(number) }
        guard let date = Timestamp(httpDate: text) else { return nil }
        return Self.seconds(max(0, date.seconds(since: now)))
    }

    private static func seconds(_ number: Double) -> Double? {
        number.isFinite && number >= 0 ? min(number, longestWait) : nil
    }

    private struct RateLimit: Decodable {
        let retryAfter: Double?
        let global: Bool?

        enum CodingKeys: String, CodingKey {
            case global
            case retryAfter = "retry_after"
        }
    }

    private var rateLimit: RateLimit? {
        // Cloudflare, which stands before Discord, answers in HTML: then the header has to do.
        try? JSONDecoder().decode(RateLimit.self, from: Data(body))
    }
}

extension Timestamp {
    /// Reads the form of RFC 9110 §5.6.7 that is still written: `Sun, 06 Nov 1994 08:49:37 GMT`.
    init?(httpDate text: String) {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(where: { $0 == parts[2] }) else {
            return nil
        }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        self.init(rfc3339: "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
    }
}
