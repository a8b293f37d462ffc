import HTTPTypes
import PlantDomain

/// The OpenAPI 3.1 document, made from the route table: what is not in the table is not served, and what is served is
/// in the document.
package enum OpenAPI {
    static func document(_ routes: [Route], version: String) -> JSONValue {
        var paths: [String: JSONValue] = [:]
        for (path, routes) in Dictionary(grouping: routes, by: \.path) {
            var item: [String: JSONValue] = [:]
            for route in routes { item[route.method.rawValue.lowercased()] = operation(route) }
            paths[RouteTable.prefix + path] = .object(item)
        }
        paths[RouteTable.prefix + "/openapi.json"] = [
            "get": [
                "summary": "This description", "tags": ["system"], "operationId": "get_openapi_json",
                "responses": ["200": ["description": "OpenAPI 3.1", "content": content(Schema.anyObject)]],
            ]
        ]
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "PlantOps", "version": .string(version),
                "description": "Plants, the devices that watch them, and what they measured.",
            ],
            "paths": .object(paths),
            "components": [
                "schemas": .object(Schema.components),
                "securitySchemes": [
                    "session": ["type": "apiKey", "in": "cookie", "name": .string(Gatekeeper.cookieName)],
                    "token": ["type": "http", "scheme": "bearer"],
                ],
            ],
        ]
    }

    private static func operation(_ route: Route) -> JSONValue {
        var responses: [String: JSONValue] = [:]
        var success: [String: JSONValue] = ["description": .string(route.answer.description)]
        if let schema = route.answer.schema { success["content"] = content(schema, route.answer.mediaType) }
        responses[String(route.answer.status)] = .object(success)
        var problems = Set(route.problems + [500, 503])
        if route.body != nil { problems.formUnion([400, 413, 415, 422]) }
        if !route.query.isEmpty { problems.insert(422) }
        // Whoever comes with a page of another site gets 403 on everything that changes something.
        if case .role = route.access { problems.formUnion([401, 403]) }
        if ![.get, .head].contains(route.method) { problems.insert(403) }
        for status in problems {
            responses[String(status)] = [
                "description": .string(HTTPResponse.Status(code: status).reasonPhrase),
                "content": ["application/problem+json": ["schema": Schema.ref("Problem")]],
            ]
        }
        var operation: [String: JSONValue] = [
            "summary": .string(route.summary), "tags": [.string(route.tag)],
            "operationId": .string(operationID(route)), "responses": .object(responses),
        ]
        if case .role(let role) = route.access {
            operation["security"] = [["session": []], ["token": []]]
            operation["x-required-role"] = .string(role.rawValue)
        }
        let parameters = pathParameters(route) + route.query.map(queryParameter)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let body = route.body {
            operation["requestBody"] = [
                "required": .bool(!route.bodyIsOptional), "content": content(body, route.bodyMediaType),
            ]
        }
        return .object(operation)
    }

    private static func content(_ schema: JSONValue, _ mediaType: String = "application/json") -> JSONValue {
        .object([mediaType: ["schema": schema]])
    }

    private static func operationID(_ route: Route) -> String {
        let words = route.path.split { "/{}.-".contains($0) }
        return ([route.method.rawValue.lowercased()] + words.map(String.init)).joined(separator: "_")
    }

    private static func pathParameters(_ route: Route) -> [JSONValue] {
        route.path.split(separator: "/").filter { $0.first == "{" }.map { part in
            ["name": .string(String(part.dropFirst().dropLast())), "in": "path", "required": true, "schema": Schema.id]
        }
    }

    private static func queryParameter(_ parameter: Route.QueryParameter) -> JSONValue {
        [
            "name": .string(parameter.name), "in": "query", "required": false, "schema": parameter.schema,
            "description": .string(parameter.description),
        ]
    }
}
