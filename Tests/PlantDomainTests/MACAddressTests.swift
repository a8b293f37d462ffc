import PlantDomain
import Testing

@Suite("Hardware addresses")
struct MACAddressTests {
    @Test(
        "are read in the usual notations and written in one",
        arguments: [
            "24:6F:28:AB:CD:EF", "24:6f:28:ab:cd:ef", "24-6f-28-ab-cd-ef", "24-6F-28-AB-CD-EF", "246f.28ab.cdef",
            "246f28abcdef", "246F28ABCDEF",
        ])
    func reads(text: String) throws {
        let address = try #require(MACAddress(text))
        #expect(address.description == "24:6F:28:AB:CD:EF")
        #expect(address == MACAddress("24:6F:28:AB:CD:EF"))
    }

    @Test("keep leading zeros")
    func leadingZeros() {
        #expect(MACAddress("00:00:00:00:00:01")?.description == "00:00:00:00:00:01")
    }

    @Test(
        "are refused when malformed or no single device's",
        arguments: [
            "", "24:6F:28:AB:CD", "24:6F:28:AB:CD:EF:01", "24:6F:28:AB:CD:EG", "24:6F-28:AB-CD:EF",
            "24-6F:28-AB:CD-EF", "246f:28ab:cdef", "24.6F.28.AB.CD.EF", "246f-28ab-cdef", " 46F28ABCDEF",
            "24:6F:28:AB:CD:EF ", "2:46F:28:AB:CD:EF", "００:00:00:00:0",
            "00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF", "01:00:5E:00:00:FB", "33:33:00:00:00:01",
        ])
    func refuses(text: String) {
        #expect(MACAddress(text) == nil)
    }
}
