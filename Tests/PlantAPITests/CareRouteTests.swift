import Foundation
import PlantDomain
import PlantStore
import Sealing
import TestSupport
import Testing

@testable import PlantAPI

@Suite(.serialized) struct CareRouteTests {
    private typealias Outcome = APIEnvironment.CareOutcome

    private func advisor(
        analyze: @escaping @Sendable (EntityID, Bool) async throws -> Outcome = { _, _ in .noSuchPlant },
        check: @escaping @Sendable (LLMAddress) async -> String? = { _ in nil },
        test: @escaping @Sendable () async throws -> APIEnvironment.LLMTest = { .notConfigured }
    ) -> APIEnvironment.Advisor {
        APIEnvironment.Advisor(servers: LLMServers(), analyze: analyze, test: test, check: check)
    }

    private func running(
        _ advisor: APIEnvironment.Advisor, _ body: (_ port: Int, _ store: Store) async throws -> Void
    ) async throws {
        let store = try TestDatabase().store()
        try await withServer(APIServer.router(try testEnvironment(store, signIn: false, advisor: advisor))) { port in
            try await body(port, store)
        }
    }

    /// An answer up to the end of the connection.
    private func answer(
        _ port: Int, _ method: String, _ path: String, _ body: String = "", type: String = "application/json",
        close: Bool = true
    ) async throws -> (status: Int, text: String) {
        let client = try RawClient(port: port)
        client.send(
            method, "/api" + path, close ? "Connection: close" : "", body.isEmpty ? "" : "Content-Type: \(type)",
            body: body)
        let text = try await client.rest()
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0, text)
    }

    private func plan(of plant: EntityID) throws -> CarePlan {
        let range = CareAdvice.Range(current: "c", ideal: "i", recommendation: "r")
        let day = try #require(LocalDayText("2026-11-25"))
        return CarePlan(
            id: .make(), plantID: plant,
            advice: CareAdvice(
                summary: "s", watering: CareAdvice.Watering(frequency: "f", amount: "a", nextDate: day), light: range,
                humidity: range, temperature: range, alerts: [], tips: []),
            source: .builtin, model: nil, note: nil,
            facts: CareFacts(at: .now(), today: day, zone: "UTC", facts: []), changes: [], reason: .requested,
            inputHash: "00", generatedAt: .now())
    }

    // MARK: analysis

    @Test(arguments: ["", #"{"refresh":true}"#])
    func `nobody goes on writing a plan when the one who asked hangs up`(body: String) async throws {
        let (happenings, happened) = AsyncStream<String>.makeStream()
        let advisor = advisor(analyze: { (_: EntityID, isRefresh: Bool) async throws -> Outcome in
            happened.yield("asked \(isRefresh)")
            do { try await Task.sleep(for: .seconds(30)) } catch { happened.yield("cancelled") }
            happened.yield("left alone")
            return .noSuchPlant
        })
        try await running(advisor) { port, _ in
            var client: RawClient? = try RawClient(port: port)
            client?.send(
                "POST", "/api/plants/\(EntityID.make())/analyze", body.isEmpty ? "" : "Content-Type: application/json",
                body: body)
            var events = happenings.makeAsyncIterator()
            #expect(await events.next() == "asked \(!body.isEmpty)")
            // It is the client's going that counts.
            client = nil
            #expect(await events.next() == "cancelled")
        }
    }

    @Test func `who waits is given the plan, and the connection ends with it`() async throws {
        let plant = EntityID.make()
        let plan = try plan(of: plant)
        let advisor = advisor(analyze: { _, _ in .plan(plan, isCached: false) })
        try await running(advisor) { port, store in
            // Who does not say so himself is told.
            let (status, text) = try await answer(port, "POST", "/plants/\(plant)/analyze", close: false)
            #expect(status == 200)
            let parts = text.lowercased().components(separatedBy: "\r\nconnection: close\r\n")
            #expect(parts.count == 2)
            for part in [#""cached":false"#, #""next_date":"2026-11-25""#, #""evidence":[]"#, #""feedback":[]"#] {
                #expect(text.contains(part), "\(part)")
            }
            let log = try await store.auditLog(action: "plant.analyze", subject: plant, limit: 9, offset: 0)
            let plans = log.items.compactMap { $0.details["care_plan"] }
            #expect(plans == [plan.id.description])
        }
    }

    @Test(arguments: [
        ("", "", 200), ("{}", "application/json", 200), (#"{"refresh":null}"#, "application/json", 200),
        (#"{"refresh":1}"#, "application/json", 422), (#"{"refresh":"true"}"#, "application/json", 422),
        ("[]", "application/json", 422), ("{", "application/json", 400), ("refresh=true", "text/plain", 415),
    ])
    func `a body need not be there, but be right`(body: String, type: String, status: Int) async throws {
        let plan = try plan(of: .make())
        try await running(advisor(analyze: { _, _ in .plan(plan, isCached: true) })) { port, _ in
            let answer = try await answer(port, "POST", "/plants/\(plan.plantID)/analyze", body, type: type)
            #expect(answer.status == status)
            if body.contains("refresh"), status == 422 { #expect(answer.text.contains(#""pointer":"/refresh""#)) }
        }
    }

    @Test func `why there is no plan is said`() async throws {
        let (busy, last) = (EntityID.make(), EntityID.make())
        let advisor = advisor(analyze: { (id: EntityID, _: Bool) async throws -> Outcome in
            if id == busy { return .busy(retryAfterSeconds: 7) }
            return id == last ? .stopping : .noSuchPlant
        })
        try await running(advisor) { port, _ in
            let expected: [(EntityID, Int)] = [(EntityID.make(), 404), (busy, 409), (last, 503)]
            for (id, status) in expected {
                let answer = try await answer(port, "POST", "/plants/\(id)/analyze", close: false)
                #expect(answer.status == status)
                let head = answer.text.lowercased()
                #expect(head.contains("\r\nconnection: close\r\n"))
                #expect(head.contains("\r\nretry-after: 7\r\n") == (status == 409))
            }
        }
    }

    @Test func `after an error of any kind the connection ends, and that is said`() async throws {
        let errors: [any Error] = [
            Unavailable("the broker", reason: "it is away"), CancellationError(), TestSetupError(description: "x"),
        ]
        for error in errors {
            let advisor = advisor(analyze: { _, _ in throw error }, test: { throw error })
            try await running(advisor) { port, _ in
                for path in ["/plants/\(EntityID.make())/analyze", "/settings/llm/test"] {
                    let answer = try await answer(port, "POST", path, close: false)
                    #expect(answer.status >= 500)
                    #expect(answer.text.lowercased().contains("\r\nconnection: close\r\n"), "\(error)")
                    #expect(answer.text.contains("application/problem+json"))
                }
            }
        }
    }

    @Test func `no body is asked for in the description`() throws {
        let table = RouteTable(try testEnvironment(try TestDatabase(nil).store()))
        guard case .object(let document) = table.document, case .object(let paths)? = document["paths"],
            case .object(let item)? = paths["/api/plants/{id}/analyze"], case .object(let post)? = item["post"],
            case .object(let body)? = post["requestBody"]
        else {
            Issue.record("no route")
            return
        }
        #expect(body["required"] == .bool(false))
    }

    // MARK: the language model

    private static let key = "sk-test-0123456789abcdef"

    @Test func `the key goes in and never comes out`() async throws {
        try await running(advisor()) { port, store in
            let body = #"{"provider":"openai","base_url":"http://127.0.0.1:11434/v1/","api_key":"\#(Self.key)"}"#
            let given = try await answer(port, "PUT", "/settings/llm", body)
            #expect(given.status == 200)
            #expect(given.text.contains(#""base_url":"http://127.0.0.1:11434/v1""#))
            let moved = #"{"base_url":"http://127.0.0.1:11435/v1"}"#
            let refused = try await answer(port, "PUT", "/settings/llm", moved)
            #expect(refused.status == 422)
            #expect(refused.text.contains(#""pointer":"/api_key""#))
            let shown = try await answer(port, "GET", "/settings/llm")
            for text in [given.text, refused.text, shown.text] { #expect(!text.contains("0123456789")) }
            #expect(shown.text.contains(#""api_key_masked":"…cdef""#))
            #expect(shown.text.contains(#""api_key_set":true"#))
            let target = try await store.llmTarget(sealer: testSealer())
            #expect(target?.key?.reveal() == Self.key)
            #expect(try await answer(port, "DELETE", "/settings/llm").status == 204)
            #expect(try await store.llmSettings() == nil)
        }
    }

    @Test func `everything that is wrong is said at once`() async throws {
        let advisor = advisor(check: { _ in "leads to nowhere" })
        try await running(advisor) { port, store in
            let body = #"""
                {"model":"","base_url":"http://localhost/","api_key":" x","monthly_token_budget":5,"automatic":"no"}
                """#
            let answer = try await answer(port, "PUT", "/settings/llm", body)
            #expect(answer.status == 422)
            for name in ["provider", "model", "base_url", "api_key", "monthly_token_budget", "automatic"] {
                #expect(answer.text.contains(#""pointer":"/\#(name)""#), "\(name)")
            }
            #expect(answer.text.contains("leads to nowhere"))
            #expect(try await store.llmSettings() == nil)
        }
    }

    @Test(
        arguments: [
            (.answered(model: "m", milliseconds: 12), 200, "answered"), (.failed("it said 401"), 502, "it said 401"),
            (.notConfigured, 409, nil), (.stopping, 503, nil),
        ] as [(APIEnvironment.LLMTest, Int, String?)])
    func `what became of a test is told and written down`(
        outcome: APIEnvironment.LLMTest, status: Int, logged: String?
    ) async throws {
        try await running(advisor(test: { outcome })) { port, store in
            let answer = try await answer(port, "POST", "/settings/llm/test", close: false)
            #expect(answer.status == status)
            #expect(answer.text.contains(#"{"milliseconds":12,"model":"m","ok":true}"#) == (status == 200))
            #expect(answer.text.contains("it said 401") == (status == 502))
            let log = try await store.auditLog(action: "llm.test", subject: nil, limit: 9, offset: 0)
            let outcomes = log.items.compactMap { $0.details["outcome"] }
            #expect(outcomes == [logged].compactMap(\.self))
        }
    }
}
