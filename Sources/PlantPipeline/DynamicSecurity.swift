package import Foundation
import PlantDomain
package import Sealing

/// Commands of Mosquitto's dynamic security plugin (mosquitto_ctrl_dynsec(1)), as JSON over
/// `$CONTROL/dynamic-security/v1`.
enum DynamicSecurity {
    static let topic = "$CONTROL/dynamic-security/v1"
    static let responseTopic = "$CONTROL/dynamic-security/v1/response"

    struct Command: Encodable, Sendable {
        var command: String
        var username: String?
        var password: String?
        var rolename: String?
        var roles: [Role]?
        var acls: [ACL]?
        var textdescription: String?
        var verbose: Bool?
        var count: Int?
        var offset: Int?
        var correlationData: String?
        /// Errors that leave things as wanted: "not found" when something is to be deleted.
        var tolerates: Set<String> = []

        enum CodingKeys: String, CodingKey {
            case command, username, password, rolename, roles, acls, textdescription, verbose, count, offset
            case correlationData
        }
    }

    struct Role: Codable, Sendable {
        var rolename: String
        var priority = 0
    }

    struct ACL: Codable, Sendable {
        var acltype: String
        var topic: String
        var priority = 0
        var allow = true
    }

    struct Responses: Decodable, Sendable {
        struct Response: Decodable, Sendable {
            /// Of `getClient` and `listClients`.
            struct Details: Decodable, Sendable {
                let client: ClientEntry?
                let clients: [ClientEntry]?
                let totalCount: Int?
            }

            let command: String
            let error: String?
            let correlationData: String?
            let data: Details?
        }
        let responses: [Response]
    }

    /// An account as the broker has it.
    struct ClientEntry: Decodable, Sendable, Equatable {
        let username: String
        let textdescription: String?
        let disabled: Bool?

        /// nil for an account that is no device's.
        var device: EntityID? { EntityID(username) }
        var marker: Marker? { Marker(textdescription) }
    }

    static func roleName(_ device: EntityID) -> String { "device-\(device)" }

    /// What a device may do, and nothing else: publish what devices publish, and hear what is meant for it.
    static func rights(of device: EntityID) -> [ACL] {
        let own = "devices/\(device)"
        return DeviceTopic.allCases.map { ACL(acltype: "publishClientSend", topic: $0.topic(of: device)) } + [
            ACL(acltype: "publishClientReceive", topic: "\(own)/#"),
            ACL(acltype: "subscribePattern", topic: "\(own)/#"),
            ACL(acltype: "unsubscribePattern", topic: "\(own)/#"),
        ]
    }

    /// Changed together with `rights`: devices whose entry carries another number get theirs anew.
    private static let rightsRevision = 1

    /// What an entry says of itself: whose it is, and by which it can be told whether it agrees with the database.
    struct Marker: Equatable {
        let installation: String
        let credentials: EntityID
        var rights = DynamicSecurity.rightsRevision

        var text: String { "plantops \(installation) credentials \(credentials) rights \(rights)" }

        init(installation: String, credentials: EntityID) {
            self.installation = installation
            self.credentials = credentials
        }

        /// - Returns: nil for an entry that says something else.
        init?(_ text: String?) {
            let words = (text ?? "").split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 6, words[0] == "plantops", words[2] == "credentials", words[4] == "rights",
                let credentials = EntityID(String(words[3])), let rights = Int(words[5])
            else { return nil }
            installation = String(words[1])
            self.credentials = credentials
            self.rights = rights
        }
    }

    /// Gives a device new credentials. Whatever it had is removed first, which also ends a session that is open under
    /// the old password. The broker carries the commands out in one go: nobody comes in between them.
    static func grant(
        _ device: EntityID, password: Secret, marker: Marker, mayConnect: Bool
    ) -> [Command] {
        let name = device.description
        return revoke(device) + [
            Command(command: "createRole", rolename: roleName(device), acls: rights(of: device)),
            Command(
                command: "createClient", username: name, password: password.reveal(),
                roles: [Role(rolename: roleName(device))], textdescription: marker.text),
        ] + (mayConnect ? [] : [Command(command: "disableClient", username: name)])
    }

    /// Disabling an account ends its session.
    static func setEnabled(_ device: EntityID, _ enabled: Bool) -> [Command] {
        [Command(command: enabled ? "enableClient" : "disableClient", username: device.description)]
    }

    /// Takes a device's credentials away and ends its session.
    static func revoke(_ device: EntityID) -> [Command] {
        [
            Command(command: "deleteClient", username: device.description, tolerates: ["Client not found"]),
            Command(command: "deleteRole", rolename: roleName(device), tolerates: ["Role not found"]),
        ]
    }

    /// What the backend itself may do.
    static let backendRights: [ACL] = [
        ACL(acltype: "subscribePattern", topic: "devices/#"),
        ACL(acltype: "subscribePattern", topic: "$share/+/devices/#"),
        ACL(acltype: "unsubscribePattern", topic: "devices/#"),
        ACL(acltype: "publishClientReceive", topic: "devices/#"),
        ACL(acltype: "publishClientSend", topic: "devices/+/commands"),
        ACL(acltype: "publishClientSend", topic: "\(topic)/#"),
        ACL(acltype: "publishClientSend", topic: topic),
        ACL(acltype: "subscribePattern", topic: "\(topic)/#"),
        ACL(acltype: "publishClientReceive", topic: "\(topic)/#"),
    ]
}

/// The file the broker starts with the first time: one account, the backend's, and nobody else.
package enum BrokerSecurityFile {
    /// - Throws: `SealingError` when OpenSSL gives no random bytes.
    package static func initial(username: String, password: Secret) throws -> Data {
        struct File: Encodable {
            struct Access: Encodable {
                let acltype: String
                let allow = false
            }
            struct Client: Encodable {
                let username: String
                let textName = "The PlantOps backend"
                let password: String
                let salt: String
                let iterations: Int
                let roles: [DynamicSecurity.Role]

                enum CodingKeys: String, CodingKey {
                    case username, password, salt, iterations, roles
                    case textName = "textname"
                }
            }
            struct RoleEntry: Encodable {
                let rolename: String
                let acls: [DynamicSecurity.ACL]
            }
            let defaultACLAccess: [Access]
            let clients: [Client]
            let groups: [String] = []
            let roles: [RoleEntry]
        }
        let salt = try Crypto.randomBytes(12)
        // The plugin reads the count from the file; its own default of 101 is for devices' random passwords.
        let iterations = 10_000
        let hash = try Crypto.pbkdf2SHA512(password: password, salt: salt, iterations: iterations, length: 64)
        let file = File(
            defaultACLAccess: ["publishClientSend", "publishClientReceive", "subscribe", "unsubscribe"].map {
                File.Access(acltype: $0)
            },
            clients: [
                File.Client(
                    username: username, password: Crypto.base64(hash), salt: Crypto.base64(salt),
                    iterations: iterations, roles: [DynamicSecurity.Role(rolename: "backend")])
            ],
            roles: [File.RoleEntry(rolename: "backend", acls: DynamicSecurity.backendRights)])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(file)
    }
}
