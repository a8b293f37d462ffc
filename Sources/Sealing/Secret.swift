/// A text that must not be seen: passwords, keys, tokens, connection URLs.
///
/// Printing, logging or interpolating it shows `<redacted>`; only `reveal()` gives the text, and a search for that
/// word finds every place that does.
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    package init(_ text: String) { self.text = text }

    package func reveal() -> String { text }

    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
