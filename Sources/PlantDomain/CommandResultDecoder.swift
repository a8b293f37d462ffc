/// Turns the payload of `devices/{device_id}/commands/result` into a ``CommandResult``.
package enum CommandResultDecoder {
    /// `{"id": "…", "ok": true, "detail": "…"}`; the detail may be missing, and a long one is cut. Unknown keys are
    /// ignored, among repeated keys the first counts.
    package static func decode(_ payload: UnsafeRawBufferPointer) -> (result: CommandResult?, rejection: Rejection?) {
        guard payload.count <= TelemetryDecoder.maximumPayloadBytes else {
            let detail = "\(payload.count) bytes; at most \(TelemetryDecoder.maximumPayloadBytes) are taken"
            return (nil, Rejection(reason: .tooLarge, detail: detail))
        }
        guard !payload.isEmpty else { return (nil, Rejection(reason: .empty, detail: "the payload is empty")) }
        var scanner = JSONScanner(payload)
        do throws(JSONFailure) {
            let outcome = try read(&scanner)
            try scanner.end()
            return outcome
        } catch {
            return (nil, error.rejection)
        }
    }

    private static func read(
        _ scanner: inout JSONScanner
    ) throws(JSONFailure) -> (result: CommandResult?, rejection: Rejection?) {
        guard case .object = try scanner.kind() else {
            try scanner.skipValue(depth: 0)
            return (nil, Rejection(reason: .notAnObject, detail: "the payload is not an object"))
        }
        var id: EntityID?
        var ok: Bool?
        var detail: String?
        try scanner.enter(depth: 1)
        var isFirst = true
        while let key = try scanner.nextMember(isFirst: &isFirst) {
            // No key below is longer; a long one is not worth a string.
            let name = key.end - key.start <= 6 * 8 ? scanner.text(of: key) : ""
            switch (name, try scanner.kind()) {
            case ("id", .string):
                let text = scanner.text(of: try scanner.string())
                id = id ?? EntityID(text)
            case ("detail", .string):
                let text = scanner.text(of: try scanner.string())
                detail = detail ?? Rejection.printable(text)
            case ("ok", .boolean):
                let value = scanner.peek() == UInt8(ascii: "t")
                try scanner.literal(value ? "true" : "false")
                ok = ok ?? value
            default: try scanner.skipValue(depth: 1)
            }
        }
        guard let id, let ok else {
            let missing = id == nil ? "id is not the id of a command" : "ok is neither true nor false"
            return (nil, Rejection(reason: .wrongType, detail: missing))
        }
        return (CommandResult(id: id, ok: ok, detail: detail), nil)
    }
}
