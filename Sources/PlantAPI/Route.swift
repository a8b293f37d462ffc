import HTTPTypes
import Hummingbird
import PlantDomain

/// One line of the route table: what answers it, and what the OpenAPI document says of it.
struct Route: Sendable {
    typealias Handler = @Sendable (Request, PlantContext) async throws -> Response

    /// What an answer with this status carries.
    struct Answer: Sendable {
        let status: Int
        let description: String
        let schema: JSONValue?
        var mediaType = "application/json"

        static func ok(_ description: String, _ schema: JSONValue) -> Answer {
            Answer(status: 200, description: description, schema: schema)
        }
        static func created(_ description: String, _ schema: JSONValue) -> Answer {
            Answer(status: 201, description: description, schema: schema)
        }
        /// Text that comes bit by bit.
        static func stream(_ description: String, mediaType: String) -> Answer {
            Answer(status: 200, description: description, schema: Schema.text, mediaType: mediaType)
        }
        static let noContent = Answer(status: 204, description: "Done; there is nothing to say.", schema: nil)
    }

    /// Who may use a route. There is no default: whoever adds a route decides.
    enum Access: Sendable, Equatable {
        /// Anybody, signed in or not.
        case everyone
        /// A device that asks for its identity: `ENROLLMENT_MODE` decides.
        case enrollment
        /// Whoever is signed in with this role or a higher one.
        case role(UserRole)

        static let viewer = Access.role(.viewer)
        static let member = Access.role(.member)
        static let admin = Access.role(.admin)
    }

    let method: HTTPRequest.Method
    /// Below `/api`, with parameters in braces.
    let path: String
    /// One word for the part of the program it belongs to.
    let tag: String
    let access: Access
    let summary: String
    var query: [QueryParameter] = []
    /// Schema of the body, if it takes one.
    var body: JSONValue?
    var bodyIsOptional = false
    var bodyMediaType = "application/json"
    let answer: Answer
    /// Statuses of problems it may answer with, besides 500 and 503.
    var problems: [Int] = []
    /// Whether it stops when the client hangs up (`Request.whileConnected`). The connection takes no request after it.
    var watchesClient = false
    let handler: Handler

    struct QueryParameter: Sendable {
        let name: String
        let schema: JSONValue
        let description: String

        static let page = [
            QueryParameter(
                name: "limit", schema: Schema.integer(minimum: 1, maximum: 500, default: 50),
                description: "Most items in the answer."),
            QueryParameter(
                name: "offset", schema: Schema.integer(minimum: 0, maximum: 1_000_000_000, default: 0),
                description: "Items to skip."),
        ]
    }
}

/// Every route there is, in one place.
struct RouteTable: Sendable {
    static let prefix = "/api"
    let routes: [Route]
    /// OpenAPI 3.1.
    let document: JSONValue

    init(_ environment: APIEnvironment) {
        let resources =
            HealthRoutes(environment).routes + AuthRoutes(environment).routes + UserRoutes(environment).routes
            + TokenRoutes(environment).routes + EnrollmentTokenRoutes(environment).routes
            + EnrollmentRoutes(environment).routes + DeviceRoutes(environment).routes
            + DeviceCommandRoutes(environment).routes
            + PlantRoutes(environment).routes + HistoryRoutes(environment).routes + ExportRoutes(environment).routes
            + RejectRoutes(environment).routes + SystemRoutes(environment).routes
            + AuditRoutes(environment).routes + AlertRoutes(environment).routes
            + ReplayRoutes(environment).routes + ChannelRoutes(environment).routes
            + AlertSettingsRoutes(environment).routes + HealthCheckRoutes(environment).routes
            + EventRoutes(environment).routes + SpeciesRoutes(environment).routes
            + CarePlanRoutes(environment).routes + LLMSettingsRoutes(environment).routes
            + PlantEventRoutes(environment).routes + ForecastRoutes(environment).routes
            + SparklineRoutes(environment).routes
        let document = OpenAPI.document(resources, version: environment.version)
        self.document = document
        routes =
            resources + [
                Route(
                    method: .get, path: "/openapi.json", tag: "system", access: .everyone, summary: "This description",
                    answer: .ok("OpenAPI 3.1", Schema.anyObject)
                ) { _, _ in try .json(document) }
            ]
    }

    /// The methods a concrete path knows. `/species/import` is that, and no id.
    func methods(of path: String) -> [HTTPRequest.Method] {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        var methods: [HTTPRequest.Method] = []
        var fewest = Int.max
        for route in routes {
            let pattern = (Self.prefix + route.path).split(separator: "/", omittingEmptySubsequences: true)
            guard pattern.count == parts.count, zip(pattern, parts).allSatisfy({ $0.first == "{" || $0 == $1 }) else {
                continue
            }
            let parameters = pattern.count { $0.first == "{" }
            if parameters < fewest { (methods, fewest) = ([], parameters) }
            if parameters == fewest { methods.append(route.method) }
        }
        return methods
    }
}
