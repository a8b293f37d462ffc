import Foundation
import PlantDomain

/// What the system says of this process (proc(5)). What cannot be read is 0.
struct ProcessFacts {
    let residentBytes: Int
    let virtualBytes: Int
    let cpuSeconds: Double
    let threads: Int
    let openFiles: Int
    let mostFiles: Double

    init() {
        (virtualBytes, residentBytes) = Self.memory()
        let fields = Self.fields()
        let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        // Counted from the third field: 14 and 15 are the time of user and system, 20 the threads.
        func field(_ number: Int) -> Double { fields.count > number - 3 ? Double(fields[number - 3]) ?? 0 : 0 }
        cpuSeconds = (field(14) + field(15)) / ticks
        threads = Int(field(20))
        openFiles = Self.countOpenFiles()
        var limit = rlimit()
        // RLIM_INFINITY is the largest number there is.
        mostFiles = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? Double(limit.rlim_cur) : 0
    }

    static var residentBytes: Int { memory().resident }

    /// The first two fields of statm count pages.
    private static func memory() -> (virtual: Int, resident: Int) {
        let pages = text("/proc/self/statm").split(separator: " ").prefix(2).map { Int($0) ?? 0 }
        guard pages.count == 2 else { return (0, 0) }
        let size = Int(sysconf(Int32(_SC_PAGESIZE)))
        return (pages[0] * size, pages[1] * size)
    }

    /// From the third on: the second is the program's name in parentheses, and may have blanks and parentheses in it.
    private static func fields() -> [Substring] {
        let text = text("/proc/self/stat")
        guard let end = text.lastIndex(of: ")") else { return [] }
        return text[text.index(after: end)...].split(separator: " ")
    }

    private static func countOpenFiles() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // `.` and `..`, and what this reads it with.
        return max(0, count - 3)
    }

    private static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}
