import Testing

@testable import PlantAPI

@Suite struct AttachmentNameTests {
    @Test(arguments: [
        ("Monstera", "Monstera.csv"), ("Grüne Lilie", "Grüne Lilie.csv"),
        ("a/b\\c:d*e?f\"g<h>i|j", "a-b-c-d-e-f-g-h-i-j.csv"),
        ("two\r\nlines\tand\0more", "two lines and more.csv"), ("  . hidden . ", "hidden.csv"),
        ("../../etc/passwd", "-..-etc-passwd.csv"),
        ("", "plant.csv"), (" \n ", "plant.csv"), ("...", "plant.csv"), ("vsc.\u{202E}exe", "vsc. exe.csv"),
        ("🌱", "🌱.csv"),
    ])
    func `a file is called what its plant is called, but for what no file system takes`(text: String, name: String) {
        #expect(AttachmentName(text).name == name)
    }

    @Test func `a long name is cut`() {
        #expect(AttachmentName(String(repeating: "ü", count: 200)).name.count == 84)
    }

    @Test(arguments: [
        ("Monstera", #"attachment; filename="Monstera.csv"; filename*=UTF-8''Monstera.csv"#),
        ("Grüne Lilie", #"attachment; filename="Grune Lilie.csv"; filename*=UTF-8''Gr%C3%BCne%20Lilie.csv"#),
        ("a'b;c\"d%", #"attachment; filename="a-b-c-d-.csv"; filename*=UTF-8''a%27b%3Bc-d%25.csv"#),
        ("植物", #"attachment; filename="-.csv"; filename*=UTF-8''%E6%A4%8D%E7%89%A9.csv"#),
    ])
    func `the header says it in both ways`(text: String, header: String) {
        #expect(AttachmentName(text).contentDisposition == header)
    }

    @Test func `no name breaks out of the header`() {
        for scalar in (UInt32(0)...0x2FFF).compactMap(UnicodeScalar.init) {
            let header = AttachmentName("a\(scalar)b").contentDisposition
            #expect(header.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "U+\(String(scalar.value, radix: 16))")
            #expect(header.split(separator: "\"").count == 3, "U+\(String(scalar.value, radix: 16))")
        }
    }
}
