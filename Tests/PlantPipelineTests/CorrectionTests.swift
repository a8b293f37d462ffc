import PlantDomain
import Testing

@testable import PlantPipeline
@testable import PlantStore

@Suite struct CorrectionTests {
    private static let device = EntityID.make()
    private static let (right, wrong) = (EntityID.make(), EntityID.make())

    private static func wanted(
        _ credentials: EntityID? = right, underWay: EntityID? = nil, mayConnect: Bool = true, isRegistered: Bool = true,
        needsEnrollment: Bool = false
    ) -> BrokerEntry {
        BrokerEntry(
            device: device, credentialsID: credentials, sealedPassword: [1], underWay: underWay,
            mayConnect: mayConnect, isRegistered: isRegistered, needsEnrollment: needsEnrollment)
    }

    private static func told(
        _ credentials: EntityID?, disabled: Bool? = nil, of installation: String = "here"
    ) -> DynamicSecurity.ClientEntry {
        DynamicSecurity.ClientEntry(
            username: device.description,
            textdescription: credentials.map {
                DynamicSecurity.Marker(installation: installation, credentials: $0).text
            }, disabled: disabled)
    }

    @Test(
        arguments: [
            (nil, nil, Correction.nothing),
            (nil, told(right), .revoke),
            // Somebody else's, or another installation's.
            (nil, told(nil), .nothing),
            (nil, told(right, of: "elsewhere"), .nothing),
            (wanted(), told(right, of: "elsewhere"), .grant),
            (wanted(isRegistered: false), told(right), .revoke),
            (wanted(isRegistered: false), nil, .nothing),
            (wanted(), told(right), .nothing),
            (wanted(), nil, .grant),
            (wanted(), told(wrong), .grant),
            (wanted(), told(nil), .grant),
            (wanted(mayConnect: false), told(right), .disable),
            (wanted(mayConnect: false), told(right, disabled: true), .nothing),
            (wanted(), told(right, disabled: true), .enable),
            (wanted(mayConnect: false), nil, .grant),
            // Credentials on their way in are left alone.
            (wanted(underWay: wrong), told(wrong), .nothing),
            (wanted(underWay: wrong), told(right), .nothing),
            (wanted(nil, underWay: wrong, isRegistered: false), told(wrong), .nothing),
            // From before passwords were kept.
            (wanted(nil), told(nil), .nothing),
            (wanted(nil), nil, .markLost),
            (wanted(nil, needsEnrollment: true), nil, .nothing),
            (wanted(nil, mayConnect: false), told(nil), .disable),
            // Found again: shutting out comes first, then the flag.
            (wanted(nil, needsEnrollment: true), told(nil), .markFound),
            (wanted(nil, mayConnect: false, needsEnrollment: true), told(nil), .disable),
        ] as [(BrokerEntry?, DynamicSecurity.ClientEntry?, Correction)])
    func `the database is right and the broker is told`(
        wanted: BrokerEntry?, told: DynamicSecurity.ClientEntry?, correction: Correction
    ) {
        #expect(Correction(wanted, told, "here") == correction)
    }
}
