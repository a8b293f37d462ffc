import Foundation
import PlantDomain
import Testing

@Suite struct CareAnswerTests {
    private static let today = LocalDayText("2026-11-21")!

    private static let good = #"""
        {"summary": "Spidey is fine.", "watering": {"frequency": "Weekly.", "amount": "To 60 %.", "next_date": "2026-11-25"},
         "light": {"current": "a", "ideal": "b", "recommendation": "c"},
         "humidity": {"current": "d", "ideal": "e", "recommendation": "f"},
         "temperature": {"current": "g", "ideal": "h", "recommendation": "i"}, "alerts": [], "tips": ["Turn it.", "Dust it."]}
        """#

    private func problems(_ text: String) -> [String] {
        do throws(CareAnswerError) {
            _ = try CareAnswer.read(text, today: Self.today)
            return []
        } catch { return error.problems }
    }

    @Test(arguments: [
        good, "```json\n\(good)\n```", "```\n\(good)\n```",
        "Here is your plan {as asked}:\n\(good)\nHope that {helps}!",
        "{} \(good)", "{\"thought\": {\"a\": [1, 2]}}\n\(good)", "\u{FEFF}\(good)", "  \n\(good)\n{\"summary\": 1}",
    ])
    func `an answer is read bare, in a fence and with words around it`(text: String) throws {
        let advice = try CareAnswer.read(text, today: Self.today)
        #expect(advice.summary == "Spidey is fine.")
        #expect(
            advice.watering == .init(frequency: "Weekly.", amount: "To 60 %.", nextDate: LocalDayText("2026-11-25")))
        #expect(advice.temperature == .init(current: "g", ideal: "h", recommendation: "i"))
        #expect(advice.alerts == [])
        #expect(advice.tips == ["Turn it.", "Dust it."])
    }

    @Test func `what was not asked for is left out`() throws {
        let more = Self.good.replacing(#"{"summary""#, with: #"{"mood": [{"x": null}], "summary""#)
        #expect(try CareAnswer.read(more, today: Self.today) == CareAnswer.read(Self.good, today: Self.today))
    }

    @Test(
        arguments: [
            ("", "there is no JSON object in the answer"), ("I cannot help.", "there is no JSON object in the answer"),
            ("[1, 2]", "there is no JSON object in the answer"), ("{summary: 1}", "the answer is not valid JSON"),
            (String(good.prefix(200)), "the JSON ends before it is complete"),
            (String(good.dropLast(1)), "the JSON ends before it is complete"),
            (#"{"summary": "unfinished"#, "the JSON ends before it is complete"),
            (String(repeating: "{\"a\":", count: 1000), "the JSON is nested too deep"),
            (#"{"summary": "# + String(repeating: "[", count: 100_000), "the JSON is nested too deep"),
            (String(repeating: "a", count: 300_000), "the answer is longer than 256 KiB"),
        ])
    func `what is no object is refused`(text: String, problem: String) {
        #expect(problems(text) == [problem])
    }

    @Test func `everything that is wrong is said at once`() {
        let wrong = #"""
            {"summary": 7, "watering": {"frequency": null, "amount": " \n ", "next_date": "next week"}, "light": "bright",
             "humidity": {"current": ["x"], "ideal": "y"}, "alerts": "none", "tips": ["fine", 3, {"text": "x"}]}
            """#
        #expect(
            problems(wrong) == [
                "summary must be a text", "watering.frequency must be a text", "watering.amount must not be empty",
                "watering.next_date must be a date as YYYY-MM-DD, or null", "light must be an object",
                "humidity.current must be a text", "humidity.recommendation is missing", "temperature is missing",
                "alerts must be a list of texts", "tips[1] must be a text", "tips[2] must be a text",
            ])
        #expect(problems("{}").count == 7)
    }

    @Test(
        arguments: [
            ("\"2026-11-21\"", true), ("\"2027-02-19\"", true), ("null", true), ("\"2026-11-20\"", false),
            ("\"2027-02-20\"", false), ("\"2026-11-31\"", false), ("\"25.11.2026\"", false), ("\"\"", false),
            ("\"null\"", false), ("20261125", false), ("\"2026-11-25T00:00:00Z\"", false), ("true", false),
        ])
    func `the next date is from today to 90 days later, or null`(date: String, isRight: Bool) throws {
        let text = Self.good.replacing("\"2026-11-25\"", with: date)
        #expect(problems(text).isEmpty == isRight)
        if isRight {
            let expected = date == "null" ? nil : LocalDayText(String(date.dropFirst().dropLast()))
            #expect(try CareAnswer.read(text, today: Self.today).watering.nextDate == expected)
        }
    }

    @Test func `texts come on one line without control characters, a little too long is cut, far too long refused`()
        throws
    {
        let bell = Self.good.replacing("Spidey is fine.", with: #"A\n\nb\u0000\u001b[31m\u202e \t c"#)
        #expect(try CareAnswer.read(bell, today: Self.today).summary == "A b[31m c")
        let long = Self.good.replacing("Spidey is fine.", with: String(repeating: "x", count: 700))
        let cut = try CareAnswer.read(long, today: Self.today).summary
        #expect(cut.utf16.count == 600)
        #expect(cut.hasSuffix("…"))
        let far = Self.good.replacing("Spidey is fine.", with: String(repeating: "x", count: 901))
            .replacing("Turn it.", with: String(repeating: "y", count: 451))
        #expect(
            problems(far) == [
                "summary must not be longer than 600 characters", "tips[0] must not be longer than 300 characters",
            ])
        let many = Self.good.replacing(
            "\"alerts\": []", with: "\"alerts\": [" + Array(repeating: "\"a\"", count: 11).joined(separator: ",") + "]")
        #expect(problems(many) == ["alerts must not have more than 10 items"])
    }

    @Test func `lone surrogates and broken UTF-8 are no JSON`() {
        #expect(problems(Self.good.replacing("Turn it.", with: #"\ud800"#)) == ["the answer is not valid JSON"])
    }

    @Test func `hostile texts end`() {
        for text in [
            String(repeating: "{", count: 250_000), String(repeating: "{\"", count: 120_000),
            String(repeating: "{}", count: 120_000), String(repeating: "{\"{\":1,", count: 30_000),
            "{\"x\": \"" + String(repeating: "{", count: 250_000), String(repeating: "```json\n{", count: 20_000),
        ] {
            #expect(!problems(text).isEmpty)
        }
    }

    @Test func `what the built-in advisor writes would pass`() throws {
        let advice = CarePatient.measured.advice
        let text = String(decoding: try JSONEncoder().encode(advice), as: UTF8.self)
        #expect(try CareAnswer.read(text, today: Self.today) == advice)
    }
}
